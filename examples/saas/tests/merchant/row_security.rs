//! What PostgreSQL itself shows, whatever the program asks for.

use std::time::{Duration, Instant};

use churnkey_integrator::{Mode, TenantId};
use saas::{record::Customer, store::Store};
use sqlx::{PgPool, query_scalar};

use crate::{NOW, Platform};

const TABLES: [&str; 8] = [
    "coupons",
    "customers",
    "products",
    "plans",
    "plan_prices",
    "subscriptions",
    "subscription_items",
    "usage_records",
];

async fn count(pool: &PgPool, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM {table}");
    let count = query_scalar(sqlx::AssertSqlSafe(count));
    count.fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn who_has_not_said_whose_rows_sees_none() {
    let platform = Platform::with_demo_data(2, 100).await;
    let (store, owner) = (&platform.store, &platform.owner);
    for table in TABLES {
        let there = count(owner, table).await;
        assert!(there > 0 || table == "usage_records", "{table} is empty");
        assert_eq!(count(store.pool(), table).await, 0, "{table}");
    }

    // All connections of the pool have served both tenants now, and still show nothing.
    let one = TenantId::new(platform.id("tenant-01").await).unwrap();
    let other = TenantId::new(platform.id("tenant-02").await).unwrap();
    let first = |tenant: &TenantId| {
        let shop = store.shop_of(tenant, Mode::Live, Duration::from_secs(10));
        async move { shop.after::<Customer>(uuid::Uuid::nil(), 1).await.unwrap() }
    };
    for _ in 0..3 {
        let reads = (0..20).map(|n| tokio::spawn(first(if n % 2 == 0 { &one } else { &other })));
        for read in reads.collect::<Vec<_>>() {
            assert_eq!(read.await.unwrap().len(), 1);
        }
    }
    let mut connections = Vec::new();
    while let Some(connection) = store.pool().try_acquire() {
        connections.push(connection);
    }
    assert!(connections.len() > 1, "{} connections", connections.len());
    for connection in &mut connections {
        let seen: i64 = query_scalar("SELECT count(*) FROM customers")
            .fetch_one(&mut **connection)
            .await
            .unwrap();
        assert_eq!(seen, 0);
        // Neither of the two settings is left, although each alone shows nothing.
        let left: String = query_scalar(
            "SELECT concat(current_setting('app.tenant_id', true), current_setting('app.livemode', true))",
        )
        .fetch_one(&mut **connection)
        .await
        .unwrap();
        assert_eq!(left, "");
    }
}

#[tokio::test]
async fn a_tenant_can_neither_change_nor_leave_rows_of_another() {
    let platform = Platform::with_demo_data(2, 0).await;
    let mut transaction = platform.store.pool().begin().await.unwrap();
    sqlx::query(
        "SELECT set_config('app.tenant_id', $1, true), set_config('app.livemode', 'true', true)",
    )
    .bind(platform.id("tenant-01").await)
    .execute(&mut *transaction)
    .await
    .unwrap();
    let other = platform.id("tenant-02").await;
    let changed = sqlx::query("UPDATE customers SET company = 'mine' WHERE tenant_id = $1::uuid")
        .bind(&other)
        .execute(&mut *transaction);
    assert_eq!(changed.await.unwrap().rows_affected(), 0);
    let left = sqlx::query(
        "INSERT INTO products (tenant_id, livemode, name) VALUES ($1::uuid, true, 'not mine')",
    )
    .bind(&other)
    .execute(&mut *transaction);
    let error = left.await.unwrap_err();
    let code = error.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("42501"));
}

#[tokio::test]
async fn a_database_that_shows_everything_is_not_served() {
    let platform = Platform::with_demo_data(1, 0).await;
    platform
        .sql("ALTER TABLE customers DISABLE ROW LEVEL SECURITY")
        .await;
    let clock = example_app::Clock::Frozen(NOW.parse().unwrap());
    let error = Store::connect(platform.url(), clock).await.unwrap_err();
    assert!(
        error.to_string().contains("sees the rows of all tenants"),
        "{error}"
    );
}

/// Under row-level security an index over an expression, such as `lower(email)`, is not used: PostgreSQL would have to
/// call the function with other tenants' rows.
#[tokio::test]
async fn what_is_looked_up_and_listed_is_found_by_an_index() {
    let platform = Platform::with_demo_data(2, 3000).await;
    let mut transaction = platform.store.pool().begin().await.unwrap();
    sqlx::query(
        "SELECT set_config('app.tenant_id', $1, true), set_config('app.livemode', 'true', true)",
    )
    .bind(platform.id("tenant-02").await)
    .execute(&mut *transaction)
    .await
    .unwrap();
    for (condition, index) in [
        ("email_key = 'customer7@example.com'", "customers_email_key"),
        ("phone_key = '+8880000000007'", "customers_phone_key"),
        (
            "id > 'f0000000-0000-4000-8000-000000000000' ORDER BY id LIMIT 100",
            "customers_",
        ),
    ] {
        let explain =
            format!("EXPLAIN SELECT * FROM customers WHERE deleted_at IS NULL AND {condition}");
        let plan: Vec<String> = query_scalar(sqlx::AssertSqlSafe(explain))
            .fetch_all(&mut *transaction)
            .await
            .unwrap();
        let plan = plan.join("\n");
        let column = condition.split(' ').next().unwrap();
        let bound = plan.lines().find(|line| line.contains("Index Cond"));
        assert!(plan.contains(index), "{plan}");
        assert!(bound.is_some_and(|bound| bound.contains(column)), "{plan}");
    }
}

#[tokio::test]
async fn a_statement_ends_when_the_time_of_its_request_is_over() {
    let platform = Platform::with_demo_data(1, 10).await;
    let tenant = TenantId::new(platform.id("tenant-01").await).unwrap();
    let mut held = platform.owner.begin().await.unwrap();
    let lock = sqlx::query("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE");
    lock.execute(&mut *held).await.unwrap();

    let left = Duration::from_millis(300);
    let shop = platform.store.shop_of(&tenant, Mode::Live, left);
    let begun = Instant::now();
    let ended = shop.after::<Customer>(uuid::Uuid::nil(), 1).await;
    // Before the four seconds that a statement waits for a lock.
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(ended.is_err());
}
