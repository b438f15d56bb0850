//! A signed read is answered once, where the integration refuses replays.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use churnkey_integrator::{
    CustomerId, CustomersController, HandlerError, Integration, IntegrationBuilder, Mode,
    RequestContext, Result, Timestamp, async_trait, controller,
    model::Customer,
    replays::{InMemoryReplays, ReplayStore, SignedRead},
    sign,
};
use futures_util::future::join_all;
use http::Method;

use crate::{
    merchants::token,
    socket::{Reply, Server},
};

const PATH: &str = "/churnkey/customers/cus_1";
const NOON: i64 = 1_768_478_400;

struct Shop;

#[controller]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        Ok(Some(Customer::new(id.clone())))
    }
}

fn builder() -> IntegrationBuilder {
    Integration::builder("Shop", token()).customers(Shop)
}

async fn serve(builder: IntegrationBuilder) -> Server {
    let integration = builder.build().unwrap();
    Server::start(integration.into_router(), &token()).await
}

fn unauthorized() -> (u16, String) {
    (401, "Unauthorized".to_owned())
}

async fn statuses(server: &Server, paths: &[&str], at: Timestamp) -> Vec<u16> {
    let mut statuses = Vec::new();
    for path in paths {
        let call = server.request("GET", path);
        let reply = call.signed_with(&token(), Mode::Live, at).send().await;
        statuses.push(reply.status);
    }
    statuses
}

#[tokio::test]
async fn a_signed_read_is_answered_once_and_then_a_401_like_any_other() {
    let server = serve(builder().refuse_replays(InMemoryReplays::default())).await;
    let now = Timestamp::now();
    let signed = |path, mode| {
        let call = server.request("GET", path);
        call.signed_with(&token(), mode, now)
    };
    assert_eq!(signed(PATH, Mode::Live).send().await.status, 200);
    let replayed = signed(PATH, Mode::Live).send().await;
    assert_eq!(replayed.error(), unauthorized());

    // Whatever else the signature covers makes another read of it.
    let query = "/churnkey/customers/cus_1?again=1";
    assert_eq!(signed(query, Mode::Live).send().await.status, 200);
    assert_eq!(signed(PATH, Mode::Test).send().await.status, 200);
    let later = Timestamp::from_unix_seconds(now.unix_seconds() + 1).unwrap();
    assert_eq!(statuses(&server, &[PATH], later).await, [200]);

    // A plain token has nothing to be recognized by.
    for _ in 0..2 {
        let call = server.request("GET", PATH);
        let call = call.header("Authorization", "ck-demo-integration-token-0001");
        assert_eq!(call.send().await.status, 200);
    }
}

#[tokio::test]
async fn a_read_comes_twice_unless_the_integration_says_otherwise() {
    let server = serve(builder()).await;
    let now = Timestamp::now();
    assert_eq!(statuses(&server, &[PATH, PATH], now).await, [200, 200]);
}

#[tokio::test]
async fn a_wrong_signature_does_not_use_up_the_right_one() {
    let server = serve(builder().refuse_replays(InMemoryReplays::default())).await;
    let now = Timestamp::now();
    let good = sign(&token(), &Method::GET, PATH, Mode::Live, b"", now);
    let wrong = server
        .request("GET", PATH)
        .header("X-Churnkey-Timestamp", good.timestamp())
        .header("X-Churnkey-Signature", &format!("v1={}", "0".repeat(64)));
    assert_eq!(wrong.send().await.error(), unauthorized());
    assert_eq!(statuses(&server, &[PATH], now).await, [200]);
}

#[tokio::test]
async fn a_second_signature_beside_the_right_one_does_not_make_another_read() {
    let server = serve(builder().refuse_replays(InMemoryReplays::default())).await;
    let good = sign(
        &token(),
        &Method::GET,
        PATH,
        Mode::Live,
        b"",
        Timestamp::now(),
    );
    let with = |signatures: String| {
        let call = server.request("GET", PATH);
        let call = call.header("X-Churnkey-Timestamp", good.timestamp());
        call.header("X-Churnkey-Signature", &signatures).send()
    };
    assert_eq!(with(good.signature().to_owned()).await.status, 200);
    let other = format!("v1={},{}", "0".repeat(64), good.signature());
    assert_eq!(with(other).await.error(), unauthorized());
}

#[tokio::test]
async fn of_a_thousand_copies_one_is_answered() {
    let server = serve(builder().refuse_replays(InMemoryReplays::default())).await;
    let now = Timestamp::now();
    let mut answered = 0;
    for _ in 0..10 {
        let copies = (0..100).map(|_| {
            let call = server.request("GET", PATH);
            call.signed_with(&token(), Mode::Live, now).send()
        });
        for reply in join_all(copies).await {
            match reply.status {
                200 => answered += 1,
                _ => assert_eq!(reply.error(), unauthorized()),
            }
        }
    }
    assert_eq!(answered, 1);
}

/// An integration whose clock is set by hand, in seconds after noon.
async fn with_clock(store: InMemoryReplays) -> (Server, Arc<AtomicI64>) {
    let clock = Arc::new(AtomicI64::new(0));
    let shared = Arc::clone(&clock);
    let now = move || at(shared.load(Ordering::Relaxed));
    let builder = builder().tolerance(Duration::from_secs(30)).clock(now);
    (serve(builder.refuse_replays(store)).await, clock)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOON + seconds).unwrap()
}

#[tokio::test]
async fn a_read_signed_ahead_of_the_clock_is_known_for_as_long_as_it_is_valid() {
    let (server, clock) = with_clock(InMemoryReplays::with_capacity(1)).await;
    // The furthest that a timestamp may be ahead.
    assert_eq!(statuses(&server, &[PATH], at(30)).await, [200]);
    clock.store(59, Ordering::Relaxed);
    assert_eq!(statuses(&server, &[PATH], at(30)).await, [401]);
    // The only place is taken until then.
    assert_eq!(statuses(&server, &[PATH], at(59)).await, [503]);
    clock.store(60, Ordering::Relaxed);
    assert_eq!(statuses(&server, &[PATH], at(60)).await, [200]);
}

#[tokio::test]
async fn a_full_store_refuses_new_reads_and_goes_on_knowing_the_old_ones() {
    let (server, _) = with_clock(InMemoryReplays::with_capacity(2)).await;
    let [one, two, three] =
        ["cus_1", "cus_2", "cus_3"].map(|id| format!("/churnkey/customers/{id}"));
    let paths = [&one, &two, &three, &one, &two, &three].map(String::as_str);
    let expected = [200, 200, 503, 401, 401, 503];
    assert_eq!(statuses(&server, &paths, at(0)).await, expected);
}

/// A store that can't tell.
#[derive(Clone, Copy)]
enum Away {
    Fails,
    Says404,
    Hangs,
}

#[async_trait]
impl ReplayStore for Away {
    async fn is_first(&self, _: &SignedRead) -> Result<bool> {
        match self {
            Self::Fails => Err("ada@example.com is in the way".into()),
            Self::Says404 => Err(HandlerError::not_found("no such table")),
            Self::Hangs => std::future::pending().await,
        }
    }
}

#[tokio::test]
async fn a_store_that_cannot_tell_keeps_a_read_from_being_answered() {
    for away in [Away::Fails, Away::Says404, Away::Hangs] {
        let builder = builder().deadline(Duration::from_millis(200));
        let server = serve(builder.refuse_replays(away)).await;
        let call = server.request("GET", PATH).signed();
        let reply: Reply = call.send().await;
        assert_eq!(reply.error(), (503, "Service Unavailable".to_owned()));
        assert_eq!(reply.header("retry-after"), Some("1"));
        let call = server.request("GET", PATH);
        let call = call.header("Authorization", "ck-demo-integration-token-0001");
        assert_eq!(call.send().await.status, 200);
    }
}
