//! The stores.

use std::{fmt, time::Duration};

use churnkey_integrator::{
    HandlerError, RequestContext, Result, async_trait,
    idempotency::{Attempt, IdempotencyStore, Known},
    replays::{ReplayStore, SignedRead},
};
use redis::{
    Client, FromRedisValue, IntoConnectionInfo, RetryMethod,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument;

use crate::{
    error::{InvalidAddress, NoAnswer},
    scripts::Call,
};

/// Between two attempts to connect or to ask. It doubles from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// After so much time without an answer of its machine, a connection is given up.
#[cfg(target_os = "linux")]
const SILENCE: Duration = Duration::from_secs(5);

/// Keeps the records of actions in Redis.
///
/// [`open`](Self::open) is for one server. [`over`](Self::over) takes a connection with settings of your own, such as one to
/// a cluster. A clone is the same store.
#[derive(Clone)]
pub struct RedisIdempotency<C = ConnectionManager> {
    connection: C,
    namespace: String,
    deadline: Duration,
}

impl RedisIdempotency {
    /// A store over the server at this address, such as `redis://user:password@host:6379/0` or
    /// `redis+unix:///run/redis.sock`.
    ///
    /// It connects when the first action comes, and again whenever the connection is lost. So your app starts without Redis,
    /// and serves what it reads. All requests share one connection.
    ///
    /// # Errors
    /// [`InvalidAddress`] if the text is no such address. An address with `rediss://` needs the feature `tokio-rustls-comp`
    /// of the crate [`redis`].
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn open(address: &str) -> Result<Self, InvalidAddress> {
        let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(10));
        let tcp = TcpSettings::default()
            .set_nodelay(true)
            .set_keepalive(keepalive);
        #[cfg(target_os = "linux")]
        let tcp = tcp.set_user_timeout(SILENCE);
        // How long to wait for an answer is decided for each call. And a manager that ever gives up never connects again
        // after some errors of the server, such as that it has too many connections.
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(None)
            .set_number_of_retries(usize::MAX)
            .set_min_delay(FIRST_PAUSE)
            .set_max_delay(LONGEST_PAUSE);
        let manager = address
            .into_connection_info()
            .and_then(|info| Client::open(info.set_tcp_settings(tcp)))
            .and_then(|client| ConnectionManager::new_lazy_with_config(client, config));
        Ok(Self::over(manager.map_err(InvalidAddress)?))
    }
}

impl<C> RedisIdempotency<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    /// A store over a connection of your own, which has to connect again by itself: a `ConnectionManager`, or the
    /// `ClusterConnection` of the feature `cluster-async` of the crate [`redis`]. All keys of a namespace are in one slot
    /// of a cluster.
    #[must_use]
    pub fn over(connection: C) -> Self {
        Self {
            connection,
            namespace: "{churnkey}".to_owned(),
            deadline: Duration::from_secs(2),
        }
    }

    /// Puts a name into the keys: with `billing`, they begin with `{churnkey:billing}:` instead of `{churnkey}:`. So several
    /// apps can share a Redis, and a user's rights can be limited to one of them.
    ///
    /// Stores with different names know nothing of each other's records. All processes of an app need the same one.
    #[must_use]
    pub fn with_namespace(mut self, name: &str) -> Self {
        self.namespace = format!("{{churnkey:{name}}}");
        self
    }

    /// How long an action waits until Redis says whether it is new: 2 seconds unless set. Then it is answered 503, and does
    /// not run. Meanwhile, a connection that is lost is made again and the question is repeated, so that a short restart of
    /// Redis goes unnoticed.
    ///
    /// Keep it below the [deadline of a request](churnkey_integrator::IntegrationBuilder::deadline).
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// A store of signed reads over the same connection, with the same names and the same deadline, for
    /// [`refuse_replays`](churnkey_integrator::IntegrationBuilder::refuse_replays).
    #[must_use]
    pub fn replays(&self) -> RedisReplays<C> {
        RedisReplays(self.clone())
    }

    /// Sends a script until it is answered or the time is over. Each of them may come twice.
    async fn ask<T: FromRedisValue>(&self, call: &Call, patience: Duration) -> Result<T, NoAnswer> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let mut connection = self.connection.clone();
            let invocation = call.invocation();
            let answer = invocation.invoke_async(&mut connection);
            let left = patience.saturating_sub(begun.elapsed());
            let error = match timeout(left.min(self.deadline), answer).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) if matches!(error.retry_method(), RetryMethod::NoRetry) => {
                    return Err(NoAnswer::Failed(error));
                }
                Ok(Err(error)) => NoAnswer::Failed(error),
                Err(_) => NoAnswer::Late(self.deadline),
            };
            if begun.elapsed() + pause >= patience {
                return Err(error);
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Records how an attempt ended, on a task of its own: whoever waits for it gives up before the lease is over, and then
    /// the request would run again.
    async fn record(&self, call: Call, attempt: &Attempt) -> Result<()> {
        let store = self.clone();
        let lease = lease(attempt);
        let recorded = async move {
            let recorded = store.ask(&call, lease).await;
            if let Err(error) = &recorded {
                tracing::error!(
                    reason = error.reason(),
                    "how an action ended could not be recorded before its lease was over"
                );
            }
            recorded
        };
        Ok(tokio::spawn(recorded.in_current_span()).await??)
    }
}

fn lease(attempt: &Attempt) -> Duration {
    let attempt = attempt.parameters();
    let millis = attempt.runs_until().saturating_sub(attempt.now());
    Duration::from_millis(millis.try_into().unwrap_or_default())
}

#[async_trait]
impl<C> IdempotencyStore for RedisIdempotency<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    async fn begin(&self, _: &RequestContext, attempt: &Attempt) -> Result<Known> {
        let begin = Call::begin(&self.namespace, attempt);
        let error = match self.ask::<String>(&begin, self.deadline).await {
            Ok(known) => return Ok(known.parse()?),
            Err(error) => error,
        };
        tracing::error!(
            reason = error.reason(),
            "an action was refused, because nobody knows whether it was done"
        );
        // Redis may have recorded the attempt all the same. It never runs, so no retry should wait for the end of its lease.
        let (store, lease) = (self.clone(), lease(attempt));
        let forget = Call::forget(&self.namespace, attempt);
        tokio::spawn(async move { store.ask::<()>(&forget, lease).await });
        Err(HandlerError::unavailable(Duration::from_secs(1), error))
    }

    async fn complete(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        let complete = Call::complete(&self.namespace, attempt);
        self.record(complete, attempt).await
    }

    async fn forget(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        let forget = Call::forget(&self.namespace, attempt);
        self.record(forget, attempt).await
    }

    async fn check(&self) -> Result<()> {
        let check = Call::check(&self.namespace);
        Ok(self.ask(&check, self.deadline).await?)
    }
}

/// Shows nothing of the connection, which knows a password.
impl<C> fmt::Debug for RedisIdempotency<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisIdempotency")
            .field("namespace", &self.namespace)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// Remembers signed reads in Redis, so that each is answered once by all processes of a merchant together
/// ([`churnkey_integrator::replays`]). [`RedisIdempotency::replays`] makes it.
///
/// If Redis can't be asked within the [deadline](RedisIdempotency::with_deadline), the read is answered 503. So with this
/// store, Redis has to run for reads, too.
#[derive(Debug, Clone)]
pub struct RedisReplays<C = ConnectionManager>(RedisIdempotency<C>);

#[async_trait]
impl<C> ReplayStore for RedisReplays<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    async fn is_first(&self, read: &SignedRead) -> Result<bool> {
        let Self(store) = self;
        let call = Call::is_first(&store.namespace, read);
        match store.ask::<bool>(&call, store.deadline).await {
            Ok(is_first) => Ok(is_first),
            Err(error) => {
                tracing::error!(
                    reason = error.reason(),
                    "a signed read was refused, because nobody knows whether it came before"
                );
                Err(HandlerError::unavailable(Duration::from_secs(1), error))
            }
        }
    }

    async fn check(&self) -> Result<()> {
        self.0.check().await
    }
}
