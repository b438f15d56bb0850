//! Whether the integration can do what it serves, for the app's own readiness route.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::join;
use serde::{Serialize, Serializer, ser::SerializeStruct};
use tokio::time::timeout;

use crate::{idempotency::IdempotencyStore, operation::Operation, replays::ReplayStore};

/// How long a store may take to answer. Whoever asks for readiness asks often, and gives up early.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the stores of an integration whether they answer. A clone asks the same ones.
///
/// ```
/// use axum::{Json, Router, http::StatusCode, routing::get};
/// use churnkey_integrator::{
///     CustomerId, CustomersController, Integration, IntegrationToken, RequestContext, Result,
///     controller, model::Customer,
/// };
///
/// struct Shop;
///
/// #[controller]
/// impl CustomersController for Shop {
///     async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
///         Ok((id.as_str() == "cus_1").then(|| Customer::new(id.clone())))
///     }
/// }
///
/// let token = IntegrationToken::new("a-token-for-this-example")?;
/// let churnkey = Integration::builder("Acme", token).customers(Shop).build()?;
/// let health = churnkey.health();
/// let ready = async move || {
///     let report = health.check().await;
///     let status = match report.is_healthy() {
///         true => StatusCode::OK,
///         false => StatusCode::SERVICE_UNAVAILABLE,
///     };
///     (status, Json(report))
/// };
/// let app: Router = Router::new().route("/ready", get(ready)).merge(churnkey.into_router());
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # use axum::{body::{Body, to_bytes}, http::Request};
/// # let answer = tower::ServiceExt::oneshot(app, Request::get("/ready").body(Body::empty())?).await?;
/// # assert_eq!(answer.status(), 200);
/// # let body = to_bytes(answer.into_body(), 1000).await?;
/// # assert_eq!(body, r#"{"serves":["features","customers.retrieve"],"idempotency_store":"ok"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The answer of that route is:
///
/// ```json
/// {"serves": ["features", "customers.retrieve"], "idempotency_store": "ok"}
/// ```
///
/// Ask it before traffic is sent to a process, and don't restart a process for it: if the database is away, a new process
/// can't reach it either. What only reads is served while the idempotency store is away. So whether the process gets no
/// traffic then is for you to decide. It says what is served, so keep the route where only your own systems reach it.
#[derive(Clone)]
pub struct Health {
    serves: Arc<[Operation]>,
    idempotency: Arc<dyn IdempotencyStore>,
    replays: Option<Arc<dyn ReplayStore>>,
}

impl Health {
    pub(super) fn new(
        serves: impl Iterator<Item = Operation>,
        idempotency: Arc<dyn IdempotencyStore>,
        replays: Option<Arc<dyn ReplayStore>>,
    ) -> Self {
        Self {
            serves: serves.collect(),
            idempotency,
            replays,
        }
    }

    /// Asks the stores, by [`IdempotencyStore::check`] and [`ReplayStore::check`]. It takes two seconds at most.
    ///
    /// The text of a store's error is logged at debug level only, because it may hold anything.
    pub async fn check(&self) -> HealthReport {
        let idempotency = answers("idempotency", self.idempotency.check());
        let replays = async {
            match &self.replays {
                Some(store) => Some(answers("replay", store.check()).await),
                None => None,
            }
        };
        let (idempotency, replays) = join(idempotency, replays).await;
        HealthReport {
            serves: Arc::clone(&self.serves),
            idempotency,
            replays,
        }
    }
}

async fn answers(store: &str, check: impl Future<Output = crate::Result<()>>) -> bool {
    match timeout(PATIENCE, check).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(store, "a store can't record anything now");
            if let (_, Some(cause)) = error.into_parts() {
                tracing::debug!(?cause, "the underlying error");
            }
            false
        }
        Err(_) => {
            tracing::warn!(store, "a store did not answer within 2 seconds");
            false
        }
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

/// What [`Health::check`] has found. As JSON it is an object of words, without any text of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthReport {
    serves: Arc<[Operation]>,
    idempotency: bool,
    replays: Option<bool>,
}

impl HealthReport {
    /// Whether every store answers.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.idempotency && self.replays != Some(false)
    }

    /// The operations that are served, in the order of the operation table.
    #[must_use]
    pub fn serves(&self) -> &[Operation] {
        &self.serves
    }

    /// Whether the idempotency store answers. Without it, actions are answered 503.
    #[must_use]
    pub fn idempotency_store_answers(&self) -> bool {
        self.idempotency
    }

    /// Whether the store of [`refuse_replays`](crate::IntegrationBuilder::refuse_replays) answers; `None` if there is none.
    /// Without it, signed reads are answered 503.
    #[must_use]
    pub fn replay_store_answers(&self) -> Option<bool> {
        self.replays
    }
}

impl Serialize for HealthReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let word = |answers| if answers { "ok" } else { "unavailable" };
        let serves: Vec<&str> = self.serves.iter().map(|served| served.name()).collect();
        let fields = 2 + usize::from(self.replays.is_some());
        let mut report = serializer.serialize_struct("HealthReport", fields)?;
        report.serialize_field("serves", &serves)?;
        report.serialize_field("idempotency_store", word(self.idempotency))?;
        if let Some(answers) = self.replays {
            report.serialize_field("replay_store", word(answers))?;
        }
        report.end()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use async_trait::async_trait;
    use tokio::time::Instant;

    use super::*;
    use crate::{
        Result,
        idempotency::InMemoryIdempotency,
        operation::CustomersOperation,
        replays::{InMemoryReplays, SignedRead},
    };

    struct Hanging;

    #[async_trait]
    impl ReplayStore for Hanging {
        async fn is_first(&self, _: &SignedRead) -> Result<bool> {
            pending().await
        }

        async fn check(&self) -> Result<()> {
            pending().await
        }
    }

    fn health(replays: Option<Arc<dyn ReplayStore>>) -> Health {
        let serves = [Operation::Features, CustomersOperation::Retrieve.into()];
        Health::new(
            serves.into_iter(),
            Arc::new(InMemoryIdempotency::default()),
            replays,
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_hangs_is_given_two_seconds() {
        let health = health(Some(Arc::new(Hanging)));
        let asked = Instant::now();
        let report = health.check().await;
        assert_eq!(asked.elapsed(), Duration::from_secs(2));
        assert!(!report.is_healthy());
        assert!(report.idempotency_store_answers());
        assert_eq!(report.replay_store_answers(), Some(false));
    }

    #[tokio::test]
    async fn stores_in_memory_always_answer() {
        let report = health(None).check().await;
        assert_eq!(report.replay_store_answers(), None);
        assert!(report.is_healthy());
        let report = health(Some(Arc::new(InMemoryReplays::default())))
            .check()
            .await;
        assert_eq!(report.replay_store_answers(), Some(true));
        assert!(report.is_healthy());
        let serves = report.serves().iter().map(|served| served.name());
        assert!(serves.eq(["features", "customers.retrieve"]));
    }
}
