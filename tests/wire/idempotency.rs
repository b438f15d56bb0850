//! Repeated actions.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use churnkey_conformance::{Answer, Client};
use churnkey_integrator::{
    CancelAction, ExtendTrialAction, HandlerError, Integration, IntegrationBuilder, Mode,
    RequestContext, Result, Timestamp,
    actions::{
        CancelFeatures, CancelRequest, Durations, ExtendTrialFeatures, ExtendTrialRequest,
        Schedules,
    },
    async_trait, controller,
    idempotency::{Attempt, IdempotencyStore, Known},
};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::merchants::{client_of, in_memory_store, token};

/// Counts how often it was asked, and answers as the number of days says.
#[derive(Clone)]
struct Counter {
    count: Arc<AtomicUsize>,
    may_end: Arc<Semaphore>,
}

#[controller]
impl ExtendTrialAction for Counter {
    fn features(&self) -> ExtendTrialFeatures {
        ExtendTrialFeatures::new(Durations::Both).with_multiple()
    }

    async fn extend_trial(&self, cx: &RequestContext, request: &ExtendTrialRequest) -> Result<()> {
        self.count.fetch_add(1, Ordering::SeqCst);
        for key in cx.attempt().iter().flat_map(|attempt| attempt.keys()) {
            assert_eq!(key.as_str().len(), 64);
        }
        let days = format!("{:?}", request.duration());
        match days.as_str() {
            "Period { amount: 400, unit: Day }" => Err(HandlerError::not_in_trial()),
            "Period { amount: 500, unit: Day }" => Err("the disk is full".into()),
            "Period { amount: 999, unit: Day }" => {
                drop(self.may_end.acquire().await?);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[controller]
impl CancelAction for Counter {
    fn features(&self) -> CancelFeatures {
        CancelFeatures::new(Schedules::Both)
    }

    async fn cancel(&self, _: &RequestContext, _: &CancelRequest) -> Result<()> {
        self.count.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

fn builder(counter: &Counter) -> IntegrationBuilder {
    let store = in_memory_store();
    Integration::builder("Counter", token())
        .customers(store.clone())
        .subscriptions(store.clone())
        .prices(store.clone())
        .products(store.clone())
        .families(store)
        .cancel(counter.clone())
        .extend_trial(counter.clone())
}

fn counter() -> Counter {
    Counter {
        count: Arc::default(),
        may_end: Arc::new(Semaphore::new(0)),
    }
}

fn seconds_ahead(seconds: i64) -> Timestamp {
    // Starting at a full second, or two of them could fall into the same one.
    Timestamp::from_unix_seconds(Timestamp::now().unix_seconds() + seconds).unwrap()
}

/// A call without a credential, by so many days.
fn call<'a>(client: &'a Client, days: u32) -> churnkey_conformance::Call<'a> {
    let body = json!({
        "customerId": "cus_grace", "subscriptionId": "sub_grace_trial",
        "duration": {"amount": days, "unit": "day"},
    });
    client
        .call(
            http::Method::POST,
            "/churnkey/actions/subscription/extend-trial",
        )
        .body(body.to_string())
}

fn said(answer: &Answer) -> (u16, Option<&str>) {
    (answer.status(), answer.message())
}

#[tokio::test]
async fn the_same_key_is_done_once_and_answered_200_again() {
    let counter = counter();
    let client = client_of(&builder(&counter).build().unwrap());
    for ahead in 0..3 {
        let keyed = || call(&client, 7).header("idempotency-key", "k");
        assert_eq!(said(&keyed().with_token().send().await), (200, None));
        // A new signature with the old key is the same request.
        let signed = keyed().signed_at(seconds_ahead(ahead));
        assert_eq!(said(&signed.send().await), (200, None));
    }
    assert_eq!(counter.count.load(Ordering::SeqCst), 1);
    // Without the key, too: it is recognized by its signature now.
    for ahead in 0..3 {
        let stripped = call(&client, 7).signed_at(seconds_ahead(ahead));
        assert_eq!(said(&stripped.send().await), (200, None));
    }
    assert_eq!(counter.count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_rejection_is_not_remembered() {
    let counter = counter();
    let client = client_of(&builder(&counter).build().unwrap());
    for count in 1..=3 {
        let keyed = call(&client, 400).header("idempotency-key", "k");
        let answer = keyed.signed().send().await;
        assert_eq!(
            said(&answer),
            (400, Some("The subscription is not in trial"))
        );
        assert_eq!(counter.count.load(Ordering::SeqCst), count);
    }
    // Nothing was done under that key, so that it is free for another request.
    let keyed = call(&client, 7).header("idempotency-key", "k");
    assert_eq!(said(&keyed.signed().send().await), (200, None));
}

#[tokio::test]
async fn the_same_signature_runs_once_and_a_plain_token_every_time() {
    let counter = counter();
    let client = client_of(&builder(&counter).build().unwrap());
    let at = Timestamp::now();
    for _ in 0..3 {
        assert_eq!(
            said(&call(&client, 7).signed_at(at).send().await),
            (200, None)
        );
    }
    assert_eq!(counter.count.load(Ordering::SeqCst), 1);
    let second_later = Timestamp::from_unix_seconds(at.unix_seconds() + 1).unwrap();
    call(&client, 7).signed_at(second_later).send().await;
    call(&client, 8).signed_at(at).send().await;
    assert_eq!(counter.count.load(Ordering::SeqCst), 3);
    for _ in 0..2 {
        call(&client, 7).with_token().send().await;
    }
    assert_eq!(counter.count.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn several_signatures_in_another_order_are_the_same_request() {
    let counter = counter();
    let client = client_of(&builder(&counter).build().unwrap());
    let at = Timestamp::now();
    call(&client, 7).signed_at(at).send().await;
    let zeros = "0".repeat(64);
    let signed = churnkey_integrator::sign(
        &token(),
        &http::Method::POST,
        "/churnkey/actions/subscription/extend-trial",
        Mode::Live,
        br#"{"customerId":"cus_grace","duration":{"amount":7,"unit":"day"},"subscriptionId":"sub_grace_trial"}"#,
        at,
    );
    let several = format!("v1={zeros},{}", signed.signature());
    let again = call(&client, 7)
        .signed_at(at)
        .replacing("x-churnkey-signature", &several);
    assert_eq!(said(&again.send().await), (200, None));
    assert_eq!(counter.count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_same_key_with_another_request_is_a_422() {
    let counter = counter();
    let client = client_of(&builder(&counter).build().unwrap());
    let keyed = |days| {
        call(&client, days)
            .header("idempotency-key", "k")
            .with_token()
    };
    assert_eq!(said(&keyed(7).send().await), (200, None));
    let another = (
        422,
        Some("The Idempotency-Key was used for another request"),
    );
    assert_eq!(said(&keyed(8).send().await), another);
    let cancel = client
        .call(http::Method::POST, "/churnkey/actions/subscription/cancel")
        .body(
            r#"{"customerId":"cus_ada","subscriptionId":"sub_ada_pro","scheduledAt":"immediate"}"#,
        )
        .header("idempotency-key", "k");
    assert_eq!(said(&cancel.with_token().send().await), another);
    assert_eq!(counter.count.load(Ordering::SeqCst), 1);
    // Live and test requests are separate: in test mode, there is no such subscription.
    let in_test = client.in_mode(Mode::Test);
    let call = call(&in_test, 8).header("idempotency-key", "k").signed();
    assert_eq!(
        said(&call.send().await),
        (404, Some("Subscription not found"))
    );
}

#[tokio::test]
async fn while_the_first_one_runs_the_second_is_a_409_that_says_when_to_come_again() {
    let counter = counter();
    let client = client_of(&builder(&counter).build().unwrap());
    let keyed = |days| {
        call(&client, days)
            .header("idempotency-key", "k")
            .with_token()
    };
    let first = keyed(999).send();
    let second = async {
        while counter.count.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let second = keyed(999).send().await;
        let other = keyed(8).send().await;
        counter.may_end.add_permits(10);
        (second, other)
    };
    let (first, (second, other)) = tokio::join!(first, second);
    assert_eq!(said(&first), (200, None));
    assert_eq!(
        said(&second),
        (409, Some("The same request is still running"))
    );
    assert_eq!(second.header("retry-after"), Some("1"));
    assert_eq!(other.status(), 422);
    assert_eq!(said(&keyed(999).send().await), (200, None));
    assert_eq!(counter.count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_failure_is_not_remembered_and_the_next_attempt_runs() {
    let counter = counter();
    let client = client_of(&builder(&counter).build().unwrap());
    let keyed = |days| {
        call(&client, days)
            .header("idempotency-key", "k")
            .with_token()
    };
    for count in 1..=3 {
        assert_eq!(keyed(500).send().await.status(), 500);
        assert_eq!(counter.count.load(Ordering::SeqCst), count);
    }
    // A request that is rejected before the action runs leaves no record either.
    let bad = call(&client, 7).header("idempotency-key", "bad").body("{}");
    assert_eq!(bad.with_token().send().await.status(), 400);
    let good = call(&client, 7)
        .header("idempotency-key", "bad")
        .with_token();
    assert_eq!(good.send().await.status(), 200);
}

#[tokio::test]
async fn a_key_is_1_to_255_visible_characters_and_occurs_once() {
    let counter = counter();
    let client = client_of(&builder(&counter).build().unwrap());
    let long = "k".repeat(256);
    for bad in ["", &long, "schlüssel", "a\tb"] {
        let answer = call(&client, 7)
            .header("idempotency-key", bad)
            .with_token()
            .send()
            .await;
        let message = Some("Idempotency-Key must be 1 to 255 visible ASCII characters");
        assert_eq!(said(&answer), (400, message), "{bad:?}");
    }
    let twice = call(&client, 7)
        .header("idempotency-key", "a")
        .header("idempotency-key", "a");
    let message = Some("Idempotency-Key must not be repeated");
    assert_eq!(said(&twice.with_token().send().await), (400, message));
    assert_eq!(counter.count.load(Ordering::SeqCst), 0);
    let longest = &long[..255];
    let answer = call(&client, 7)
        .header("idempotency-key", longest)
        .with_token();
    assert_eq!(answer.send().await.status(), 200);
}

/// Is unavailable or broken when an action begins, or when it ends.
#[derive(Clone, Copy)]
enum Away {
    AtBegin,
    AtFinish,
    BreaksAtFinish,
}

impl Away {
    fn finish(self) -> Result<()> {
        match self {
            Self::BreaksAtFinish => panic!("a broken store"),
            _ => Err("away".into()),
        }
    }
}

#[async_trait]
impl IdempotencyStore for Away {
    async fn begin(&self, _: &RequestContext, _: &Attempt) -> Result<Known> {
        match self {
            Self::AtBegin => Err(HandlerError::unavailable(Duration::from_secs(1), "away")),
            Self::AtFinish | Self::BreaksAtFinish => Ok(Known::New),
        }
    }

    async fn complete(&self, _: &RequestContext, _: &Attempt) -> Result<()> {
        self.finish()
    }

    async fn forget(&self, _: &RequestContext, _: &Attempt) -> Result<()> {
        self.finish()
    }
}

#[tokio::test]
async fn a_store_that_is_away_keeps_an_action_from_running_but_not_from_being_answered() {
    for (away, days, status, count) in [
        (Away::AtBegin, 7, 503, 0),
        (Away::AtFinish, 7, 200, 1),
        (Away::AtFinish, 400, 400, 1),
        (Away::BreaksAtFinish, 7, 200, 1),
        (Away::BreaksAtFinish, 400, 400, 1),
    ] {
        let counter = counter();
        let client = client_of(&builder(&counter).idempotency(away).build().unwrap());
        let answer = call(&client, days).signed().send().await;
        let counted = counter.count.load(Ordering::SeqCst);
        assert_eq!((answer.status(), counted), (status, count), "{days}");
    }
}
