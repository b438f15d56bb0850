//! The features manifest (contract, section 2.3). Churnkey's public documentation does not confirm its shape, so no other
//! file depends on it. The keys are in the table of operations, and what a part declares is in the part's file.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use serde::Serialize;
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};

use crate::{
    actions::{Durations, Schedules},
    operation::{Operation, Section},
};

/// What an integration serves: the manifest without the name.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Features {
    controllers: BTreeMap<&'static str, Map<String, Value>>,
    actions: BTreeMap<&'static str, Map<String, Value>>,
}

impl Features {
    pub(crate) fn new() -> Self {
        Self {
            controllers: BTreeMap::new(),
            actions: BTreeMap::new(),
        }
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

/// Changes the manifest's JSON.
pub(crate) type MapManifest = Arc<dyn Fn(Value) -> Value + Send + Sync>;

/// The manifest as it is sent.
pub(crate) struct Manifest {
    features: Features,
    map: Option<MapManifest>,
    /// Of the one merchant, if there is one.
    built: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    #[serde(flatten)]
    features: &'a Features,
}

impl Manifest {
    pub(crate) fn new(features: Features, map: Option<MapManifest>) -> Self {
        Self {
            features,
            map,
            built: None,
        }
    }

    /// Builds it once, for the one merchant.
    pub(crate) fn build(&mut self, name: &str) {
        // What can't be written is an error of each request.
        self.built = self.render(name).ok();
    }

    /// The JSON for the merchant with this name.
    pub(crate) fn of(&self, name: &str) -> serde_json::Result<Cow<'_, RawValue>> {
        match &self.built {
            Some(built) => Ok(Cow::Borrowed(built)),
            None => self.render(name).map(Cow::Owned),
        }
    }

    fn render(&self, name: &str) -> serde_json::Result<Box<RawValue>> {
        let features = &self.features;
        let named = Named { name, features };
        match &self.map {
            None => to_raw_value(&named),
            Some(map) => to_raw_value(&map(serde_json::to_value(named)?)),
        }
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
