//! The merchant's own store: customers and what they pay for in PostgreSQL, and the few statements that read and change them.
//!
//! # Live and test
//! Each mode has a schema of its own, `churnkey_live` and `churnkey_test`, with the same tables. [`Store::in_mode`] gives the
//! [`Shop`] in one of them, whose statements name that schema and no other. There is no mode column to
//! forget in a `WHERE`, and no setting of a session to be left over from the request before.
//!
//! # What an action does
//! It is one transaction, in `store/actions.rs`: lock the subscription's row, read it once more, as it may have changed since
//! the framework looked it up, let the rules of `example_billing` change it, write it back, mark the attempt as done in the
//! same transaction, commit. Two actions on one subscription thus come one after the other. A crash before the commit
//! leaves nothing; a crash after it leaves the change and the mark, so that the same request again is answered 200 and
//! changes nothing (`store/idempotency.rs`).
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
//! Nothing waits long: see the limits in `store/pool.rs`. A refused or broken connection, an exhausted pool, a lock that
//! somebody keeps and a cancelled statement become a 503 with `Retry-After`, everything else a 500. The pool connects again by
//! itself, so that service is back as soon as the database is.

mod actions;
mod catalogue;
mod customers;
mod idempotency;
mod load;
mod migrations;
mod pool;
mod statements;
mod subscriptions;
mod tls;

use std::{fmt, sync::Arc};

use churnkey_integrator::{Mode, Timestamp};
use example_app::Clock;

pub use catalogue::Table;
use pool::Database;
pub use statements::{Statement, Statements};
pub use subscriptions::Stored;

/// Both data sets, over one pool of connections, seen at a moment. A clone shares the pool.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    live: Shop,
    test: Shop,
    clock: Clock,
}

/// The records of one mode. Its statements can't see the other mode's.
///
/// Its methods fail with a 503 when the database is away and with a 500 otherwise.
#[derive(Clone)]
pub struct Shop {
    database: Database,
    statements: Arc<Statements>,
}

impl Store {
    /// How many connections a store opens at most, unless told otherwise.
    pub const MAX_CONNECTIONS: usize = 16;

    /// How many of them actions may hold at a time, unless told otherwise. An action keeps its connection while it waits for a
    /// lock; the rest of the pool is left to reads, which wait for no action.
    pub const MAX_ACTIONS: usize = 12;

    /// A store in the database at this address, such as `postgres://user:password@host:port/database`. Connects when it is first
    /// used, and never changes the database by itself: see [`migrate`](Self::migrate).
    ///
    /// `sslmode` and `sslrootcert` in the address say whether the connections are encrypted and what is verified of the server, in
    /// libpq's words; see `store/tls.rs`. What holds is logged. Without them the connections are encrypted if the server offers it,
    /// and nothing is verified.
    ///
    /// # Errors
    /// [`StoreError::Address`] or [`StoreError::Tls`] if the text is no such address.
    pub fn connect(address: &str) -> Result<Self, StoreError> {
        Self::connect_with(address, Self::MAX_CONNECTIONS, Self::MAX_ACTIONS)
    }

    /// The same, with at most so many connections, at least 1. Count all processes: together they should stay below the server's
    /// `max_connections`. Actions hold at most `max_actions` of them, at least 1, and leave one to reads where there are two;
    /// an action that comes when all of those are in use waits for a second, and is shed then.
    ///
    /// # Errors
    /// [`StoreError::Address`] or [`StoreError::Tls`] if the text is no such address.
    pub fn connect_with(
        address: &str,
        max_connections: usize,
        max_actions: usize,
    ) -> Result<Self, StoreError> {
        let database = Database::new(address, max_connections, max_actions)?;
        let shop = |mode| Shop {
            database: database.clone(),
            statements: Arc::new(Statements::new(mode)),
        };
        Ok(Self {
            live: shop(Mode::Live),
            test: shop(Mode::Test),
            database,
            clock: Clock::System,
        })
    }

    /// The same data, seen at another time. Unless told so, a store goes by the system's clock.
    #[must_use]
    pub fn at(&self, clock: Clock) -> Self {
        Self {
            clock,
            ..self.clone()
        }
    }

    /// The time that the data live in.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The records of this mode, and no others.
    #[must_use]
    pub fn in_mode(&self, mode: Mode) -> &Shop {
        match mode {
            Mode::Live => &self.live,
            Mode::Test => &self.test,
        }
    }
}

impl Shop {
    /// Every statement that a request runs in this mode.
    #[must_use]
    pub fn statements(&self) -> &Statements {
        &self.statements
    }
}

impl fmt::Debug for Shop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shop").finish_non_exhaustive()
    }
}

/// A moment as a parameter: the statements read it as text, to the millisecond, whatever the session's time zone.
fn moment(at: impl Into<Option<Timestamp>>) -> Option<String> {
    at.into().map(|at| at.to_string())
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
    /// What the address says of TLS can't be done.
    #[error("the database's address can't be used: {0}")]
    Tls(&'static str),
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
