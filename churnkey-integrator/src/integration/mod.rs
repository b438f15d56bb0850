//! Builds an integration from tokens, controllers and limits, and turns it into a router.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use axum::Router;
use http::HeaderName;
use tokio_util::task::TaskTracker;

mod readiness;
mod running;

pub use readiness::Readiness;
pub use running::RunningActions;

use crate::{
    actions::{ApplyCouponAction, CancelAction, ChangePriceAction, ExtendTrialAction, PauseAction},
    auth::{DEFAULT_TOLERANCE, Verifier},
    controllers::{
        CouponsController, CustomersController, FamiliesController, PricesController,
        ProductsController, SubscriptionsController,
    },
    error::{Classifiers, ErrorClass},
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
}

impl Integration {
    /// Starts with the merchant's name, which is in the manifest, and the token that callers authenticate with.
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
            tolerance: DEFAULT_TOLERANCE,
            live_only: false,
            classifiers: Classifiers::default(),
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

    /// The router. Merge or nest it into an app with any state. It answers under its prefix only, with its own 404 and 405
    /// there. The app's own routes, fallback and layers stay as they are.
    ///
    /// The app's layers around it see each request first. They can pass values to the controllers through the request's
    /// extensions ([`RequestContext::extension`](crate::RequestContext::extension)).
    pub fn into_router<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        wire::router(self.routes, &self.shared, &self.prefix)
    }

    /// The operations that are served, in the order of the operation table.
    pub fn operations(&self) -> impl Iterator<Item = Operation> {
        self.routes.operations()
    }

    /// What Churnkey still needs before this can be published. It is also logged when the integration is built.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        Readiness::of(&self.operations().collect::<Vec<_>>())
    }

    /// The running actions, to be awaited before the app exits.
    #[must_use]
    pub fn running_actions(&self) -> RunningActions {
        RunningActions::new(self.shared.running.clone())
    }

    /// The path under which everything is mounted.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// Lists what is served, for a log at start-up. It contains no secret.
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

/// Builds an [`Integration`]. Nothing is checked before [`build`](Self::build).
#[must_use]
pub struct IntegrationBuilder {
    name: String,
    token: IntegrationToken,
    further_tokens: Vec<IntegrationToken>,
    parts: Vec<Arc<dyn Part>>,
    idempotency: Option<Arc<dyn IdempotencyStore>>,
    namespace: Option<String>,
    prefix: String,
    token_header: Option<HeaderName>,
    require_signature: bool,
    tolerance: Duration,
    live_only: bool,
    classifiers: Classifiers,
    limits: Limits,
    clock: Clock,
}

impl IntegrationBuilder {
    /// Serves customers. An `Arc` of a controller is a controller, too.
    pub fn customers(self, controller: impl CustomersController) -> Self {
        self.with(Customers::new(controller))
    }

    /// Serves subscriptions. Needs [`prices`](Self::prices).
    pub fn subscriptions(self, controller: impl SubscriptionsController) -> Self {
        self.with(Subscriptions::new(controller))
    }

    /// Serves prices. Needs [`products`](Self::products) if they belong to products.
    pub fn prices(self, controller: impl PricesController) -> Self {
        self.with(Prices::new(controller))
    }

    /// Serves coupons. Discounts of customers and subscriptions need it.
    pub fn coupons(self, controller: impl CouponsController) -> Self {
        self.with(Coupons::new(controller))
    }

    /// Serves products. Needs [`families`](Self::families) if they belong to families.
    pub fn products(self, controller: impl ProductsController) -> Self {
        self.with(Products::new(controller))
    }

    /// Serves families of products.
    pub fn families(self, controller: impl FamiliesController) -> Self {
        self.with(Families::new(controller))
    }

    /// Cancels subscriptions. Needs [`subscriptions`](Self::subscriptions).
    pub fn cancel(self, action: impl CancelAction) -> Self {
        self.with(Cancel::new(action))
    }

    /// Pauses subscriptions. Needs [`subscriptions`](Self::subscriptions) and [`cancel`](Self::cancel).
    pub fn pause(self, action: impl PauseAction) -> Self {
        self.with(Pause::new(action))
    }

    /// Applies coupons. Needs [`subscriptions`](Self::subscriptions), [`coupons`](Self::coupons) and
    /// [`cancel`](Self::cancel).
    pub fn apply_coupon(self, action: impl ApplyCouponAction) -> Self {
        self.with(ApplyCoupon::new(action))
    }

    /// Extends trials. Needs [`subscriptions`](Self::subscriptions) and [`cancel`](Self::cancel).
    pub fn extend_trial(self, action: impl ExtendTrialAction) -> Self {
        self.with(ExtendTrial::new(action))
    }

    /// Changes prices. Needs [`subscriptions`](Self::subscriptions), [`prices`](Self::prices) and
    /// [`cancel`](Self::cancel).
    pub fn change_price(self, action: impl ChangePriceAction) -> Self {
        self.with(ChangePrice::new(action))
    }

    fn with(mut self, part: impl Part) -> Self {
        self.parts.push(Arc::new(part));
        self
    }

    /// The store that remembers which actions were done ([`crate::idempotency`]). This process's memory unless set.
    pub fn idempotency(mut self, store: impl IdempotencyStore) -> Self {
        self.idempotency = Some(Arc::new(store));
        self
    }

    /// Separates this integration's actions from those of other integrations that share its
    /// [idempotency store](Self::idempotency). The name and the prefix unless set.
    ///
    /// The default is enough if the store belongs to one integration, or if the integrations differ in name or prefix. Set a
    /// namespace, such as the tenant's id, if several integrations share name, prefix and store. Set one also before you
    /// change the name or the prefix: a retry is recognized only in the namespace in which the action was done. So the
    /// namespace must not change when the token is rotated. Never derive it from the token.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Accepts a further token during a rotation, as a plain token and for signatures. First accept the new token here. Then
    /// change it in Churnkey's dashboard. Then pass it to [`Integration::builder`], and drop the old one. Cursors are signed
    /// with the builder's token.
    pub fn also_accept(mut self, token: IntegrationToken) -> Self {
        self.further_tokens.push(token);
        self
    }

    /// Rejects plain tokens, so that every request has to be signed.
    ///
    /// **This may lock Churnkey out.** The signature is this project's own design, because Churnkey's public documentation
    /// does not mention one. Confirm with Churnkey that it signs in this form before you turn this on.
    pub fn require_signature(mut self) -> Self {
        self.require_signature = true;
        self
    }

    /// Reads the plain token from this header too, such as `HeaderName::from_static("x-integration-token")`. Churnkey does
    /// not document which header it uses: set this if it is not `Authorization`. A header that already has another meaning
    /// is an error of [`build`](Self::build), because programs on the way might log, echo or change it.
    pub fn token_header(mut self, name: HeaderName) -> Self {
        self.token_header = Some(name);
        self
    }

    /// How far a signature's timestamp may be from the clock, in the past or the future: 30 to 900 seconds, 300 unless set.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Answers requests in test mode with 400, for a merchant without test data.
    pub fn live_only(mut self) -> Self {
        self.live_only = true;
        self
    }

    /// Says which errors of your own are a 503 or a 409, so that `?` is enough wherever they occur. Without a class, an
    /// error is a 500.
    ///
    /// The function sees every error that a controller, an action or the [idempotency store](Self::idempotency) returned
    /// by `?`, and then what caused it, from the outermost [`source`](Error::source) inwards. The first class counts. An
    /// error that was made by a constructor, such as [`HandlerError::conflict`](crate::HandlerError::conflict), has its
    /// status already and stays as it is. A panic of the function is a 500. With several calls, each cause is shown to the
    /// functions in this order.
    ///
    /// ```
    /// use std::{error::Error, io};
    ///
    /// use churnkey_integrator::{ErrorClass, IntegrationBuilder};
    ///
    /// /// A connection that was refused or lost.
    /// fn class(error: &(dyn Error + 'static)) -> Option<ErrorClass> {
    ///     error.is::<io::Error>().then_some(ErrorClass::Unavailable)
    /// }
    ///
    /// fn with_classes(builder: IntegrationBuilder) -> IntegrationBuilder {
    ///     builder.classify_errors(class)
    /// }
    /// # use churnkey_integrator::{
    /// #     CustomerId, CustomersController, Integration, IntegrationToken, RequestContext, Result,
    /// #     controller, model::Customer, testing::Client,
    /// # };
    /// # struct Shop;
    /// # #[controller]
    /// # impl CustomersController for Shop {
    /// #     async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
    /// #         Err(io::Error::from(io::ErrorKind::ConnectionRefused).into())
    /// #     }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), Box<dyn Error>> {
    /// #     let token = IntegrationToken::new("a-token-for-this-example")?;
    /// #     let builder = with_classes(Integration::builder("Shop", token).customers(Shop));
    /// #     assert_eq!(Client::new(&builder.build()?).get("/churnkey/customers/cus_1").await.status, 503);
    /// #     Ok(())
    /// # }
    /// ```
    pub fn classify_errors(
        mut self,
        classify: impl Fn(&(dyn Error + 'static)) -> Option<ErrorClass> + Send + Sync + 'static,
    ) -> Self {
        self.classifiers.push(classify);
        self
    }

    /// Mounts under this path instead of `/churnkey`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The largest body, in bytes; 65,536 unless set. A larger one is answered 413.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.limits.body_bytes = bytes;
        self
    }

    /// The longest id that a caller may send, in bytes: at most 1,024, 255 unless set. A longer one is answered 400.
    pub fn max_id_bytes(mut self, bytes: usize) -> Self {
        self.limits.id_bytes = bytes;
        self
    }

    /// The longest signed cursor, in bytes; 512 unless set. If a page's cursor would be longer, the answer is 500. If a
    /// caller sends a longer one, the answer is 400.
    pub fn max_cursor_bytes(mut self, bytes: usize) -> Self {
        self.limits.cursor_bytes = bytes;
        self
    }

    /// How many records a page holds by default, and at most; 100 and 500 unless set. A larger `limit` is clamped to the
    /// maximum.
    pub fn page_limit(mut self, default: u16, max: u16) -> Self {
        self.limits.default_page = default;
        self.limits.max_page = max;
        self
    }

    /// How long a request may take: at most an hour, 10 seconds unless set. Then the answer is 503 with `Retry-After`. A
    /// controller's future is dropped. An action goes on until its [own deadline](Self::action_deadline). Code that blocks
    /// its thread can't be interrupted.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = deadline;
        self
    }

    /// How long an action may take: at least the request's deadline, at most an hour, 60 seconds unless set. Then its future
    /// is dropped, an error is logged, and a retry runs the action again.
    ///
    /// If a process dies during an action, retries are answered 409 for this time.
    pub fn action_deadline(mut self, deadline: Duration) -> Self {
        self.limits.action_deadline = deadline;
        self
    }

    /// Replaces the system's clock, which the timestamp of a signature is compared with. For tests.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks the settings and builds the integration.
    ///
    /// # Errors
    /// A [`BuildError`] that lists all problems, each with its fix.
    pub fn build(mut self) -> Result<Integration, BuildError> {
        let idempotency = self.idempotency.take();
        let idempotency = idempotency.unwrap_or_else(|| Arc::new(InMemoryIdempotency::default()));
        let parts = Parts::of(std::mem::take(&mut self.parts), idempotency);
        let mut problems = self.problems();
        problems.extend(parts.problems());
        problems.extend(self.token_header.as_ref().and_then(token_header_problem));
        if !problems.is_empty() {
            return Err(BuildError { problems });
        }

        let mut verifier = Verifier::new(self.token.clone()).tolerance(self.tolerance);
        for token in &self.further_tokens {
            verifier = verifier.also_accept(token.clone());
        }
        if self.require_signature {
            verifier = verifier.require_signature();
        }
        if let Some(name) = self.token_header {
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
                classifiers: self.classifiers,
                namespace,
                running: TaskTracker::new(),
                clock: self.clock,
                request_ids: wire::RequestIds::new(),
            }),
            routes,
            prefix: self.prefix,
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
                "the prefix is not a plain path: write it like /churnkey or /api/churnkey, with a leading slash, \
                 without a trailing one, and only with letters, digits, `-`, `_`, `.` and `~` between slashes",
            ),
            (
                (30..=900).contains(&self.tolerance.as_secs()),
                "the tolerance is out of bounds: choose 30 to 900 seconds",
            ),
            (
                !limits.deadline.is_zero() && limits.deadline <= Duration::from_secs(3600),
                "the deadline is out of bounds: choose more than zero, and at most an hour",
            ),
            (
                limits.action_deadline >= limits.deadline
                    && limits.action_deadline <= Duration::from_secs(3600),
                "the action deadline is out of bounds: choose at least the deadline, and at most an hour",
            ),
            (
                limits.default_page >= 1 && limits.default_page <= limits.max_page,
                "the page limits are out of bounds: choose a default of at least 1, and at most the maximum",
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

/// Headers that already have a meaning, so that clients, servers or proxies may log, echo or change them. Those that begin
/// with one of [`FAMILIES`] are not listed.
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

/// What is wrong with a header that already has another meaning.
fn token_header_problem(name: &HeaderName) -> Option<String> {
    let in_a_family = |family: &&str| name.as_str().starts_with(family);
    let is_taken = TAKEN.contains(&name.as_str()) || FAMILIES.iter().any(in_a_family);
    is_taken.then(|| {
        format!(
            "the token header {name} already has another meaning: choose one like x-integration-token \
             (Authorization is always read)"
        )
    })
}

/// All problems that prevent an [`Integration`] from being built, each with its fix.
///
/// `Debug` is the same text as `Display`, because a `main` that returns the error prints it with `Debug`.
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
    /// The problems, each in one sentence.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}
