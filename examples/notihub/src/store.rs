//! The merchant's own store. All of a customer's operations are those of an [`Environment`], so that two environments can't
//! be mixed up.

mod contacts;
mod customers;
mod demo;
mod owners;
mod preferences;
mod tokens;

use std::path::Path;

use example_app::{CannotOpen, Clock, Generator, Migrations, NoRandomness, open_sqlite};
use sqlx::{Sqlite, SqlitePool, Transaction};

pub use customers::Listing;
pub use owners::Owners;
pub use tokens::{AccessToken, Keys};

use crate::record::ContactKind;

const MIGRATIONS: Migrations = &[(
    "customers",
    include_str!("../migrations/0001_customers.sql"),
)];

/// The store of all environments.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    clock: Clock,
    generator: Generator,
}

/// One environment's customers. To have one is to be allowed to.
#[derive(Debug, Clone)]
pub struct Environment {
    store: Store,
    id: i64,
}

/// Why the store does not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody in this environment has that id.
    #[error("there is no such customer")]
    NoSuchCustomer,
    /// The customer has no such contact.
    #[error("there is no such contact")]
    NoSuchContact,
    /// Another customer of the environment has this external id (N4).
    #[error("the external id is in use already")]
    ExternalIdTaken,
    /// Nothing would be left to know the customer by.
    #[error("the customer would have no external id, e-mail address or phone number")]
    NothingToIdentify,
    /// The value does not fit a contact of this kind.
    #[error("the value is none of such a contact")]
    InvalidValue(ContactKind),
    /// There is no randomness for a new id.
    #[error("the system gives no random numbers")]
    Randomness(#[from] NoRandomness),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Error {
    /// Whether it may work in a moment: others are writing, or the connections are all in use.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::PoolTimedOut) => true,
            // SQLITE_BUSY and SQLITE_LOCKED, with their extended codes in the upper bytes.
            Self::Database(sqlx::Error::Database(error)) => error
                .code()
                .and_then(|code| code.parse::<i32>().ok())
                .is_some_and(|code| matches!(code & 0xff, 5 | 6)),
            _ => false,
        }
    }
}

impl Store {
    /// Opens a database, in memory without a file, and brings it up to date.
    ///
    /// # Errors
    /// [`CannotOpen`] if the file can't be used.
    pub async fn open(
        database: Option<&Path>,
        clock: Clock,
        generator: Generator,
    ) -> Result<Self, CannotOpen> {
        Ok(Self {
            pool: open_sqlite(database, MIGRATIONS).await?,
            clock,
            generator,
        })
    }

    /// The environment of this name, if there is one.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn environment(&self, name: &str) -> Result<Option<Environment>, Error> {
        let id = sqlx::query_scalar("SELECT id FROM environments WHERE name = ? ORDER BY id")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        Ok(id.map(|id| self.scoped(id)))
    }

    fn scoped(&self, id: i64) -> Environment {
        Environment {
            store: self.clone(),
            id,
        }
    }

    /// Begins to write: the whole of it happens, or nothing.
    async fn writing(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Begins to read: what several statements see is of one moment.
    async fn reading(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        Ok(self.pool.begin().await?)
    }
}
