//! The features manifest (contract, section 2.3). Its shape is not confirmed by Churnkey's public
//! documentation, so this file is the only one that knows it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::operation::Operation;

/// What an integration serves, as Churnkey reads it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Features {
    name: String,
    controllers: BTreeMap<&'static str, BTreeMap<&'static str, bool>>,
    actions: BTreeMap<&'static str, BTreeMap<&'static str, bool>>,
}

impl Features {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            controllers: BTreeMap::new(),
            actions: BTreeMap::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Adds the operation's line. What is not served has no line.
    pub(crate) fn advertise(&mut self, operation: Operation) {
        if let Some((controller, key)) = operation.manifest_keys() {
            self.controllers
                .entry(controller)
                .or_default()
                .insert(key, true);
        }
    }
}
