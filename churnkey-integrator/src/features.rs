//! The features manifest (contract, section 2.3). Its shape is not confirmed by Churnkey's public
//! documentation, so this file is the only one that knows it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    actions::{
        CancelFeatures, ChangePriceFeatures, Durations, ExtendTrialFeatures, PauseFeatures,
        Schedules,
    },
    model::{PriceType, ProductType},
    operation::{Operation, Section},
};

/// What an integration serves, as Churnkey reads it.
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

    /// Adds the operation's line. What is not served has no line.
    pub(crate) fn advertise(&mut self, operation: Operation) {
        let Some(line) = operation.manifest_line() else {
            return;
        };
        let module = self.module(line.section, line.module);
        if let Some(key) = line.key {
            module.insert(key.to_owned(), Value::Bool(true));
        }
    }

    pub(crate) fn declare_price_type(&mut self, price_type: PriceType) {
        let prices = self.module(Section::Controllers, "prices");
        prices.insert("type".to_owned(), price_type.as_str().into());
    }

    pub(crate) fn declare_product_type(&mut self, product_type: ProductType) {
        let products = self.module(Section::Controllers, "products");
        products.insert("type".to_owned(), product_type.as_str().into());
    }

    pub(crate) fn declare_cancel(&mut self, features: CancelFeatures) {
        let cancel = self.module(Section::Actions, "cancel");
        cancel.insert("schedules".to_owned(), schedules(features.schedules()));
    }

    pub(crate) fn declare_pause(&mut self, features: PauseFeatures) {
        let pause = self.module(Section::Actions, "pause");
        pause.insert("startDates".to_owned(), schedules(features.start_dates()));
        pause.insert("durations".to_owned(), durations(features.durations()));
        pause.insert("allowAnnual".to_owned(), features.allows_annual().into());
    }

    pub(crate) fn declare_extend_trial(&mut self, features: ExtendTrialFeatures) {
        let extend_trial = self.module(Section::Actions, "extendTrial");
        extend_trial.insert("multiple".to_owned(), features.is_multiple().into());
        extend_trial.insert("durations".to_owned(), durations(features.durations()));
    }

    pub(crate) fn declare_change_price(&mut self, features: ChangePriceFeatures) {
        let change_price = self.module(Section::Actions, "changePrice");
        change_price.insert("schedules".to_owned(), schedules(features.schedules()));
        change_price.insert("prorate".to_owned(), features.prorates().into());
    }

    fn module(&mut self, section: Section, module: &'static str) -> &mut Map<String, Value> {
        let section = match section {
            Section::Controllers => &mut self.controllers,
            Section::Actions => &mut self.actions,
        };
        section.entry(module).or_default()
    }
}

fn schedules(schedules: Schedules) -> Value {
    json!({
        "immediate": schedules.has_immediate(),
        "end-of-period": schedules.has_end_of_period(),
    })
}

fn durations(durations: Durations) -> Value {
    json!({ "period": durations.has_period(), "date": durations.has_date() })
}
