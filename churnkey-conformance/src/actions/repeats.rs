//! Actions whose outcome is a state: done once it holds, and once more it changes nothing.

use churnkey_integrator::{Operation, SubscriptionsOperation, model::Subscription};
use serde_json::Value;

use super::{
    body::Body,
    call::{Told, random},
};
use crate::{
    fixtures::Subject,
    rule::Rule,
    shape::read,
    suite::{Suite, encoded},
    verdict::{Verdict, described, is_done, same_record, status_is},
};

impl Suite {
    /// The subscription as it is served now.
    pub(crate) async fn state(
        &mut self,
        operation: Operation,
        subject: &Subject,
    ) -> Option<Subscription> {
        let answer = self.client.get_unchecked(&self.path_of(subject)).await;
        let read = match answer.status() {
            200 => read(answer.body()),
            _ => Err(described(&answer)),
        };
        match read {
            Ok(subscription) => Some(subscription),
            Err(got) => {
                let reader = Operation::from(SubscriptionsOperation::Retrieve).name();
                let expected =
                    format!("{reader} to have the subscription {}", subject.subscription);
                self.check(operation, Rule::EffectVisible, Err((expected, got)));
                None
            }
        }
    }

    pub(crate) fn path_of(&self, subject: &Subject) -> String {
        self.path(&format!(
            "/customers/{}/subscriptions/{}",
            encoded(&subject.customer),
            encoded(&subject.subscription)
        ))
    }

    /// Does the action, looks for its effect, and does it again in every way. Other records that must then stay as they
    /// are, are watched. Whether it was done.
    pub(crate) async fn settles(
        &mut self,
        operation: Operation,
        subject: &Subject,
        body: &Body,
        watched: &[String],
        effect: impl Fn(&Subscription) -> Verdict,
    ) -> bool {
        let key = random();
        let answer = self.act(operation, body, Told::ByKey(&key)).await;
        if !self.was_done(operation, subject, &answer) {
            return false;
        }
        let Some(after) = self.state(operation, subject).await else {
            return false;
        };
        let verdict = effect(&after);
        let is_visible = verdict.is_ok();
        self.check(operation, Rule::EffectVisible, verdict);
        let mut watched = watched.to_vec();
        watched.push(self.path_of(subject));
        self.repeats(operation, subject, body, &key, &watched).await;
        is_visible
    }

    /// The same call once more, as a new request, and twice as the same one.
    pub(crate) async fn repeats(
        &mut self,
        operation: Operation,
        subject: &Subject,
        body: &Body,
        key: &str,
        watched: &[String],
    ) {
        let first = self.snapshots(watched).await;
        let again = self.act(operation, body, Told::ByKey(key)).await;
        let verdict = is_done(&again, "for the same Idempotency-Key");
        self.check(operation, Rule::IdempotencyKey, verdict);
        self.key_of_another_request(operation, body, key).await;
        let moment = self.client.now();
        for (told, how) in [
            (Told::New, "for the same call once more"),
            (
                Told::BySignature(moment),
                "for the same call once more, signed",
            ),
            (Told::BySignature(moment), "for the same signed bytes"),
            (
                Told::Replayed(moment),
                "for the same signed bytes with another Idempotency-Key",
            ),
        ] {
            let answer = self.act(operation, body, told).await;
            let verdict = is_done(&answer, how);
            self.check(operation, Rule::RepeatChangesNothing, verdict);
        }
        let now = self.snapshots(watched).await;
        for (before, after) in first.iter().zip(&now) {
            let of = format!("before and after the same call once more for {subject}");
            let verdict = same_record(before, after, &of);
            self.check(operation, Rule::RepeatChangesNothing, verdict);
        }
    }

    /// A key of an action that was done, sent with another request.
    pub(crate) async fn key_of_another_request(
        &mut self,
        operation: Operation,
        body: &Body,
        key: &str,
    ) {
        let mut other = body.clone();
        other.insert("note".to_owned(), "another request".into());
        let answer = self.act(operation, &other, Told::ByKey(key)).await;
        let when = "for an Idempotency-Key that was used for another body";
        let verdict = status_is(&answer, 422, when);
        self.check(operation, Rule::IdempotencyKey, verdict);
    }

    /// The records without their free data, which may hold when they were last touched.
    async fn snapshots(&self, paths: &[String]) -> Vec<Value> {
        let mut snapshots = Vec::new();
        for path in paths {
            let mut body = self.client.get_unchecked(path).await.into_body();
            let records = match body.get_mut("data").and_then(Value::as_array_mut) {
                Some(records) => records.iter_mut().collect(),
                None => vec![&mut body],
            };
            for record in records {
                if let Some(fields) = record.as_object_mut() {
                    fields.remove("metadata");
                }
            }
            snapshots.push(body);
        }
        snapshots
    }
}
