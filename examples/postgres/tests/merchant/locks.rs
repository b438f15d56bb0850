//! What an action does when the row that it waited for has changed, and who has to wait with it.

use std::time::{Duration, Instant};

use churnkey_conformance::Client;
use example_app::demo_token;
use http::Method;
use postgres::{churnkey, store::Store};
use serde_json::{Value, json};
use throwaway_postgres::test_database;

use crate::{
    Shop, act, client_of, hasty, load_demo, locked_out, migrated, open_store, sql, with_options,
};

const NOW: &str = "2026-01-15T12:00:00Z";

/// Calls an action that has to wait for the subscription's row, changes the row meanwhile, and gives the answer.
async fn act_while(shop: &Shop, action: &'static str, body: &Value, change: &str) -> (u16, Value) {
    let mut sql = shop.sql().await;
    let other = sql.transaction().await.unwrap();
    let lock = "SELECT FROM churnkey_live.subscriptions WHERE id = $1 FOR UPDATE";
    let id = body["subscriptionId"].as_str().unwrap();
    assert_eq!(other.execute(lock, &[&id]).await.unwrap(), 1);
    let (client, body) = (shop.at(NOW), body.clone());
    let waiting = tokio::spawn(async move {
        let path = format!("subscription/{action}");
        act(&client, &path, &body).await
    });
    locked_out(&other, 1).await;
    let id = id.to_owned();
    assert_eq!(other.execute(change, &[&id]).await.unwrap(), 1);
    other.commit().await.unwrap();
    waiting.await.unwrap()
}

#[tokio::test]
async fn an_action_that_waited_while_the_subscription_changed_hands_finds_nothing() {
    let shop = Shop::with_demo_data().await;
    let month = json!({"amount": 1, "unit": "month"});
    let (pro, trial) = (
        json!({"customerId": "cus_ada", "subscriptionId": "sub_ada_pro"}),
        json!({"customerId": "cus_grace", "subscriptionId": "sub_grace_trial"}),
    );
    for (action, subject, fields) in [
        ("cancel", &pro, json!({"scheduledAt": "immediate"})),
        (
            "pause",
            &pro,
            json!({"startAt": "immediate", "duration": month}),
        ),
        ("apply-coupon", &pro, json!({"coupon": "coupon_stay20"})),
        ("extend-trial", &trial, json!({"duration": month})),
        (
            "change-price",
            &pro,
            json!({"price": "price_basic_month", "scheduledAt": "immediate"}),
        ),
    ] {
        let (owner, id) = (&subject["customerId"], &subject["subscriptionId"]);
        let path = |owner: &Value| {
            let (owner, id) = (owner.as_str().unwrap(), id.as_str().unwrap());
            format!("/churnkey/customers/{owner}/subscriptions/{id}")
        };
        let client = shop.at(NOW);
        let mut expected = client.get(&path(owner)).await.into_body();
        expected["customerId"] = "cus_linus".into();

        let mut body = subject.clone();
        let fields = fields.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        let sell = "UPDATE churnkey_live.subscriptions SET customer_id = 'cus_linus' WHERE id = $1";
        let answer = act_while(&shop, action, &body, sell).await;
        let not_found = json!({"code": 404, "message": "Subscription not found"});
        assert_eq!(answer, (404, not_found), "{action}");
        let served = client.get(&path(&"cus_linus".into())).await.into_body();
        assert_eq!(served, expected, "{action}");

        let back = "UPDATE churnkey_live.subscriptions SET customer_id = $2 WHERE id = $1";
        let parameters = [id, owner].map(|text| text.as_str().unwrap());
        let sql = shop.sql().await;
        let [id, owner] = &parameters;
        assert_eq!(sql.execute(back, &[id, owner]).await.unwrap(), 1);
    }
    let coupon = shop
        .live
        .get("/churnkey/coupons/coupon_stay20")
        .await
        .into_body();
    assert_eq!(coupon["redemptions"], json!({"max": 100, "current": 4}));
}

#[tokio::test]
async fn a_pause_that_waited_while_the_billing_became_annual_asks_again_whether_it_may() {
    let shop = Shop::with_demo_data().await;
    let path = "/churnkey/customers/cus_ada/subscriptions/sub_ada_pro";
    let pause = |allow_annual: Option<bool>| {
        json!({
            "customerId": "cus_ada",
            "subscriptionId": "sub_ada_pro",
            "startAt": "immediate",
            "duration": {"amount": 1, "unit": "month"},
            "allowAnnual": allow_annual
        })
    };
    let annual = "UPDATE churnkey_live.subscriptions SET duration_unit = 'year' WHERE id = $1";
    let refused = json!({"code": 400, "message": "An annual subscription can't be paused"});
    let answer = act_while(&shop, "pause", &pause(Some(false)), annual).await;
    assert_eq!(answer, (400, refused));
    let served = shop.at(NOW).get(path).await.into_body();
    assert_eq!(served["duration"], json!({"amount": 1, "unit": "year"}));
    assert_eq!(served["status"]["name"], "active");

    let monthly = "UPDATE churnkey_live.subscriptions SET duration_unit = 'month' WHERE id = $1";
    let sql = shop.sql().await;
    assert_eq!(sql.execute(monthly, &[&"sub_ada_pro"]).await.unwrap(), 1);
    // The features allow it, and so does a request that does not mention it.
    let answer = act_while(&shop, "pause", &pause(None), annual).await;
    assert_eq!(answer, (200, Value::Null));
    let served = shop.at(NOW).get(path).await.into_body();
    assert_eq!(served["status"]["name"], "paused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_answered_while_more_actions_than_there_are_connections_wait_for_one_lock() {
    const ACTIONS: usize = Store::MAX_CONNECTIONS + 8;
    let shop = Shop::with_demo_data().await;
    let mut sql = shop.sql().await;
    let other = sql.transaction().await.unwrap();
    let lock = "SELECT FROM churnkey_live.subscriptions WHERE id = 'sub_ada_pro' FOR UPDATE";
    assert_eq!(other.execute(lock, &[]).await.unwrap(), 1);
    let begun = Instant::now();
    let cancel = |client: Client, key: String| async move {
        let body = json!({
            "customerId": "cus_ada",
            "subscriptionId": "sub_ada_pro",
            "scheduledAt": "immediate"
        });
        let call = client.call(Method::POST, "/churnkey/actions/subscription/cancel");
        let call = call.header("idempotency-key", &key).body(body.to_string());
        call.with_token().send().await
    };
    let actions: Vec<_> = (0..ACTIONS)
        .map(|n| tokio::spawn(cancel(shop.live.clone(), format!("waiting {n}"))))
        .collect();
    let most = i64::try_from(Store::MAX_ACTIONS).unwrap();
    locked_out(&other, most).await;
    for path in [
        "/churnkey/customers/cus_ada",
        "/churnkey/customers?limit=2",
        "/churnkey/customers/cus_ada/subscriptions/sub_ada_pro",
        "/churnkey/prices",
    ] {
        let asked = Instant::now();
        assert_eq!(shop.live.get(path).await.status(), 200, "{path}");
        // A request that gets no connection does not get this far.
        let took = asked.elapsed();
        assert!(took < Duration::from_secs(1), "{path}: {took:?}");
    }

    let (mut timed_out, mut shed) = (0, 0);
    for action in actions {
        let answer = action.await.unwrap();
        let unavailable = json!({"code": 503, "message": "Service Unavailable"});
        assert_eq!(*answer.body(), unavailable);
        assert_eq!(answer.header("retry-after"), Some("1"));
        let cause = answer.cause().unwrap();
        if cause.contains("canceling statement due to lock timeout") {
            timed_out += 1;
        } else if cause.contains("all connections for actions are in use") {
            shed += 1;
        } else {
            panic!("{cause}");
        }
    }
    // On a busy machine a request may come so late that it gets the connection of one that has ended.
    assert_eq!(timed_out + shed, ACTIONS);
    assert!(
        timed_out >= Store::MAX_ACTIONS && shed > 0,
        "{timed_out} {shed}"
    );
    // Well before a request's deadline of ten seconds, and a statement's of eight.
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");

    let path = "/churnkey/customers/cus_ada/subscriptions/sub_ada_pro";
    let served = shop.live.get(path).await.into_body();
    assert_eq!(served["status"]["name"], "active");
    other.rollback().await.unwrap();
    let answer = cancel(shop.live.clone(), "waiting 0".to_owned()).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_statement_of_an_action_ends_with_the_actions_deadline() {
    const DEADLINE: Duration = Duration::from_millis(700);
    let shop = Shop::with_demo_data().await;
    let mut sql = shop.sql().await;
    let other = sql.transaction().await.unwrap();
    let lock = "SELECT FROM churnkey_live.subscriptions WHERE id = 'sub_ada_pro' FOR UPDATE";
    assert_eq!(other.execute(lock, &[]).await.unwrap(), 1);

    let builder = churnkey::builder(&shop.store, demo_token().unwrap());
    let builder = builder.deadline(DEADLINE).action_deadline(DEADLINE);
    let client = client_of(builder.build().unwrap());
    let cancel = tokio::spawn(async move {
        let body = json!({
            "customerId": "cus_ada",
            "subscriptionId": "sub_ada_pro",
            "scheduledAt": "immediate"
        });
        let call = client.call(Method::POST, "/churnkey/actions/subscription/cancel");
        call.body(body.to_string()).signed().send().await
    });
    let begun = Instant::now();
    locked_out(&other, 1).await;
    // Long before the three seconds for a lock, or the eight for a statement.
    locked_out(&other, 0).await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(cancel.await.unwrap().status(), 503);
}

#[tokio::test]
async fn a_shorter_limit_of_the_address_holds_in_an_action_too() {
    let database = test_database();
    open_store(database.url()).await;
    let store = Store::connect(&hasty(database.url())).unwrap();
    let client = crate::client(&store);
    let mut sql = sql(database.url()).await;
    let other = sql.transaction().await.unwrap();
    let lock = "SELECT FROM churnkey_live.subscriptions WHERE id = 'sub_ada_pro' FOR UPDATE";
    assert_eq!(other.execute(lock, &[]).await.unwrap(), 1);
    let body = json!({
        "customerId": "cus_ada",
        "subscriptionId": "sub_ada_pro",
        "scheduledAt": "immediate"
    });
    let call = client.call(Method::POST, "/churnkey/actions/subscription/cancel");
    let answer = call.body(body.to_string()).signed().send().await;
    assert_eq!(answer.status(), 503);
    let cause = answer.cause().unwrap();
    assert!(cause.contains("statement timeout"), "{cause}");
}

#[tokio::test]
async fn a_pool_of_one_connection_is_for_reads_and_actions_alike() {
    let database = test_database();
    load_demo(&migrated(database.url()).await).await;
    for max_actions in [0, 1, 2] {
        let store = Store::connect_with(database.url(), 1, max_actions).unwrap();
        let client = crate::client(&store);
        let body = json!({
            "customerId": "cus_ada",
            "subscriptionId": "sub_ada_pro",
            "scheduledAt": "immediate"
        });
        let answer = act(&client, "subscription/cancel", &body).await;
        assert_eq!(answer, (200, Value::Null), "{max_actions}");
    }
}

#[tokio::test]
async fn a_migration_waits_for_another_for_longer_than_a_request_waits_for_a_lock() {
    let database = test_database();
    let sql = sql(database.url()).await;
    let lock = "SELECT pg_advisory_lock($1)";
    let number = i64::from_be_bytes(*b"churnkey");
    sql.execute(lock, &[&number]).await.unwrap();
    let hasty = with_options(database.url(), "-c lock_timeout=100");
    let store = Store::connect(&hasty).unwrap();
    let migration = tokio::spawn(async move { store.migrate().await });
    let waits = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'churnkey'
            AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '300 ms'";
    let begun = Instant::now();
    while sql.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(!migration.is_finished(), "{:?}", migration.await);
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    let unlock = "SELECT pg_advisory_unlock($1)";
    sql.execute(unlock, &[&number]).await.unwrap();
    migration.await.unwrap().unwrap();
}
