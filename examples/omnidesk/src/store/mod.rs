//! The merchant's own store: brands, customers, and what belongs to them, in SQLite.
//!
//! The functions of the modules below run in a [`Transaction`] of the [`Store`]. Dropped before its commit, it changes nothing. Code
//! that has a transaction must not begin another one: in memory there is a single connection.

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

/// The result of a statement.
pub type Result<T> = sqlx::Result<T>;

/// The store. A clone shares it.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
}

/// The permissions of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Permissions {
    /// CUSTOMER_READ.
    pub may_read: bool,
    /// CUSTOMER_CUD, which does not imply the other (O2).
    pub may_change: bool,
}

/// A brand of the account. `Debug` does not show the URL of its CRM, which may contain a key.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct Brand {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Whether customers are found by an address alone. Then an address belongs to only one of them.
    pub search_by_channels: bool,
    /// The URL of the brand's own customer database.
    pub crm_lookup_url: Option<String>,
}

/// Which customers another system sees, and by which id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The customers of all brands. A person who is a customer of two brands is two customers, so that their address is ambiguous.
    AllBrands,
    /// The customers of one brand.
    Brand(i64),
    /// The customers of one brand, by the merchant's own ids. Customers without one are not seen.
    ExternalIdsOf(i64),
}

impl Scope {
    /// The brand, if only one is seen.
    #[must_use]
    pub fn brand(self) -> Option<i64> {
        match self {
            Self::AllBrands => None,
            Self::Brand(brand) | Self::ExternalIdsOf(brand) => Some(brand),
        }
    }
}

impl Store {
    /// Opens the database file and migrates it. Without a file, the database is in memory.
    ///
    /// # Errors
    /// [`CannotOpen`] if the file can't be used.
    pub async fn open(file: Option<&Path>) -> std::result::Result<Self, CannotOpen> {
        let database = Database::open(file, MIGRATIONS).await?;
        Ok(Self { database })
    }

    /// Whether the store is empty.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_empty(&self) -> Result<bool> {
        is_empty(self.database.pool(), "brands").await
    }

    /// Begins a transaction that reads. All its statements see the same state.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn read(&self) -> Result<Transaction> {
        self.database.reading().await
    }

    /// Begins a transaction that writes, once every other writer has ended. So nothing that it reads changes before it writes.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn write(&self) -> Result<Transaction> {
        self.database.writing().await
    }

    /// The permissions of a key, if it is valid.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn permissions(&self, key: &str) -> Result<Option<Permissions>> {
        sqlx::query_as("SELECT may_read, may_change FROM api_keys WHERE hash = ?")
            .bind(hash(key))
            .fetch_optional(self.database.pool())
            .await
    }

    /// Sets the URL of a brand's own customer database. `false` if there is no such brand.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn set_crm_lookup_url(&self, brand: i64, url: &LookupUrl) -> Result<bool> {
        let done = sqlx::query("UPDATE brands SET crm_lookup_url = ? WHERE id = ?")
            .bind(url.to_string())
            .bind(brand)
            .execute(self.database.pool())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

/// A time as the API and the store write it: `YYYY-MM-DD HH:MM:SS`, in UTC.
#[must_use]
pub fn stamp(moment: Timestamp) -> String {
    let text = moment.to_string();
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

/// Keys are long and random, so a fast hash is enough.
fn hash(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

/// The brand with this id.
///
/// # Errors
/// If the database fails.
pub async fn brand(db: &mut SqliteConnection, id: i64) -> Result<Option<Brand>> {
    sqlx::query_as("SELECT id, name, search_by_channels, crm_lookup_url FROM brands WHERE id = ?")
        .bind(id)
        .fetch_optional(db)
        .await
}

/// The only brand of the account, if it has one brand (O11).
///
/// # Errors
/// If the database fails.
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
