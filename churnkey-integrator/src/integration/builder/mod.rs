//! Builds an integration from tokens, controllers and limits.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use http::HeaderName;
use serde_json::Value;
use tokio_util::task::TaskTracker;

mod headers;
mod problems;

pub use problems::BuildError;

use self::headers::Headers;
use super::Integration;
#[cfg(feature = "diagnose")]
use crate::diagnose::{Guesses, Refusals};
use crate::{
    actions::{ApplyCouponAction, CancelAction, ChangePriceAction, ExtendTrialAction, PauseAction},
    auth::{AuthenticationScheme, DEFAULT_TOLERANCE, Schemes},
    controllers::{
        CouponsController, CustomersController, FamiliesController, PricesController,
        ProductsController, SubscriptionsController,
    },
    error::{Classifiers, ErrorClass},
    features::{Manifest, MapManifest},
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
    idempotency::{IdempotencyStore, InMemoryIdempotency},
    operation::Operation,
    replays::ReplayStore,
    secret::IntegrationToken,
    tenants::{Merchant, Merchants, TenantResolver},
    time::Timestamp,
};

impl Integration {
    /// Starts with the merchant's name, which is in the manifest, and the token that callers authenticate with.
    pub fn builder(name: impl Into<String>, token: IntegrationToken) -> IntegrationBuilder {
        let name = name.into();
        IntegrationBuilder::new(Called::Merchant { name, token })
    }

    /// Starts with a resolver, for many merchants in one process. Each tenant has an id, a name and tokens of its own, and the
    /// resolver finds the tenant of a request. Controllers select by
    /// [`RequestContext::tenant`](crate::RequestContext::tenant).
    ///
    /// Nest the router under a path with the tenant in it, such as `Router::nest("/tenants/{tenant}", ..)`. A tenant's token,
    /// signatures, cursors and idempotency keys are not valid for another tenant. [The guide](crate::guide::tenants) has a
    /// whole program.
    pub fn for_tenants(resolver: impl TenantResolver) -> IntegrationBuilder {
        IntegrationBuilder::new(Called::Tenants(Arc::new(resolver)))
    }
}

/// Builds an [`Integration`]. Nothing is checked before [`build`](Self::build).
#[must_use]
pub struct IntegrationBuilder {
    called: Called,
    further_tokens: Vec<IntegrationToken>,
    #[cfg(feature = "diagnose")]
    explains_refusals: bool,
    #[cfg(feature = "diagnose")]
    replaced_tokens: Vec<IntegrationToken>,
    parts: Vec<Arc<dyn Part>>,
    idempotency: Option<Arc<dyn IdempotencyStore>>,
    replays: Option<Arc<dyn ReplayStore>>,
    namespace: Option<String>,
    prefix: String,
    external_prefix: Option<String>,
    headers: Headers,
    schemes: Vec<Arc<dyn AuthenticationScheme>>,
    require_signature: bool,
    tolerance: Duration,
    manifest_path: String,
    map_manifest: Option<MapManifest>,
    live_only: bool,
    classifiers: Classifiers,
    limits: Limits,
    clock: Clock,
}

/// Whose integration it is.
enum Called {
    Merchant {
        name: String,
        token: IntegrationToken,
    },
    Tenants(Arc<dyn TenantResolver>),
}

impl IntegrationBuilder {
    fn new(called: Called) -> Self {
        Self {
            called,
            further_tokens: Vec::new(),
            #[cfg(feature = "diagnose")]
            explains_refusals: false,
            #[cfg(feature = "diagnose")]
            replaced_tokens: Vec::new(),
            parts: Vec::new(),
            idempotency: None,
            replays: None,
            namespace: None,
            prefix: "/churnkey".to_owned(),
            external_prefix: None,
            headers: Headers::default(),
            schemes: Vec::new(),
            require_signature: false,
            tolerance: DEFAULT_TOLERANCE,
            manifest_path: Operation::Features.path().to_owned(),
            map_manifest: None,
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
                max_in_flight: None,
            },
            clock: Arc::new(Timestamp::now),
        }
    }

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
    ///
    /// With [tenants](Integration::for_tenants), the tenant's id is always part of the namespace, and the prefix is the
    /// default of the rest.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Accepts a further token during a rotation, as a plain token and for signatures. First accept the new token here. Then
    /// change it in Churnkey's dashboard. Then pass it to [`Integration::builder`], and drop the old one. Cursors are signed
    /// with the builder's token.
    ///
    /// **All tokens here give access to the same data.** Don't use it for merchants who have a token each: under
    /// `/{tenant}`, with the tokens of all of them accepted, one merchant's token reads another's customers. Use
    /// [`Integration::for_tenants`] instead. There, `also_accept` is an error of [`build`](Self::build).
    pub fn also_accept(mut self, token: IntegrationToken) -> Self {
        self.further_tokens.push(token);
        self
    }

    /// Logs why calls are refused (feature `diagnose`). Off unless set.
    ///
    /// If a call is refused for its signature or its token, a second line at warn level follows the one that says
    /// `rejected`. It says what would have made the call right, and what to do: a [cause](crate::diagnose::Cause), a detail
    /// and an advice. It holds no token, no signature and nothing of the path, apart from a prefix. There is one such line a
    /// second at most. [The guide](crate::guide::signing) has an example.
    ///
    /// The work is done on another thread after the answer is decided, and is bounded: at most
    /// [`MAX_VARIANTS`](crate::diagnose::MAX_VARIANTS) forms of the call, and of bodies up to 64 KiB only. Calls that are
    /// accepted cost nothing more.
    #[cfg(feature = "diagnose")]
    pub fn explain_refusals(mut self) -> Self {
        self.explains_refusals = true;
        self
    }

    /// Names a token that is no longer accepted, so that [`explain_refusals`](Self::explain_refusals) can say that Churnkey
    /// still uses it. It authenticates nobody, and does nothing else.
    #[cfg(feature = "diagnose")]
    pub fn replaced_token(mut self, token: IntegrationToken) -> Self {
        self.replaced_tokens.push(token);
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
        self.headers.token = Some(name);
        self
    }

    /// Reads the signature from this header, instead of `X-Churnkey-Signature`. A signature in another form is an
    /// [`authentication_scheme`](Self::authentication_scheme).
    pub fn signature_header(mut self, name: HeaderName) -> Self {
        self.headers.others.signature = name;
        self
    }

    /// Reads the time of a signature from this header, instead of `X-Churnkey-Timestamp`.
    pub fn timestamp_header(mut self, name: HeaderName) -> Self {
        self.headers.others.timestamp = name;
        self
    }

    /// Reads the [mode](crate::Mode) from this header, instead of `X-Churnkey-Mode`.
    pub fn mode_header(mut self, name: HeaderName) -> Self {
        self.headers.others.mode = name;
        self
    }

    /// Accepts a further form of credential, besides the signature and the plain token.
    ///
    /// One scheme decides: the signature, if the request has one; else the first registered scheme that
    /// [applies](AuthenticationScheme::applies_to); else the plain token. `.require_signature()` turns off the plain token
    /// only.
    pub fn authentication_scheme(mut self, scheme: impl AuthenticationScheme) -> Self {
        self.schemes.push(Arc::new(scheme));
        self
    }

    /// How far a signature's timestamp may be from the clock, in the past or the future: 30 to 900 seconds, 300 unless set.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Answers a signed read only once, and 401 if the same signed bytes come again. Off unless set, because it refuses more
    /// than attacks: [`crate::replays`] has what a caller must do for it, and stores.
    pub fn refuse_replays(mut self, store: impl ReplayStore) -> Self {
        self.replays = Some(Arc::new(store));
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
    /// #     controller, model::Customer,
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
    /// #     let app: axum::Router = builder.build()?.into_router();
    /// #     let call = axum::http::Request::get("/churnkey/customers/cus_1");
    /// #     let call = call.header("authorization", "a-token-for-this-example").body(axum::body::Body::empty())?;
    /// #     assert_eq!(tower::ServiceExt::oneshot(app, call).await?.status(), 503);
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

    /// The prefix that a proxy or a gateway in front removes from the path, such as `/api`: the caller requests
    /// `/api/churnkey/customers`, and `/churnkey/customers` arrives. A signature covers the path that the caller sent, which
    /// is this prefix and the path that arrives. It changes nothing about where the router is mounted.
    pub fn external_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.external_prefix = Some(prefix.into());
        self
    }

    /// Serves the features manifest at this path behind the prefix, instead of `/features`.
    pub fn manifest_path(mut self, path: impl Into<String>) -> Self {
        self.manifest_path = path.into();
        self
    }

    /// Changes the manifest's JSON, in case Churnkey reads it in another shape. The function runs once, in
    /// [`build`](Self::build). With [tenants](Integration::for_tenants) it runs for every request of the manifest.
    ///
    /// ```
    /// # use churnkey_integrator::{CustomerId, CustomersController, Integration, IntegrationToken, RequestContext, Result, controller, model::Customer};
    /// # struct Shop;
    /// # #[controller]
    /// # impl CustomersController for Shop {
    /// #     async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> { Ok(None) }
    /// # }
    /// # let token = IntegrationToken::new("a-token-for-this-example")?;
    /// let churnkey = Integration::builder("Acme", token)
    ///     .customers(Shop)
    ///     .map_manifest(|mut manifest| {
    ///         manifest["version"] = 1.into();
    ///         manifest
    ///     })
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map_manifest(mut self, map: impl Fn(Value) -> Value + Send + Sync + 'static) -> Self {
        self.map_manifest = Some(Arc::new(map));
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

    /// How many requests may run at a time: no limit unless set. What is more is answered 503 with `Retry-After` at once,
    /// before its body is read.
    ///
    /// Choose a number by what the store can take, such as a few times the connections of its pool. Only requests with a
    /// valid credential count: until it is checked, a request takes one of 16 times as many other places, so that a flood
    /// of wrong signatures does not keep the good requests out. A request counts until its answer is made. An action that goes on
    /// after its request's deadline does not count any more.
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.limits.max_in_flight = Some(requests);
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
        let parts = Parts::of(std::mem::take(&mut self.parts), Arc::clone(&idempotency));
        let mut problems = self.problems();
        problems.extend(parts.problems());
        self.headers.problems(&mut problems);
        if !problems.is_empty() {
            return Err(BuildError::new(problems));
        }

        #[cfg(feature = "diagnose")]
        let refusals = self.refusals();
        let mut schemes = Schemes::default();
        schemes.set_tolerance(self.tolerance);
        schemes.set_headers(self.headers.others);
        if self.require_signature {
            schemes.require_signature();
        }
        if let Some(name) = self.headers.token {
            schemes.set_token_header(name);
        }
        for scheme in self.schemes {
            schemes.add(scheme);
        }

        let mut routes = Routes::new(self.manifest_path);
        parts.mount(&mut routes);
        let mut manifest = Manifest::new(routes.features().clone(), self.map_manifest);
        // A tenant's id is added to the namespace for each action.
        let (name, merchants) = match self.called {
            Called::Merchant { name, token } => {
                let mut merchant = Merchant::new(None, name.clone(), token);
                for token in self.further_tokens {
                    merchant.also_accept(token);
                }
                manifest.build(&name);
                (name, Merchants::One(Arc::new(merchant)))
            }
            Called::Tenants(resolver) => (String::new(), Merchants::many(resolver)),
        };
        let namespace = self.namespace;
        let namespace = namespace.unwrap_or_else(|| format!("{name}\n{}", self.prefix));
        let integration = Integration {
            shared: Arc::new(Shared {
                manifest,
                merchants,
                schemes,
                replays: self.replays,
                #[cfg(feature = "diagnose")]
                refusals,
                external_prefix: self.external_prefix.unwrap_or_default(),
                capacity: Arc::new(wire::Capacity::new(self.limits.max_in_flight)),
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
            idempotency,
        };
        let readiness = integration.readiness();
        if readiness.is_ready() {
            tracing::info!("{readiness}");
        } else {
            tracing::warn!("{readiness}");
        }
        Ok(integration)
    }

    #[cfg(feature = "diagnose")]
    fn refusals(&mut self) -> Option<Arc<Refusals>> {
        let replaced = std::mem::take(&mut self.replaced_tokens);
        if !self.explains_refusals {
            return None;
        }
        let prefixes = [self.external_prefix.as_deref(), Some(&self.prefix)];
        let usual = ["/churnkey", "/api"].map(Some);
        let prefixes = prefixes.into_iter().chain(usual).flatten();
        let guesses = prefixes.fold(Guesses::new(), Guesses::prefix);
        let accepted: Vec<&IntegrationToken> = match &self.called {
            Called::Merchant { token, .. } => {
                [token].into_iter().chain(&self.further_tokens).collect()
            }
            Called::Tenants(_) => Vec::new(),
        };
        Some(Arc::new(Refusals::new(guesses, &accepted, replaced)))
    }
}

impl fmt::Debug for IntegrationBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("IntegrationBuilder");
        match &self.called {
            Called::Merchant { name, .. } => shown.field("name", name),
            Called::Tenants(_) => shown.field("has_tenants", &true),
        };
        shown
            .field("prefix", &self.prefix)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
