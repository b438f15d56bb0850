//! The database's schema, in numbered steps. Each runs once.
//!
//! To change the schema, add a file and a line below. Never edit a file that was released: where it has run, it does not
//! run again.

use churnkey_integrator::{Mode, idempotency::postgres};
use deadpool_postgres::{Object, Transaction};
use tokio_postgres::{Error, IsolationLevel};

use super::{
    Store, StoreError,
    statement::{qualified, schema},
};

const MIGRATIONS: [(i32, &str); 9] = [
    (1, include_str!("../../migrations/0001_customers.sql")),
    (2, include_str!("../../migrations/0002_coupons.sql")),
    (3, include_str!("../../migrations/0003_catalogue.sql")),
    (4, include_str!("../../migrations/0004_subscriptions.sql")),
    (5, include_str!("../../migrations/0005_first_answers.sql")),
    (6, include_str!("../../migrations/0006_attempts.sql")),
    (7, include_str!("../../migrations/0007_records.sql")),
    (8, postgres::CREATE),
    (9, include_str!("../../migrations/0009_move_attempts.sql")),
];

/// Any number that no other program uses for its advisory locks in this database. This is "churnkey" in ASCII.
const LOCK: i64 = i64::from_be_bytes(*b"churnkey");

impl Store {
    /// Migrates both schemas in one transaction. Running it again does nothing, and processes that start at the same time wait for
    /// each other.
    ///
    /// The role needs the right to create schemas in the database.
    ///
    /// # Errors
    /// [`StoreError`] if the database can't be reached or refuses.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let doing = "migrating the database";
        let mut connection = self.pool.connection(doing).await?;
        let migrated = async {
            let transaction = alone(&mut connection).await?;
            for mode in [Mode::Live, Mode::Test] {
                migrate(&transaction, schema(mode)).await?;
            }
            transaction.commit().await
        };
        migrated
            .await
            .map_err(|error| StoreError::new(doing, &error))
    }
}

/// A transaction during which no other process migrates or loads. It waits for that without a limit.
pub(super) async fn alone(connection: &mut Object) -> Result<Transaction<'_>, Error> {
    let transaction = connection.build_transaction();
    // So that each statement sees what was committed while this transaction waited.
    let transaction = transaction.isolation_level(IsolationLevel::ReadCommitted);
    let transaction = transaction.start().await?;
    transaction
        .batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
        .await?;
    let lock = "SELECT pg_advisory_xact_lock($1)";
    transaction.execute(lock, &[&LOCK]).await?;
    Ok(transaction)
}

async fn migrate(transaction: &Transaction<'_>, schema: &str) -> Result<(), Error> {
    // A migration names its tables without a schema. The path ends with the transaction.
    let begin = format!(
        "CREATE SCHEMA IF NOT EXISTS {schema};
        SET LOCAL search_path TO {schema};
        CREATE TABLE IF NOT EXISTS migrations (
            version integer PRIMARY KEY,
            applied_at timestamptz NOT NULL DEFAULT now()
        )"
    );
    transaction.batch_execute(&begin).await?;
    for (version, sql) in MIGRATIONS {
        let done = "INSERT INTO migrations (version) VALUES ($1) ON CONFLICT DO NOTHING";
        if transaction.execute(done, &[&version]).await? == 1 {
            transaction.batch_execute(&qualified(sql, schema)).await?;
            tracing::info!(schema, version, "migrated");
        }
    }
    Ok(())
}
