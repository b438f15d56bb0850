//! Actions that arrive twice, at one process or at several, and the number of statements of a read and an action.

use churnkey_conformance::Client;
use example_app::{Clock, DataSet, Demo};
use postgres::store::Store;
use serde_json::{Value, json};

use crate::{Shop, act, act_as, client, locked_out, proxy::Proxy};

const NOW: &str = "2026-01-15T12:00:00Z";
const GRACE: &str = "/churnkey/customers/cus_grace/subscriptions/sub_grace_trial";
const DONE: (u16, Value) = (200, Value::Null);

fn week() -> Value {
    json!({
        "customerId": "cus_grace",
        "subscriptionId": "sub_grace_trial",
        "duration": {"amount": 1, "unit": "week"}
    })
}

async fn end_of_trial(client: &Client) -> String {
    let served = client.get(GRACE).await.into_body();
    served["status"]["trial"]["end"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The same database, as another process sees it.
fn another(shop: &Shop) -> Client {
    let store = Store::connect(shop.database.url()).unwrap();
    client(&store.at(Clock::Frozen(NOW.parse().unwrap())))
}

#[tokio::test]
async fn processes_share_what_they_know_of_a_request() {
    let shop = Shop::with_demo_data().await;
    let (one, other) = (shop.at(NOW), another(&shop));
    for client in [&one, &other, &one, &other] {
        assert_eq!(
            act_as(client, "k", "subscription/extend-trial", &week()).await,
            DONE
        );
        assert_eq!(end_of_trial(client).await, "2026-01-31T00:00:00.000Z");
    }
    // A refused request changed nothing, and may be sent again.
    let cancel =
        json!({"customerId": "cus_ada", "subscriptionId": "sub_ada_pro", "coupon": "coupon_full"});
    let refused = act_as(&one, "c", "subscription/apply-coupon", &cancel).await;
    let message = "The coupon has no redemptions left";
    assert_eq!(refused, (400, json!({"code": 400, "message": message})));
    let more = "UPDATE churnkey_live.coupons SET max_redemptions = 100";
    shop.sql().await.execute(more, &[]).await.unwrap();
    for client in [&other, &one] {
        let again = act_as(client, "c", "subscription/apply-coupon", &cancel).await;
        assert_eq!(again, DONE);
    }
    let redeemed = "SELECT redemptions FROM churnkey_live.coupons WHERE id = 'coupon_full'";
    let redeemed = shop.sql().await.query_one(redeemed, &[]).await.unwrap();
    assert_eq!(redeemed.get::<_, i64>(0), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_same_request_at_the_same_moment_one_runs() {
    let shop = Shop::with_demo_data().await;
    let clients = [shop.at(NOW), another(&shop)];
    for (round, end) in ["2026-01-31T00:00:00.000Z", "2026-02-07T00:00:00.000Z"]
        .iter()
        .enumerate()
    {
        let tasks: Vec<_> = (0..20)
            .map(|n| {
                let client = clients[n % 2].clone();
                tokio::spawn(async move {
                    let key = format!("round {round}");
                    act_as(&client, &key, "subscription/extend-trial", &week()).await
                })
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            let (status, body) = task.await.unwrap();
            match status {
                200 => done += 1,
                409 => assert_eq!(body["message"], "The same request is still running"),
                other => panic!("{other}"),
            }
        }
        assert!(done > 0);
        assert_eq!(end_of_trial(&clients[0]).await, *end);
    }
}

#[tokio::test]
async fn a_request_that_runs_is_a_409_and_another_one_with_its_key_a_422() {
    let shop = Shop::with_demo_data().await;
    let (one, other) = (shop.at(NOW), another(&shop));
    let mut sql = shop.sql().await;
    let lock = sql.transaction().await.unwrap();
    lock.batch_execute(
        "SELECT FROM churnkey_live.subscriptions WHERE id = 'sub_grace_trial' FOR UPDATE",
    )
    .await
    .unwrap();
    let running = tokio::spawn({
        let one = one.clone();
        async move { act_as(&one, "k", "subscription/extend-trial", &week()).await }
    });
    locked_out(&lock, 1).await;
    let mut day = week();
    day["duration"]["unit"] = "day".into();
    let still = json!({"code": 409, "message": "The same request is still running"});
    let used = json!({"code": 422, "message": "The Idempotency-Key was used for another request"});
    for client in [&one, &other] {
        let path = "subscription/extend-trial";
        assert_eq!(
            act_as(client, "k", path, &week()).await,
            (409, still.clone())
        );
        assert_eq!(act_as(client, "k", path, &day).await, (422, used.clone()));
    }
    lock.rollback().await.unwrap();
    assert_eq!(running.await.unwrap(), DONE);
    for client in [&one, &other] {
        let path = "subscription/extend-trial";
        assert_eq!(act_as(client, "k", path, &week()).await, DONE);
        assert_eq!(act_as(client, "k", path, &day).await, (422, used.clone()));
    }
    assert_eq!(end_of_trial(&one).await, "2026-01-31T00:00:00.000Z");
}

#[tokio::test]
async fn an_attempt_that_has_overstayed_does_nothing_once_another_one_has_done_it() {
    let shop = Shop::with_demo_data().await;
    let client = shop.at(NOW);
    let mut sql = shop.sql().await;
    let lock = sql.transaction().await.unwrap();
    lock.batch_execute(
        "SELECT FROM churnkey_live.subscriptions WHERE id = 'sub_grace_trial' FOR UPDATE",
    )
    .await
    .unwrap();
    let slow = tokio::spawn({
        let client = client.clone();
        async move { act_as(&client, "k", "subscription/extend-trial", &week()).await }
    });
    locked_out(&lock, 1).await;
    // Another attempt, with its own number, has taken the record over and is done.
    let over = "UPDATE churnkey_live.churnkey_idempotency_records SET attempt = 1, done = true";
    assert_eq!(shop.sql().await.execute(over, &[]).await.unwrap(), 1);
    lock.rollback().await.unwrap();
    let taken = "Another attempt at the same request has taken over";
    let taken = json!({"code": 409, "message": taken});
    assert_eq!(slow.await.unwrap(), (409, taken));
    assert_eq!(end_of_trial(&client).await, "2026-01-24T00:00:00.000Z");
    // The record of the other one stays.
    let again = act_as(&client, "k", "subscription/extend-trial", &week()).await;
    assert_eq!(again, DONE);
    assert_eq!(end_of_trial(&client).await, "2026-01-24T00:00:00.000Z");
}

#[tokio::test]
async fn only_the_same_request_takes_the_place_of_one_that_has_died() {
    let shop = Shop::with_demo_data().await;
    let client = shop.at(NOW);
    let path = "subscription/extend-trial";
    assert_eq!(act_as(&client, "k", path, &week()).await, DONE);
    // As if the process had died before its commit, and its lease were over.
    let died = "UPDATE churnkey_live.churnkey_idempotency_records SET runs_until = 0, done = false";
    assert_eq!(shop.sql().await.execute(died, &[]).await.unwrap(), 1);
    let mut day = week();
    day["duration"]["unit"] = "day".into();
    assert_eq!(act_as(&client, "k", path, &day).await.0, 422);
    assert_eq!(act_as(&client, "k", path, &week()).await, DONE);
    assert_eq!(end_of_trial(&client).await, "2026-02-07T00:00:00.000Z");
}

#[tokio::test]
async fn answers_are_forgotten_after_their_day_a_few_with_each_request() {
    let shop = Shop::with_demo_data().await;
    let client = shop.at(NOW);
    let sql = shop.sql().await;
    let path = "subscription/extend-trial";
    assert_eq!(act_as(&client, "k", path, &week()).await, DONE);
    // Its record has expired, and those of ten others have expired before.
    sql.batch_execute(
        "SET search_path TO churnkey_live;
        UPDATE churnkey_idempotency_records SET kept_until = 2;
        INSERT INTO churnkey_idempotency_records (id, attempt, fingerprint, runs_until, kept_until)
        SELECT n, n, 'x', 1, 1 FROM generate_series(1, 10) n;
        INSERT INTO churnkey_idempotency_keys (key, record)
        SELECT n, n FROM generate_series(1, 10) n",
    )
    .await
    .unwrap();
    // It counts as a new request.
    // From then on, each retry is also recognized by its own signature.
    for left in [(7_i64, 8_i64), (3, 5), (1, 4), (1, 5)] {
        assert_eq!(act_as(&client, "k", path, &week()).await, DONE);
        assert_eq!(end_of_trial(&client).await, "2026-02-07T00:00:00.000Z");
        let count = "SELECT (SELECT count(*) FROM churnkey_idempotency_records),
            (SELECT count(*) FROM churnkey_idempotency_keys)";
        let counted = sql.query_one(count, &[]).await.unwrap();
        assert_eq!((counted.get(0), counted.get(1)), left);
    }
}

#[tokio::test]
async fn a_failure_is_no_answer() {
    let shop = Shop::with_demo_data().await;
    let client = shop.at(NOW);
    let sql = shop.sql().await;
    let body = week().to_string();
    sql.batch_execute("ALTER TABLE churnkey_live.subscriptions ADD CONSTRAINT never CHECK (trial_ends_at < '2026-01-25')")
        .await
        .unwrap();
    let send = || {
        let path = "/churnkey/actions/subscription/extend-trial";
        let call = client.call(http::Method::POST, path);
        call.header("idempotency-key", "k")
            .body(body.clone())
            .signed()
            .send()
    };
    let answer = send().await;
    assert_eq!(
        *answer.body(),
        json!({"code": 500, "message": "Internal Server Error"})
    );
    assert!(answer.cause().unwrap().contains("never"));
    sql.batch_execute("ALTER TABLE churnkey_live.subscriptions DROP CONSTRAINT never")
        .await
        .unwrap();
    assert_eq!(send().await.status(), 200);
    assert_eq!(end_of_trial(&client).await, "2026-01-31T00:00:00.000Z");
}

#[tokio::test]
async fn no_read_and_no_action_costs_more_statements_where_there_is_more_to_read() {
    let shop = Shop::empty().await;
    let mut data = Demo::load().unwrap().live;
    // One subscription after the other, each with more items than the one before.
    let seats = data.subscriptions.remove(4);
    let template = serde_json::to_value(&seats).unwrap();
    for n in 0..40_usize {
        let mut subscription = template.clone();
        subscription["id"] = format!("sub_{n}").into();
        let items = (0..n).map(|item| {
            let mut one = template["items"][1].clone();
            one["id"] = format!("si_{item}").into();
            one
        });
        subscription["items"] = items.collect();
        data.subscriptions
            .push(serde_json::from_value(subscription).unwrap());
    }
    let none = DataSet::default();
    assert!(shop.store.load_if_empty(&data, &none).await.unwrap());

    let proxy = Proxy::start(shop.database.url());
    let client = client(&Store::connect(proxy.url()).unwrap());
    for id in ["sub_1", "sub_39"] {
        let path = format!("/churnkey/customers/cus_linus/subscriptions/{id}");
        assert_eq!(client.get(&path).await.status(), 200);
        assert_eq!(proxy.counted(), (1, 0));
    }
    for limit in [1, 40] {
        let path = format!("/churnkey/customers/cus_linus/subscriptions?limit={limit}");
        let answer = client.get(&path).await;
        assert_eq!(answer.body()["data"].as_array().unwrap().len(), limit);
        assert_eq!(proxy.counted(), (1, 0));
    }
    for path in ["customers", "prices", "coupons", "products", "families"] {
        assert_eq!(client.get(&format!("/churnkey/{path}")).await.status(), 200);
        assert_eq!(proxy.counted(), (1, 0), "{path}");
    }
    for id in ["sub_1", "sub_39"] {
        let body =
            json!({"customerId": "cus_linus", "subscriptionId": id, "scheduledAt": "immediate"});
        let answer = act(&client, "subscription/cancel", &body).await;
        assert_eq!(answer, DONE);
        // Forget, begin; look up; lock, read, write, complete; complete. BEGIN and COMMIT.
        assert_eq!(proxy.counted(), (8, 2));
    }
}
