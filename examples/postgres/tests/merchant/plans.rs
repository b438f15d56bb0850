//! How PostgreSQL runs the statements, on a table that is large enough to matter.

use churnkey_integrator::Mode;
use tokio_postgres::SimpleQueryMessage;

use crate::Shop;

/// Besides 100,000 customers: enough rows of every table that a sequential scan is slower than an index, discounts for every third
/// customer and subscription, and one customer with a thousand subscriptions.
const FILL: &str = "
    SET search_path TO churnkey_live;
    INSERT INTO coupons (id, duration_type, value_type, percent_hundredths)
    SELECT 'coupon_' || n, 'once', 'percentage', n FROM generate_series(1, 5000) n;
    INSERT INTO customer_discounts (customer_seq, position, coupon_id)
    SELECT seq, position, 'coupon_' || seq % 5000 + 1
    FROM customers, generate_series(0, 1) position WHERE seq % 3 = 0;
    UPDATE customers SET addresses = '[{\"country\": \"GB\"}]' WHERE seq % 5 = 0;
    INSERT INTO families (id, name) SELECT 'fam_' || n, 'Family' FROM generate_series(1, 5000) n;
    INSERT INTO products (id, family_id, name)
    SELECT 'prod_' || n, 'fam_' || n, 'Product' FROM generate_series(1, 5000) n;
    INSERT INTO prices
        (id, product_id, duration_amount, duration_unit, model, currency, unit_amount, tier_mode)
    SELECT 'price_' || n, 'prod_' || n, 1, 'month', 'fixed', 'usd', 100, NULL
    FROM generate_series(1, 4000) n
    UNION ALL
    SELECT 'price_' || n, 'prod_' || n, 1, 'month', 'tiered', 'usd', NULL, 'total'
    FROM generate_series(4001, 5000) n;
    INSERT INTO price_tiers (price_seq, up_to, unit_amount)
    SELECT seq, nullif(n * 10, 50), 1 FROM prices, generate_series(1, 5) n WHERE model = 'tiered'
    ORDER BY seq, n;
    INSERT INTO subscriptions
        (id, customer_id, started_at, duration_amount, duration_unit, status, next_price_id, next_price_at)
    SELECT 'sub_' || seq, CASE WHEN seq <= 1000 THEN 'cus_gen_0000001' ELSE id END, now(), 1, 'month', 'unpaid',
        CASE WHEN seq % 7 = 0 THEN 'price_' || seq % 5000 + 1 END, CASE WHEN seq % 7 = 0 THEN now() END
    FROM customers WHERE seq <= 20000 ORDER BY seq;
    INSERT INTO subscription_items (subscription_seq, position, id, price_id, quantity)
    SELECT seq, position, 'item_' || position, 'price_' || seq % 5000 + 1, 1
    FROM subscriptions, generate_series(0, 1) position ORDER BY seq, position;
    INSERT INTO subscription_discounts (subscription_seq, position, coupon_id)
    SELECT seq, position, 'coupon_' || seq % 5000 + 1
    FROM subscriptions, generate_series(0, 1) position WHERE seq % 3 = 0
    ORDER BY seq, position;
    INSERT INTO churnkey_idempotency_records (id, attempt, fingerprint, runs_until, kept_until)
    SELECT n, n, 'what', 0, n FROM generate_series(1, 20000) n;
    INSERT INTO churnkey_idempotency_keys (key, record)
    SELECT key || n, n FROM generate_series(1, 20000) n, unnest('{signature, header}'::text[]) key;
    ANALYZE";

/// Parameters that find rows in the middle of a table, and the number of rows.
fn parameters(name: &str) -> (&'static str, u32) {
    match name {
        "CUSTOMER" => ("'cus_gen_0050000'", 1),
        "CUSTOMERS" => ("90000, 101", 101),
        "BY_EMAIL" => ("'gen0050000@example.com'", 1),
        "BY_PHONE" => ("'+8880000050000'", 1),
        "FAMILY" => ("'fam_2500'", 1),
        "PRODUCT" => ("'prod_2500'", 1),
        "PRICE" => ("'price_4500'", 1),
        "COUPON" | "LOCK_COUPON" => ("'coupon_2500'", 1),
        "FAMILIES" | "PRODUCTS" | "PRICES" | "COUPONS" => ("4500, 101", 101),
        "SUBSCRIPTION" => ("'cus_gen_0015001', 'sub_15001'", 1),
        "SUBSCRIPTIONS" => ("'cus_gen_0000001', 800, 101", 101),
        "LOCK_SUBSCRIPTION" => ("'cus_gen_0015001', 'sub_15001'", 1),
        "LOCK_SUBSCRIPTIONS_OF" => ("'cus_gen_0015001'", 1),
        "LOCKED_SUBSCRIPTIONS" => ("'{15001, 15002, 15003}'", 3),
        "WRITE_SUBSCRIPTION" => (
            r#"15001, '{"name": "canceled", "canceledAt": "2026-01-15T12:00:00.000Z"}',
            '{"amount": 1, "unit": "year"}', NULL, NULL, NULL, NULL"#,
            0,
        ),
        "WRITE_ITEM" => ("15001, 0, 'price_1'", 0),
        "ADD_DISCOUNT" => ("15001, 7, 'coupon_1', NULL, NULL", 0),
        "WRITE_REDEMPTIONS" => ("'coupon_2500', 7", 0),
        "COMPLETE_ATTEMPT" => ("15000", 0),
        "FORGET_ATTEMPT" => ("15000", 0),
        "FORGET_OLD_ATTEMPTS" => ("10000, 4", 0),
        // A function, whose statements the library's tests look at.
        "BEGIN_ATTEMPT" => (
            "'signature15000', 'header15000', 0, 'what', 10000, 20000, 30000",
            1,
        ),
        _ => panic!("{name} is new: give it parameters here"),
    }
}

#[tokio::test]
async fn no_statement_scans_sorts_or_skips() {
    let shop = Shop::empty().await;
    let clock = "2026-01-15T12:00:00Z".parse().unwrap();
    shop.store.generate(100_000, clock).await.unwrap();
    let sql = shop.sql().await;
    sql.batch_execute(FILL).await.unwrap();

    for (name, statement) in postgres::statements() {
        let statement = statement.sql(Mode::Live);
        assert!(!statement.to_uppercase().contains("OFFSET"), "{name}");
        let prepared = format!("PREPARE {name} AS {statement}");
        sql.batch_execute(&prepared).await.unwrap();
        let (parameters, rows) = parameters(name);
        // A prepared statement gets a plan for its parameters at first, and for any parameters later.
        for plans in ["force_custom_plan", "force_generic_plan"] {
            let explain = format!(
                "SET plan_cache_mode = {plans}; BEGIN;
                EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE {name} ({parameters}); ROLLBACK"
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
            // A statement that changes rows shows their number in the second line.
            if top.starts_with("Update") || top.starts_with("Delete") {
                assert!(
                    !plan.lines().nth(1).unwrap().contains("actual rows=0"),
                    "{name}\n{plan}"
                );
            }
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
