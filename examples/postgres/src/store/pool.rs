//! The pool of connections.
//!
//! A connection may turn out to be broken, as after a restart of the server. A statement by itself is then tried once more
//! on a new connection, and so is the begin of a transaction. Nothing within a transaction is tried again.
//!
//! **A connection pooler** in transaction mode (PgBouncer) gives each transaction another session. The prepared statements
//! then need its `max_prepared_statements` (1.21 or later). The time limits are sent as `options`, which it has to ignore
//! (`ignore_startup_parameters = options`); set them on the role instead (`ALTER ROLE .. SET statement_timeout`,
//! `lock_timeout`). Nothing else here relies on a session.

use std::{fmt, sync::Arc};

use churnkey_integrator::Result;
use deadpool_postgres::{Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Runtime};
use tokio::{runtime::Handle, sync::Semaphore, time::timeout};
use tokio_postgres::Row;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Parameter, StoreError, error::is_broken, time_limits, tls::Target};

/// The pool. A clone shares it.
#[derive(Clone)]
pub(super) struct Pool {
    connections: deadpool_postgres::Pool,
    /// What a statement is cancelled over.
    connector: MakeRustlsConnect,
    /// A permit for each connection that actions may hold (`transaction.rs`).
    pub(super) for_actions: Arc<Semaphore>,
}

impl Pool {
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
        time_limits::set(&mut config);
        if config.get_application_name().is_none() {
            config.application_name("churnkey");
        }
        // No query to check a connection: it would cost a round trip each time, and prove nothing about the next one.
        let fast = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let max_connections = max_connections.max(1);
        let for_actions = max_actions.min(max_connections - 1).max(1);
        let manager = Manager::from_config(config, connector.clone(), fast);
        let connections = deadpool_postgres::Pool::builder(manager)
            .max_size(max_connections)
            .timeouts(time_limits::POOL)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Unreachable {
                doing: "creating the pool",
                why: error.to_string(),
            })?;
        Ok(Self {
            connections,
            connector,
            for_actions: Arc::new(Semaphore::new(for_actions)),
        })
    }

    /// Runs a statement by itself, one that may run twice.
    pub(super) async fn query(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
        let mut answer = self.query_once(sql, parameters).await;
        if self.must_renew(&answer) {
            answer = self.query_once(sql, parameters).await;
        }
        Ok(answer?)
    }

    async fn query_once(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, PoolError> {
        let lease = self.lease().await?;
        let rows = lease.query(sql, parameters).await;
        lease.give_back();
        rows
    }

    /// Whether a connection turned out to be broken. Most likely the idle ones are as well, so they are dropped.
    pub(super) fn must_renew<T>(&self, answer: &Result<T, PoolError>) -> bool {
        let broken = matches!(answer, Err(PoolError::Backend(error)) if is_broken(error));
        if broken {
            self.connections.retain(|_, _| false);
        }
        broken
    }

    pub(super) async fn lease(&self) -> Result<Lease, PoolError> {
        Ok(Lease {
            connection: Some(self.connections.get().await?),
            connector: self.connector.clone(),
            is_in_transaction: false,
        })
    }

    /// A connection for migrations and loading, which are no requests.
    pub(super) async fn connection(&self, doing: &'static str) -> Result<Object, StoreError> {
        self.connections.get().await.map_err(|error| match error {
            PoolError::Backend(error) => StoreError::new(doing, &error),
            error => StoreError::Unreachable {
                doing,
                why: error.to_string(),
            },
        })
    }
}

/// A connection while a request uses it.
///
/// A request may be dropped before it has its answer, as when its caller disconnects. The next one can use the connection
/// only when that answer is there. If it soon is, the connection is kept: callers who disconnect all at once would
/// otherwise cost as many new ones. If not, the statement is cancelled, and the connection is closed. So is one in a
/// transaction, whose statements end at the action's deadline by themselves.
pub(super) struct Lease {
    connection: Option<Object>,
    connector: MakeRustlsConnect,
    is_in_transaction: bool,
}

impl Lease {
    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, PoolError> {
        let connection = self.connection()?;
        let prepared = connection.prepare_cached(sql).await?;
        Ok(connection.query(&prepared, parameters).await?)
    }

    pub(super) async fn execute(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<u64, PoolError> {
        let connection = self.connection()?;
        let prepared = connection.prepare_cached(sql).await?;
        Ok(connection.execute(&prepared, parameters).await?)
    }

    pub(super) async fn simple(&self, sql: &str) -> Result<(), PoolError> {
        let connection = self.connection()?;
        Ok(connection.batch_execute(sql).await?)
    }

    /// Begins a transaction with these statements.
    pub(super) async fn begin(&mut self, sql: &str) -> Result<(), PoolError> {
        self.is_in_transaction = true;
        self.simple(sql).await
    }

    pub(super) fn give_back(mut self) {
        self.connection.take();
    }

    fn connection(&self) -> Result<&Object, PoolError> {
        self.connection.as_ref().ok_or(PoolError::Closed)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(unanswered) = self.connection.take() else {
            return;
        };
        match Handle::try_current() {
            Ok(runtime) if !self.is_in_transaction => {
                runtime.spawn(keep_if_soon_answered(unanswered, self.connector.clone()));
            }
            _ => close(unanswered),
        }
    }
}

async fn keep_if_soon_answered(connection: Object, connector: MakeRustlsConnect) {
    // Answered after all that was asked before.
    let answered = timeout(time_limits::LATE_ANSWER, connection.batch_execute("")).await;
    match answered {
        Ok(Ok(())) => {}
        Ok(Err(_broken)) => close(connection),
        Err(_elapsed) => {
            let statement = connection.cancel_token();
            // Not back to the pool: a cancellation that comes late would hit the next statement.
            close(connection);
            let cancelled = timeout(time_limits::CREATE, statement.cancel_query(connector)).await;
            if !matches!(cancelled, Ok(Ok(()))) {
                tracing::warn!("a statement that nobody waits for could not be cancelled");
            }
        }
    }
}

fn close(connection: Object) {
    drop(Object::take(connection));
}

/// Shows nothing: the pool's own form names the host and the user.
impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
