//! The database: what `churnkey.rs` and the actions need of it, and what keeps it from holding up the rest.
//!
//! Each mode has a schema of its own, `churnkey_live` and `churnkey_test`, with the same tables. A statement names the
//! schema of its request's mode. So there is no mode column to forget in a `WHERE`, and no setting of a session that
//! could be left over from the request before.

mod demo;
mod error;
mod migrations;
mod pool;
mod statement;
mod time_limits;
mod tls;
mod transaction;

use churnkey_integrator::{Mode, RequestContext, Result, Timestamp};
use example_app::{Clock, SharedClock};
use tokio_postgres::Row;

pub use error::StoreError;
pub(crate) use error::error_class;
use pool::Pool;
pub use statement::Statement;
pub(crate) use statement::{Parameter, statements};
pub(crate) use transaction::Transaction;

/// The records of both modes, over one pool of connections. A clone shares the pool.
#[derive(Debug, Clone)]
pub struct Store {
    pool: Pool,
    clock: SharedClock,
}

impl Store {
    /// How many connections a store opens at most, unless told otherwise.
    pub const MAX_CONNECTIONS: usize = 16;

    /// How many of them actions may hold at a time, unless told otherwise. An action keeps its connection while it waits
    /// for a lock. The rest of the pool is left to reads, which wait for no action.
    pub const MAX_ACTIONS: usize = 12;

    /// A store in the database at this address, such as `postgres://user:password@host:port/database`. It connects when it
    /// is first used, and never changes the schema by itself: see [`migrate`](Self::migrate).
    ///
    /// `sslmode` and `sslrootcert` in the address say whether the connections are encrypted and what is verified of the
    /// server, as in libpq (`tls.rs` has the table). The log says what applies. Without them the connections are encrypted
    /// if the server offers it, and nothing is verified.
    ///
    /// # Errors
    /// [`StoreError::Address`] or [`StoreError::Tls`] if the address is not valid.
    pub fn connect(address: &str) -> Result<Self, StoreError> {
        Self::connect_with(address, Self::MAX_CONNECTIONS, Self::MAX_ACTIONS)
    }

    /// The same with other limits, each at least 1. The connections of all processes together should stay below the
    /// server's `max_connections`. Actions always leave one connection to reads, if there are two. An action that finds
    /// its share of the pool in use waits for a second, and is then answered with 503.
    ///
    /// # Errors
    /// [`StoreError::Address`] or [`StoreError::Tls`] if the address is not valid.
    pub fn connect_with(
        address: &str,
        max_connections: usize,
        max_actions: usize,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            pool: Pool::new(address, max_connections, max_actions)?,
            clock: SharedClock::new(Clock::System),
        })
    }

    /// The same data at another time. A store uses the system's clock unless it is told otherwise.
    #[must_use]
    pub fn at(&self, clock: Clock) -> Self {
        Self {
            clock: SharedClock::new(clock),
            ..self.clone()
        }
    }

    /// Sets the clock of this store and of all clones of it.
    pub fn set_clock(&self, clock: Clock) {
        self.clock.set(clock);
    }

    /// The time in which the data are served and changed.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs a statement by itself, one that may run twice.
    ///
    /// # Errors
    /// A 503 while the database is away, and a 500 otherwise. So do all that follow.
    pub(crate) async fn query(
        &self,
        cx: &RequestContext,
        statement: &Statement,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>> {
        self.query_in(cx.mode(), statement, parameters).await
    }

    /// The same where there is no request.
    pub(crate) async fn query_in(
        &self,
        mode: Mode,
        statement: &Statement,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>> {
        self.pool.query(statement.sql(mode), parameters).await
    }

    /// Begins a transaction, for an action.
    pub(crate) async fn begin_transaction(&self, cx: &RequestContext) -> Result<Transaction> {
        Transaction::begin(&self.pool, cx).await
    }
}

/// A time as a parameter. The statements read it as text, to the millisecond, whatever the session's time zone.
pub(crate) fn moment(at: impl Into<Option<Timestamp>>) -> Option<String> {
    at.into().map(|at| at.to_string())
}
