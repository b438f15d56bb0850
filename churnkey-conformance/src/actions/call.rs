//! Sending an action, so that the integration takes it for a new request or for one that it knows.

use std::{collections::hash_map::RandomState, hash::BuildHasher};

use churnkey_integrator::{Operation, Timestamp};
use serde_json::Value;

use super::body::Body;
use crate::{
    answer::Answer,
    client::{Call, Client},
    fixtures::Subject,
    rule::Rule,
    suite::Suite,
    verdict::is_done,
};

/// By what a request can be told from those before it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Told<'a> {
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
    pub(crate) async fn act(&self, operation: Operation, body: &Body, told: Told<'_>) -> Answer {
        let body = Value::Object(body.clone()).to_string();
        self.send(operation, &body, told).await
    }

    pub(crate) async fn send(&self, operation: Operation, body: &str, told: Told<'_>) -> Answer {
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

    pub(crate) fn was_done(
        &mut self,
        operation: Operation,
        subject: &Subject,
        answer: &Answer,
    ) -> bool {
        let verdict = is_done(answer, &format!("for what can be done to {subject}"));
        let is_done = verdict.is_ok();
        self.check(operation, Rule::ActionDone, verdict);
        self.tells_nothing(operation, answer, None);
        is_done
    }
}

pub(crate) fn json_call<'a>(
    client: &'a Client,
    operation: Operation,
    path: &str,
    body: &str,
) -> Call<'a> {
    let call = client.call(operation.method(), path);
    call.header("content-type", "application/json").body(body)
}

/// A text that no run before has used.
pub(crate) fn random() -> String {
    let random = RandomState::new().hash_one(Timestamp::now().unix_millis());
    format!("{random:016x}")
}
