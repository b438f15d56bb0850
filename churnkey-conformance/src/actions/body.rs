//! What the body of an action holds, and what the manifest says of it.

use churnkey_integrator::{
    CalendarUnit, CancelOperation::Cancel, Operation, PauseOperation::Pause,
};
use serde_json::{Map, Value};

use crate::{fixtures::Subject, suite::Suite};

pub(crate) type Body = Map<String, Value>;

/// The moments at which an action may take effect.
pub(crate) const SCHEDULES: [&str; 2] = ["immediate", "end-of-period"];

/// What the body of an action holds, besides the customer's id (contract, sections 5.1 to 5.5).
pub(crate) struct Shape {
    /// Whether it is about one subscription.
    pub(crate) one: bool,
    /// The field that says when, and the feature that says which moments there are.
    pub(crate) when: Option<(&'static str, &'static str)>,
    /// Whether it says for how long.
    pub(crate) lasts: bool,
    /// The field that names another record.
    pub(crate) names: Option<&'static str>,
    /// A flag that may be there, and the feature that allows it, if it takes one.
    pub(crate) flag: Option<(&'static str, Option<&'static str>)>,
}

pub(crate) fn shape(operation: Operation) -> Option<Shape> {
    let of_a_subscription = Shape {
        one: true,
        when: None,
        lasts: false,
        names: None,
        flag: None,
    };
    Some(match operation {
        Operation::Cancel(form) => Shape {
            one: form == Cancel,
            when: Some(("scheduledAt", "schedules")),
            flag: Some(("unpause", None)),
            ..of_a_subscription
        },
        Operation::Pause(form) => Shape {
            one: form == Pause,
            when: Some(("startAt", "startDates")),
            lasts: true,
            flag: Some(("allowAnnual", Some("allowAnnual"))),
            ..of_a_subscription
        },
        Operation::ApplyCoupon(_) => Shape {
            names: Some("coupon"),
            ..of_a_subscription
        },
        Operation::ExtendTrial(_) => Shape {
            lasts: true,
            ..of_a_subscription
        },
        Operation::ChangePrice(_) => Shape {
            when: Some(("scheduledAt", "schedules")),
            names: Some("price"),
            flag: Some(("prorate", Some("prorate"))),
            ..of_a_subscription
        },
        _ => return None,
    })
}

impl Suite {
    /// What the manifest declares of an action.
    pub(crate) fn feature(&self, operation: Operation, path: &str) -> Option<bool> {
        let module = operation.manifest_line()?.module();
        let pointer = format!("/actions/{module}/{path}");
        self.manifest.pointer(&pointer)?.as_bool()
    }

    /// Whether the action may take effect at this moment.
    pub(crate) fn has_schedule(&self, operation: Operation, schedule: &str) -> bool {
        let when = shape(operation).and_then(|shape| shape.when);
        when.is_some_and(|(_, feature)| {
            self.feature(operation, &format!("{feature}/{schedule}")) == Some(true)
        })
    }

    /// A whole body, within the declared features. Of several ways to ask for the action it is the usual one.
    pub(crate) fn body(&self, operation: Operation, subject: &Subject, named: &str) -> Body {
        let mut body = Body::new();
        let Some(shape) = shape(operation) else {
            return body;
        };
        let mut set = |field: &str, value: Value| body.insert(field.to_owned(), value);
        set("customerId", subject.customer.as_str().into());
        if shape.one {
            set("subscriptionId", subject.subscription.as_str().into());
        }
        if let Some(field) = shape.names {
            set(field, named.into());
        }
        if let Some(usual) = self.variants(operation).first() {
            usual.set(&mut body, CalendarUnit::Month, self.client.now());
        }
        body
    }

    /// A whole body about nobody and nothing, if the operation is an action.
    pub(crate) fn harmless(&self, operation: Operation) -> Option<Value> {
        shape(operation)?;
        let nobody = self.fixtures.missing_customer.clone();
        let subject = Subject {
            customer: nobody.clone(),
            subscription: nobody.clone(),
        };
        Some(Value::Object(self.body(operation, &subject, &nobody)))
    }
}
