//! The schema of the features manifest (contract, section 2.3).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::model::Models;
use crate::{
    model::{PriceType, ProductType},
    operation::Operation,
};

pub(super) fn schema(models: &mut Models) -> Value {
    let mut sections: BTreeMap<_, BTreeMap<_, Map<String, Value>>> = BTreeMap::new();
    for line in Operation::all().filter_map(Operation::manifest_line) {
        let modules = sections.entry(line.section()).or_default();
        let module = modules.entry(line.module());
        let keys = module.or_insert_with(|| declared(line.module(), models));
        if let Some(key) = line.key() {
            keys.insert(key.to_owned(), flag());
        }
    }
    let section = |(name, modules): (&str, BTreeMap<&str, Map<String, Value>>)| {
        let modules = modules.into_iter();
        let modules = modules.map(|(name, keys)| (name.to_owned(), object(keys)));
        (name.to_owned(), object(modules.collect()))
    };
    let mut fields: Map<String, Value> = sections.into_iter().map(section).collect();
    fields.insert("name".to_owned(), json!({ "type": "string" }));
    json!({ "type": "object", "properties": fields, "required": ["name", "controllers"] })
}

fn object(fields: Map<String, Value>) -> Value {
    json!({ "type": "object", "properties": Value::Object(fields) })
}

fn flag() -> Value {
    json!({ "type": "boolean" })
}

/// What a controller or an action declares besides its operations.
fn declared(module: &str, models: &mut Models) -> Map<String, Value> {
    let choice = |names: [&str; 2]| {
        object(
            names
                .map(|name| (name.to_owned(), flag()))
                .into_iter()
                .collect(),
        )
    };
    let schedules = || choice(["immediate", "end-of-period"]);
    let durations = || choice(["period", "date"]);
    let declared = match module {
        "prices" => vec![("type", models.of::<PriceType>())],
        "products" => vec![("type", models.of::<ProductType>())],
        "cancel" => vec![("schedules", schedules())],
        "pause" => vec![
            ("startDates", schedules()),
            ("durations", durations()),
            ("allowAnnual", flag()),
        ],
        "extendTrial" => vec![("multiple", flag()), ("durations", durations())],
        "changePrice" => vec![("schedules", schedules()), ("prorate", flag())],
        _ => Vec::new(),
    };
    let declared = declared.into_iter();
    declared
        .map(|(key, schema)| (key.to_owned(), schema))
        .collect()
}
