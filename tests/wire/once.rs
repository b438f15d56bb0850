//! A repeated action is done once, and to its end: over a socket, with both stores.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use churnkey_integrator::{
    ExtendTrialAction, HandlerError, Integration, IntegrationToken, Mode, RequestContext, Result,
    Timestamp,
    actions::{ExtendTrialFeatures, ExtendTrialRequest},
    controller,
    idempotency::InMemoryIdempotency,
};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    merchants::{Store, each_store, server, token},
    socket::{Reply, Request, Server},
};

const PATH: &str = "/churnkey/actions/subscription/extend-trial";
const GRACE: &str = "/churnkey/customers/cus_grace/subscriptions/sub_grace_trial";
const A_WEEK: &str = r#"{"customerId":"cus_grace","subscriptionId":"sub_grace_trial","duration":{"amount":1,"unit":"week"}}"#;
const DEMO: &str = "ck-demo-integration-token-0001";
const DONE: (u16, Option<String>) = (200, None);
/// Where the trial ends in the demo data, and after one and two extensions by a week.
const ENDS: [&str; 3] = [
    "2026-01-24T00:00:00.000Z",
    "2026-01-31T00:00:00.000Z",
    "2026-02-07T00:00:00.000Z",
];

/// Extends trials as the store does, when the test lets it.
#[derive(Clone)]
struct Gated {
    store: Store,
    began: Arc<AtomicUsize>,
    may_act: Arc<Semaphore>,
    /// What the next attempts do instead, in reverse order.
    instead: Arc<Mutex<Vec<Instead>>>,
}

#[derive(Clone, Copy)]
enum Instead {
    Reject(fn() -> HandlerError),
    Panic,
}

#[controller]
impl ExtendTrialAction for Gated {
    fn features(&self) -> ExtendTrialFeatures {
        self.store.features()
    }

    async fn extend_trial(&self, cx: &RequestContext, request: &ExtendTrialRequest) -> Result<()> {
        let instead = self
            .instead
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        self.began.fetch_add(1, Ordering::SeqCst);
        self.may_act.acquire().await?.forget();
        match instead {
            None => self.store.extend_trial(cx, request).await,
            Some(Instead::Reject(error)) => Err(error()),
            Some(Instead::Panic) => panic!("a broken rule"),
        }
    }
}

impl Gated {
    /// Actions wait for [`let_act`](Self::let_act).
    fn closed(store: &Store) -> Self {
        Self {
            store: store.clone(),
            began: Arc::default(),
            may_act: Arc::new(Semaphore::new(0)),
            instead: Arc::default(),
        }
    }

    fn open(store: &Store) -> Self {
        let gated = Self::closed(store);
        gated.let_act(Semaphore::MAX_PERMITS);
        gated
    }

    fn let_act(&self, actions: usize) {
        self.may_act.add_permits(actions);
    }

    async fn has_begun(&self, actions: usize) {
        until(|| self.began.load(Ordering::SeqCst) >= actions).await;
    }

    fn instead(&self, instead: &[Instead]) {
        self.instead.lock().unwrap().extend(instead.iter().rev());
    }

    fn integration(&self, name: &str) -> Integration {
        self.store.extending(name, self.clone()).build().unwrap()
    }
}

/// Polls for at most ten seconds.
async fn until(holds: impl Fn() -> bool) {
    let polled = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(Duration::from_secs(10), polled).await.unwrap();
}

fn a_week(server: &Server) -> Request<'_> {
    server.request("POST", PATH).body(A_WEEK)
}

/// With the plain token and a key.
fn keyed<'a>(server: &'a Server, key: &str) -> Request<'a> {
    let token = format!("Bearer {}", DEMO);
    let call = a_week(server).header("Authorization", &token);
    call.header("Idempotency-Key", key)
}

fn said(reply: &Reply) -> (u16, Option<String>) {
    match reply.status {
        200 => (200, None),
        status => (status, Some(reply.error().1)),
    }
}

fn rejected(status: u16, message: &str) -> (u16, Option<String>) {
    (status, Some(message.to_owned()))
}

#[track_caller]
fn is_still_running(reply: &Reply) {
    let running = rejected(409, "The same request is still running");
    assert_eq!(said(reply), running);
    assert_eq!(reply.header("retry-after"), Some("1"));
}

async fn end_of_trial(server: &Server) -> String {
    let served = server.get(GRACE).await.json();
    served["status"]["trial"]["end"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn signed_bytes_are_done_once_whatever_their_idempotency_key_says_later() {
    each_store(|name, store| async move {
        let server = server(Gated::open(&store).integration("Acme")).await;
        let now = Timestamp::now().unix_seconds();
        let keys = [None, Some("a"), Some("b")];
        for (n, end) in (0_i64..).zip(["2026-01-31", "2026-02-07", "2026-02-14"]) {
            let at = Timestamp::from_unix_seconds(now - n).unwrap();
            let signed = a_week(&server).signed_with(&token(), Mode::Live, at);
            let first = keys
                .iter()
                .cycle()
                .skip(n.unsigned_abs().try_into().unwrap());
            for key in first.take(2 * keys.len()) {
                let call = match key {
                    Some(key) => signed
                        .clone()
                        .header("Idempotency-Key", &format!("{n}{key}")),
                    None => signed.clone(),
                };
                assert_eq!(said(&call.send().await), DONE, "{name} {n} {key:?}");
            }
            let end = format!("{end}T00:00:00.000Z");
            assert_eq!(end_of_trial(&server).await, end, "{name} {n}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_that_only_a_replay_has_claimed_is_free_for_its_owner() {
    each_store(|name, store| async move {
        let server = server(Gated::open(&store).integration("Acme")).await;
        let signed = a_week(&server).signed();
        assert_eq!(said(&signed.clone().send().await), DONE);
        let replay = signed.header("Idempotency-Key", "k");
        assert_eq!(said(&replay.send().await), DONE);
        assert_eq!(end_of_trial(&server).await, ENDS[1], "{name}");
        assert_eq!(said(&keyed(&server, "k").send().await), DONE);
        assert_eq!(end_of_trial(&server).await, ENDS[2], "{name}");
    })
    .await;
}

#[tokio::test]
async fn a_retry_that_was_signed_anew_is_not_done_again_without_its_key() {
    each_store(|name, store| async move {
        let server = server(Gated::open(&store).integration("Acme")).await;
        let signed = |seconds| a_week(&server).signed_ahead(seconds);
        let (first, retry) = (signed(0), signed(1));
        for call in [&first, &retry] {
            let call = call.clone().header("Idempotency-Key", "k");
            assert_eq!(said(&call.send().await), DONE);
        }
        for stripped in [first, retry] {
            assert_eq!(said(&stripped.send().await), DONE);
        }
        assert_eq!(end_of_trial(&server).await, ENDS[1], "{name}");
    })
    .await;
}

#[tokio::test]
async fn one_key_at_two_integrations_that_share_a_store_means_two_requests() {
    each_store(|name, store| async move {
        let gated = Gated::open(&store);
        let shared = Arc::new(InMemoryIdempotency::default());
        let integration = |builder: churnkey_integrator::IntegrationBuilder| match &store {
            Store::InMemory(_) => builder.idempotency(Arc::clone(&shared)).build().unwrap(),
            Store::Postgres(_) => builder.build().unwrap(),
        };
        let build = |name| store.extending(name, gated.clone());
        let acme = server(integration(build("Acme"))).await;
        let other = server(integration(build("Other"))).await;
        let spaced = server(integration(build("Acme").namespace("tenant-2"))).await;
        for server in [&acme, &other, &spaced] {
            for _ in 0..2 {
                assert_eq!(said(&keyed(server, "k").send().await), DONE);
            }
        }
        let weeks = "2026-02-14T00:00:00.000Z";
        assert_eq!(end_of_trial(&acme).await, weeks, "{name}");
        // After a rotation of the token it is the same integration.
        let newer = IntegrationToken::new("the-token-after-a-rotation").unwrap();
        let rotated = store.served_by(Integration::builder("Acme", newer).also_accept(token()));
        let rotated = server(integration(rotated.extend_trial(gated.clone()))).await;
        assert_eq!(said(&keyed(&rotated, "k").send().await), DONE);
        assert_eq!(end_of_trial(&acme).await, weeks, "{name}");
    })
    .await;
}

#[tokio::test]
async fn one_key_under_two_shops_of_one_router_means_two_requests() {
    each_store(|name, store| async move {
        let integration = Gated::open(&store).integration("Acme");
        let app = Router::new().nest("/shops/{shop}", integration.into_router());
        let server = Server::start(app, &token()).await;
        for shop in ["1", "2", "1", "2"] {
            let path = format!("/shops/{shop}{PATH}");
            let reply = keyed(&server, "k").path(&path).send().await;
            assert_eq!(said(&reply), DONE, "{name} {shop}");
        }
        let path = format!("/shops/1{GRACE}");
        let end = server.get(&path).await.json()["status"]["trial"]["end"].clone();
        assert_eq!(end, ENDS[2], "{name}");
    })
    .await;
}

#[tokio::test]
async fn a_rejected_action_may_be_retried_and_then_be_done() {
    each_store(|name, store| async move {
        let gated = Gated::open(&store);
        gated.instead(&[
            Instead::Reject(|| HandlerError::conflict("An invoice is being written")),
            Instead::Reject(|| HandlerError::not_found("Coupon not found")),
            Instead::Reject(HandlerError::not_in_trial),
        ]);
        let server = server(gated.integration("Acme")).await;
        let answers = [
            rejected(409, "An invoice is being written"),
            rejected(404, "Coupon not found"),
            rejected(400, "The subscription is not in trial"),
            DONE,
            DONE,
        ];
        let signed = keyed(&server, "k").without("Authorization").signed();
        for answer in answers {
            assert_eq!(said(&signed.clone().send().await), answer, "{name}");
        }
        assert_eq!(end_of_trial(&server).await, ENDS[1], "{name}");
    })
    .await;
}

#[tokio::test]
async fn a_panic_does_not_block_its_retry() {
    each_store(|name, store| async move {
        let gated = Gated::open(&store);
        gated.instead(&[Instead::Panic]);
        let server = server(gated.integration("Acme")).await;
        let failed = rejected(500, "Internal Server Error");
        assert_eq!(said(&keyed(&server, "k").send().await), failed, "{name}");
        assert_eq!(said(&keyed(&server, "k").send().await), DONE, "{name}");
        assert_eq!(end_of_trial(&server).await, ENDS[1], "{name}");
    })
    .await;
}

#[tokio::test]
async fn an_action_runs_to_its_end_although_its_caller_hangs_up() {
    each_store(|name, store| async move {
        let gated = Gated::closed(&store);
        let integration = gated.integration("Acme");
        let running = integration.running_actions();
        let server = server(integration).await;
        for (n, end) in (1..).zip([ENDS[1], ENDS[2]]) {
            let key = n.to_string();
            let caller = keyed(&server, &key).start().await;
            gated.has_begun(n).await;
            drop(caller);
            is_still_running(&keyed(&server, &key).send().await);
            assert_eq!(running.count(), 1, "{name}");
            gated.let_act(1);
            until(|| running.count() == 0).await;
            assert_eq!(end_of_trial(&server).await, end, "{name}");
            assert_eq!(said(&keyed(&server, &key).send().await), DONE, "{name}");
            assert_eq!(end_of_trial(&server).await, end, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn at_the_deadline_the_caller_is_answered_503_and_the_action_goes_on() {
    each_store(|name, store| async move {
        let gated = Gated::closed(&store);
        let builder = store.extending("Acme", gated.clone());
        let integration = builder.deadline(Duration::from_secs(1)).build().unwrap();
        let running = integration.running_actions();
        let server = server(integration).await;
        let late = keyed(&server, "k").send().await;
        assert_eq!(said(&late), rejected(503, "Service Unavailable"), "{name}");
        assert_eq!(late.header("retry-after"), Some("1"));
        is_still_running(&keyed(&server, "k").send().await);
        gated.let_act(1);
        until(|| running.count() == 0).await;
        assert_eq!(said(&keyed(&server, "k").send().await), DONE, "{name}");
        assert_eq!(end_of_trial(&server).await, ENDS[1], "{name}");
        assert_eq!(gated.began.load(Ordering::SeqCst), 1, "{name}");
    })
    .await;
}

#[tokio::test]
async fn an_action_that_hangs_is_dropped_at_its_own_deadline_and_may_be_tried_again() {
    each_store(|name, store| async move {
        let gated = Gated::closed(&store);
        let builder = store.extending("Acme", gated.clone());
        let builder = builder.deadline(Duration::from_secs(1));
        let builder = builder.action_deadline(Duration::from_secs(2));
        let integration = builder.build().unwrap();
        let running = integration.running_actions();
        let server = server(integration).await;
        assert_eq!(keyed(&server, "k").send().await.status, 503, "{name}");
        until(|| running.count() == 0).await;
        gated.let_act(1);
        assert_eq!(said(&keyed(&server, "k").send().await), DONE, "{name}");
        assert_eq!(gated.began.load(Ordering::SeqCst), 2, "{name}");
        assert_eq!(end_of_trial(&server).await, ENDS[1], "{name}");
    })
    .await;
}

#[tokio::test]
async fn an_attempt_that_outlived_its_lease_leaves_its_successors_record_alone() {
    for succeeds in [false, true] {
        each_store(|name, store| async move {
            let gated = Gated::closed(&store);
            if !succeeds {
                gated.instead(&[Instead::Reject(HandlerError::not_in_trial)]);
            }
            let seconds = Arc::new(AtomicI64::new(1_768_478_400));
            let clock = {
                let seconds = Arc::clone(&seconds);
                move || Timestamp::from_unix_seconds(seconds.load(Ordering::SeqCst)).unwrap()
            };
            let builder = store.extending("Acme", gated.clone()).clock(clock);
            let integration = builder.build().unwrap();
            let running = integration.running_actions();
            let server = server(integration).await;

            let slow = keyed(&server, "k").start().await;
            gated.has_begun(1).await;
            seconds.fetch_add(61, Ordering::SeqCst);
            let successor = keyed(&server, "k").start().await;
            gated.has_begun(2).await;
            gated.let_act(1);
            until(|| running.count() == 1).await;
            is_still_running(&keyed(&server, "k").send().await);
            gated.let_act(1);
            until(|| running.count() == 0).await;
            assert_eq!(said(&keyed(&server, "k").send().await), DONE, "{name}");
            assert_eq!(gated.began.load(Ordering::SeqCst), 2, "{name}");
            drop((slow, successor));
            // Only a store that changes record and subscription in one transaction can undo the slow one's change.
            let twice = succeeds && name == "in-memory";
            let end = if twice { ENDS[2] } else { ENDS[1] };
            let served = server
                .request("GET", GRACE)
                .header("Authorization", &format!("Bearer {}", DEMO));
            let served = served.send().await.json();
            assert_eq!(served["status"]["trial"]["end"], end, "{name} {succeeds}");
        })
        .await;
    }
}

#[tokio::test]
async fn waiting_for_running_actions_includes_those_whose_callers_have_left() {
    each_store(|name, store| async move {
        let gated = Gated::closed(&store);
        let integration = gated.integration("Acme");
        let running = integration.running_actions();
        let server = server(integration).await;
        running.ended().await;
        let caller = keyed(&server, "k").start().await;
        gated.has_begun(1).await;
        drop(caller);
        let waited = timeout(Duration::from_millis(100), running.ended()).await;
        assert!(waited.is_err(), "{name} does not wait");
        gated.let_act(1);
        timeout(Duration::from_secs(10), running.ended())
            .await
            .unwrap();
        assert_eq!(end_of_trial(&server).await, ENDS[1], "{name}");
    })
    .await;
}
