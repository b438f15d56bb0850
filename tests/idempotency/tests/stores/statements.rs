//! The statements by themselves.

use std::time::{Duration, Instant};

use churnkey_integrator::{
    Mode, RequestContext, Timestamp,
    idempotency::{Attempt, Known, postgres, sqlite},
};
use futures_util::future::{join, join_all};
use throwaway_postgres::test_database;
use tokio_postgres::{Client, NoTls, types::ToSql};

use crate::merchant::{Database, Driver};

const NOON: i64 = 1_768_478_400;
/// For how long the record of an attempt for a test is kept, in seconds.
const KEPT: i64 = 60 * 60;

fn keyed(key: &str, seconds: i64) -> Attempt {
    let now = Timestamp::from_unix_seconds(NOON + seconds).unwrap();
    Attempt::for_test(key, "a", now)
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Of a connection that is not the store's.
async fn begin(
    client: &Client,
    begin: &str,
    attempt: &Attempt,
) -> Result<Known, tokio_postgres::Error> {
    let attempt = attempt.parameters();
    let parameters: [&(dyn ToSql + Sync); 7] = [
        &attempt.signature_key(),
        &attempt.header_key(),
        &attempt.number(),
        &attempt.fingerprint(),
        &attempt.now(),
        &attempt.runs_until(),
        &attempt.kept_until(),
    ];
    let row = client.query_one(begin, &parameters).await?;
    Ok(row.get::<_, &str>("known").parse().unwrap())
}

fn live() -> RequestContext {
    RequestContext::for_test(Mode::Live)
}

#[tokio::test]
async fn what_is_over_is_purged_a_little_with_each_attempt() {
    Database::with_each_driver(async |database, driver| {
        let (table, deleted) = match driver {
            Driver::SqlxSqlite => ("churnkey_idempotency_keys", 4),
            _ => ("churnkey_idempotency_records", 2),
        };
        let store = database.merchant(driver).await.store;
        let count = format!("SELECT count(*) FROM {table}");
        for n in 0..9 {
            let old = keyed(&format!("s{n}"), n);
            assert_eq!(store.begin(&live(), &old).await.unwrap(), Known::New);
            store.complete(&live(), &old).await.unwrap();
        }
        assert_eq!(database.number(&count).await, 9, "{driver:?}");
        // The time of the first eight is over.
        let mut left = 8;
        for n in 0..6 {
            let next = keyed(&format!("n{n}"), KEPT + 7);
            assert_eq!(store.begin(&live(), &next).await.unwrap(), Known::New);
            left = i64::max(left - deleted, 0);
            let expected = left + 1 + n + 1;
            assert_eq!(database.number(&count).await, expected, "{driver:?} {n}");
        }
        let last = keyed("s8", KEPT + 7);
        assert_eq!(store.begin(&live(), &last).await.unwrap(), Known::Done);
        if driver != Driver::SqlxSqlite {
            let keys = "SELECT count(*) FROM churnkey_idempotency_keys";
            assert_eq!(database.number(keys).await, 7, "{driver:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_statement_that_is_sent_twice_for_one_attempt_says_the_same() {
    Database::with_each_driver(async |database, driver| {
        let store = database.merchant(driver).await.store;
        let first = keyed("k", 0).with_signature("s");
        for _ in 0..2 {
            let begun = store.begin(&live(), &first).await.unwrap();
            assert_eq!(begun, Known::New, "{driver:?}");
        }
        let successor = keyed("k", 60).with_signature("s");
        for _ in 0..2 {
            let begun = store.begin(&live(), &successor).await.unwrap();
            assert_eq!(begun, Known::New, "{driver:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_statements_work_in_a_schema_that_is_named() {
    let database = test_database();
    let client = connect(database.url()).await;
    let named = |sql: &str| sql.replace("churnkey_idempotency_", "billing.churnkey_idempotency_");
    client.batch_execute("CREATE SCHEMA billing").await.unwrap();
    client
        .batch_execute(&named(postgres::CREATE))
        .await
        .unwrap();
    let first = keyed("k", 0).with_signature("s");
    let statement = named(postgres::BEGIN);
    let begun = begin(&client, &statement, &first).await.unwrap();
    assert_eq!(begun, Known::New);
    let complete = named(postgres::COMPLETE);
    for rows in [1, 0] {
        let completed = client.execute(&complete, &[&first.number()]).await.unwrap();
        assert_eq!(completed, rows);
    }
    let retry = keyed("k", 1).with_signature("t");
    let begun = begin(&client, &statement, &retry).await.unwrap();
    assert_eq!(begun, Known::Done);
    let second = keyed("u", 1);
    let begun = begin(&client, &statement, &second).await.unwrap();
    assert_eq!(begun, Known::New);
    let forget = named(postgres::FORGET);
    let forgotten = client.execute(&forget, &[&second.number()]).await.unwrap();
    assert_eq!(forgotten, 1);
    let purge = named(postgres::PURGE);
    let (late, at_most) = ((NOON + KEPT) * 1000, 10_i64);
    let purged = client.execute(&purge, &[&late, &at_most]).await.unwrap();
    assert_eq!(purged, 1);
}

/// Runs something in a transaction, and commits once the attempt waits for it. What is known of the attempt then?
async fn begin_during(
    database: &Database,
    first: &str,
    parameters: &[&(dyn ToSql + Sync)],
    attempt: &Attempt,
) -> Known {
    let mut client = connect(database.url()).await;
    let transaction = client.transaction().await.unwrap();
    transaction.query(first, parameters).await.unwrap();
    let other = connect(database.url()).await;
    let waiting = begin(&other, postgres::BEGIN, attempt);
    let commit = async {
        let waits = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let patience = Instant::now() + Duration::from_secs(30);
        while database.number(waits).await == 0 {
            assert!(Instant::now() < patience, "the attempt does not wait");
        }
        transaction.commit().await.unwrap();
    };
    join(waiting, commit).await.0.unwrap()
}

async fn begin_during_another(database: &Database, other: &Attempt, attempt: &Attempt) -> Known {
    let parameters = other.parameters();
    let parameters: [&(dyn ToSql + Sync); 7] = [
        &parameters.signature_key(),
        &parameters.header_key(),
        &parameters.number(),
        &parameters.fingerprint(),
        &parameters.now(),
        &parameters.runs_until(),
        &parameters.kept_until(),
    ];
    begin_during(database, postgres::BEGIN, &parameters, attempt).await
}

#[tokio::test]
async fn attempts_that_share_a_key_wait_for_each_other() {
    let database = Database::postgres().await;
    let signed = |key: &str| keyed(key, 0).with_signature("s");
    let known = begin_during_another(&database, &signed("a"), &signed("b")).await;
    assert_eq!(known, Known::Running);
    let unsigned = signed("c").without_header_key();
    let signed = |signature: &str| keyed("c", 0).with_signature(signature);
    let known = begin_during_another(&database, &signed("t"), &signed("u")).await;
    assert_eq!(known, Known::Running);
    let known = begin_during_another(&database, &keyed("d", 0), &keyed("d", 0)).await;
    assert_eq!(known, Known::Running);
    let client = connect(database.url()).await;
    let known = begin(&client, postgres::BEGIN, &unsigned).await.unwrap();
    assert_eq!(known, Known::Running);
}

#[tokio::test]
async fn an_attempt_waits_for_a_record_that_is_being_forgotten() {
    let database = Database::postgres().await;
    let client = connect(database.url()).await;
    let first = keyed("k", 0);
    let begun = begin(&client, postgres::BEGIN, &first).await.unwrap();
    assert_eq!(begun, Known::New);
    let retry = keyed("k", 1).with_signature("s");
    let known = begin_during(&database, postgres::FORGET, &[&first.number()], &retry).await;
    assert_eq!(known, Known::New);
}

#[tokio::test]
async fn only_an_attempt_that_could_take_over_waits_for_an_action_that_has_not_committed() {
    let database = Database::postgres().await;
    let client = connect(database.url()).await;
    let first = keyed("k", 0);
    let begun = begin(&client, postgres::BEGIN, &first).await.unwrap();
    assert_eq!(begun, Known::New);

    let mut action = connect(database.url()).await;
    let transaction = action.transaction().await.unwrap();
    let number = first.number();
    let completed = transaction.execute(postgres::COMPLETE, &[&number]).await;
    assert_eq!(completed.unwrap(), 1);
    let retry = keyed("k", 59).with_signature("s");
    let begun = begin(&client, postgres::BEGIN, &retry).await.unwrap();
    assert_eq!(begun, Known::Running);
    transaction.rollback().await.unwrap();

    let late = keyed("k", 60).with_signature("t");
    let known = begin_during(&database, postgres::COMPLETE, &[&number], &late).await;
    assert_eq!(known, Known::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_isolation_level_lets_two_attempts_begin() {
    let database = Database::postgres().await;
    for level in ["repeatable read", "serializable"] {
        let mut clients = Vec::new();
        for _ in 0..16 {
            let client = connect(database.url()).await;
            let set = format!("SET default_transaction_isolation = '{level}'");
            client.batch_execute(&set).await.unwrap();
            clients.push(client);
        }
        for round in 0..20 {
            let key = format!("{level} {round}");
            let begun = clients
                .iter()
                .map(async |client| begin(client, postgres::BEGIN, &keyed(&key, 0)).await);
            let begun = join_all(begun).await;
            let new = begun.iter().filter(|begun| matches!(begun, Ok(Known::New)));
            assert_eq!(new.count(), 1, "{level}");
            for error in begun.iter().filter_map(|begun| begun.as_ref().err()) {
                let code = error.code().unwrap().code();
                assert!(["23505", "40001"].contains(&code), "{level}: {code}");
            }
        }
    }
}

/// Twenty thousand records with two keys each, of which half are over at 10000.
const FILL: &str = "
    INSERT INTO churnkey_idempotency_records (id, attempt, fingerprint, runs_until, kept_until)
    SELECT n, n, 'a', 0, n FROM generate_series(1, 20000) n;
    INSERT INTO churnkey_idempotency_keys (key, record)
    SELECT kind || n, n FROM generate_series(1, 20000) n, unnest(ARRAY['s', 'k']) kind;
    ANALYZE";

#[tokio::test]
async fn postgres_finds_every_row_by_an_index() {
    let database = Database::postgres().await;
    database.run(FILL).await;
    for (statement, parameters) in [
        (postgres::BEGIN, "'s0', 'k0', 0, 'a', 10000, 20000, 30000"),
        (
            postgres::BEGIN,
            "'s5000', 'k5000', 0, 'a', 10000, 20000, 30000",
        ),
        (
            postgres::BEGIN,
            "'s0', 'k15000', 0, 'a', 10000, 20000, 30000",
        ),
        (
            postgres::BEGIN,
            "'s15000', null, 0, 'a', 10000, 20000, 30000",
        ),
        (
            postgres::BEGIN,
            "null, 'k15000', 0, 'b', 10000, 20000, 30000",
        ),
        (postgres::COMPLETE, "15000"),
        (postgres::FORGET, "15000"),
        (postgres::PURGE, "10000, 2"),
    ] {
        for plans in ["force_custom_plan", "force_generic_plan"] {
            let client = connect(database.url()).await;
            let run = format!(
                "SET plan_cache_mode = {plans}; PREPARE it AS {statement};
                BEGIN; EXECUTE it ({parameters})"
            );
            client.batch_execute(&run).await.unwrap();
            // Of this transaction.
            let scans = "SELECT sum(seq_scan)::bigint, sum(idx_scan)::bigint
                FROM pg_stat_xact_user_tables WHERE relname LIKE 'churnkey%'";
            let scans = client.query_one(scans, &[]).await.unwrap();
            let (sequential, by_index): (i64, i64) = (scans.get(0), scans.get(1));
            assert_eq!(sequential, 0, "{statement} {parameters} {plans}");
            assert!(by_index > 0, "{statement} {parameters} {plans}");
        }
    }
}

#[tokio::test]
async fn sqlite_finds_every_row_by_an_index() {
    let database = Database::sqlite().await;
    for statement in [
        sqlite::BEGIN,
        sqlite::COMPLETE,
        sqlite::FORGET,
        sqlite::PURGE,
    ] {
        let plan = database.sqlite_plan(statement).await;
        assert!(plan.contains("USING"), "{statement}\n{plan}");
        assert!(
            !plan.contains("SCAN churnkey_idempotency_keys\n"),
            "{statement}\n{plan}"
        );
    }
}

#[test]
fn what_is_known_is_read_from_the_four_words_only() {
    for (word, known) in [
        ("new", Known::New),
        ("running", Known::Running),
        ("done", Known::Done),
        ("another-request", Known::AnotherRequest),
    ] {
        assert_eq!(word.parse(), Ok(known));
    }
    let error = "New".parse::<Known>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "what is known of a request must be `new`, `running`, `done` or `another-request`"
    );
}
