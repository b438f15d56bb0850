//! An integration: its router, its health and what it serves.

use std::{fmt, sync::Arc};

use axum::Router;
#[cfg(feature = "openapi")]
use serde_json::Value;

mod builder;
mod health;
mod readiness;
mod running;

pub use builder::{BuildError, IntegrationBuilder};
pub use health::{Health, HealthReport};
pub use readiness::Readiness;
pub use running::RunningActions;

#[cfg(feature = "openapi")]
use crate::openapi::Api;
use crate::{
    http::{self as wire, Routes, Shared},
    idempotency::IdempotencyStore,
    operation::Operation,
    tenants::Merchants,
    time::Timestamp,
};

/// A merchant's side of Churnkey, ready to be mounted.
///
/// ```
/// use axum::{Router, routing::get};
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
/// let app: Router = Router::new()
///     .route("/", get(|| async { "my own page" }))
///     .merge(churnkey.into_router());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Integration {
    shared: Arc<Shared>,
    routes: Routes,
    prefix: String,
    idempotency: Arc<dyn IdempotencyStore>,
}

impl Integration {
    /// The router. Merge or nest it into an app with any state. It answers under its prefix only, with its own 404 and 405
    /// there. The app's own routes, fallback and layers stay as they are.
    ///
    /// The app's layers around it see each request first. They can pass values to the controllers through the request's
    /// extensions ([`RequestContext::extension`](crate::RequestContext::extension)).
    pub fn into_router<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        wire::router(&self.routes, &self.shared, &self.prefix)
    }

    /// The operations that are served, in the order of the operation table.
    pub fn operations(&self) -> impl Iterator<Item = Operation> {
        self.routes.operations()
    }

    /// What Churnkey still needs before this can be published. It is also logged when the integration is built.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        Readiness::of(self.operations())
    }

    /// The running actions, to be awaited before the app exits.
    #[must_use]
    pub fn running_actions(&self) -> RunningActions {
        RunningActions::new(self.shared.running.clone())
    }

    /// What is served, and whether the stores answer: for the app's own readiness route.
    #[must_use]
    pub fn health(&self) -> Health {
        let replays = self.shared.replays.clone();
        Health::new(self.operations(), Arc::clone(&self.idempotency), replays)
    }

    /// When each accepted token was last used, to see whether one may be dropped: the builder's token first, and then those
    /// of [`also_accept`](IntegrationBuilder::also_accept) in their order. In whole seconds, by the integration's clock.
    ///
    /// `None` means that no request was authenticated by the token since this process started. Other processes count for
    /// themselves. A token of `also_accept` that is in use is also logged, at info level, once a day.
    ///
    /// With [tenants](Self::for_tenants) it is empty: see [`Tenant::tokens_last_used`](crate::Tenant::tokens_last_used).
    #[must_use]
    pub fn tokens_last_used(&self) -> Vec<Option<Timestamp>> {
        match &self.shared.merchants {
            Merchants::One(merchant) => merchant.tokens_last_used(),
            Merchants::Many { .. } => Vec::new(),
        }
    }

    /// The path under which everything is mounted.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The manifest's path, behind the [prefix](Self::prefix).
    #[must_use]
    pub fn manifest_path(&self) -> &str {
        self.routes.path(Operation::Features)
    }

    /// The OpenAPI 3.1 document of what is served, with the integration's own prefix, headers and manifest path
    /// ([`crate::openapi`]). An [authentication scheme](IntegrationBuilder::authentication_scheme) of your own is not in it.
    /// With [tenants](Self::for_tenants), the server's URL is the prefix too: put the path in front of it that yours have.
    #[cfg(feature = "openapi")]
    #[must_use]
    pub fn openapi(&self) -> Value {
        let api = Api {
            name: match &self.shared.merchants {
                Merchants::One(merchant) => Some(merchant.name()),
                Merchants::Many { .. } => None,
            },
            manifest: &serde_json::json!(self.routes.features()),
            prefix: &self.prefix,
            manifest_path: self.manifest_path(),
            schemes: &self.shared.schemes,
        };
        api.document(self.operations())
    }
}

/// Lists what is served, for a log at start-up. It contains no secret.
impl fmt::Debug for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let serves: Vec<String> = self
            .operations()
            .map(|o| format!("{} {}{}", o.method(), self.prefix, self.routes.path(o)))
            .collect();
        let mut shown = f.debug_struct("Integration");
        match &self.shared.merchants {
            Merchants::One(merchant) => shown
                .field("name", &merchant.name())
                .field("accepted_tokens", &merchant.accepted_tokens()),
            Merchants::Many { .. } => shown.field("has_tenants", &true),
        };
        shown
            .field("serves", &serves)
            .field("live_only", &self.shared.live_only)
            .field("schemes", &self.shared.schemes)
            .field("limits", &self.shared.limits)
            .finish()
    }
}

#[cfg(test)]
mod tests;
