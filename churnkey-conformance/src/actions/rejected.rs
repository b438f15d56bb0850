//! What an action must reject. Nothing of it changes anything, unless the merchant does not reject it.

use churnkey_integrator::{ChangePriceOperation::ChangePrice, Operation};
use serde_json::{Value, json};

use super::{
    body::{Body, SCHEDULES, shape},
    call::{Told, json_call},
};
use crate::{
    answer::Answer,
    fixtures::Subject,
    rule::Rule,
    suite::Suite,
    verdict::{Verdict, described, status_is},
};

impl Suite {
    pub(crate) async fn rejected(&mut self, operation: Operation) {
        self.unknown_subjects(operation).await;
        self.bad_bodies(operation).await;
        self.outside_features(operation).await;
        if operation == ChangePrice.into() {
            self.several_items().await;
        }
    }

    /// Which of several items is meant, nobody knows. The fixture may have several.
    async fn several_items(&mut self) {
        let operation = ChangePrice.into();
        let fixtures = &self.fixtures;
        let Some((subject, price)) = fixtures.subscription.clone().zip(fixtures.price.clone())
        else {
            return;
        };
        let Some(state) = self.state(operation, &subject).await else {
            return;
        };
        if state.items().len() > 1 {
            let body = self.body(operation, &subject, &price);
            let when = "for a subscription with several items";
            self.is_rejected(operation, &subject, &body, when).await;
        }
    }

    /// The subscription to ask for: one that may be changed, in case the request is not rejected.
    fn known_subject(&self, operation: Operation) -> Option<Subject> {
        let mut own = self.fixtures.disposables.iter();
        let own = own.find(|disposable| disposable.may.operation() == operation);
        let own = own.map(|disposable| disposable.may.subject());
        own.or_else(|| self.fixtures.subscription.clone())
    }

    async fn unknown_subjects(&mut self, operation: Operation) {
        let Some(shape) = shape(operation) else {
            return;
        };
        let nobody = self.fixtures.missing_customer.clone();
        let no_subject = Subject {
            customer: nobody.clone(),
            subscription: nobody.clone(),
        };
        let body = self.body(operation, &no_subject, &nobody);
        self.is_missing(operation, &body, "for a customer who is not there")
            .await;
        let Some(subject) = self.known_subject(operation) else {
            return;
        };
        if !shape.one {
            self.live_stays_out_of_actions_in_test_mode(operation, &subject, "")
                .await;
            return;
        }
        // The other record is one that is there, so that it is not what is missing.
        let fixtures = &self.fixtures;
        let named = match shape.names {
            Some("coupon") => fixtures.coupon.clone(),
            Some("price") => fixtures.price.clone(),
            _ => None,
        };
        let named = named.unwrap_or_else(|| nobody.clone());

        let unknown = Subject {
            subscription: nobody.clone(),
            ..subject.clone()
        };
        let body = self.body(operation, &unknown, &named);
        self.is_missing(operation, &body, "for a subscription that is not there")
            .await;
        let strange = Subject {
            customer: nobody.clone(),
            ..subject.clone()
        };
        let body = self.body(operation, &strange, &named);
        self.is_missing(
            operation,
            &body,
            "for the subscription of a customer who is not there",
        )
        .await;
        if let Some(field) = shape.names {
            let body = self.body(operation, &subject, &nobody);
            let when = format!("for a {field} that is not there");
            self.is_missing(operation, &body, &when).await;
        }

        for other in self.others.clone() {
            if other == subject.customer {
                continue;
            }
            let foreign = Subject {
                customer: other,
                ..subject.clone()
            };
            let body = self.body(operation, &foreign, &named);
            let answer = self.act(operation, &body, Told::New).await;
            let when = "for the subscription of another customer";
            self.check_absent(operation, Rule::OwnersOnly, &answer, when);
        }

        self.live_stays_out_of_actions_in_test_mode(operation, &subject, &named)
            .await;
    }

    async fn live_stays_out_of_actions_in_test_mode(
        &mut self,
        operation: Operation,
        subject: &Subject,
        named: &str,
    ) {
        let body = Value::Object(self.body(operation, subject, named)).to_string();
        let path = self.path(operation.path());
        let client = self.in_test_mode();
        let call = json_call(&client, operation, &path, &body).signed();
        let answer = call.send_unchecked().await;
        if self.live_only {
            let verdict = status_is(&answer, 400, "in test mode, as only live data is served");
            self.check(operation, Rule::ModesApart, verdict);
        } else {
            let when = "for what is live, in test mode";
            self.check_absent(operation, Rule::ModesApart, &answer, when);
        }
    }

    async fn is_missing(&mut self, operation: Operation, body: &Body, when: &str) {
        let answer = self.act(operation, body, Told::New).await;
        self.check(operation, Rule::Missing, status_is(&answer, 404, when));
        let nobody = self.fixtures.missing_customer.clone();
        self.tells_nothing(operation, &answer, Some(&nobody));
    }

    /// Bodies about nobody, each with something wrong in one field.
    async fn bad_bodies(&mut self, operation: Operation) {
        let (Some(shape), Some(Value::Object(whole))) =
            (shape(operation), self.harmless(operation))
        else {
            return;
        };
        for text in ["", "{", "[]", "\"text\"", "null"] {
            let answer = self.send(operation, text, Told::New).await;
            let when = format!("for the body {text:?}");
            let verdict = status_is(&answer, 400, &when);
            self.check(operation, Rule::BadBody, verdict);
        }
        // Where there is only one moment, it need not be named.
        let only_one = SCHEDULES
            .into_iter()
            .any(|schedule| !self.has_schedule(operation, schedule));
        let may_miss = |field: &str| only_one && shape.when.is_some_and(|(when, _)| when == field);
        let mut bad = Vec::new();
        for field in whole.keys().filter(|field| !may_miss(field)) {
            let mut body = whole.clone();
            body.remove(field);
            bad.push((body, field.as_str(), "without"));
        }
        for field in whole.keys() {
            bad.push((with(&whole, field, json!(42)), field, "with a number as"));
        }
        if let Some((field, _)) = shape.when {
            bad.push((
                with(&whole, field, json!("tomorrow")),
                field,
                "with an unknown word as",
            ));
        }
        if shape.lasts {
            let nothing = json!({ "type": "period", "amount": 0, "unit": "month" });
            bad.push((
                with(&whole, "duration", nothing),
                "duration",
                "with no month as",
            ));
            bad.push((
                with(&whole, "duration", json!({})),
                "duration",
                "with an empty",
            ));
        }
        if let Some((field, _)) = shape.flag {
            bad.push((with(&whole, field, json!("yes")), field, "with a text as"));
        }
        for (body, field, how) in bad {
            let answer = self.act(operation, &body, Told::New).await;
            let verdict = names_field(&answer, field, &format!("for a body {how} {field}"));
            self.check(operation, Rule::BadBody, verdict);
        }
    }

    /// Bodies about nobody, each with something that the manifest says is not served.
    async fn outside_features(&mut self, operation: Operation) {
        let (Some(shape), Some(Value::Object(whole))) =
            (shape(operation), self.harmless(operation))
        else {
            return;
        };
        let mut outside = Vec::new();
        if let Some((field, _)) = shape.when {
            for schedule in SCHEDULES {
                if !self.has_schedule(operation, schedule) {
                    outside.push((with(&whole, field, schedule.into()), field));
                }
            }
        }
        if shape.lasts {
            let date = self.client.now();
            for (kind, duration) in [
                (
                    "period",
                    json!({ "type": "period", "amount": 1, "unit": "month" }),
                ),
                ("date", json!({ "type": "date", "date": date })),
            ] {
                if self.feature(operation, &format!("durations/{kind}")) != Some(true) {
                    outside.push((with(&whole, "duration", duration), "duration"));
                }
            }
        }
        if let Some((field, Some(feature))) = shape.flag
            && self.feature(operation, feature) != Some(true)
        {
            outside.push((with(&whole, field, true.into()), field));
        }
        for (body, field) in outside {
            let answer = self.act(operation, &body, Told::New).await;
            let when = format!("for a {field} that the manifest does not declare");
            let verdict = names_field(&answer, field, &when);
            self.check(operation, Rule::OutsideFeatures, verdict);
        }
    }
}

fn with(body: &Body, field: &str, value: Value) -> Body {
    let mut body = body.clone();
    body.insert(field.to_owned(), value);
    body
}

fn names_field(answer: &Answer, field: &str, when: &str) -> Verdict {
    status_is(answer, 400, when)?;
    let message = answer.message().unwrap_or_default();
    if message.contains(field) {
        return Ok(());
    }
    Err((format!("400 that names {field} {when}"), described(answer)))
}
