//! The merchants' store. Everything about customers is a method of [`Customers`], so that no caller reaches another merchant's.

mod customers;
mod demo;
mod integrations;
mod metrics;
mod sessions;
mod tokens;

use std::path::Path;

use churnkey_integrator::Timestamp;
use example_app::{CannotOpen, Clock, Database, Generator, Migrations, StoreFailure, is_empty};

pub use customers::{Created, Listing, SortBy};
pub use sessions::NewSession;

use crate::record::{Customer, Merchant, Network};

const MIGRATIONS: Migrations = &[
    (
        "customers",
        include_str!("../../migrations/0001_customers.sql"),
    ),
    (
        "sessions by end",
        include_str!("../../migrations/0002_sessions_by_end.sql"),
    ),
];

/// The store of all merchants.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    clock: Clock,
    generator: Generator,
}

/// One merchant's customers. Only a caller who may see them gets one.
#[derive(Debug, Clone)]
pub struct Customers {
    store: Store,
    merchant: Merchant,
}

/// The records of one customer: integrations, sessions and metrics.
#[derive(Debug, Clone)]
pub struct CustomerData {
    store: Store,
    merchant: Merchant,
    customer: Customer,
}

/// A page of rows, and how many rows there are on all pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The page's rows.
    pub rows: Vec<T>,
    /// The number of rows on all pages.
    pub total: i64,
}

/// The number and the size of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageNumber {
    /// From 1.
    pub page: i64,
    /// From 1.
    pub per_page: i64,
}

impl PageNumber {
    /// How many rows come before the page.
    #[must_use]
    pub fn offset(self) -> i64 {
        self.page.saturating_sub(1).saturating_mul(self.per_page)
    }
}

/// Why the store refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The merchant has no such customer, or the customer no such integration.
    #[error("there is no such record")]
    NoSuchRecord,
    /// The customer has no such session, or it has expired.
    #[error("there is no such session")]
    NoSuchSession,
    /// The customer was deleted in the meantime.
    #[error("the customer is gone")]
    CustomerGone,
    /// The store itself failed.
    #[error(transparent)]
    Failed(StoreFailure),
}

/// So that `?` converts the errors of the database and of the generator.
impl<E: Into<StoreFailure>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Store {
    /// Opens the database file and migrates it. Without a file, the database is in memory.
    ///
    /// # Errors
    /// [`CannotOpen`] if the file can't be used.
    pub async fn open(
        file: Option<&Path>,
        clock: Clock,
        generator: Generator,
    ) -> Result<Self, CannotOpen> {
        Ok(Self {
            database: Database::open(file, MIGRATIONS).await?,
            clock,
            generator,
        })
    }

    /// Whether the store is empty.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(is_empty(self.database.pool(), "merchants").await?)
    }

    /// The time of the data.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The same data at another time.
    #[must_use]
    pub fn at(&self, clock: Clock) -> Self {
        Self {
            clock,
            ..self.clone()
        }
    }

    /// The customers of the merchant with this UUID, if there is one.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn customers_of(&self, merchant: &str) -> Result<Option<Customers>, Error> {
        let found = sqlx::query_as("SELECT * FROM merchants WHERE uuid = ?")
            .bind(merchant)
            .fetch_optional(self.database.pool())
            .await?;
        Ok(found.map(|merchant| self.scoped(merchant)))
    }

    /// The networks that can be connected.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn networks(&self) -> Result<Vec<Network>, Error> {
        let networks = sqlx::query_as("SELECT slug, name FROM networks ORDER BY rowid");
        Ok(networks.fetch_all(self.database.pool()).await?)
    }

    fn scoped(&self, merchant: Merchant) -> Customers {
        Customers {
            store: self.clone(),
            merchant,
        }
    }
}
