//! The merchant's own store: brands, customers, and what belongs to them, in SQLite.
//!
//! A [`Transaction`] is taken from the [`Store`], handed to the statements of the modules below, and committed; one that is dropped
//! has changed nothing. Whoever holds one must not ask the store for another: in memory there is a single connection.

pub mod changes;
pub mod customers;
mod demo;
pub mod timeline;

use std::{fmt, path::Path};

use churnkey_integrator::Timestamp;
use example_app::{CannotOpen, Database, Migrations, is_empty};
use sha2::{Digest, Sha256};
use sqlx::{FromRow, SqliteConnection};

pub use customers::{Channel, Customer};
pub use demo::CannotLoad;
pub use example_app::Transaction;

use crate::crm::LookupUrl;

const MIGRATIONS: Migrations = &[(
    "customers",
    include_str!("../../migrations/0001_customers.sql"),
)];

/// What a statement gave, or why it gave nothing.
pub type Result<T> = sqlx::Result<T>;

/// The store. A clone shares it.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
}

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Permissions {
    /// CUSTOMER_READ.
    pub may_read: bool,
    /// CUSTOMER_CUD, which does not imply the other (O2).
    pub may_change: bool,
}

/// A name under which the account sells. `Debug` does not show the look-up's URL, which may hold a key.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct Brand {
    /// Its number.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// Whether a customer may be found by an address alone, which therefore belongs to one of them only.
    pub search_by_channels: bool,
    /// Where the brand's own customer database is asked.
    pub crm_lookup_url: Option<String>,
}

/// Whose customers another system sees, and by what id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those of all brands. Somebody who is a customer of two is two customers, and an address of both is ambiguous.
    AllBrands,
    /// Those of one brand.
    Brand(i64),
    /// Those of one brand by the merchant's own ids. Whoever has none is not there.
    ExternalIdsOf(i64),
}

impl Scope {
    /// The only brand to be seen, if there is one.
    #[must_use]
    pub fn brand(self) -> Option<i64> {
        match self {
            Self::AllBrands => None,
            Self::Brand(brand) | Self::ExternalIdsOf(brand) => Some(brand),
        }
    }
}

impl Store {
    /// Opens a database, in memory without a file, and brings it up to date.
    ///
    /// # Errors
    /// [`CannotOpen`] if the file can't be used.
    pub async fn open(file: Option<&Path>) -> std::result::Result<Self, CannotOpen> {
        let database = Database::open(file, MIGRATIONS).await?;
        Ok(Self { database })
    }

    /// Whether nothing is in it yet.
    ///
    /// # Errors
    /// Whatever keeps the database from answering.
    pub async fn is_empty(&self) -> Result<bool> {
        is_empty(self.database.pool(), "brands").await
    }

    /// Starts to read: all statements see the same moment.
    ///
    /// # Errors
    /// Whatever keeps the database from answering.
    pub async fn read(&self) -> Result<Transaction> {
        self.database.reading().await
    }

    /// Starts to write, once every other writer has ended: what is checked first still holds when it is acted upon.
    ///
    /// # Errors
    /// Whatever keeps the database from answering.
    pub async fn write(&self) -> Result<Transaction> {
        self.database.writing().await
    }

    /// What a key is good for, if it is one.
    ///
    /// # Errors
    /// Whatever keeps the database from answering.
    pub async fn permissions(&self, key: &str) -> Result<Option<Permissions>> {
        sqlx::query_as("SELECT may_read, may_change FROM api_keys WHERE hash = ?")
            .bind(hash(key))
            .fetch_optional(self.database.pool())
            .await
    }

    /// Sets where a brand's own customer database is asked. `false` if there is no such brand.
    ///
    /// # Errors
    /// Whatever keeps the database from answering.
    pub async fn set_crm_lookup_url(&self, brand: i64, url: &LookupUrl) -> Result<bool> {
        let done = sqlx::query("UPDATE brands SET crm_lookup_url = ? WHERE id = ?")
            .bind(url.to_string())
            .bind(brand)
            .execute(self.database.pool())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

/// A moment as the API writes it and the store keeps it: `YYYY-MM-DD HH:MM:SS`, in UTC.
#[must_use]
pub fn stamp(moment: Timestamp) -> String {
    let text = moment.to_string();
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

/// Keys are long and random, so that nothing slower is called for.
fn hash(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

/// The brand with this number.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn brand(db: &mut SqliteConnection, id: i64) -> Result<Option<Brand>> {
    sqlx::query_as("SELECT id, name, search_by_channels, crm_lookup_url FROM brands WHERE id = ?")
        .bind(id)
        .fetch_optional(db)
        .await
}

/// The account's brand if it has a single one, which then goes without saying (O11).
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn only_brand(db: &mut SqliteConnection) -> Result<Option<Brand>> {
    let mut brands: Vec<Brand> = sqlx::query_as(
        "SELECT id, name, search_by_channels, crm_lookup_url FROM brands ORDER BY id LIMIT 2",
    )
    .fetch_all(db)
    .await?;
    Ok(brands.pop().filter(|_| brands.is_empty()))
}

impl fmt::Debug for Brand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brand")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
