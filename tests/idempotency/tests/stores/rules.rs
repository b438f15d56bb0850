//! Every store keeps the rules of the trait.

use churnkey_integrator::idempotency::InMemoryIdempotency;
use idempotency_tests::rules::keeps_every_rule;

use crate::merchant::{Database, Driver};

#[tokio::test]
async fn in_memory() {
    keeps_every_rule(&InMemoryIdempotency::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_with_sqlx() {
    let database = Database::postgres().await;
    keeps_every_rule(&*database.merchant(Driver::SqlxPostgres).await.store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_with_diesel() {
    let database = Database::postgres().await;
    keeps_every_rule(&*database.merchant(Driver::Diesel).await.store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_with_tokio_postgres() {
    let database = Database::postgres().await;
    keeps_every_rule(&*database.merchant(Driver::TokioPostgres).await.store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_with_sqlx() {
    let database = Database::sqlite().await;
    keeps_every_rule(&*database.merchant(Driver::SqlxSqlite).await.store).await;
}
