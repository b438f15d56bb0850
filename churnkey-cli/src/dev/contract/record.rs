//! What an integration answered, as far as it can be read, and every mistake in it by its place.

use churnkey_conformance::Answer;
use churnkey_integrator::{
    CouponId, Currency, CustomerId, Email, FamilyId, ItemId, Operation, Percentage, Phone, PriceId,
    ProductId, SubscriptionId, Timestamp,
    model::{
        Address, BillingDuration, Country, Coupon, CouponDuration, CouponValue, Customer,
        CycleUnit, Discount, Family, Item, Pause, Period, Price, PriceAmount, PriceType, Product,
        ProductType, Redemptions, Subscription, SubscriptionStatus, Tier, TierMode, Tiers,
    },
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Place, Schema};

/// A value that is not as the contract says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Such as `items[0].price.amount`; empty for the record itself.
    pub(crate) path: String,
    /// Such as ``expected `month` or `year`; got "week"``.
    pub(crate) says: String,
}

impl Mistake {
    /// Whether it is at this path or below it.
    fn is_in(&self, path: &str) -> bool {
        let rest = self.path.strip_prefix(path);
        path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

/// A successful answer: a record, or a page of them.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) records: Vec<Record>,
    pub(crate) next: Option<String>,
    /// What is wrong with the answer, and not with one of its records.
    pub(crate) wrong: Vec<String>,
}

/// A record as it came.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) raw: Value,
    pub(crate) place: Option<Place>,
    pub(crate) mistakes: Vec<Mistake>,
}

impl Answered {
    /// The records in the answer to an operation.
    pub(crate) fn of(answer: &Answer, operation: Operation) -> Self {
        let body = answer.body();
        let place = Schema::of_answer(operation).map(|schema| Place::new(operation.name(), schema));
        let data = place.as_ref().and_then(|place| place.field("data"));
        let of_each = data.and_then(|(_, data)| data.elements());
        let is_list = of_each.is_some();
        let of_each = of_each.or(place);
        let listed = body.get("data").and_then(Value::as_array);
        let raw = match is_list {
            true => listed.cloned().unwrap_or_default(),
            false => vec![body.clone()],
        };
        let records = raw.into_iter().map(|raw| Record::new(raw, of_each.clone()));
        let mut answered = Self {
            records: records.collect(),
            next: body.get("next").and_then(Value::as_str).map(str::to_owned),
            wrong: Vec::new(),
        };
        let of_any_answer = answer.wrong_shapes(None);
        let wrong = answer.wrong_shapes(Some(operation));
        if !of_any_answer.is_empty() {
            let sentences = of_any_answer.iter().map(ToString::to_string);
            answered.wrong = sentences.collect();
            return answered;
        }
        for wrong in wrong {
            let at = wrong.field();
            let says = format!("expected {}; got {}", wrong.expected(), wrong.got());
            match (is_list, index_of(at)) {
                (false, _) => answered.note(0, at, says),
                (true, Some((index, path))) => answered.note(index, path, says),
                (true, None) => answered.wrong.push(wrong.to_string()),
            }
        }
        answered
    }

    /// Adds a mistake where no closer look has found one.
    fn note(&mut self, index: usize, path: &str, says: String) {
        let path = if path == "body" { "" } else { path };
        let Some(record) = self.records.get_mut(index) else {
            return;
        };
        if !record.mistakes.iter().any(|known| known.is_in(path)) {
            let path = path.to_owned();
            record.mistakes.push(Mistake { path, says });
        }
    }
}

/// `items[0]` in the record 3, of `data[3].items[0]`.
fn index_of(path: &str) -> Option<(usize, &str)> {
    let (index, rest) = path.strip_prefix("data[")?.split_once(']')?;
    Some((index.parse().ok()?, rest.strip_prefix('.').unwrap_or(rest)))
}

impl Record {
    pub(crate) fn new(raw: Value, place: Option<Place>) -> Self {
        let mut mistakes = Vec::new();
        if let Some(place) = &place {
            look(&raw, place.schema, String::new(), &mut mistakes);
        }
        Self {
            raw,
            place,
            mistakes,
        }
    }

    /// A record of a shared schema, such as `Subscription`.
    pub(crate) fn named(raw: Value, name: &str) -> Self {
        let place = Schema::named(name).map(|schema| Place::new(name, schema));
        Self::new(raw, place)
    }

    /// The whole of it.
    pub(crate) fn part(&self) -> Part<'_> {
        Part {
            value: Some(&self.raw),
            path: String::new(),
            mistakes: &self.mistakes,
        }
    }
}

/// A value of a record, or the place where it should be.
#[derive(Debug, Clone)]
pub(crate) struct Part<'r> {
    pub(crate) value: Option<&'r Value>,
    path: String,
    mistakes: &'r [Mistake],
}

impl<'r> Part<'r> {
    pub(crate) fn field(&self, name: &str) -> Self {
        Self {
            value: self.value.and_then(|value| value.get(name)),
            path: below(&self.path, name),
            mistakes: self.mistakes,
        }
    }

    pub(crate) fn elements(&self) -> Vec<Self> {
        let elements = self.value.and_then(Value::as_array).into_iter().flatten();
        let elements = elements.enumerate().map(|(at, value)| Self {
            value: Some(value),
            path: element(&self.path, at),
            mistakes: self.mistakes,
        });
        elements.collect()
    }

    /// The fields of a map.
    pub(crate) fn fields(&self) -> Vec<(&'r str, Self)> {
        let fields = self.value.and_then(Value::as_object).into_iter().flatten();
        fields
            .map(|(name, _)| (name.as_str(), self.field(name)))
            .collect()
    }

    /// The value, if it is there and as the contract says.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(self.value?).ok()
    }

    pub(crate) fn text(&self) -> Option<&'r str> {
        self.value.and_then(Value::as_str)
    }

    /// Nothing, or `null`, where nothing has to be.
    pub(crate) fn is_absent(&self) -> bool {
        self.value.is_none_or(Value::is_null) && !self.is_wrong()
    }

    /// Whether it or something in it is not as the contract says.
    pub(crate) fn is_wrong(&self) -> bool {
        self.mistakes().next().is_some()
    }

    /// What is wrong with it and in it.
    pub(crate) fn mistakes(&self) -> impl Iterator<Item = &'r Mistake> {
        let path = self.path.clone();
        self.mistakes
            .iter()
            .filter(move |mistake| mistake.is_in(&path))
    }
}

/// The path of a field.
pub(crate) fn below(path: &str, field: &str) -> String {
    match path {
        "" => field.to_owned(),
        path => format!("{path}.{field}"),
    }
}

/// The path of an element.
pub(crate) fn element(path: &str, at: usize) -> String {
    format!("{path}[{at}]")
}

/// Finds every mistake, each as deep as it is. What the library can read has none.
fn look(value: &Value, schema: Schema, path: String, found: &mut Vec<Mistake>) {
    let read = schema.name().and_then(|name| read(name, value));
    if read == Some(Ok(())) {
        return;
    }
    let before = found.len();
    if schema.fits(value) {
        look_inside(value, schema, &path, found);
        if let Some(Err(error)) = read
            && found.len() == before
        {
            let says = match error.rsplit_once(", expected ") {
                Some((_, expected)) => format!("expected {expected}; got {}", shown(value)),
                None => error,
            };
            found.push(Mistake { path, says });
        }
    } else {
        let says = format!("expected {}; got {}", schema.expects(), shown(value));
        found.push(Mistake { path, says });
    }
}

fn look_inside(value: &Value, schema: Schema, path: &str, found: &mut Vec<Mistake>) {
    match value {
        Value::Array(elements) => {
            let Some(schema) = schema.elements() else {
                return;
            };
            for (at, value) in elements.iter().enumerate() {
                look(value, schema, element(path, at), found);
            }
        }
        Value::Object(fields) => {
            let variant = match schema.variants().next() {
                None => schema,
                Some(first) => match schema.variant_of(value) {
                    Some(variant) => variant,
                    None => return wrong_tag(value, schema, first, path, found),
                },
            };
            for field in variant.required() {
                if !fields.contains_key(field) {
                    let path = below(path, field);
                    let says = "missing".to_owned();
                    found.push(Mistake { path, says });
                }
            }
            for (name, value) in fields {
                let is_absent = value.is_null() && !variant.requires(name);
                if let Some(schema) = variant.field(name).filter(|_| !is_absent) {
                    look(value, schema, below(path, name), found);
                }
            }
        }
        _ => {}
    }
}

/// The field that should say which of the variants it is.
fn wrong_tag(value: &Value, schema: Schema, first: Schema, path: &str, found: &mut Vec<Mistake>) {
    for (field, _) in first.tags() {
        let tags = schema.variants().flat_map(Schema::tags);
        let tags = tags.filter(|(name, _)| *name == field);
        let tags: Vec<String> = tags.map(|(_, tag)| tag.to_string()).collect();
        let got = value.get(field).map_or("nothing".to_owned(), shown);
        let says = format!("expected one of {}; got {got}", tags.join(", "));
        let path = below(path, field);
        found.push(Mistake { path, says });
    }
}

/// A value as a reader wants it in a sentence.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(values) => format!("an array of {}", values.len()),
        Value::String(text) if text.chars().count() > 80 => "a long text".to_owned(),
        value => value.to_string(),
    }
}

/// Reads a value as the library does; `None` if it has no type of this name.
fn read(name: &str, value: &Value) -> Option<Result<(), String>> {
    fn as_type<T: DeserializeOwned>(value: &Value) -> Result<(), String> {
        let read = T::deserialize(value);
        read.map(drop).map_err(|error| error.to_string())
    }
    macro_rules! types {
        ($($type:ident)*) => {
            match name {
                $(stringify!($type) => as_type::<$type>(value),)*
                _ => return None,
            }
        };
    }
    Some(types! {
        Address BillingDuration Country Coupon CouponDuration CouponId CouponValue Currency Customer CustomerId CycleUnit
        Discount Email Family FamilyId Item ItemId Pause Percentage Period Phone Price PriceAmount PriceId PriceType
        Product ProductId ProductType Redemptions Subscription SubscriptionId SubscriptionStatus Tier TierMode Tiers
        Timestamp
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use churnkey_integrator::{CustomersOperation, SubscriptionsOperation};
    use http::{Method, Response};
    use serde_json::json;

    use super::{super::document, *};

    fn answered(operation: impl Into<Operation>, content_type: &str, body: &Value) -> Answered {
        let response = Response::builder().header("content-type", content_type);
        let response = response.body(Bytes::from(body.to_string())).unwrap();
        Answered::of(&Answer::of(Method::GET, response), operation.into())
    }

    fn mistakes(name: &str, record: &Value) -> Vec<(String, String)> {
        let record = Record::named(record.clone(), name);
        let mistakes = record.mistakes.into_iter();
        mistakes
            .map(|mistake| (mistake.path, mistake.says))
            .collect()
    }

    /// A schema that is added needs its type here, so that no mistake in it is overlooked.
    #[test]
    fn the_library_reads_each_schema_of_the_contract() {
        let schemas = document().pointer("/components/schemas").unwrap();
        let names = schemas.as_object().unwrap().keys();
        let unread: Vec<_> = names
            .filter(|name| read(name, &Value::Null).is_none())
            .collect();
        // Of its keys and values.
        assert_eq!(unread, ["Metadata"]);
    }

    #[test]
    fn what_the_library_reads_has_no_mistake() {
        // In other letter case, in another offset, and with nulls.
        let record = json!({
            "id": "cus_1", "currency": "USD", "email": null, "addresses": null, "metadata": null, "more": [1],
            "discounts": [{
                "coupon": {
                    "id": "c_1", "duration": { "type": "once" }, "redemptions": { "max": null },
                    "value": { "type": "percentage", "percent": 20, "currency": null }
                },
                "start": "2026-01-01T01:00:00+01:00"
            }]
        });
        assert_eq!(mistakes("Customer", &record), []);
    }

    #[test]
    fn each_mistake_is_found_as_deep_as_it_is() {
        let sentence = |path: &str, says: &str| (path.to_owned(), says.to_owned());
        let backwards = json!({ "start": "2026-02-01T00:00:00Z", "end": "2026-01-01T00:00:00Z" });
        let status = |status: Value| mistakes("SubscriptionStatus", &status);
        assert_eq!(
            status(json!({ "name": "active", "currentPeriod": backwards, "trial": 7 })),
            [
                sentence("currentPeriod", "`end` must not be before `start`"),
                sentence("trial", "expected an object; got 7"),
            ]
        );
        let names = r#"expected one of "active", "trial", "paused", "canceled", "unpaid"; got "#;
        assert_eq!(
            status(json!({ "name": "future" })),
            [sentence("name", &format!("{names}\"future\""))]
        );
        assert_eq!(
            status(json!({})),
            [sentence("name", &format!("{names}nothing"))]
        );
        let price = json!({
            "id": null, "type": "product", "duration": { "amount": 0, "unit": "month" },
            "amount": { "model": "tiered", "currency": "usd", "mode": "graduated", "tiers": [{ "upTo": 1 }, { "unit": 1.5 }] }
        });
        assert_eq!(
            mistakes("Price", &price),
            [
                sentence("amount.tiers[0]", "an amount needs `unit`, `flat` or both"),
                sentence(
                    "amount.tiers[1].unit",
                    "expected a whole number from 0 to 9007199254740991; got 1.5"
                ),
                sentence(
                    "duration.amount",
                    "expected a whole number from 1 to 4294967295; got 0"
                ),
                sentence("id", "expected a string of 1 to 1024 characters; got null"),
            ]
        );
    }

    #[test]
    fn what_is_wrong_with_a_whole_answer_is_no_mistake_of_a_record() {
        let customer = json!({ "id": "cus_1" });
        let page = answered(CustomersOperation::Retrieve, "text/html", &customer);
        assert_eq!(
            page.wrong,
            ["content-type: expected application/json; got text/html (contract, section 2.1)"]
        );
        assert_eq!(page.records.len(), 1);
        assert_eq!(page.records[0].mistakes, []);

        let json = "application/json";
        let page = answered(CustomersOperation::List, json, &json!({ "data": customer }));
        assert_eq!(
            page.wrong,
            ["data: expected an array; got an object (contract, section 2.5)"]
        );
        assert!(page.records.is_empty());

        let body = json!({ "data": [customer, { "id": "cus_2", "email": 7 }], "next": 8 });
        let page = answered(CustomersOperation::List, json, &body);
        assert_eq!(
            page.wrong,
            ["next: expected a string; got 8 (contract, section 2.5)"]
        );
        assert_eq!(page.next, None);
        assert_eq!(page.records[0].mistakes, []);
        assert_eq!(page.records[1].mistakes.len(), 1);

        let page = answered(SubscriptionsOperation::List, json, &json!({ "data": [] }));
        assert!(page.wrong.is_empty() && page.records.is_empty());
    }

    #[test]
    fn a_mistake_is_in_what_holds_it_and_not_in_what_begins_alike() {
        let mistake = Mistake {
            path: "items[1].price".to_owned(),
            says: String::new(),
        };
        for path in ["", "items", "items[1]", "items[1].price"] {
            assert!(mistake.is_in(path), "{path}");
        }
        for path in ["item", "items[1].pri", "items[1].price.id", "items[11]"] {
            assert!(!mistake.is_in(path), "{path}");
        }
    }
}
