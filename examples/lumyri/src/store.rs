//! The merchant's own store.

mod customers;
mod labels;
mod load;

use std::path::Path;

use example_app::{CannotOpen, Migrations, open_sqlite};
use sqlx::{Sqlite, SqlitePool, Transaction};

pub use customers::{Listing, Sort};
pub use labels::{LabelListing, LabelSort};

const MIGRATIONS: Migrations = &[(
    "customers",
    include_str!("../migrations/0001_customers.sql"),
)];

/// The store.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

/// Whose records are meant: those of a company, or only those of one of its apps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// A company's id.
    pub company: String,
    /// An app's id.
    pub app: Option<String>,
}

/// Why something was not stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody has this id already.
    #[error("the id is taken")]
    IdTaken,
    /// Somebody of the same company and app has this address already.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The company has no such label.
    #[error("there is no such label")]
    UnknownLabel,
    /// SQLite's reason. Its texts name tables and columns, no values.
    #[error("the database failed: {0}")]
    Failed(#[from] sqlx::Error),
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

    /// One writer at a time, from the first statement on: what it has read is still so when it writes.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.pool.begin_with("BEGIN IMMEDIATE").await
    }
}

impl Scope {
    /// The condition on `customers c`, for the parameters 1 and 2. Two texts rather than an `OR`, which no index serves.
    fn condition(&self) -> &'static str {
        match self.app {
            Some(_) => "c.company = ?1 AND c.app = ?2",
            None => "c.company = ?1 AND ?2 IS NULL",
        }
    }
}

/// A list is handed to SQLite as one parameter.
fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}
