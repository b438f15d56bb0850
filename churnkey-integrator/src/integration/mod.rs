//! Assembly: tokens, controllers and limits in, a router out.

use std::{fmt, sync::Arc, time::Duration};

use axum::Router;
use http::HeaderName;
use tokio_util::task::TaskTracker;

mod readiness;
mod running;

pub use readiness::Readiness;
pub use running::RunningActions;

use crate::{
    actions::{ApplyCouponAction, CancelAction, ChangePriceAction, ExtendTrialAction, PauseAction},
    auth::{DEFAULT_TOLERANCE_SECONDS, Verifier},
    controllers::{
        CouponsController, CustomersController, FamiliesController, PricesController,
        ProductsController, SubscriptionsController,
    },
    http::{
        self as wire, Clock, Limits, Part, Parts, Routes, Shared,
        actions::{
            apply_coupon::ApplyCoupon, cancel::Cancel, change_price::ChangePrice,
            extend_trial::ExtendTrial, pause::Pause,
        },
        coupons::Coupons,
        customers::Customers,
        families::Families,
        prices::Prices,
        products::Products,
        subscriptions::Subscriptions,
    },
    id,
    idempotency::{IdempotencyStore, InMemoryIdempotency},
    operation::Operation,
    secret::IntegrationToken,
    signed_cursor::CursorSigner,
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
    #[cfg(feature = "testing")]
    token: IntegrationToken,
}

impl Integration {
    /// Starts with the merchant's name, as the manifest says it, and the token that callers authenticate with.
    pub fn builder(name: impl Into<String>, token: IntegrationToken) -> IntegrationBuilder {
        IntegrationBuilder {
            name: name.into(),
            token,
            further_tokens: Vec::new(),
            parts: Vec::new(),
            idempotency: None,
            namespace: None,
            prefix: "/churnkey".to_owned(),
            token_header: None,
            require_signature: false,
            tolerance: Duration::from_secs(DEFAULT_TOLERANCE_SECONDS),
            live_only: false,
            limits: Limits {
                body_bytes: 64 * 1024,
                id_bytes: 255,
                cursor_bytes: 512,
                default_page: 100,
                max_page: 500,
                deadline: Duration::from_secs(10),
                action_deadline: Duration::from_secs(60),
            },
            clock: Arc::new(Timestamp::now),
        }
    }

    /// The router, with its routes under the prefix. It fits an app with any state: merge or nest it. It answers
    /// under its prefix only, with its own 404 and 405 there; the app's own routes, fallback and layers stay as they are.
    ///
    /// Layers that the app puts around it see the requests first, and may hand values to the
    /// controllers through the request's extensions ([`RequestContext::extension`](crate::RequestContext::extension)).
    pub fn into_router<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        wire::router(self.routes, &self.shared, &self.prefix)
    }

    /// What is served, in the order of the operation table.
    pub fn operations(&self) -> impl Iterator<Item = Operation> {
        self.routes.operations()
    }

    /// What Churnkey still needs before this can be published. It is logged as well when the integration is built.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        Readiness::of(&self.operations().collect::<Vec<_>>())
    }

    /// The actions that run at the moment, to be awaited before the app exits.
    #[must_use]
    pub fn running_actions(&self) -> RunningActions {
        RunningActions::new(self.shared.running.clone())
    }

    /// The path under which everything is mounted.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    #[cfg(feature = "testing")]
    pub(crate) fn token(&self) -> &IntegrationToken {
        &self.token
    }

    #[cfg(feature = "testing")]
    pub(crate) fn clock(&self) -> Clock {
        Arc::clone(&self.shared.clock)
    }
}

/// Lists what is served, for a start-up log. No secret is in it.
impl fmt::Debug for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let serves: Vec<String> = self
            .operations()
            .map(|o| format!("{} {}{}", o.method(), self.prefix, o.path()))
            .collect();
        f.debug_struct("Integration")
            .field("name", &self.shared.features.name())
            .field("serves", &serves)
            .field("live_only", &self.shared.live_only)
            .field("verifier", &self.shared.verifier)
            .field("limits", &self.shared.limits)
            .finish()
    }
}

/// Collects what an [`Integration`] is made of. Nothing is checked before [`build`](Self::build).
#[must_use]
pub struct IntegrationBuilder {
    name: String,
    token: IntegrationToken,
    further_tokens: Vec<IntegrationToken>,
    parts: Vec<Arc<dyn Part>>,
    idempotency: Option<Arc<dyn IdempotencyStore>>,
    namespace: Option<String>,
    prefix: String,
    token_header: Option<String>,
    require_signature: bool,
    tolerance: Duration,
    live_only: bool,
    limits: Limits,
    clock: Clock,
}

impl IntegrationBuilder {
    /// Serves customers. An `Arc` of a controller is one as well.
    pub fn customers(self, controller: impl CustomersController) -> Self {
        self.with(Customers::new(controller))
    }

    /// Serves subscriptions; needs [`prices`](Self::prices).
    pub fn subscriptions(self, controller: impl SubscriptionsController) -> Self {
        self.with(Subscriptions::new(controller))
    }

    /// Serves prices; needs [`products`](Self::products) if they belong to products.
    pub fn prices(self, controller: impl PricesController) -> Self {
        self.with(Prices::new(controller))
    }

    /// Serves coupons. Discounts of customers and subscriptions need it.
    pub fn coupons(self, controller: impl CouponsController) -> Self {
        self.with(Coupons::new(controller))
    }

    /// Serves products; needs [`families`](Self::families) if they belong to families.
    pub fn products(self, controller: impl ProductsController) -> Self {
        self.with(Products::new(controller))
    }

    /// Serves families of products.
    pub fn families(self, controller: impl FamiliesController) -> Self {
        self.with(Families::new(controller))
    }

    /// Cancels; needs [`subscriptions`](Self::subscriptions).
    pub fn cancel(self, action: impl CancelAction) -> Self {
        self.with(Cancel::new(action))
    }

    /// Pauses; needs [`subscriptions`](Self::subscriptions) and [`cancel`](Self::cancel).
    pub fn pause(self, action: impl PauseAction) -> Self {
        self.with(Pause::new(action))
    }

    /// Applies coupons; needs [`subscriptions`](Self::subscriptions), [`coupons`](Self::coupons) and
    /// [`cancel`](Self::cancel).
    pub fn apply_coupon(self, action: impl ApplyCouponAction) -> Self {
        self.with(ApplyCoupon::new(action))
    }

    /// Extends trials; needs [`subscriptions`](Self::subscriptions) and [`cancel`](Self::cancel).
    pub fn extend_trial(self, action: impl ExtendTrialAction) -> Self {
        self.with(ExtendTrial::new(action))
    }

    /// Changes prices; needs [`subscriptions`](Self::subscriptions), [`prices`](Self::prices) and
    /// [`cancel`](Self::cancel).
    pub fn change_price(self, action: impl ChangePriceAction) -> Self {
        self.with(ChangePrice::new(action))
    }

    fn with(mut self, part: impl Part) -> Self {
        self.parts.push(Arc::new(part));
        self
    }

    /// Where it is remembered which actions were done ([`crate::idempotency`]); in this process's memory unless set.
    pub fn idempotency(mut self, store: impl IdempotencyStore) -> Self {
        self.idempotency = Some(Arc::new(store));
        self
    }

    /// Tells this integration's actions from those of other integrations that share its
    /// [idempotency store](Self::idempotency); the name and the prefix unless set.
    ///
    /// The default is enough for a store of one integration, and for integrations that differ in name or prefix. Set a
    /// namespace, such as the tenant's id, where several share name, prefix and store, and before you change the name or the
    /// prefix: an action is only known again under the namespace in which it was done. For the same reason it must stay the
    /// same when the token is rotated, so never make it of the token.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Accepts a further token, for both proofs, during a rotation: first accept the new one here, then change it in
    /// Churnkey's dashboard, then make it the builder's first and drop the old one. Cursors are signed with the first.
    pub fn also_accept(mut self, token: IntegrationToken) -> Self {
        self.further_tokens.push(token);
        self
    }

    /// Refuses plain tokens: only signed requests pass.
    ///
    /// **This may lock Churnkey out.** The signature is of this project's own design, as Churnkey's public documentation
    /// says nothing of one. Confirm with Churnkey that it signs in this form before you switch this on.
    pub fn require_signature(mut self) -> Self {
        self.require_signature = true;
        self
    }

    /// Reads the plain token from this header too, such as `x-integration-token`. Churnkey does not document which header
    /// it uses: set this if it is not `Authorization`. A header that has a meaning of its own is refused by
    /// [`build`](Self::build): it would be logged, echoed or changed on its way.
    pub fn token_header(mut self, name: impl Into<String>) -> Self {
        self.token_header = Some(name.into());
        self
    }

    /// How far a signature's timestamp may be from the clock, either way: 30 to 900 seconds, 300 unless set.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Answers requests in test mode with 400, for a merchant without test data.
    pub fn live_only(mut self) -> Self {
        self.live_only = true;
        self
    }

    /// Mounts under this path instead of `/churnkey`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The largest body that is read, in bytes; 65,536 unless set. More is answered 413.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.limits.body_bytes = bytes;
        self
    }

    /// The longest id that a caller may send, in bytes; 255 unless set, at most 1,024. More is answered 400.
    pub fn max_id_bytes(mut self, bytes: usize) -> Self {
        self.limits.id_bytes = bytes;
        self
    }

    /// The longest signed cursor, in bytes; 512 unless set. Minting a longer one is a 500, reading one a 400.
    pub fn max_cursor_bytes(mut self, bytes: usize) -> Self {
        self.limits.cursor_bytes = bytes;
        self
    }

    /// How many records a page holds when the caller does not say, and at most; 100 and 500 unless set. A larger
    /// `limit` is cut down, not refused.
    pub fn page_limit(mut self, default: u16, max: u16) -> Self {
        self.limits.default_page = default;
        self.limits.max_page = max;
        self
    }

    /// How long a request may take, at most an hour; 10 seconds unless set. Then the answer is 503 with `Retry-After`. The
    /// future of a controller is dropped; an action goes on until its [own deadline](Self::action_deadline). Code that
    /// blocks its thread can't be interrupted.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = deadline;
        self
    }

    /// How long an action may take, from the request's deadline to an hour; 60 seconds unless set. Then its future is
    /// dropped, an error is logged, and the same request may be tried again.
    ///
    /// This is also how long a retry is answered 409 after a process has died during an action.
    pub fn action_deadline(mut self, deadline: Duration) -> Self {
        self.limits.action_deadline = deadline;
        self
    }

    /// Replaces the system's clock in the check of a signature's timestamp, for tests.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks everything and puts it together.
    ///
    /// # Errors
    /// [`BuildError`] with every problem at once, each with its fix.
    pub fn build(mut self) -> Result<Integration, BuildError> {
        let idempotency = self.idempotency.take();
        let idempotency = idempotency.unwrap_or_else(|| Arc::new(InMemoryIdempotency::default()));
        let parts = Parts::of(std::mem::take(&mut self.parts), idempotency);
        let mut problems = self.problems();
        problems.extend(parts.problems());
        let token_header = match self.token_header.as_deref().map(token_header) {
            Some(Err(problem)) => {
                problems.push(problem);
                None
            }
            Some(Ok(name)) => Some(name),
            None => None,
        };
        if !problems.is_empty() {
            return Err(BuildError { problems });
        }

        let mut verifier = Verifier::new(&self.token).tolerance(self.tolerance.as_secs());
        for token in &self.further_tokens {
            verifier = verifier.also_accept(token);
        }
        if self.require_signature {
            verifier = verifier.require_signature();
        }
        if let Some(name) = token_header {
            verifier = verifier.token_header(name);
        }

        let namespace = self.namespace;
        let namespace = namespace.unwrap_or_else(|| format!("{}\n{}", self.name, self.prefix));
        let mut routes = Routes::new(self.name);
        parts.mount(&mut routes);
        let integration = Integration {
            shared: Arc::new(Shared {
                features: routes.features().clone(),
                verifier,
                cursor_signer: CursorSigner::new(
                    &self.token,
                    &self.further_tokens,
                    self.limits.cursor_bytes,
                ),
                limits: self.limits,
                live_only: self.live_only,
                namespace,
                running: TaskTracker::new(),
                clock: self.clock,
                request_ids: wire::RequestIds::new(),
            }),
            routes,
            prefix: self.prefix,
            #[cfg(feature = "testing")]
            token: self.token,
        };
        let readiness = integration.readiness();
        if readiness.is_ready() {
            tracing::info!("{readiness}");
        } else {
            tracing::warn!("{readiness}");
        }
        Ok(integration)
    }

    fn problems(&self) -> Vec<String> {
        let limits = &self.limits;
        let rules = [
            (
                !self.name.trim().is_empty(),
                "the name is empty: give the company's name to Integration::builder",
            ),
            (
                is_prefix(&self.prefix),
                "the prefix is no plain path: write it like /churnkey or /api/churnkey, with a slash in front, \
                 none at the end, and only letters, digits, `-`, `_`, `.` and `~` between",
            ),
            (
                (30..=900).contains(&self.tolerance.as_secs()),
                "the tolerance is out of bounds: choose 30 to 900 seconds",
            ),
            (
                !limits.deadline.is_zero() && limits.deadline <= Duration::from_secs(3600),
                "the deadline is out of bounds: choose more than nothing, and at most an hour",
            ),
            (
                limits.action_deadline >= limits.deadline
                    && limits.action_deadline <= Duration::from_secs(3600),
                "the action deadline is out of bounds: choose at least the deadline, and at most an hour",
            ),
            (
                limits.default_page >= 1 && limits.default_page <= limits.max_page,
                "the page limits don't fit: the default must be at least 1 and at most the maximum",
            ),
            (
                (1..=id::MAX_BYTES).contains(&limits.id_bytes),
                "max_id_bytes is out of bounds: choose 1 to 1024",
            ),
            (
                limits.cursor_bytes >= 64,
                "max_cursor_bytes is too small to hold any cursor: choose at least 64",
            ),
        ];
        let broken = rules.iter().filter(|(kept, _)| !kept);
        broken.map(|(_, problem)| (*problem).to_owned()).collect()
    }
}

impl fmt::Debug for IntegrationBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntegrationBuilder")
            .field("name", &self.name)
            .field("prefix", &self.prefix)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn is_prefix(prefix: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    prefix.strip_prefix('/').is_some_and(|path| {
        path.split('/')
            .all(|part| !part.is_empty() && part.chars().all(plain))
    })
}

/// Headers that mean something to a client, a server or a program between them, which may log, echo or change them.
/// What begins with one of [`FAMILIES`] is not listed.
const TAKEN: &[&str] = &[
    "accept",
    "age",
    "allow",
    "alt-svc",
    "authorization",
    "b3",
    "baggage",
    "cache-control",
    "cache-status",
    "cdn-cache-control",
    "ck-signature",
    "connection",
    "cookie",
    "date",
    "dnt",
    "early-data",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "host",
    "idempotency-key",
    "keep-alive",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "public-key-pins",
    "public-key-pins-report-only",
    "range",
    "referer",
    "referrer-policy",
    "refresh",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-amzn-trace-id",
    "x-client-ip",
    "x-cloud-trace-context",
    "x-content-type-options",
    "x-correlation-id",
    "x-dns-prefetch-control",
    "x-frame-options",
    "x-real-ip",
    "x-request-id",
    "x-xss-protection",
];
const FAMILIES: &[&str] = &[
    "accept-",
    "access-control-",
    "content-",
    "if-",
    "proxy-",
    "sec-",
    "x-b3-",
    "x-churnkey-",
    "x-forwarded-",
];

/// A header that already means something else can't carry the token.
fn token_header(name: &str) -> Result<HeaderName, String> {
    let Ok(name) = HeaderName::try_from(name) else {
        return Err(
            "the token header is no header name: choose one like x-integration-token".to_owned(),
        );
    };
    let in_a_family = |family: &&str| name.as_str().starts_with(family);
    if TAKEN.contains(&name.as_str()) || FAMILIES.iter().any(in_a_family) {
        return Err(format!(
            "the token header {name} has a meaning of its own: choose one like x-integration-token \
             (Authorization is always read)"
        ));
    }
    Ok(name)
}

/// Everything that keeps an [`Integration`] from being built, each problem with its fix.
///
/// `Debug` is the text, too: that is what a `main` that returns the error prints.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the integration can't be built:\n- {}", .problems.join("\n- "))]
pub struct BuildError {
    problems: Vec<String>,
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl BuildError {
    /// The problems, one sentence each.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}
