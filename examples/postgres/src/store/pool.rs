//! Connections, and what happens when the database does not answer.
//!
//! * **TLS** is in `store/tls.rs`. Without a word in the address it is used if the server offers it, and nobody verifies the
//!   certificate: for a database that is reached over a network, write `sslmode=verify-full`.
//! * **A connection pooler** in transaction mode (PgBouncer) gives each transaction another session: there the prepared
//!   statements need its `max_prepared_statements` (1.21 or later), and the `options` below need `ignore_startup_parameters =
//!   options`, with the time limits set on the role instead (`ALTER ROLE .. SET statement_timeout`, `lock_timeout`). Nothing else
//!   here relies on a session.

use std::{error::Error, fmt, io, sync::Arc, time::Duration};

use churnkey_integrator::{HandlerError, Result};
use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_postgres::{Row, error::SqlState, types::ToSql};

use super::{
    Statement, StoreError,
    tls::{self, Target},
};

/// How long a request waits for one of the pool's connections, and an action before that for its turn; then it is shed.
const WAIT: Duration = Duration::from_secs(1);
/// How long a new connection may take, over all hosts of the address, and for each of them.
const CREATE: Duration = Duration::from_secs(2);
const CREATE_PER_HOST: Duration = Duration::from_secs(1);
/// How long the check of an idle connection may take.
const RECYCLE: Duration = Duration::from_secs(1);
/// How long a statement may take: less than a request's deadline, so that the server does not work on for nobody.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(8);
/// How long a statement may wait for a lock: less than a statement may take. An action keeps its locks for milliseconds;
/// whoever keeps one for longer should not tie up a connection for every action that waits.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a transaction may stay open without a statement: a process that hangs must not keep its locks.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long what was sent may stay without a sign of life from the other host.
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);
/// What a caller is told to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The pool. A clone shares it.
#[derive(Clone)]
pub(super) struct Database {
    pool: Pool,
    /// A permit for each connection that actions may hold: they keep it while they wait for a lock, and the reads should
    /// not have to wait with them.
    actions: Arc<Semaphore>,
}

impl Database {
    pub(super) fn new(
        address: &str,
        max_connections: usize,
        max_actions: usize,
    ) -> Result<Self, StoreError> {
        let Target {
            mut config,
            connector,
            protection,
        } = Target::read(address)?;
        tracing::info!("connecting to PostgreSQL {protection}");
        // The address comes last, so that what it says wins.
        let options = config.get_options().unwrap_or_default();
        let (statement, idle) = (STATEMENT_TIMEOUT.as_millis(), IDLE_TIMEOUT.as_millis());
        let lock = LOCK_TIMEOUT.as_millis();
        config
            .options(format!(
                "-c statement_timeout={statement} -c lock_timeout={lock} \
                -c idle_in_transaction_session_timeout={idle} {options}"
            ))
            .connect_timeout(CREATE_PER_HOST)
            .tcp_user_timeout(UNACKNOWLEDGED)
            .keepalives_idle(Duration::from_secs(30))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3);
        if config.get_application_name().is_none() {
            config.application_name("churnkey");
        }
        // No query to check a connection: it would cost a round trip each time, and prove nothing about the next one.
        let fast = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let max_connections = max_connections.max(1);
        let for_actions = max_actions.min(max_connections - 1).max(1);
        Pool::builder(Manager::from_config(config, connector, fast))
            .max_size(max_connections)
            .timeouts(Timeouts {
                wait: Some(WAIT),
                create: Some(CREATE),
                recycle: Some(RECYCLE),
            })
            .runtime(Runtime::Tokio1)
            .build()
            .map(|pool| Self {
                pool,
                actions: Arc::new(Semaphore::new(for_actions)),
            })
            .map_err(|error| StoreError::Unreachable {
                doing: "creating the pool",
                why: error.to_string(),
            })
    }

    /// Runs a statement alone, one that may run twice: when its connection turns out to be of no use, it is tried once
    /// more on a new one.
    pub(super) async fn query(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let mut answer = self.attempt(statement, parameters).await;
        if self.must_renew(&answer) {
            answer = self.attempt(statement, parameters).await;
        }
        answer.map_err(handler_error)
    }

    /// The same for a statement that inserts. None if a row with one of its keys is there by now.
    pub(super) async fn query_unless_taken(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Vec<Row>>> {
        let mut answer = self.attempt(statement, parameters).await;
        if self.must_renew(&answer) {
            answer = self.attempt(statement, parameters).await;
        }
        match answer {
            Ok(rows) => Ok(Some(rows)),
            Err(PoolError::Backend(error)) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                Ok(None)
            }
            Err(error) => Err(handler_error(error)),
        }
    }

    /// Begins a transaction. Nothing has been done before it, so this may be tried again, too.
    pub(super) async fn begin(&self) -> Result<Transaction> {
        let turn = timeout(WAIT, self.actions.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| {
            HandlerError::unavailable(RETRY_AFTER, "all connections for actions are in use")
        })??;
        let mut begun = self.attempt_to_begin().await;
        if self.must_renew(&begun) {
            begun = self.attempt_to_begin().await;
        }
        Ok(Transaction {
            database: self.clone(),
            lease: begun.map_err(handler_error)?,
            _turn: turn,
        })
    }

    /// Whether a connection turned out to be of no use. What befell it has most likely befallen the idle ones too, so
    /// they are dropped.
    fn must_renew<T>(&self, answer: &Result<T, PoolError>) -> bool {
        let broken = matches!(answer, Err(PoolError::Backend(error)) if is_broken(error));
        if broken {
            self.pool.retain(|_, _| false);
        }
        broken
    }

    async fn attempt_to_begin(&self) -> Result<Lease, PoolError> {
        let lease = Lease(Some(self.pool.get().await?));
        // Each statement has to see what was committed while it waited for a lock, whatever the database's default.
        lease.simple("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        Ok(lease)
    }

    async fn attempt(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, PoolError> {
        let lease = Lease(Some(self.pool.get().await?));
        let rows = lease.query(statement, parameters).await;
        lease.give_back();
        rows
    }

    /// A connection for what is not a request: migrations and loading.
    pub(super) async fn connection(&self, doing: &'static str) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => StoreError::new(doing, &error),
            error => StoreError::Unreachable {
                doing,
                why: error.to_string(),
            },
        })
    }
}

/// A transaction on a connection of its own. Dropped without an end, as when its request is, it takes the connection
/// with it, and PostgreSQL undoes it.
pub(super) struct Transaction {
    database: Database,
    lease: Lease,
    /// Given back after the connection.
    _turn: OwnedSemaphorePermit,
}

impl Transaction {
    /// Runs a statement. Nothing is tried again here: only whoever began knows what came before.
    pub(super) async fn query(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>> {
        let answer = self.lease.query(statement, parameters).await;
        self.database.must_renew(&answer);
        answer.map_err(handler_error)
    }

    /// Makes it last. Without an answer nobody knows whether it does: that is a 503, and never tried again here.
    pub(super) async fn commit(self) -> Result<()> {
        let answer = self.lease.simple("COMMIT").await;
        self.database.must_renew(&answer);
        answer.map_err(handler_error)?;
        self.lease.give_back();
        Ok(())
    }

    /// Undoes it, and keeps the connection for the next one.
    pub(super) async fn roll_back(self) {
        if self.lease.simple("ROLLBACK").await.is_ok() {
            self.lease.give_back();
        }
    }
}

/// A connection while a request uses it. The request may be dropped before it has its answer, and then the connection is
/// closed: the next one would have to wait behind an answer that nobody reads any more, perhaps of a host that is gone.
struct Lease(Option<Object>);

impl Lease {
    async fn query(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, PoolError> {
        let connection = self.0.as_ref().ok_or(PoolError::Closed)?;
        let prepared = connection.prepare_cached(statement.sql()).await?;
        Ok(connection.query(&prepared, parameters).await?)
    }

    async fn simple(&self, sql: &str) -> Result<(), PoolError> {
        let connection = self.0.as_ref().ok_or(PoolError::Closed)?;
        Ok(connection.batch_execute(sql).await?)
    }

    fn give_back(mut self) {
        self.0.take();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(unanswered) = self.0.take() {
            drop(Object::take(unanswered));
        }
    }
}

/// What a caller gets to know: 503 if it may pass by itself, 500 if not, and never the text.
fn handler_error(error: PoolError) -> HandlerError {
    match error {
        PoolError::Backend(error) if is_away(&error) => {
            HandlerError::unavailable(RETRY_AFTER, error)
        }
        PoolError::Backend(error) => error.into(),
        PoolError::Timeout(_) => HandlerError::unavailable(RETRY_AFTER, error),
        error => error.into(),
    }
}

/// The connection is of no more use, as after a restart; a new one may do.
fn is_broken(error: &tokio_postgres::Error) -> bool {
    error.is_closed()
        // 57P01 to 57P05: the server shuts down, starts up or has dropped the session.
        || has_class(error, "57P")
        // What was prepared does not fit the tables any more, after a migration.
        || error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)
}

fn is_away(error: &tokio_postgres::Error) -> bool {
    is_broken(error)
        || error.source().is_some_and(|source| source.is::<io::Error>())
        // 08: the connection failed.
        || has_class(error, "08")
        || error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS)
        // The statement took too long, or waited too long for a lock.
        || error.code() == Some(&SqlState::QUERY_CANCELED)
        || error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
        // 40: the transaction was undone because of another one, as in a deadlock.
        || has_class(error, "40")
}

fn has_class(error: &tokio_postgres::Error, class: &str) -> bool {
    error
        .code()
        .is_some_and(|state| state.code().starts_with(class))
}

/// What to do about the codes that a first start meets.
fn cure(state: &SqlState) -> &'static str {
    match state.code() {
        "3D000" => "the database does not exist, create it with createdb",
        "28P01" | "28000" => "the user or the password was refused",
        "22003" => {
            "a number is larger than its column can hold: 9223372036854775807 for an amount, a quantity or a count, \
            2147483647 for a duration"
        }
        "42501" => "the user lacks a right, such as that to create schemas in the database",
        _ => "RUST_LOG=debug shows its message",
    }
}

impl StoreError {
    pub(super) fn new(doing: &'static str, error: &tokio_postgres::Error) -> Self {
        tracing::debug!(?error, doing, "the database's own words");
        if let Some(why) = tls::cure(error) {
            let why = why.to_owned();
            return Self::Unreachable { doing, why };
        }
        match (error.code(), error.source()) {
            (Some(state), _) => Self::Refused {
                doing,
                code: state.code().to_owned(),
                cure: cure(state),
            },
            (None, Some(source)) if source.is::<io::Error>() => Self::Unreachable {
                doing,
                why: format!("{error}: {source}"),
            },
            _ => Self::Unreachable {
                doing,
                why: error.to_string(),
            },
        }
    }
}

/// Shows nothing: the pool's own form names the host and the user.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}
