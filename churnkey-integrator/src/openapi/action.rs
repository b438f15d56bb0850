//! The bodies of the actions (contract, section 5), as `http/body.rs` reads them.

use serde_json::{Map, Value, json};

use super::model::{Models, with};
use crate::{
    actions::{Schedule, longest},
    id::{CouponId, CustomerId, PriceId, SubscriptionId},
    operation::{CancelOperation, Operation, PauseOperation},
    time::CalendarUnit,
};

pub(super) fn summary(action: Operation) -> &'static str {
    match action {
        Operation::Cancel(CancelOperation::Cancel) => "Cancel a subscription",
        Operation::Cancel(CancelOperation::CancelAll) => "Cancel all subscriptions of a customer",
        Operation::Pause(PauseOperation::Pause) => "Pause a subscription",
        Operation::Pause(PauseOperation::PauseAll) => "Pause all subscriptions of a customer",
        Operation::ApplyCoupon(_) => "Apply a coupon to a subscription",
        Operation::ExtendTrial(_) => "Extend the trial of a subscription",
        Operation::ChangePrice(_) => "Change the price of a subscription",
        _ => "",
    }
}

/// The schema of an action's body, with what the manifest declares. None if the operation is no action.
pub(super) fn body(operation: Operation, manifest: &Value, models: &mut Models) -> Option<Value> {
    let line = operation.manifest_line()?;
    let section = manifest.get(line.section());
    let declared = section.and_then(|section| section.get(line.module()));
    let declared = declared.unwrap_or(&Value::Null);
    let mut body = Body::default();
    let has_subscription = match operation {
        Operation::Cancel(form) => {
            body.schedule("scheduledAt", &declared["schedules"]);
            body.flag("unpause", &Value::Null);
            form == CancelOperation::Cancel
        }
        Operation::Pause(form) => {
            body.schedule("startAt", &declared["startDates"]);
            body.duration(&declared["durations"]);
            body.flag("allowAnnual", &declared["allowAnnual"]);
            form == PauseOperation::Pause
        }
        Operation::ApplyCoupon(_) => {
            body.id(&["coupon", "couponId"], &models.of::<CouponId>());
            true
        }
        Operation::ExtendTrial(_) => {
            body.duration(&declared["durations"]);
            true
        }
        Operation::ChangePrice(_) => {
            body.id(&["price", "priceId", "id"], &models.of::<PriceId>());
            body.schedule("scheduledAt", &declared["schedules"]);
            body.flag("prorate", &declared["prorate"]);
            true
        }
        _ => return None,
    };
    body.id(&["customerId"], &models.of::<CustomerId>());
    if has_subscription {
        body.id(&["subscriptionId"], &models.of::<SubscriptionId>());
    }
    Some(body.into_schema())
}

#[derive(Default)]
struct Body {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    /// The ways to name one field, of which a body has exactly one.
    ways: Vec<Value>,
}

impl Body {
    fn field(&mut self, name: &'static str, schema: Value) {
        self.properties.insert(name.to_owned(), schema);
    }

    /// An id under its name, or under an alias: exactly one of them.
    fn id(&mut self, names: &[&'static str], schema: &Value) {
        if let [name] = names {
            self.required.push(name);
            return self.field(name, schema.clone());
        }
        for name in names {
            self.field(name, json!({ "anyOf": [schema, { "type": "null" }] }));
            self.ways
                .push(json!({ "properties": { *name: schema }, "required": [name] }));
        }
    }

    /// The schedules that are declared. A caller may leave out the only one.
    fn schedule(&mut self, name: &'static str, declared: &Value) {
        let words = [Schedule::Immediate, Schedule::EndOfPeriod].map(Schedule::as_str);
        let served = words.iter().filter(|word| declared[word] != false);
        let mut served: Vec<Value> = served.map(|word| json!(word)).collect();
        if served.len() == 1 {
            served.push(Value::Null);
        } else {
            self.required.push(name);
        }
        self.field(name, json!({ "enum": served }));
    }

    /// A boolean. It must not be true if that is declared.
    fn flag(&mut self, name: &'static str, declared: &Value) {
        let schema = match declared {
            Value::Bool(false) => json!({ "enum": [false, null] }),
            _ => json!({ "type": ["boolean", "null"] }),
        };
        self.field(name, schema);
    }

    /// The kinds of duration that are declared (contract, section 5.6).
    fn duration(&mut self, declared: &Value) {
        let mut kinds = Vec::new();
        if declared["period"] != false {
            use CalendarUnit::{Day, Month, Week, Year};
            kinds.extend([Day, Week, Month, Year].map(period));
        }
        if declared["date"] != false {
            let date = json!({ "date": { "type": "string", "format": "date-time" } });
            kinds.push(kind("date", date, &["amount", "unit"]));
        }
        self.required.push("duration");
        self.field("duration", json!({ "oneOf": kinds }));
    }

    fn into_schema(self) -> Value {
        let schema = json!({
            "type": "object",
            "properties": self.properties,
            "required": self.required,
        });
        match self.ways.is_empty() {
            true => schema,
            false => with(schema, "oneOf", self.ways.into()),
        }
    }
}

fn period(unit: CalendarUnit) -> Value {
    let (most, word) = longest(unit);
    let fields = json!({
        "amount": { "type": "integer", "minimum": 1, "maximum": most },
        "unit": { "const": word },
    });
    kind("period", fields, &["date"])
}

/// A kind of duration. Its `type` may be absent if no field of another kind is there.
fn kind(name: &str, fields: Value, of_others: &[&str]) -> Value {
    let required = fields.as_object().into_iter().flat_map(Map::keys);
    let required: Vec<String> = required.cloned().collect();
    let of_others = of_others.iter();
    let absent = of_others.map(|field| ((*field).to_owned(), json!({ "type": "null" })));
    let absent: Map<String, Value> = absent.collect();
    let alternatives = json!([
        { "properties": { "type": { "const": name } }, "required": ["type"] },
        { "properties": absent },
    ]);
    json!({
        "type": "object",
        "required": required,
        "anyOf": alternatives,
        "properties": with(fields, "type", json!({ "enum": [name, null] })),
    })
}
