//! The actions: what each must refuse, which writes nothing, and what it does to the records that the merchant gave away.

mod effects;
mod refusals;
mod repeats;

use std::{collections::hash_map::RandomState, hash::BuildHasher};

use serde_json::{Map, Value, json};

use super::{
    Suite,
    fixtures::{May, Subject},
    report::Verdict,
    wire::described,
};
use crate::{
    operation::{
        ApplyCouponOperation::ApplyCoupon,
        CancelOperation::{Cancel, CancelAll},
        ChangePriceOperation::ChangePrice,
        ExtendTrialOperation::ExtendTrial,
        Operation,
        PauseOperation::{Pause, PauseAll},
    },
    testing::{Answer, Call, Client},
    time::{CalendarUnit, Timestamp},
};

/// Every action, in the order in which they are done: what one leaves behind, the next ones can bear.
const ACTIONS: [Operation; 7] = [
    Operation::ExtendTrial(ExtendTrial),
    Operation::ApplyCoupon(ApplyCoupon),
    Operation::ChangePrice(ChangePrice),
    Operation::Pause(Pause),
    Operation::Cancel(Cancel),
    Operation::Pause(PauseAll),
    Operation::Cancel(CancelAll),
];

/// The moments at which an action may take effect.
const SCHEDULES: [&str; 2] = ["immediate", "end-of-period"];

/// What the body of an action holds, besides the customer's id (contract, sections 5.1 to 5.5).
struct Shape {
    /// Whether it is about one subscription.
    one: bool,
    /// The field that says when, and the feature that says which moments there are.
    when: Option<(&'static str, &'static str)>,
    /// Whether it says for how long.
    lasts: bool,
    /// The field that names another record.
    names: Option<&'static str>,
    /// A flag that may be there, and the feature that allows it, if it takes one.
    flag: Option<(&'static str, Option<&'static str>)>,
}

fn shape(operation: Operation) -> Option<Shape> {
    let (one, when, lasts, names, flag) = match operation {
        Operation::Cancel(form) => {
            let when = Some(("scheduledAt", "schedules"));
            (form == Cancel, when, false, None, Some(("unpause", None)))
        }
        Operation::Pause(form) => {
            let when = Some(("startAt", "startDates"));
            let flag = Some(("allowAnnual", Some("allowAnnual")));
            (form == Pause, when, true, None, flag)
        }
        Operation::ApplyCoupon(_) => (true, None, false, Some("coupon"), None),
        Operation::ExtendTrial(_) => (true, None, true, None, None),
        Operation::ChangePrice(_) => {
            let when = Some(("scheduledAt", "schedules"));
            let flag = Some(("prorate", Some("prorate")));
            (true, when, false, Some("price"), flag)
        }
        _ => return None,
    };
    Some(Shape {
        one,
        when,
        lasts,
        names,
        flag,
    })
}

/// By what a request can be told from those before it.
#[derive(Debug, Clone, Copy)]
enum Told<'a> {
    /// By nothing, or by a signature of its own: it is a new one.
    New,
    /// By its `Idempotency-Key`.
    ByKey(&'a str),
    /// By a signature of this moment.
    BySignature(Timestamp),
    /// By a signature of this moment, with an `Idempotency-Key` that the first one did not have.
    Replayed(Timestamp),
}

impl Suite {
    pub(super) async fn actions(&mut self) {
        for operation in ACTIONS {
            if !self.serves(operation) {
                continue;
            }
            self.refusals(operation).await;
            let disposables = self.fixtures.disposables.clone();
            let mut own = disposables
                .iter()
                .filter(|disposable| operation_of(&disposable.may) == operation)
                .peekable();
            if own.peek().is_none() {
                self.report
                    .leave_unwritten(operation, fixture_of(operation));
            }
            for disposable in own {
                self.effect(&disposable.may).await;
            }
        }
    }

    /// What the manifest declares of an action.
    fn feature(&self, operation: Operation, path: &str) -> Option<bool> {
        let module = operation.manifest_line()?.module;
        let pointer = format!("/actions/{module}/{path}");
        self.manifest.pointer(&pointer)?.as_bool()
    }

    /// Whether the action may take effect at this moment.
    fn has_schedule(&self, operation: Operation, schedule: &str) -> bool {
        let when = shape(operation).and_then(|shape| shape.when);
        when.is_some_and(|(_, feature)| {
            self.feature(operation, &format!("{feature}/{schedule}")) == Some(true)
        })
    }

    /// At once, if the action can do that.
    fn schedule(&self, operation: Operation) -> &'static str {
        let served = SCHEDULES.into_iter();
        let mut served = served.filter(|schedule| self.has_schedule(operation, schedule));
        served.next().unwrap_or("immediate")
    }

    /// A period of the unit, or that long after the moment where only dates are served.
    fn duration(&self, operation: Operation, unit: CalendarUnit, after: Timestamp) -> Value {
        if self.feature(operation, "durations/period") == Some(false) {
            json!({ "type": "date", "date": after.plus(1, unit) })
        } else {
            json!({ "type": "period", "amount": 1, "unit": unit })
        }
    }

    /// A whole body, within the declared features.
    fn body(&self, operation: Operation, subject: &Subject, named: &str) -> Map<String, Value> {
        let mut body = Map::new();
        let Some(shape) = shape(operation) else {
            return body;
        };
        let mut set = |field: &str, value: Value| body.insert(field.to_owned(), value);
        set("customerId", subject.customer.as_str().into());
        if shape.one {
            set("subscriptionId", subject.subscription.as_str().into());
        }
        if let Some((field, _)) = shape.when {
            set(field, self.schedule(operation).into());
        }
        if shape.lasts {
            let duration = self.duration(operation, CalendarUnit::Month, self.client.now());
            set("duration", duration);
        }
        if let Some(field) = shape.names {
            set(field, named.into());
        }
        body
    }

    /// A whole body about nobody and nothing, if the operation is an action.
    pub(super) fn harmless(&self, operation: Operation) -> Option<Value> {
        shape(operation)?;
        let nobody = self.fixtures.missing_customer.clone();
        let subject = Subject {
            customer: nobody.clone(),
            subscription: nobody.clone(),
        };
        Some(Value::Object(self.body(operation, &subject, &nobody)))
    }

    async fn act(&self, operation: Operation, body: &Map<String, Value>, told: Told<'_>) -> Answer {
        let body = Value::Object(body.clone()).to_string();
        self.send(operation, &body, told).await
    }

    async fn send(&self, operation: Operation, body: &str, told: Told<'_>) -> Answer {
        let path = self.path(operation.path());
        // A parameter that nobody reads tells signatures of the same second apart.
        let path = match told {
            Told::New | Told::ByKey(_) => format!("{path}?conformance={}", random()),
            Told::BySignature(_) | Told::Replayed(_) => path,
        };
        let call = json_call(&self.client, operation, &path, body);
        let call = match told {
            Told::New if self.takes_plain_tokens => call.with_token(),
            Told::New => call.signed(),
            Told::ByKey(key) => call.header("idempotency-key", key).signed(),
            Told::BySignature(moment) => call.signed_at(moment),
            Told::Replayed(moment) => call.header("idempotency-key", &random()).signed_at(moment),
        };
        call.send_unchecked().await
    }
}

fn json_call<'a>(client: &'a Client, operation: Operation, path: &str, body: &str) -> Call<'a> {
    let call = client.call(operation.method(), path);
    call.header("content-type", "application/json").body(body)
}

/// A text that no run before has used.
fn random() -> String {
    let random = RandomState::new().hash_one(Timestamp::now().unix_millis());
    format!("{random:016x}")
}

/// An action that can be done is answered with 200 and nothing else.
fn is_done(answer: &Answer, when: &str) -> Verdict {
    let expected = format!("200 with an empty body {when}");
    match answer.status {
        200 => answer.check().map_err(|broken| (expected, broken)),
        _ => Err((expected, described(answer))),
    }
}

fn operation_of(may: &May) -> Operation {
    match may {
        May::ExtendTrial(_) => ExtendTrial.into(),
        May::ApplyCoupon { .. } => ApplyCoupon.into(),
        May::ChangePrice { .. } => ChangePrice.into(),
        May::Pause(_) => Pause.into(),
        May::Cancel(_) => Cancel.into(),
        May::PauseAll { .. } => PauseAll.into(),
        May::CancelAll { .. } => CancelAll.into(),
    }
}

/// What has to be given for the action to be done.
fn fixture_of(operation: Operation) -> &'static str {
    match operation {
        Operation::ExtendTrial(_) => "Disposable::to_extend_trial(..)",
        Operation::ApplyCoupon(_) => "Disposable::to_apply_coupon(..)",
        Operation::ChangePrice(_) => "Disposable::to_change_price(..)",
        Operation::Pause(Pause) => "Disposable::to_pause(..)",
        Operation::Pause(PauseAll) => "Disposable::to_pause_all(..)",
        Operation::Cancel(CancelAll) => "Disposable::to_cancel_all(..)",
        _ => "Disposable::to_cancel(..)",
    }
}

/// What a disposable is about: a subscription, or all of a customer's.
fn subject_of(may: &May) -> Subject {
    match may {
        May::ExtendTrial(subject)
        | May::ApplyCoupon { to: subject, .. }
        | May::ChangePrice { of: subject, .. }
        | May::Pause(subject)
        | May::Cancel(subject) => subject.clone(),
        May::PauseAll { customer } | May::CancelAll { customer } => Subject {
            customer: customer.clone(),
            subscription: String::new(),
        },
    }
}
