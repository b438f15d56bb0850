//! The merchant's own store. Everything about customers is a method of [`Scope`], so that no caller reaches another company's.

mod customers;
mod demo;
mod labels;
mod owners;

use std::path::Path;

use example_app::{CannotOpen, Clock, Database, Generator, Migrations, StoreFailure, is_empty};
use sqlx::{AssertSqlSafe, SqlitePool};

pub use customers::{Listing, Sort};
pub use labels::{LabelListing, LabelSort};
pub use owners::Contact;

const MIGRATIONS: Migrations = &[(
    "customers",
    include_str!("../../migrations/0001_customers.sql"),
)];

/// The store of all companies.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    clock: Clock,
    generator: Generator,
}

/// The records of a company, or of one of its apps. Only a caller who may see them gets one.
#[derive(Debug, Clone)]
pub struct Scope {
    store: Store,
    company: String,
    app: Option<String>,
}

/// Why the store refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No customer in this scope has this id.
    #[error("there is no such customer")]
    NoSuchCustomer,
    /// A customer of any company has this id already (L7).
    #[error("the id is in use already")]
    IdTaken,
    /// Another customer of the company's app has this address (L11).
    #[error("the e-mail address is in use already")]
    EmailTaken,
    /// The company has no such label (L8).
    #[error("there is no such label")]
    NoSuchLabel,
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
        Ok(is_empty(self.database.pool(), "customers").await?)
    }

    /// The database.
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        self.database.pool()
    }

    /// The time of the data.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The records of a company, or only those of one of its apps. Both ids are UUIDs in lower case.
    #[must_use]
    pub fn scope(&self, company: String, app: Option<String>) -> Scope {
        Scope {
            store: self.clone(),
            company,
            app,
        }
    }
}

impl Scope {
    /// The app, if the scope is narrowed to one.
    #[must_use]
    pub fn app(&self) -> Option<&str> {
        self.app.as_deref()
    }

    /// The statement with the condition of the scope for `{scope}`. Company and app are its parameters 1 and 2. There are two
    /// conditions because an `OR` would not use an index.
    fn sql(&self, statement: &str) -> AssertSqlSafe<String> {
        let condition = match self.app {
            Some(_) => "c.company = ?1 AND c.app = ?2",
            None => "c.company = ?1 AND ?2 IS NULL",
        };
        // Statements are constants of the program.
        AssertSqlSafe(statement.replace("{scope}", condition))
    }
}

/// A list as one parameter of a statement.
fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    let text = serde_json::to_string(value);
    Ok(text.map_err(|error| sqlx::Error::Encode(error.into()))?)
}
