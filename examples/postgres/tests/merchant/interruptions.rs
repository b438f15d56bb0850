//! Actions that are interrupted: by the database, by a lock, by their own deadline.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use churnkey_conformance::{Answer, Client};
use churnkey_integrator::{
    CustomerId, Mode, RequestContext, SubscriptionId, SubscriptionsController,
};
use example_app::{Clock, demo_token};
use http::Method;
use postgres::{churnkey, store::Store};
use serde_json::json;
use throwaway_postgres::{ThrowawayPostgres, test_database};

use crate::{
    client_of, hasty, locked_out, open_store,
    proxy::{Proxy, Trap},
    sql,
};

const SECOND: Duration = Duration::from_secs(1);

const CANCEL: &str = "/churnkey/actions/subscription/cancel";
const ADA_PRO: &str =
    r#"{"customerId":"cus_ada","subscriptionId":"sub_ada_pro","scheduledAt":"immediate"}"#;

/// Cancels Ada's subscription, as a request of its own.
async fn cancel(client: &Client) -> Answer {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let key = COUNT.fetch_add(1, Ordering::Relaxed).to_string();
    let call = client.call(Method::POST, CANCEL);
    let call = call.header("idempotency-key", &key).body(ADA_PRO);
    let answer = call.with_token().send().await;
    if answer.status() == 503 {
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    answer
}

#[tokio::test]
async fn an_action_is_done_also_over_connections_that_the_server_has_dropped() {
    let database = test_database();
    let store = open_store(database.url()).await;
    let client = crate::client(&store);
    let sql = sql(database.url()).await;
    let drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'churnkey'";
    let cx = RequestContext::for_test(Mode::Live);
    let owner = CustomerId::new("cus_ada").unwrap();
    let id = SubscriptionId::new("sub_ada_pro").unwrap();
    let looked_up = SubscriptionsController::retrieve(&store, &cx, &owner, &id).await;
    let looked_up = looked_up.unwrap().unwrap();
    for _ in 0..5 {
        assert!(!sql.query(drop, &[]).await.unwrap().is_empty());
        assert_eq!(cancel(&client).await.status(), 200);
        // Also if nothing was read before, so that the transaction is the first to notice.
        assert!(!sql.query(drop, &[]).await.unwrap().is_empty());
        store.change(&cx, &looked_up, |_| Ok(())).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_that_loses_its_connection_is_a_503_and_may_come_again() {
    let database = test_database();
    let client = crate::client(&open_store(database.url()).await);
    let mut sql = sql(database.url()).await;
    let lock = sql.transaction().await.unwrap();
    lock.batch_execute("SELECT FROM churnkey_live.subscriptions FOR UPDATE")
        .await
        .unwrap();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { cancel(&client).await }
    });
    locked_out(&lock, 1).await;
    let drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'churnkey' AND wait_event_type = 'Lock'";
    assert_eq!(lock.query(drop, &[]).await.unwrap().len(), 1);
    let answer = waiting.await.unwrap();
    assert_eq!(answer.status(), 503);
    let cause = answer.cause().unwrap();
    let terminated = "terminating connection due to administrator command";
    assert!(cause.contains(terminated), "{cause}");
    lock.rollback().await.unwrap();
    let path = "/churnkey/customers/cus_ada/subscriptions/sub_ada_pro";
    assert_eq!(client.get(path).await.body()["status"]["name"], "active");
    assert_eq!(cancel(&client).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_without_an_answer_is_a_503_and_the_same_request_again_tells_what_became_of_it() {
    let server = ThrowawayPostgres::start();
    open_store(&server.url()).await;
    let proxy = Proxy::start(&server.url());
    let clock = Clock::Frozen("2026-01-15T12:00:00Z".parse().unwrap());
    let client = crate::client(&Store::connect(proxy.url()).unwrap().at(clock));
    let week = json!({
        "customerId": "cus_grace",
        "subscriptionId": "sub_grace_trial",
        "duration": {"amount": 1, "unit": "week"}
    });
    let send = |key: &'static str| {
        let (client, week) = (client.clone(), week.to_string());
        async move {
            let call = client.call(Method::POST, "/churnkey/actions/subscription/extend-trial");
            let call = call.header("idempotency-key", key).body(week);
            call.with_token().send().await.status()
        }
    };
    for (key, trap, end) in [
        ("done", Trap::AfterCommit, "2026-01-31T00:00:00.000Z"),
        ("not done", Trap::BeforeCommit, "2026-02-07T00:00:00.000Z"),
    ] {
        proxy.set(trap);
        let first = tokio::spawn(send(key));
        tokio::task::block_in_place(|| proxy.wait());
        proxy.cut();
        assert_eq!(first.await.unwrap(), 503, "{key}");
        for _ in 0..2 {
            assert_eq!(send(key).await, 200, "{key}");
            let path = "/churnkey/customers/cus_grace/subscriptions/sub_grace_trial";
            let served = client.get(path).await.into_body();
            assert_eq!(served["status"]["trial"]["end"], end, "{key}");
        }
    }
}

#[tokio::test]
async fn an_action_that_is_past_its_deadline_is_done_and_a_retry_says_so() {
    let database = test_database();
    let store = open_store(database.url()).await;
    let builder = churnkey::builder(&store, demo_token().unwrap()).deadline(SECOND);
    let integration = builder.build().unwrap();
    let running = integration.running_actions();
    let client = client_of(integration);
    let mut sql = sql(database.url()).await;
    let lock = sql.transaction().await.unwrap();
    lock.batch_execute("SELECT FROM churnkey_live.subscriptions FOR UPDATE")
        .await
        .unwrap();
    let cancel = || {
        let call = client.call(Method::POST, CANCEL);
        let call = call.header("idempotency-key", "k").body(ADA_PRO);
        call.with_token().send()
    };
    let late = cancel().await;
    assert_eq!(late.status(), 503);
    let cause = late.cause().unwrap();
    assert!(cause.contains("before the deadline"), "{cause}");
    assert_eq!(cancel().await.status(), 409);
    lock.rollback().await.unwrap();
    running.ended().await;
    let status = "SELECT status FROM churnkey_live.subscriptions WHERE id = 'sub_ada_pro'";
    let status: String = sql.query_one(status, &[]).await.unwrap().get(0);
    assert_eq!(status, "canceled");
    assert_eq!(cancel().await.status(), 200);
}

#[tokio::test]
async fn an_action_that_waits_too_long_for_a_lock_is_a_503_and_keeps_no_lock() {
    let database = test_database();
    let store = open_store(&hasty(database.url())).await;
    let client = crate::client(&store);
    let mut sql = sql(database.url()).await;
    let lock = sql.transaction().await.unwrap();
    lock.batch_execute("SELECT FROM churnkey_live.subscriptions FOR UPDATE")
        .await
        .unwrap();
    let answer = cancel(&client).await;
    assert_eq!(answer.status(), 503);
    let cause = answer.cause().unwrap();
    let timeout = "canceling statement due to statement timeout";
    assert!(cause.contains(timeout), "{cause}");
    lock.rollback().await.unwrap();
    assert_eq!(cancel(&client).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_that_postgresql_ends_because_of_a_deadlock_is_a_503() {
    let database = test_database();
    let client = crate::client(&open_store(database.url()).await);
    let mut sql = sql(database.url()).await;
    // A transaction that locks in another order than actions do.
    let other = sql.transaction().await.unwrap();
    other
        .batch_execute(
            "SET LOCAL deadlock_timeout = '1min'; SELECT FROM churnkey_live.coupons FOR UPDATE",
        )
        .await
        .unwrap();
    let body =
        r#"{"customerId":"cus_ada","subscriptionId":"sub_ada_pro","coupon":"coupon_stay20"}"#;
    let redeem = tokio::spawn({
        let client = client.clone();
        async move {
            client
                .post("/churnkey/actions/subscription/apply-coupon", body)
                .await
        }
    });
    locked_out(&other, 1).await;
    let waiting = other.batch_execute("SELECT FROM churnkey_live.subscriptions FOR UPDATE");
    let (answer, waited) = tokio::join!(redeem, waiting);
    let answer = answer.unwrap();
    assert_eq!(
        (answer.status(), answer.header("retry-after")),
        (503, Some("1"))
    );
    assert!(answer.cause().unwrap().contains("deadlock detected"));
    waited.unwrap();
    other.rollback().await.unwrap();
    assert_eq!(cancel(&client).await.status(), 200);
}

#[tokio::test]
async fn a_refusal_costs_no_connection() {
    let database = test_database();
    let client = crate::client(&open_store(database.url()).await);
    let sql = sql(database.url()).await;
    let mut processes = Vec::new();
    for n in 0..5 {
        let body =
            r#"{"customerId":"cus_ada","subscriptionId":"sub_ada_pro","coupon":"coupon_full"}"#;
        let call = client.call(Method::POST, "/churnkey/actions/subscription/apply-coupon");
        let call = call.header("idempotency-key", &n.to_string()).body(body);
        assert_eq!(call.with_token().send().await.status(), 400);
        let row = sql
            .query_one(
                "SELECT array_agg(pid), bool_or(state LIKE '%transaction%') FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'churnkey'",
                &[],
            )
            .await
            .unwrap();
        let open: bool = row.get(1);
        assert!(!open);
        processes.push(row.get::<_, Vec<i32>>(0));
    }
    assert!(processes.iter().all(|one| *one == processes[0]));
}
