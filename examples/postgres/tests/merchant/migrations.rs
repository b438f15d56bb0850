//! The schema: migrations run once, and its constraints refuse invalid data.

use churnkey_integrator::Mode;
use postgres::store::{Store, StoreError};
use serde_json::json;
use throwaway_postgres::test_database;

use crate::{Shop, client, load_demo, migrated, sql, whole_crawl};

/// Everything that the migrations created, and when each one ran.
const MADE: &str = "
    SELECT table_schema || '.' || table_name || '.' || column_name FROM information_schema.columns
    WHERE table_schema LIKE 'churnkey%'
    UNION ALL SELECT 'live ' || version || applied_at FROM churnkey_live.migrations
    UNION ALL SELECT 'test ' || version || applied_at FROM churnkey_test.migrations
    ORDER BY 1";

async fn made(url: &str) -> Vec<String> {
    let rows = sql(url).await.query(MADE, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn running_again_does_nothing() {
    let shop = Shop::with_demo_data().await;
    let before = made(shop.database.url()).await;
    shop.store.migrate().await.unwrap();
    migrated(shop.database.url()).await;
    assert_eq!(made(shop.database.url()).await, before);
    assert_eq!(whole_crawl(&shop.live, 500).await.len(), 6);
    let versions = before.iter().filter(|line| line.starts_with("live "));
    assert_eq!(versions.count(), 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_at_once_wait_for_each_other() {
    let database = test_database();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            // A store each, as a process has: they share no connection.
            let store = Store::connect(database.url()).unwrap();
            tokio::spawn(async move {
                store.migrate().await.unwrap();
                load_demo(&store).await
            })
        })
        .collect();
    let mut loaded = 0;
    for task in tasks {
        loaded += usize::from(task.await.unwrap());
    }
    assert_eq!(loaded, 1);
    let sql = sql(database.url()).await;
    for (schema, customers) in [("churnkey_live", 6), ("churnkey_test", 1)] {
        let count = format!(
            "SELECT (SELECT count(*) FROM {schema}.customers), (SELECT count(*) FROM {schema}.migrations)"
        );
        let row = sql.query_one(&count, &[]).await.unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (customers, 9));
    }
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing_behind() {
    let database = test_database();
    let sql = sql(database.url()).await;
    // In the way of the second schema's table.
    sql.batch_execute("CREATE SCHEMA churnkey_test; CREATE TABLE churnkey_test.coupons ()")
        .await
        .unwrap();
    let store = Store::connect(database.url()).unwrap();
    let error = store.migrate().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "migrating the database failed: PostgreSQL answered SQLSTATE 42P07: RUST_LOG=debug shows its message"
    );
    let absent = database.url().rsplit_once('/').unwrap().0.to_owned() + "/no_such_database";
    let error = Store::connect(&absent)
        .unwrap()
        .migrate()
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "migrating the database failed: PostgreSQL answered SQLSTATE 3D000: the database does not exist, create it with createdb"
    );
    let made = sql
        .query(
            "SELECT 1 FROM pg_namespace WHERE nspname = 'churnkey_live'",
            &[],
        )
        .await;
    assert_eq!(made.unwrap().len(), 0);
    sql.batch_execute("DROP TABLE churnkey_test.coupons")
        .await
        .unwrap();
    store.migrate().await.unwrap();
}

#[tokio::test]
async fn the_tables_refuse_what_could_not_be_served() {
    let shop = Shop::with_demo_data().await;
    let sql = shop.sql().await;
    for (statement, code) in [
        // Paging relies on it.
        (
            "UPDATE churnkey_live.customers SET seq = seq + 100",
            "428C9",
        ),
        (
            "INSERT INTO churnkey_live.customers (id) VALUES ('cus_ada')",
            "23505",
        ),
        (
            "INSERT INTO churnkey_live.customers (id) VALUES ('')",
            "23514",
        ),
        (
            "INSERT INTO churnkey_live.customers (id, email) VALUES ('x', 'x@example.com')",
            "23514",
        ),
        (
            "INSERT INTO churnkey_live.customers (id, currency) VALUES ('x', 'USD')",
            "23514",
        ),
        (
            "INSERT INTO churnkey_live.customers (id, addresses) VALUES ('x', '{}')",
            "23514",
        ),
        (
            "INSERT INTO churnkey_live.customers (id, metadata) VALUES ('x', '{\"n\": 1}')",
            "23514",
        ),
        (
            "INSERT INTO churnkey_live.customers (id, metadata) VALUES ('x', '[]')",
            "23514",
        ),
        (
            "UPDATE churnkey_live.coupons SET duration_type = 'once'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.coupons SET value_type = 'fixed'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.coupons SET percent_hundredths = 10001",
            "23514",
        ),
        ("DELETE FROM churnkey_live.coupons", "23503"),
        ("DELETE FROM churnkey_live.families", "23503"),
        ("DELETE FROM churnkey_live.products", "23503"),
        ("DELETE FROM churnkey_live.prices", "23503"),
        ("DELETE FROM churnkey_live.customers", "23503"),
        (
            "UPDATE churnkey_live.prices SET unit_amount = NULL WHERE model = 'fixed'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.prices SET unit_amount = 1 WHERE model = 'tiered'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.prices SET unit_amount = -1 WHERE model = 'fixed'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.prices SET tier_mode = NULL WHERE model = 'tiered'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.price_tiers SET unit_amount = NULL",
            "23514",
        ),
        // Two tiers without an end, or two with the same end.
        ("UPDATE churnkey_live.price_tiers SET up_to = NULL", "23505"),
        ("UPDATE churnkey_live.price_tiers SET up_to = 7", "23505"),
        (
            "UPDATE churnkey_live.subscription_items SET quantity = 0",
            "23514",
        ),
        (
            "UPDATE churnkey_live.subscription_items SET price_id = 'price_test_month'",
            "23503",
        ),
        (
            "UPDATE churnkey_live.subscriptions SET customer_id = 'cus_test'",
            "23503",
        ),
        (
            "UPDATE churnkey_live.subscriptions SET status = 'canceled' WHERE id = 'sub_ada_pro'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.subscriptions SET status = 'paused' WHERE id = 'sub_ada_pro'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.subscriptions SET status = 'trial' WHERE id = 'sub_ada_pro'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.subscriptions SET status = 'active' WHERE id = 'sub_grace_trial'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.subscriptions SET period_ends_at = NULL WHERE id = 'sub_ada_pro'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.subscriptions SET period_ends_at = '2000-01-01' WHERE id = 'sub_ada_pro'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.subscriptions SET canceled_at = now() WHERE id = 'sub_ada_pro'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.subscriptions SET cancels_at = now() WHERE id = 'sub_zoe_gone'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.subscriptions SET pauses_at = now() WHERE id = 'sub_ada_pro'",
            "23514",
        ),
        (
            "UPDATE churnkey_live.subscriptions SET next_price_at = now() WHERE id = 'sub_ada_pro'",
            "23514",
        ),
        (
            "INSERT INTO churnkey_live.churnkey_idempotency_keys VALUES ('a', 2)",
            "23503",
        ),
    ] {
        let error = sql.batch_execute(statement).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), code, "{statement}");
    }
    for table in ["subscriptions", "customers", "coupons"] {
        sql.batch_execute(&format!("DELETE FROM churnkey_live.{table}"))
            .await
            .unwrap();
    }
}

/// The schema before it had more than customers.
const SECOND_VERSION: &str = "
    CREATE TABLE migrations (
        version integer PRIMARY KEY,
        applied_at timestamptz NOT NULL DEFAULT now()
    );
    INSERT INTO migrations (version) VALUES (1), (2);
    INSERT INTO customers (id, name) VALUES ('cus_old', 'Old');
    INSERT INTO coupons (id, duration_type, value_type, percent_hundredths)
    VALUES ('coupon_b', 'once', 'percentage', 1000), ('coupon_a', 'once', 'percentage', 2000);
    INSERT INTO customer_discounts (customer_seq, position, coupon_id)
    SELECT seq, 0, 'coupon_a' FROM customers";

#[tokio::test]
async fn a_database_that_knows_customers_only_keeps_them_and_learns_the_rest() {
    let database = test_database();
    let sql = sql(database.url()).await;
    for schema in ["churnkey_live", "churnkey_test"] {
        sql.batch_execute(&format!(
            "CREATE SCHEMA {schema}; SET search_path TO {schema}"
        ))
        .await
        .unwrap();
        for part in [
            include_str!("../../migrations/0001_customers.sql"),
            include_str!("../../migrations/0002_coupons.sql"),
            SECOND_VERSION,
        ] {
            sql.batch_execute(part).await.unwrap();
        }
    }
    let store = migrated(database.url()).await;
    assert!(!load_demo(&store).await);
    let live = client(&store);
    for client in [live.in_mode(Mode::Test), live] {
        let coupon = |id: &str, percent| {
            json!({
                "id": id,
                "duration": {"type": "once"},
                "value": {"type": "percentage", "percent": percent}
            })
        };
        let answer = client.get("/churnkey/customers/cus_old").await;
        let discounts = json!([{ "coupon": coupon("coupon_a", 20) }]);
        assert_eq!(
            answer.into_body(),
            json!({"id": "cus_old", "name": "Old", "discounts": discounts})
        );
        // In the order in which they were added.
        let first = client.get("/churnkey/coupons?limit=1").await.into_body();
        assert_eq!(first["data"], json!([coupon("coupon_b", 10)]));
        let next = first["next"].as_str().unwrap();
        let second = client
            .get(&format!("/churnkey/coupons?limit=1&cursor={next}"))
            .await;
        assert_eq!(
            second.into_body(),
            json!({"data": [coupon("coupon_a", 20)]})
        );
        let subscriptions = client
            .get("/churnkey/customers/cus_old/subscriptions")
            .await;
        assert_eq!(subscriptions.into_body(), json!({"data": []}));
    }
}

/// As it was when it had statements of its own for the records of actions.
const SEVENTH_VERSION: &str = "
    CREATE TABLE migrations (
        version integer PRIMARY KEY,
        applied_at timestamptz NOT NULL DEFAULT now()
    );
    INSERT INTO migrations (version) SELECT generate_series(1, 7);
    INSERT INTO attempts VALUES
        (7, repeat('a', 64), '2026-01-15T12:00:10.001Z', '2026-01-16T12:00:00Z', true),
        (8, repeat('b', 64), '2026-01-15T12:00:10Z', '2026-01-16T12:00:00Z', false);
    INSERT INTO attempt_keys VALUES (repeat('1', 64), 7), (repeat('2', 64), 7), (repeat('3', 64), 8)";

#[tokio::test]
async fn the_records_of_actions_move_to_the_librarys_tables() {
    let database = test_database();
    let sql = sql(database.url()).await;
    for schema in ["churnkey_live", "churnkey_test"] {
        let create = format!("CREATE SCHEMA {schema}; SET search_path TO {schema}");
        sql.batch_execute(&create).await.unwrap();
        for part in [
            include_str!("../../migrations/0001_customers.sql"),
            include_str!("../../migrations/0002_coupons.sql"),
            include_str!("../../migrations/0003_catalogue.sql"),
            include_str!("../../migrations/0004_subscriptions.sql"),
            include_str!("../../migrations/0005_first_answers.sql"),
            include_str!("../../migrations/0006_attempts.sql"),
            include_str!("../../migrations/0007_records.sql"),
            SEVENTH_VERSION,
        ] {
            sql.batch_execute(part).await.unwrap();
        }
    }
    migrated(database.url()).await;
    for schema in ["churnkey_live", "churnkey_test"] {
        let records = format!(
            "SELECT array_agg(concat_ws(' ', key, fingerprint, attempt, runs_until, kept_until, done) ORDER BY key)
            FROM {schema}.churnkey_idempotency_records r
            JOIN {schema}.churnkey_idempotency_keys ON record = id"
        );
        let records = sql.query_one(&records, &[]).await.unwrap();
        let [a, b] = ["a", "b"].map(|digit| digit.repeat(64));
        let [one, two, three] = ["1", "2", "3"].map(|digit| digit.repeat(64));
        assert_eq!(
            records.get::<_, Vec<String>>(0),
            [
                format!("{one} {a} 7 1768478410001 1768564800000 t"),
                format!("{two} {a} 7 1768478410001 1768564800000 t"),
                format!("{three} {b} 8 1768478410000 1768564800000 f"),
            ]
        );
    }
}

#[tokio::test]
async fn an_address_never_shows_in_an_error() {
    for address in [
        "",
        "localhost",
        "postgres://",
        "mysql://user:hunter2@host/db",
        "postgres://user:hunter2@host:port/db",
        "postgres://user:a@b/hunter2?hunter2=1",
        "hunter2=1",
    ] {
        let error = Store::connect(address).unwrap_err();
        assert!(matches!(error, StoreError::Address), "{address}: {error:?}");
    }
    let refused = "postgres://secretuser:hunter2@127.0.0.1:1/secretdb";
    let store = Store::connect(refused).unwrap();
    let error = store.migrate().await.unwrap_err();
    let message = error.to_string();
    let expected = "migrating the database failed: error connecting to server: Connection refused";
    assert!(message.starts_with(expected), "{message}");
    let shown = format!("{store:?} {error:?}");
    assert!(
        !shown.contains("secret") && !shown.contains("hunter2"),
        "{shown}"
    );
}
