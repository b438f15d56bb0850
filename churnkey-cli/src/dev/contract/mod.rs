//! What the contract says of a value: the library's OpenAPI document, looked up by the value's place in an answer.

mod record;

use std::sync::LazyLock;

use churnkey_integrator::{Operation, openapi};
use serde_json::Value;

pub(crate) use self::record::{Answered, Mistake, Part, Record, below, element};

static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi::document);

/// The whole document.
pub(crate) fn document() -> &'static Value {
    &DOCUMENT
}

/// What the contract says of a value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    says: &'static Value,
    /// The name of a shared schema, such as `Customer`.
    name: Option<&'static str>,
    /// What is said beside the reference that led here.
    remark: Option<&'static str>,
}

impl Schema {
    /// That of a shared schema.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let schemas = DOCUMENT.pointer("/components/schemas")?.as_object()?;
        let (name, says) = schemas.get_key_value(name)?;
        Some(Self {
            says,
            name: Some(name),
            remark: None,
        })
    }

    /// That of the body of a successful answer, if it has one.
    pub(crate) fn of_answer(operation: Operation) -> Option<Self> {
        let method = operation.method().as_str().to_ascii_lowercase();
        let described = DOCUMENT.get("paths")?.get(operation.path())?.get(method)?;
        let content = described.get("responses")?.get("200")?.get("content")?;
        Some(Self::new(content.get("application/json")?.get("schema")?))
    }

    /// A reference is followed.
    pub(crate) fn new(says: &'static Value) -> Self {
        let reference = says.get("$ref").and_then(Value::as_str);
        let name = reference.and_then(|reference| reference.rsplit('/').next());
        match name.and_then(Self::named) {
            Some(named) => Self {
                remark: says.get("description").and_then(Value::as_str),
                ..named
            },
            None => Self {
                says,
                name: None,
                remark: None,
            },
        }
    }

    /// Of several variants, the one that this value is tagged as.
    fn variant_of(self, value: &Value) -> Option<Self> {
        let is_it = |variant: &Self| {
            let mut tags = variant.tags().peekable();
            tags.peek().is_some() && tags.all(|(key, tag)| value.get(key) == Some(tag))
        };
        self.variants().find(is_it)
    }

    pub(crate) fn variants(self) -> impl Iterator<Item = Self> {
        let variants = self.says.get("oneOf").and_then(Value::as_array);
        variants.into_iter().flatten().map(Self::new)
    }

    /// The fields with one possible value, which tell variants apart.
    pub(crate) fn tags(self) -> impl Iterator<Item = (&'static str, &'static Value)> {
        let fields = self.fields();
        fields.filter_map(|(name, field)| Some((name, field.says.get("const")?)))
    }

    /// The fields by name. Those of its variants are not among them.
    pub(crate) fn fields(self) -> impl Iterator<Item = (&'static str, Self)> {
        let fields = self.says.get("properties").and_then(Value::as_object);
        let fields = fields.into_iter().flatten();
        fields.map(|(name, says)| (name.as_str(), Self::new(says)))
    }

    /// A field, or the free key of a map.
    fn field(self, name: &str) -> Option<Self> {
        let named = self.says.get("properties").and_then(|all| all.get(name));
        named.map(Self::new).or_else(|| self.free_fields())
    }

    /// What any key of a map holds.
    pub(crate) fn free_fields(self) -> Option<Self> {
        let says = self.says.get("additionalProperties")?;
        says.is_object().then(|| Self::new(says))
    }

    pub(crate) fn elements(self) -> Option<Self> {
        self.says.get("items").map(Self::new)
    }

    fn required(self) -> impl Iterator<Item = &'static str> {
        let required = self.says.get("required").and_then(Value::as_array);
        required.into_iter().flatten().filter_map(Value::as_str)
    }

    pub(crate) fn requires(self, field: &str) -> bool {
        self.required().any(|required| required == field)
    }

    pub(crate) fn name(self) -> Option<&'static str> {
        self.name
    }

    pub(crate) fn description(self) -> Option<&'static str> {
        self.says.get("description").and_then(Value::as_str)
    }

    pub(crate) fn remark(self) -> Option<&'static str> {
        self.remark
    }

    /// The only values, where the contract lists them.
    pub(crate) fn choices(self) -> Vec<&'static Value> {
        if let Some(only) = self.says.get("const") {
            return vec![only];
        }
        if let Some(choices) = self.says.get("enum").and_then(Value::as_array) {
            return choices.iter().collect();
        }
        let variants: Vec<Self> = self.variants().collect();
        let choices: Option<Vec<_>> = variants.iter().map(|one| one.says.get("const")).collect();
        choices.unwrap_or_default()
    }

    /// What is expected, as in "expected a whole number from 0 to 100".
    pub(crate) fn expects(self) -> String {
        let choices: Vec<String> = self.choices().iter().map(ToString::to_string).collect();
        match &*choices {
            [] => {}
            [only] => return only.clone(),
            [first @ .., last] => return format!("{} or {last}", first.join(", ")),
        }
        let number = |key: &str| self.says.get(key).map(Value::to_string);
        let range = |what: &str| match (number("minimum"), number("maximum")) {
            (Some(from), Some(to)) => format!("{what} from {from} to {to}"),
            (Some(from), None) => format!("{what} from {from} on"),
            _ => what.to_owned(),
        };
        match self.kind() {
            "string" if self.says.get("format").is_some() => {
                "a time such as \"2026-03-04T00:00:00.000Z\"".to_owned()
            }
            "string" => match number("maxLength") {
                Some(most) => format!("a string of 1 to {most} characters"),
                None => "a string".to_owned(),
            },
            "integer" => range("a whole number"),
            "number" => range("a number"),
            "boolean" => "true or false".to_owned(),
            "array" => "an array".to_owned(),
            _ => "an object".to_owned(),
        }
    }

    /// The type in JSON. What has variants has that of the first.
    fn kind(self) -> &'static str {
        let own = self.says.get("type");
        let one = match own {
            Some(Value::Array(types)) => types.first(),
            own => own,
        };
        let one = one.and_then(Value::as_str);
        one.or_else(|| self.variants().next().map(Self::kind))
            .unwrap_or("object")
    }

    /// Whether a value fits, apart from what is in it.
    fn fits(self, value: &Value) -> bool {
        let choices = self.choices();
        if !choices.is_empty() {
            return choices.contains(&value);
        }
        let bound = |key: &str| self.says.get(key).and_then(Value::as_u64);
        match self.kind() {
            "string" => value.is_string(),
            "integer" => value.as_u64().is_some_and(|value| {
                bound("minimum").is_none_or(|least| least <= value)
                    && bound("maximum").is_none_or(|most| value <= most)
            }),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            _ => value.is_object(),
        }
    }
}

/// The place of a value on the contract's page, and what is said there.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Such as `Customer.email` for a field, and `Customer` for what has a name.
    pub(crate) anchor: String,
    pub(crate) schema: Schema,
}

impl Place {
    pub(crate) fn new(anchor: impl Into<String>, schema: Schema) -> Self {
        let anchor = match schema.name() {
            Some(name) => name.to_owned(),
            None => anchor.into(),
        };
        Self { anchor, schema }
    }

    /// With the variant that the value is tagged as, if there are variants.
    pub(crate) fn variant_of(&self, value: &Value) -> Self {
        match self.schema.variant_of(value) {
            Some(schema) => Self::new(variant_anchor(&self.anchor, schema), schema),
            None => self.clone(),
        }
    }

    /// The anchor of a field, and what its value is. A map has no anchors for its keys.
    pub(crate) fn field(&self, name: &str) -> Option<(String, Self)> {
        let schema = self.schema.field(name)?;
        let anchor = match self.schema.fields().any(|(known, _)| known == name) {
            true => format!("{}.{name}", self.anchor),
            false => self.anchor.clone(),
        };
        Some((anchor.clone(), Self::new(anchor, schema)))
    }

    pub(crate) fn elements(&self) -> Option<Self> {
        let schema = self.schema.elements()?;
        Some(Self::new(self.anchor.clone(), schema))
    }
}

/// The anchor of a variant: that of the whole and its tag, such as `SubscriptionStatus.active`.
pub(crate) fn variant_anchor(whole: &str, variant: Schema) -> String {
    let tags = variant.tags().filter_map(|(_, tag)| tag.as_str());
    let parts = [whole].into_iter().chain(tags);
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place(name: &str) -> Place {
        Place::new(name, Schema::named(name).unwrap())
    }

    #[test]
    fn a_field_has_an_anchor_and_its_value_that_of_its_schema() {
        let (anchor, duration) = place("Subscription").field("duration").unwrap();
        assert_eq!(
            (&*anchor, &*duration.anchor),
            ("Subscription.duration", "BillingDuration")
        );
        let (anchor, items) = place("Subscription").field("items").unwrap();
        assert_eq!(anchor, "Subscription.items");
        assert_eq!(items.elements().unwrap().anchor, "Item");

        let status = place("SubscriptionStatus");
        let paused = status.variant_of(&json!({ "name": "paused" }));
        let (anchor, pause) = paused.field("pause").unwrap();
        assert_eq!(
            (&*anchor, &*pause.anchor),
            ("SubscriptionStatus.paused.pause", "Pause")
        );
        assert!(
            status
                .variant_of(&json!({ "name": "future" }))
                .field("pause")
                .is_none()
        );
        assert_eq!(place("Metadata").field("any").unwrap().0, "Metadata");
    }
}
