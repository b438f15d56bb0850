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
    /// Opens the connections over which statements are cancelled.
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
            must_close: false,
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
/// only when that answer is there. If it comes soon, the connection is kept: otherwise each caller who disconnects would
/// cost a new one. If it does not, the statement is cancelled and the connection closed. A connection in a transaction is
/// closed at once; its statement ends by its own limit.
pub(super) struct Lease {
    connection: Option<Object>,
    connector: MakeRustlsConnect,
    /// Whether the connection is closed at once if this is dropped.
    must_close: bool,
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
        self.must_close = true;
        self.simple(sql).await
    }

    pub(super) fn give_back(mut self) {
        self.connection.take();
    }

    async fn give_back_if_soon_answered(self) {
        // The server answers in order, so this is answered after everything that was sent before it.
        match timeout(time_limits::LATE_ANSWER, self.simple("")).await {
            Ok(Ok(())) => self.give_back(),
            Ok(Err(_broken)) => {}
            Err(_elapsed) => self.cancel().await,
        }
    }

    /// Ends the statement that is still running, and closes the connection.
    async fn cancel(mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        // Out of the pool: a cancellation that comes late would hit the next statement. But still open: PgBouncer drops a
        // cancellation whose client has left.
        let client = Object::take(connection);
        let statement = client.cancel_token();
        let ended = timeout(time_limits::CREATE, async {
            statement.cancel_query(self.connector.clone()).await?;
            client.batch_execute("").await
        });
        match ended.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a dropped request's statement runs on"),
            Err(_elapsed) => tracing::debug!("a dropped request's statement may run on"),
        }
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
            Ok(runtime) if !self.must_close => {
                let lease = Self {
                    connection: Some(unanswered),
                    connector: self.connector.clone(),
                    must_close: true,
                };
                runtime.spawn(lease.give_back_if_soon_answered());
            }
            _ => drop(Object::take(unanswered)),
        }
    }
}

/// Shows nothing: the pool's own form names the host and the user.
impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
