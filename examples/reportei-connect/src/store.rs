//! The merchant's own store.

use std::path::Path;

use example_app::{CannotOpen, Migrations, open_sqlite};
use sqlx::SqlitePool;

const MIGRATIONS: Migrations = &[(
    "customers",
    include_str!("../migrations/0001_customers.sql"),
)];

/// The store.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens a database, in memory without a file, and brings it up to date.
    ///
    /// # Errors
    /// [`CannotOpen`] if the file can't be used.
    pub async fn open(database: Option<&Path>) -> Result<Self, CannotOpen> {
        let pool = open_sqlite(database, MIGRATIONS).await?;
        Ok(Self { pool })
    }

    /// The database.
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }
}
