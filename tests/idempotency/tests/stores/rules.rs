//! Every store keeps the rules of the trait.

use churnkey_conformance::idempotency::keeps_every_rule;
use churnkey_integrator::idempotency::InMemoryIdempotency;

use crate::merchant::{Database, Driver};

#[tokio::test]
async fn in_memory() {
    let store = InMemoryIdempotency::default();
    keeps_every_rule(&store, &store).await;
}

/// Each with a pool of its own.
async fn in_two_processes(database: Database, driver: Driver) {
    let one = database.merchant(driver).await.store;
    let other = database.merchant(driver).await.store;
    keeps_every_rule(&*one, &*other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_with_sqlx() {
    in_two_processes(Database::postgres().await, Driver::SqlxPostgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_with_diesel() {
    in_two_processes(Database::postgres().await, Driver::Diesel).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_with_tokio_postgres() {
    in_two_processes(Database::postgres().await, Driver::TokioPostgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_with_sqlx() {
    in_two_processes(Database::sqlite().await, Driver::SqlxSqlite).await;
}
