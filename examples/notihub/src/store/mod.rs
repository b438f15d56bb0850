//! The merchant's own store. All of a customer's operations are those of an [`Environment`], so that two environments can't
//! be mixed up.

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
    /// The store itself failed.
    #[error(transparent)]
    Failed(StoreFailure),
}

/// For `?` on what the database or the generator fails with.
impl<E: Into<StoreFailure>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Store {
    /// Opens a database, in memory without a file, and brings it up to date.
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

    /// Whether nothing is in it yet.
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
