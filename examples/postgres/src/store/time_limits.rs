//! How long anything waits for the database. Nothing waits longer than a request's deadline of ten seconds.

use std::time::Duration;

use deadpool_postgres::Timeouts;
use tokio_postgres::Config;

/// How long a request waits for a connection of the pool, and an action for its share of the pool. Then it is answered
/// with 503.
pub(super) const WAIT: Duration = Duration::from_secs(1);
/// How long the answer to a dropped request is awaited, before its statement is cancelled. Less than [`WAIT`], so that the
/// next request still gets a connection.
pub(super) const LATE_ANSWER: Duration = Duration::from_millis(500);
/// What the caller of a 503 is told to wait.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How long opening a connection may take, over all hosts of the address, and for each of them.
pub(super) const CREATE: Duration = Duration::from_secs(2);
const CREATE_PER_HOST: Duration = Duration::from_secs(1);
/// How long the check of an idle connection may take.
const RECYCLE: Duration = Duration::from_secs(1);
/// How long a statement may take: less than the deadline, so that the server does not work on for nobody.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(8);
/// How long a statement may wait for a lock: less than a statement may take. An action keeps its locks for milliseconds.
/// Whoever keeps one for longer must not tie up a connection for every action that waits.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a transaction may stay open without a statement: a process that hangs must not keep its locks.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long what was sent may stay unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);

pub(super) const POOL: Timeouts = Timeouts {
    wait: Some(WAIT),
    create: Some(CREATE),
    recycle: Some(RECYCLE),
};

/// Lets no statement of a transaction take longer than this, so that the server does not work on for an action that was
/// given up. The connection's own limit still holds if it is shorter.
pub(super) fn end_statements_within(time_left: Duration) -> String {
    // Zero would be no limit.
    let millis = time_left.as_millis().max(1);
    format!(
        "SELECT set_config('statement_timeout', least({millis},
            nullif(extract(epoch FROM current_setting('statement_timeout')::interval) * 1000, 0))::bigint::text, true)"
    )
}

/// Sets the limits of connections, and of what runs on them.
pub(super) fn set(config: &mut Config) {
    let [statement, lock, idle] =
        [STATEMENT_TIMEOUT, LOCK_TIMEOUT, IDLE_TIMEOUT].map(|limit| limit.as_millis());
    // The options of the address come last, so that they win.
    let options = config.get_options().unwrap_or_default();
    let options = format!(
        "-c statement_timeout={statement} -c lock_timeout={lock} \
        -c idle_in_transaction_session_timeout={idle} {options}"
    );
    config
        .options(options)
        .connect_timeout(CREATE_PER_HOST)
        .tcp_user_timeout(UNACKNOWLEDGED)
        .keepalives_idle(Duration::from_secs(30))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3);
}
