//! The merchant's own store. Everything about customers is a method of [`Environment`], so that no caller reaches another
//! environment's.

mod contacts;
mod customers;
mod demo;
mod owners;
mod preferences;
mod tokens;

use std::path::Path;

use example_app::{CannotOpen, Clock, Database, Generator, Migrations, StoreFailure, is_empty};

pub use customers::Listing;
pub use tokens::{AccessToken, Keys};

use crate::record::ContactKind;

const MIGRATIONS: Migrations = &[(
    "customers",
    include_str!("../../migrations/0001_customers.sql"),
)];

/// The store of all environments.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    clock: Clock,
    generator: Generator,
}

/// One environment's customers. Only a caller who may see them gets one.
#[derive(Debug, Clone)]
pub struct Environment {
    store: Store,
    id: i64,
}

/// Why the store refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No customer in this environment has this id.
    #[error("there is no such customer")]
    NoSuchCustomer,
    /// The customer has no such contact.
    #[error("there is no such contact")]
    NoSuchContact,
    /// Another customer of the environment has this external id (N4).
    #[error("the external id is in use already")]
    ExternalIdTaken,
    /// The customer could not be identified.
    #[error("the customer would have no external id, e-mail address or phone number")]
    NothingToIdentify,
    /// The value is not valid for this kind of contact.
    #[error("the value is not valid for this kind of contact")]
    InvalidValue(ContactKind),
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
        Ok(is_empty(self.database.pool(), "accounts").await?)
    }

    /// The environment of this name, if there is one.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn environment(&self, name: &str) -> Result<Option<Environment>, Error> {
        let id = sqlx::query_scalar("SELECT id FROM environments WHERE name = ? ORDER BY id")
            .bind(name)
            .fetch_optional(self.database.pool())
            .await?;
        Ok(id.map(|id| self.scoped(id)))
    }

    fn scoped(&self, id: i64) -> Environment {
        Environment {
            store: self.clone(),
            id,
        }
    }
}
