//! The merchant's own store: customers in PostgreSQL, and the few statements that read them.
//!
//! # Live and test
//! Each mode has a schema of its own, `churnkey_live` and `churnkey_test`, with the same tables. [`Store::in_mode`] gives the
//! [`Customers`] of one of them, whose statements name that schema and no other. There is no mode column to
//! forget in a `WHERE`, and no setting of a session to be left over from the request before.
//!
//! # What a crawl sees
//! Pages follow `seq`, the number that PostgreSQL gives a row when it is inserted and then refuses to change. The next
//! page is "the first rows with `seq > $1`", where `$1` is the last number of the page before: one step into an index at
//! any depth. Should your order need two columns, compare them as a row, `(created_at, id) > ($1, $2)`, with an index over
//! both, and never as `created_at > $1 OR (created_at = $1 AND id > $2)`: PostgreSQL answers that by reading everything
//! before, and is as slow as `OFFSET`. The columns must never change, or a row could be passed over or come twice.
//!
//! A number is given at the insert but a row is seen only after the commit, so a slower transaction's row may appear
//! *behind* a crawl that has already gone past its number. What holds then:
//!
//! * A row that is there during the whole crawl comes exactly once.
//! * No row ever comes twice.
//! * The slower transaction's row is not in this crawl, as is right: it was not there when the crawl began. It is in the
//!   next one. If its commit comes before the crawl reaches its number, it is in this one.
//!
//! Holding pages back until every older transaction has ended (`pg_snapshot_xmin`) would not make this better: a single
//! long-running writer would hide rows that were committed long ago, and transaction numbers do not survive a dump and restore.
//!
//! # When the database is away
//! Nothing waits long: see the limits in `store/pool.rs`. A refused or broken connection, an exhausted pool and a
//! cancelled statement become a 503 with `Retry-After`, everything else a 500. The pool connects again by
//! itself, so that service is back as soon as the database is.

mod load;
mod migrations;
mod pool;
mod statements;

use std::{collections::BTreeMap, fmt};

use churnkey_integrator::{
    Currency, CustomerId, Email, Mode, Phone, Result,
    model::{Address, Customer, Discount},
};
use tokio_postgres::{
    Row,
    types::{Json, ToSql},
};

use pool::Database;
pub use statements::{Statement, Statements};

/// Both data sets, over one pool of connections. A clone shares the pool.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    live: Customers,
    test: Customers,
}

/// The customers of one mode. Its statements can't see the other mode's.
///
/// Its methods fail with a 503 when the database is away and with a 500 otherwise.
#[derive(Clone)]
pub struct Customers {
    database: Database,
    statements: Statements,
}

impl Store {
    /// How many connections a store opens at most, unless told otherwise.
    pub const MAX_CONNECTIONS: usize = 16;

    /// A store in the database at this address, such as `postgres://user:password@host:port/database`. Connects when it is first
    /// used, and never changes the database by itself: see [`migrate`](Self::migrate).
    ///
    /// The connections are not encrypted; see `store/pool.rs` for where TLS goes.
    ///
    /// # Errors
    /// [`StoreError::Address`] or [`StoreError::NoTls`] if the text is no such address.
    pub fn connect(address: &str) -> Result<Self, StoreError> {
        Self::connect_with(address, Self::MAX_CONNECTIONS)
    }

    /// The same, with at most so many connections, at least 1. Count all processes: together they should stay below the server's
    /// `max_connections`.
    ///
    /// # Errors
    /// [`StoreError::Address`] or [`StoreError::NoTls`] if the text is no such address.
    pub fn connect_with(address: &str, max_connections: usize) -> Result<Self, StoreError> {
        let database = Database::new(address, max_connections)?;
        let customers = |mode| Customers {
            database: database.clone(),
            statements: Statements::new(mode),
        };
        Ok(Self {
            live: customers(Mode::Live),
            test: customers(Mode::Test),
            database,
        })
    }

    /// The customers of this mode, and no others.
    #[must_use]
    pub fn in_mode(&self, mode: Mode) -> &Customers {
        match mode {
            Mode::Live => &self.live,
            Mode::Test => &self.test,
        }
    }
}

impl Customers {
    /// The customer with this id.
    ///
    /// # Errors
    /// Whatever kept the database from answering.
    pub async fn by_id(&self, id: &CustomerId) -> Result<Option<Customer>> {
        let found = self.read(&self.statements.by_id, &[&id.as_str()]).await?;
        Ok(found.into_iter().next())
    }

    /// At most so many customers after an insertion number, each with theirs.
    ///
    /// # Errors
    /// Whatever kept the database from answering.
    pub async fn after(&self, seq: i64, limit: i64) -> Result<Vec<(i64, Customer)>> {
        let statement = &self.statements.after;
        let rows = self.database.query(statement, &[&seq, &limit]).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("seq")?, customer(row)?)))
            .collect()
    }

    /// Who has this e-mail address, whatever its letter case. Two are enough to know that there are several.
    ///
    /// # Errors
    /// Whatever kept the database from answering.
    pub async fn by_email(&self, email: &Email) -> Result<Vec<Customer>> {
        let key = email.lookup_key();
        self.read(&self.statements.by_email, &[&key]).await
    }

    /// Who has this phone number, whatever its punctuation. Two are enough to know that there are several.
    ///
    /// # Errors
    /// Whatever kept the database from answering.
    pub async fn by_phone(&self, phone: &Phone) -> Result<Vec<Customer>> {
        let Some(key) = phone.lookup_key() else {
            return Ok(Vec::new());
        };
        self.read(&self.statements.by_phone, &[&key]).await
    }

    /// Every statement that these customers are read with.
    #[must_use]
    pub fn statements(&self) -> &Statements {
        &self.statements
    }

    async fn read(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Customer>> {
        let rows = self.database.query(statement, parameters).await?;
        rows.iter().map(customer).collect()
    }
}

impl fmt::Debug for Customers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customers").finish_non_exhaustive()
    }
}

/// From your columns to Churnkey's model. A `with_*` method takes a nullable column as it is.
fn customer(row: &Row) -> Result<Customer> {
    let id: String = row.try_get("id")?;
    let email: Option<String> = row.try_get("email")?;
    let phone: Option<String> = row.try_get("phone")?;
    let currency: Option<&str> = row.try_get("currency")?;
    let addresses: Option<Json<Vec<Address>>> = row.try_get("addresses")?;
    let discounts: Vec<Json<Discount>> = row.try_get("discounts")?;
    let metadata: Json<BTreeMap<String, String>> = row.try_get("metadata")?;

    Ok(Customer::new(CustomerId::new(id)?)
        .with_name(row.try_get::<_, Option<String>>("name")?)
        .with_last_name(row.try_get::<_, Option<String>>("last_name")?)
        .with_email(email.map(Email::new).transpose()?)
        .with_phone(phone.map(Phone::new).transpose()?)
        .with_addresses(addresses.map_or_else(Vec::new, |addresses| addresses.0))
        .with_discounts(discounts.into_iter().map(|discount| discount.0))
        .with_currency(currency.map(Currency::new).transpose()?)
        .with_metadata(metadata.0))
}

/// Why a store can't be opened, migrated or filled. Shows nothing of the database's address, of a statement or of anybody's
/// data; what PostgreSQL said is logged at debug level.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address can't be read.
    #[error(
        "the database's address can't be read: write postgres://user:password@host:port/database, \
         with special characters in the password percent-encoded"
    )]
    Address,
    /// The address asks for TLS.
    #[error(
        "the database's address requires TLS, which this example is built without: store/pool.rs says where to add it"
    )]
    NoTls,
    /// PostgreSQL refused.
    #[error("{doing} failed: PostgreSQL answered SQLSTATE {code}: {cure}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// What is wrong, as one of the codes in appendix A of PostgreSQL's manual.
        code: String,
        /// What to do.
        cure: &'static str,
    },
    /// PostgreSQL could not be asked.
    #[error("{doing} failed: {why}")]
    Unreachable {
        /// What was being done.
        doing: &'static str,
        /// What happened.
        why: String,
    },
}
