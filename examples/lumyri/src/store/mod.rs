//! The merchant's own store. All of a customer's operations are those of a [`Scope`], so that two companies can't be mixed up.

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

/// The records of a company, or of one of its apps. To have one is to be allowed to.
#[derive(Debug, Clone)]
pub struct Scope {
    store: Store,
    company: String,
    app: Option<String>,
}

/// Why the store does not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody in this scope has that id.
    #[error("there is no such customer")]
    NoSuchCustomer,
    /// Somebody has this id already, of whatever company (L7).
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
        Ok(is_empty(self.database.pool(), "customers").await?)
    }

    /// The database.
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        self.database.pool()
    }

    /// What time it is for the data.
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

    /// A statement with the scope in the place of `{scope}`: the company and the app, its parameters 1 and 2. There are two
    /// texts because an `OR` would be served by no index.
    fn sql(&self, statement: &str) -> AssertSqlSafe<String> {
        let condition = match self.app {
            Some(_) => "c.company = ?1 AND c.app = ?2",
            None => "c.company = ?1 AND ?2 IS NULL",
        };
        // Only texts of this program come here, never a caller's.
        AssertSqlSafe(statement.replace("{scope}", condition))
    }
}

/// A list is handed to SQLite as one parameter.
fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    let text = serde_json::to_string(value);
    Ok(text.map_err(|error| sqlx::Error::Encode(error.into()))?)
}
