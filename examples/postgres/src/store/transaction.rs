//! Transactions, and the share of the pool that they may use.

use std::time::Duration;

use churnkey_integrator::{HandlerError, Mode, RequestContext, Result};
use deadpool_postgres::PoolError;
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use tokio_postgres::Row;

use super::{
    Parameter, Statement,
    pool::{Lease, Pool},
    time_limits::{RETRY_AFTER, WAIT, end_statements_within},
};

/// A transaction on a connection of its own. Dropped before its end, as when its request is dropped, it closes the
/// connection, and PostgreSQL rolls it back.
pub(crate) struct Transaction {
    pool: Pool,
    mode: Mode,
    lease: Lease,
    /// Given back after the connection.
    _turn: OwnedSemaphorePermit,
}

impl Transaction {
    /// Begins one as soon as fewer than [`Store::MAX_ACTIONS`](super::Store::MAX_ACTIONS) are open. Transactions keep their
    /// connections while they wait for locks, and reads must not have to wait with them.
    pub(super) async fn begin(pool: &Pool, cx: &RequestContext) -> Result<Self> {
        let turn = timeout(WAIT, pool.for_actions.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| {
            HandlerError::unavailable(RETRY_AFTER, "all connections for actions are in use")
        })??;
        let mut begun = begin_on(pool, cx.time_left()).await;
        if pool.must_renew(&begun) {
            begun = begin_on(pool, cx.time_left()).await;
        }
        Ok(Self {
            pool: pool.clone(),
            mode: cx.mode(),
            lease: begun?,
            _turn: turn,
        })
    }

    /// Runs a statement. It is never tried again: only whoever began knows what came before.
    pub(crate) async fn query(
        &self,
        statement: &Statement,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>> {
        let answer = self.lease.query(statement.sql(self.mode), parameters).await;
        self.pool.must_renew(&answer);
        Ok(answer?)
    }

    /// The same for a statement of which only the number of rows that it changed is of interest.
    pub(crate) async fn execute(
        &self,
        statement: &Statement,
        parameters: &[Parameter<'_>],
    ) -> Result<u64> {
        let sql = statement.sql(self.mode);
        let answer = self.lease.execute(sql, parameters).await;
        self.pool.must_renew(&answer);
        Ok(answer?)
    }

    /// Commits. If the answer is lost, nobody knows whether it was: that is a 503, and never tried again here.
    pub(crate) async fn commit(self) -> Result<()> {
        let answer = self.lease.simple("COMMIT").await;
        self.pool.must_renew(&answer);
        answer?;
        self.lease.give_back();
        Ok(())
    }

    /// Rolls back, and keeps the connection for the next request.
    pub(crate) async fn roll_back(self) {
        if self.lease.simple("ROLLBACK").await.is_ok() {
            self.lease.give_back();
        }
    }
}

async fn begin_on(pool: &Pool, time_left: Duration) -> Result<Lease, PoolError> {
    let mut lease = pool.lease().await?;
    // Each statement has to see what was committed while it waited for a lock, whatever the database's default is.
    let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
    let limit = end_statements_within(time_left);
    lease.begin(&format!("{begin}; {limit}")).await?;
    Ok(lease)
}
