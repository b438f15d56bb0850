//! The schemas of the models, as the models are written.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

use crate::money::MAX_SAFE_INTEGER;

/// The schemas that are referred to so far, each under its name.
pub(super) struct Models(SchemaGenerator);

impl Models {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let settings = settings.with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self(settings.into_generator())
    }

    /// A reference to the schema of this type.
    pub(super) fn of<T: JsonSchema>(&mut self) -> Value {
        let schema: Schema = self.0.subschema_for::<T>();
        let mut schema = schema.to_value();
        adapt(&mut schema);
        schema
    }

    pub(super) fn into_schemas(mut self) -> Map<String, Value> {
        let mut schemas = self.0.take_definitions(true);
        schemas.values_mut().for_each(adapt);
        schemas
    }
}

/// Says what holds for every model (contract, section 2.7), and what a derived schema doesn't know.
fn adapt(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(adapt),
        Value::Object(fields) => {
            fields.values_mut().for_each(adapt);
            bound_integer(fields);
            remove_null(fields);
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = first_sentence(text);
            }
        }
        _ => {}
    }
}

/// JSON has no types of integers, so the bounds are written out.
fn bound_integer(schema: &mut Map<String, Value>) {
    let maximum = match schema.get("format").and_then(Value::as_str) {
        Some("uint64") => MAX_SAFE_INTEGER,
        Some("uint32") => u32::MAX.into(),
        _ => return,
    };
    schema.remove("format");
    schema.insert("maximum".to_owned(), maximum.into());
}

/// What is absent is omitted, so no field is written as null.
fn remove_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &mut **types {
            let only = only.take();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = &mut **choices {
            let only = std::mem::take(only);
            schema.remove("anyOf");
            schema.extend(only);
        }
    }
}

/// The rest of a documentation is about Rust.
fn first_sentence(text: &str) -> String {
    let text = text.split("\n\n").next().unwrap_or_default();
    let text = text.replace('\n', " ");
    match text.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => text,
    }
}

/// The object with one more field.
pub(super) fn with(object: Value, field: &str, value: Value) -> Value {
    match object {
        Value::Object(mut fields) => {
            fields.insert(field.to_owned(), value);
            fields.into()
        }
        other => other,
    }
}
