//! How PostgreSQL runs the statements, on a table that is large enough to matter.

use churnkey_integrator::Mode;
use tokio_postgres::SimpleQueryMessage;

use crate::Shop;

/// Beside 100,000 customers: enough coupons that reading them all would not pay, and discounts for every third customer.
const FILL: &str = "
    INSERT INTO churnkey_live.coupons (id, duration_type, value_type, percent_hundredths)
    SELECT 'coupon_' || n, 'once', 'percentage', n FROM generate_series(1, 5000) n;
    INSERT INTO churnkey_live.customer_discounts (customer_seq, position, coupon_id)
    SELECT seq, position, 'coupon_' || seq % 5000 + 1
    FROM churnkey_live.customers, generate_series(0, 1) position WHERE seq % 3 = 0;
    UPDATE churnkey_live.customers SET addresses = '[{\"country\": \"GB\"}]' WHERE seq % 5 = 0;
    ANALYZE";

#[tokio::test]
async fn no_statement_scans_sorts_or_skips() {
    let shop = Shop::empty().await;
    let clock = "2026-01-15T12:00:00Z".parse().unwrap();
    shop.store.generate(100_000, clock).await.unwrap();
    let sql = shop.sql().await;
    sql.batch_execute(FILL).await.unwrap();

    for (name, statement) in shop.store.in_mode(Mode::Live).statements().all() {
        assert!(!statement.sql().to_uppercase().contains("OFFSET"), "{name}");
        let prepared = format!("PREPARE {name} AS {}", statement.sql());
        sql.batch_execute(&prepared).await.unwrap();
        let (parameters, rows) = match name {
            "by_id" => ("'cus_gen_0050000'", "1"),
            "after" => ("90000, 101", "101"),
            "by_email" => ("'gen0050000@example.com'", "1"),
            "by_phone" => ("'+8880000050000'", "1"),
            _ => panic!("{name} is new: give it parameters here"),
        };
        // A prepared statement gets a plan for its parameters at first, and for any parameters later.
        for plans in ["force_custom_plan", "force_generic_plan"] {
            let explain = format!(
                "SET plan_cache_mode = {plans};
                EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE {name} ({parameters})"
            );
            let plan = plan(&sql, &explain).await;
            for slow in ["Seq Scan", "Sort", "Rows Removed"] {
                assert!(!plan.contains(slow), "{name} with {plans}: {slow}\n{plan}");
            }
            // Newer versions write `101.00`.
            let found = [' ', '.'].map(|end| format!("actual rows={rows}{end}"));
            let top = plan.lines().next().unwrap();
            assert!(
                found.iter().any(|rows| top.contains(rows)),
                "{name} with {plans}\n{plan}"
            );
        }
    }
}

#[tokio::test]
async fn the_test_would_notice() {
    let shop = Shop::empty().await;
    shop.store
        .generate(1000, "2026-01-15T12:00:00Z".parse().unwrap())
        .await
        .unwrap();
    let sql = shop.sql().await;
    for (statement, sign) in [
        (
            "SELECT * FROM churnkey_live.customers WHERE name = 'Generated 0000001'",
            "Seq Scan",
        ),
        (
            "SELECT * FROM churnkey_live.customers ORDER BY name LIMIT 5",
            "Sort",
        ),
        (
            "SELECT * FROM churnkey_live.customers WHERE id > 'x' AND lower(email) = 'x'",
            "Filter",
        ),
    ] {
        let plan = plan(&sql, &format!("EXPLAIN {statement}")).await;
        assert!(plan.contains(sign), "{plan}");
    }
}

async fn plan(sql: &tokio_postgres::Client, explain: &str) -> String {
    let mut lines = Vec::new();
    for message in sql.simple_query(explain).await.unwrap() {
        if let SimpleQueryMessage::Row(row) = message {
            lines.push(row.get(0).unwrap().to_owned());
        }
    }
    lines.join("\n")
}
