//! The features manifest (contract, section 2.3). Churnkey's public documentation does not confirm its shape, so no other
//! file depends on it. The keys are in the table of operations, and what a part declares is in the part's file.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    actions::{Durations, Schedules},
    operation::{Operation, Section},
};

/// The manifest: what an integration serves, for Churnkey to read.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Features {
    name: String,
    controllers: BTreeMap<&'static str, Map<String, Value>>,
    actions: BTreeMap<&'static str, Map<String, Value>>,
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

    /// Adds the operation. What is not served is absent.
    pub(crate) fn advertise(&mut self, operation: Operation) {
        let Some(line) = operation.manifest_line() else {
            return;
        };
        let module = self.module(line.section, line.module);
        if let Some(key) = line.key {
            module.insert(key.to_owned(), Value::Bool(true));
        }
    }

    /// Adds a value that the operation's module declares.
    pub(crate) fn declare(&mut self, of: Operation, key: &'static str, value: Value) {
        if let Some(line) = of.manifest_line() {
            let module = self.module(line.section, line.module);
            module.insert(key.to_owned(), value);
        }
    }

    fn module(&mut self, section: Section, module: &'static str) -> &mut Map<String, Value> {
        let section = match section {
            Section::Controllers => &mut self.controllers,
            Section::Actions => &mut self.actions,
        };
        section.entry(module).or_default()
    }
}

pub(crate) fn schedules(schedules: Schedules) -> Value {
    json!({
        "immediate": schedules.has_immediate(),
        "end-of-period": schedules.has_end_of_period(),
    })
}

pub(crate) fn durations(durations: Durations) -> Value {
    json!({ "period": durations.has_period(), "date": durations.has_date() })
}
