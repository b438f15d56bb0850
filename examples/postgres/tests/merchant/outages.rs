//! The database is stopped, hangs, refuses and comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use churnkey_conformance::Client;
use churnkey_integrator::Mode;
use example_app::demo_token;
use http::Method;
use postgres::{churnkey::builder, store::Store};
use serde_json::json;
use throwaway_postgres::{ThrowawayPostgres, test_database};

use crate::{
    client_of, count, hasty, load_demo, locked_out, migrated, open_store, sql, with_options,
};

const ADA: &str = "/churnkey/customers/cus_ada";
const SECOND: Duration = Duration::from_secs(1);
/// Longer than a limit of one second, also on a busy machine, and shorter than the deadline of ten seconds.
const SOON: Duration = Duration::from_secs(5);

/// Ends the store's connections.
const DROP_ALL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'churnkey'";

fn client(store: &Store, deadline: Duration) -> Client {
    let builder = builder(store, demo_token().unwrap()).deadline(deadline);
    client_of(builder.build().unwrap())
}

async fn open(url: &str, deadline: Duration) -> Client {
    client(&open_store(url).await, deadline)
}

/// Retrieves Ada. Checks the headers of a 503.
async fn ask(client: &Client) -> (u16, Duration) {
    let (status, took, _) = ask_why(client).await;
    (status, took)
}

/// The same, with the cause of a failure, which no caller sees.
async fn ask_why(client: &Client) -> (u16, Duration, String) {
    let begun = Instant::now();
    let answer = client.get(ADA).await;
    if answer.status() == 503 {
        assert_eq!(
            *answer.body(),
            json!({"code": 503, "message": "Service Unavailable"})
        );
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    let cause = answer.cause().unwrap_or_default().to_owned();
    (answer.status(), begun.elapsed(), cause)
}

/// How often one caller was answered.
#[derive(Default)]
struct Caller {
    served: AtomicUsize,
    shed: AtomicUsize,
}

/// Waits until each of these counts is more than it was.
async fn each_grows(callers: &[Arc<Caller>], count: fn(&Caller) -> &AtomicUsize) {
    let counts = || {
        let counts = callers.iter();
        counts.map(|caller| count(caller).load(Ordering::Relaxed))
    };
    let (before, begun) = (counts().collect::<Vec<_>>(), Instant::now());
    while counts().zip(&before).any(|(now, before)| now == *before) {
        assert!(begun.elapsed() < SOON, "{before:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stops_under_load_is_back_in_service_within_a_second() {
    let mut server = ThrowawayPostgres::start();
    let client = open(&server.url(), 10 * SECOND).await;
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<Arc<Caller>> = (0..8).map(|_| Arc::default()).collect();
    let calls = callers.iter().map(|caller| {
        let (client, stop, caller) = (client.clone(), stop.clone(), caller.clone());
        tokio::spawn(async move {
            let mut longest = Duration::ZERO;
            while !stop.load(Ordering::Relaxed) {
                let (status, took) = ask(&client).await;
                let count = match status {
                    200 => &caller.served,
                    503 => &caller.shed,
                    other => panic!("status {other}"),
                };
                count.fetch_add(1, Ordering::Relaxed);
                longest = longest.max(took);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            longest
        })
    });
    let calls: Vec<_> = calls.collect();
    each_grows(&callers, |caller| &caller.served).await;

    for _ in 0..2 {
        tokio::task::block_in_place(|| server.stop());
        let (status, took) = ask(&client).await;
        assert_eq!(status, 503);
        assert!(took < SOON, "{took:?}");
        each_grows(&callers, |caller| &caller.shed).await;

        tokio::task::block_in_place(|| server.restart());
        let returned = Instant::now();
        while ask(&client).await.0 != 200 {
            assert!(returned.elapsed() < SOON);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(returned.elapsed() < SOON);
        // From here on every request is served.
        for _ in 0..50 {
            assert_eq!(ask(&client).await.0, 200);
        }
        each_grows(&callers, |caller| &caller.served).await;
    }

    stop.store(true, Ordering::Relaxed);
    for calls in calls {
        let longest = calls.await.unwrap();
        assert!(longest < SOON, "{longest:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_from_before_a_restart_cost_no_request() {
    let mut server = ThrowawayPostgres::start();
    let client = open(&server.url(), 10 * SECOND).await;
    // Fill the pool with idle connections.
    let all = (0..32).map(|_| {
        tokio::spawn({
            let client = client.clone();
            async move { ask(&client).await }
        })
    });
    for one in all.collect::<Vec<_>>() {
        assert_eq!(one.await.unwrap().0, 200);
    }
    tokio::task::block_in_place(|| server.restart());
    for _ in 0..32 {
        let (status, took) = ask(&client).await;
        assert_eq!(status, 200);
        assert!(took < SOON, "{took:?}");
    }
}

#[tokio::test]
async fn connections_that_the_server_drops_cost_no_request() {
    let database = test_database();
    let client = open(database.url(), 10 * SECOND).await;
    let sql = sql(database.url()).await;
    for _ in 0..20 {
        assert!(!sql.query(DROP_ALL, &[]).await.unwrap().is_empty());
        assert_eq!(ask(&client).await.0, 200);
    }
}

#[tokio::test]
async fn connections_from_before_a_migration_cost_no_request() {
    let database = test_database();
    let client = open(database.url(), 10 * SECOND).await;
    let sql = sql(database.url()).await;
    for kind in ["varchar", "text"] {
        assert_eq!(ask(&client).await.0, 200);
        // PostgreSQL does not change the type of a column while a view shows it.
        let migration = format!(
            "DO $$ DECLARE
                view text := pg_get_viewdef('churnkey_live.customer_records');
            BEGIN
                DROP VIEW churnkey_live.customer_records;
                ALTER TABLE churnkey_live.customers ALTER name TYPE {kind};
                EXECUTE 'CREATE VIEW churnkey_live.customer_records AS ' || view;
            END $$"
        );
        sql.batch_execute(&migration).await.unwrap();
    }
    assert_eq!(ask(&client).await.0, 200);
}

#[tokio::test]
async fn a_database_that_hangs_gives_503_within_the_deadline() {
    let mut server = ThrowawayPostgres::start();
    let client = open(&server.url(), SECOND).await;
    assert_eq!(ask(&client).await.0, 200);
    server.freeze();
    // First over an open connection, then over one that can't be opened.
    for _ in 0..3 {
        let (status, took) = ask(&client).await;
        assert_eq!(status, 503);
        assert!(took < SOON, "{took:?}");
    }
    server.thaw();
    let returned = Instant::now();
    while ask(&client).await.0 != 200 {
        assert!(returned.elapsed() < SOON);
    }
    assert!(returned.elapsed() < SOON);
}

#[tokio::test]
async fn an_exhausted_pool_sheds() {
    let database = test_database();
    load_demo(&migrated(database.url()).await).await;
    let store = Store::connect_with(database.url(), 1, 1).unwrap();
    let client = client(&store, 10 * SECOND);
    let mut sql = sql(database.url()).await;
    let lock = sql.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE churnkey_live.customers")
        .await
        .unwrap();

    let holder = tokio::spawn({
        let client = client.clone();
        async move { ask(&client).await.0 }
    });
    locked_out(&lock, 1).await;
    let begun = Instant::now();
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { ask_why(&client).await })
        })
        .collect();
    for one in waiting {
        let (status, took, cause) = one.await.unwrap();
        let full = "Timeout occurred while waiting for a slot to become available";
        assert_eq!((status, &*cause), (503, full));
        assert!(took < SOON, "{took:?}");
    }
    assert!(begun.elapsed() < SOON);

    lock.rollback().await.unwrap();
    assert_eq!(holder.await.unwrap(), 200);
    assert_eq!(ask(&client).await.0, 200);
}

#[tokio::test]
async fn a_dropped_request_takes_no_connection_with_it_and_leaves_no_statement() {
    let database = test_database();
    load_demo(&migrated(database.url()).await).await;
    // No limit of the server's own ends its statement.
    let patient = "-c lock_timeout=0 -c statement_timeout=0";
    let store = Store::connect_with(&with_options(database.url(), patient), 1, 1).unwrap();
    let client = client(&store, 10 * SECOND);
    let mut sql = sql(database.url()).await;
    let lock = sql.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE churnkey_live.customers")
        .await
        .unwrap();
    drop_when_locked_out(&client, &lock).await;
    // The only connection still waits for the lock. The other mode must not wait for it.
    let test = client.in_mode(Mode::Test);
    let answer = test.get("/churnkey/customers/cus_test").await;
    assert_eq!(answer.status(), 200);
    locked_out(&lock, 0).await;
    lock.rollback().await.unwrap();
}

#[tokio::test]
async fn the_connection_of_a_dropped_request_is_kept_if_its_answer_soon_comes() {
    let database = test_database();
    load_demo(&migrated(database.url()).await).await;
    let store = Store::connect_with(database.url(), 1, 1).unwrap();
    let client = client(&store, 10 * SECOND);
    let mut sql = sql(database.url()).await;
    assert_eq!(ask(&client).await.0, 200);
    let before = connections(&sql).await;
    assert_eq!(before.len(), 1);
    let lock = sql.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE churnkey_live.customers")
        .await
        .unwrap();
    drop_when_locked_out(&client, &lock).await;
    lock.rollback().await.unwrap();
    assert_eq!(ask(&client).await.0, 200);
    assert_eq!(connections(&sql).await, before);
}

/// Makes a request, and drops it while its statement waits for a lock.
async fn drop_when_locked_out(client: &Client, lock: &tokio_postgres::Transaction<'_>) {
    let request = client.clone();
    let request = tokio::spawn(async move { ask(&request).await });
    locked_out(lock, 1).await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
}

/// The processes that serve the store's connections.
async fn connections(sql: &tokio_postgres::Client) -> Vec<i32> {
    let processes = "SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'churnkey' ORDER BY pid";
    let rows = sql.query(processes, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_by_the_server() {
    let database = test_database();
    // Without a limit for locks, a lock makes a statement slow.
    let patient = with_options(database.url(), "-c lock_timeout=0");
    let patient = open(&patient, 20 * SECOND).await;
    let hasty = open(&hasty(database.url()), 20 * SECOND).await;
    let mut sql = sql(database.url()).await;
    let lock = sql.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE churnkey_live.customers")
        .await
        .unwrap();
    let timeout = "canceling statement due to statement timeout";
    let patient = tokio::spawn(async move { ask_why(&patient).await });
    let (status, took, cause) = ask_why(&hasty).await;
    assert!(status == 503 && cause.contains(timeout), "{status} {cause}");
    assert!(took > SECOND / 4 && took < SOON, "{took:?}");
    // Before the deadline of ten seconds that an integration has unless told otherwise.
    let (status, took, cause) = patient.await.unwrap();
    assert!(status == 503 && cause.contains(timeout), "{status} {cause}");
    assert!(took > 7 * SECOND && took < 10 * SECOND, "{took:?}");
    lock.rollback().await.unwrap();
    assert_eq!(ask(&hasty).await.0, 200);
}

/// Extends the trial of the demo data. Checks that a refusal changes nothing.
async fn extend(client: &Client, sql: &tokio_postgres::Client) -> (u16, String) {
    let trial =
        "SELECT trial_ends_at::text FROM churnkey_live.subscriptions WHERE id = 'sub_grace_trial'";
    let ends = async || -> String { sql.query_one(trial, &[]).await.unwrap().get(0) };
    let before = ends().await;
    let path = format!(
        "/churnkey/actions/subscription/extend-trial?call={}",
        count()
    );
    let body = json!({
        "customerId": "cus_grace",
        "subscriptionId": "sub_grace_trial",
        "duration": {"amount": 1, "unit": "day"}
    });
    let call = client.call(Method::POST, &path).body(body.to_string());
    let answer = call.signed().send().await;
    assert_eq!(ends().await != before, answer.status() == 200);
    (
        answer.status(),
        answer.cause().unwrap_or_default().to_owned(),
    )
}

#[tokio::test]
async fn a_database_that_takes_only_reads_serves_them_and_refuses_actions_with_503() {
    let database = test_database();
    let client = open(database.url(), 10 * SECOND).await;
    let sql = sql(database.url()).await;
    for (setting, status) in [("on", 503), ("off", 200)] {
        let set = format!(
            "DO $$ BEGIN
                EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = {setting}', current_database());
            END $$"
        );
        sql.batch_execute(&set).await.unwrap();
        // The setting counts for new connections.
        sql.batch_execute(DROP_ALL).await.unwrap();
        assert_eq!(ask(&client).await.0, 200);
        let (answered, cause) = extend(&client, &sql).await;
        assert_eq!(answered, status, "{cause}");
    }
}

#[tokio::test]
async fn an_action_that_finds_no_space_on_the_disk_is_a_503_and_runs_again_later() {
    let database = test_database();
    let client = open(database.url(), 10 * SECOND).await;
    let sql = sql(database.url()).await;
    for table in ["subscriptions", "churnkey_idempotency_records"] {
        let full = format!(
            "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
            CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON churnkey_live.{table}
                FOR EACH ROW EXECUTE FUNCTION full_disk()"
        );
        sql.batch_execute(&full).await.unwrap();
        let (answered, cause) = extend(&client, &sql).await;
        assert_eq!(answered, 503, "{table}: {cause}");
        assert_eq!(ask(&client).await.0, 200);
        let space = format!("DROP TRIGGER full_disk ON churnkey_live.{table}");
        sql.batch_execute(&space).await.unwrap();
        assert_eq!(extend(&client, &sql).await.0, 200);
    }
}

#[tokio::test]
async fn what_postgresql_says_stays_inside() {
    let database = test_database();
    let client = open(database.url(), 10 * SECOND).await;
    let sql = sql(database.url()).await;
    sql.batch_execute("DROP TABLE churnkey_live.customers CASCADE")
        .await
        .unwrap();
    let relation = "churnkey_live.customer_records";
    for path in [
        ADA,
        "/churnkey/customers",
        "/churnkey/customers/email/ada@example.com",
        "/churnkey/customers/phone/+441632960001",
    ] {
        let answer = client.get(path).await;
        assert_eq!(
            *answer.body(),
            json!({"code": 500, "message": "Internal Server Error"}),
            "{path}"
        );
        // A test may see the cause; a caller gets the body alone.
        let cause = answer.cause().unwrap();
        assert!(cause.contains(relation), "{cause}");
    }
}
