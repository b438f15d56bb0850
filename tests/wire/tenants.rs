//! Many tenants in one process: none can do anything with what belongs to another.

use std::{
    collections::HashMap,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use churnkey_conformance::Client;
use churnkey_integrator::{
    AcceptedTokens, Authenticated, AuthenticationError, AuthenticationScheme, CustomerId,
    CustomersController, HandlerError, Integration, IntegrationBuilder, IntegrationToken, Mode,
    RequestContext, RequestHead, Result, Tenant, TenantId, TenantRequest, TenantResolver,
    Timestamp, async_trait, controller, model::Customer,
};
use http::{HeaderName, Method};
use serde_json::{Value, json};
use tracing::Level;

use crate::{
    logs::{lines_of, log_while},
    merchants::{client_of, in_memory_store, token},
    socket::{Reply, Request, Server},
};

const NORTH: &str = "token-of-the-northern-tenant";
const SOUTH: &str = "token-of-the-southern-tenant";

fn secret(token: &str) -> IntegrationToken {
    IntegrationToken::new(token).unwrap()
}

fn tenant(id: &str, token: &str) -> Tenant {
    Tenant::new(
        TenantId::new(id).unwrap(),
        format!("{id} Ltd"),
        secret(token),
    )
}

/// Tenants by the path's parameter or, without one, by a header; and how often it was asked.
#[derive(Clone, Default)]
struct Tenants {
    known: Arc<Mutex<HashMap<String, Tenant>>>,
    asked: Arc<AtomicUsize>,
}

impl Tenants {
    fn of(tenants: impl IntoIterator<Item = Tenant>) -> Self {
        let known = tenants
            .into_iter()
            .map(|tenant| (tenant.id().to_string(), tenant));
        Self {
            known: Arc::new(Mutex::new(known.collect())),
            asked: Arc::default(),
        }
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

#[async_trait]
impl TenantResolver for Tenants {
    async fn resolve(&self, request: &TenantRequest<'_>) -> Result<Option<Tenant>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let named = request.path_parameter("tenant");
        let Some(id) = named.or_else(|| request.header("x-tenant")) else {
            return Ok(None);
        };
        Ok(self.known.lock().unwrap().get(id).cloned())
    }
}

fn two_tenants() -> Tenants {
    Tenants::of([tenant("north", NORTH), tenant("south", SOUTH)])
}

/// All tenants share the store, so that whatever one does would be seen by the other.
fn everything(tenants: impl TenantResolver, store: &in_memory::store::Store) -> IntegrationBuilder {
    Integration::for_tenants(tenants)
        .customers(store.clone())
        .subscriptions(store.clone())
        .prices(store.clone())
        .coupons(store.clone())
        .products(store.clone())
        .families(store.clone())
        .cancel(store.clone())
        .pause(store.clone())
        .apply_coupon(store.clone())
        .extend_trial(store.clone())
        .change_price(store.clone())
}

/// Mounted twice: by the path, and by the header, where every tenant has the same paths.
async fn serve(builder: IntegrationBuilder) -> Server {
    let integration = builder.build().unwrap();
    let router: Router = Router::new()
        .nest("/tenants/{tenant}", integration.clone().into_router())
        .merge(integration.into_router());
    Server::start(router, &token()).await
}

/// Method, path and body of a request that would be answered, for every operation.
fn requests() -> Vec<(Method, &'static str, String)> {
    let get = |path| (Method::GET, path, String::new());
    let post = |path, body: Value| (Method::POST, path, body.to_string());
    let ada = json!({"customerId": "cus_ada", "subscriptionId": "sub_ada_pro"});
    let with = |more: Value| {
        let mut body = ada.clone();
        let fields = more.as_object().cloned().unwrap();
        body.as_object_mut().unwrap().extend(fields);
        body
    };
    let month = json!({"amount": 1, "unit": "month"});
    vec![
        get("/features"),
        get("/customers/cus_ada"),
        get("/customers"),
        get("/customers/email/zoe%2Bbilling@example.com"),
        get("/customers/phone/%2B358401234567"),
        get("/customers/cus_ada/subscriptions/sub_ada_pro"),
        get("/customers/cus_ada/subscriptions"),
        get("/prices/price_pro_month"),
        get("/prices"),
        get("/coupons/coupon_stay20"),
        get("/coupons"),
        get("/products/prod_pro"),
        get("/products"),
        get("/families/fam_core"),
        get("/families"),
        post(
            "/actions/subscription/cancel",
            with(json!({"scheduledAt": "immediate"})),
        ),
        post(
            "/actions/customer/cancel",
            json!({"customerId": "cus_ada", "scheduledAt": "immediate"}),
        ),
        post(
            "/actions/subscription/pause",
            with(json!({"startAt": "immediate", "duration": month})),
        ),
        post(
            "/actions/customer/pause",
            json!({"customerId": "cus_ada", "startAt": "immediate", "duration": month}),
        ),
        post(
            "/actions/subscription/apply-coupon",
            with(json!({"coupon": "coupon_stay20"})),
        ),
        post(
            "/actions/subscription/extend-trial",
            json!({"customerId": "cus_grace", "subscriptionId": "sub_grace_trial", "duration": month}),
        ),
        post(
            "/actions/subscription/change-price",
            with(json!({"price": "price_basic_month", "scheduledAt": "immediate"})),
        ),
    ]
}

/// What the answer says, without what differs between any two requests.
fn without_id(reply: Reply) -> Reply {
    let varies = |name: &str| ["x-request-id", "date"].contains(&name);
    let mut headers = reply.headers;
    headers.retain(|(name, _)| !varies(name));
    Reply { headers, ..reply }
}

/// All that an action could have changed.
async fn state(server: &Server) -> Vec<Value> {
    let mut all = Vec::new();
    for customer in ["cus_ada", "cus_grace", "cus_linus"] {
        let path = format!("/churnkey/customers/{customer}/subscriptions");
        let reply = of("north", server.request("GET", &path)).header("Authorization", NORTH);
        let reply = reply.send().await;
        assert_eq!(reply.status, 200);
        all.push(reply.json());
    }
    all
}

fn of<'a>(tenant: &str, request: Request<'a>) -> Request<'a> {
    request.header("X-Tenant", tenant)
}

#[tokio::test]
async fn no_endpoint_takes_another_tenants_token_or_signature_and_nothing_happens() {
    let server = serve(everything(two_tenants(), &in_memory_store())).await;
    let before = state(&server).await;
    let requests = requests();
    let operations: Vec<_> = churnkey_integrator::Operation::all().collect();
    assert_eq!(requests.len(), operations.len());
    let now = Timestamp::now();
    for (method, path, body) in requests {
        let north = format!("/tenants/north/churnkey{path}");
        let south = format!("/tenants/south/churnkey{path}");
        let nobody = format!("/tenants/nobody/churnkey{path}");
        let request = |path: &str| server.request(method.as_str(), path).body(body.clone());
        let signed = |path: &str, token| request(path).signed_with(&secret(token), Mode::Live, now);
        let (bare, flat) = (
            format!("/churnkey{path}"),
            format!("/churnkey{path}?tenant=north"),
        );
        let attempts = [
            ("no token", request(&north)),
            ("its token", request(&north).header("Authorization", SOUTH)),
            (
                "its token as a bearer",
                request(&north).header("Authorization", &format!("Bearer {SOUTH}")),
            ),
            ("its key over this path", signed(&north, SOUTH)),
            (
                "its own request, sent here",
                signed(&south, SOUTH).path(&north),
            ),
            (
                "its own request, by the header",
                of("north", signed(&bare, SOUTH)),
            ),
            (
                "another name in the query",
                of("south", signed(&flat, NORTH)),
            ),
            ("no tenant, a token of one", {
                request(&nobody).header("Authorization", NORTH)
            }),
            ("no tenant, a key of one", signed(&nobody, NORTH)),
            ("no tenant is named", signed(&bare, NORTH)),
            ("two tenants are named", {
                of("south", of("north", signed(&bare, NORTH)))
            }),
        ];
        let refused = without_id(
            server
                .request("GET", "/tenants/north/churnkey")
                .send()
                .await,
        );
        assert_eq!(refused.error(), (401, "Unauthorized".to_owned()));
        for (what, attempt) in attempts {
            let reply = without_id(attempt.send().await);
            assert_eq!(reply.headers, refused.headers, "{what}: {path}");
            assert_eq!(reply.body, refused.body, "{what}: {path}");
            assert_eq!(reply.status, 401, "{what}: {path}");
        }
    }
    assert_eq!(state(&server).await, before);
}

#[tokio::test]
async fn every_endpoint_takes_the_tenants_own_token_and_signature() {
    for (method, path, body) in requests() {
        let server = serve(everything(two_tenants(), &in_memory_store())).await;
        let path = format!("/tenants/north/churnkey{path}");
        let request = || server.request(method.as_str(), &path).body(body.clone());
        let by_token = request().header("Authorization", NORTH).send().await;
        assert_eq!(by_token.status, 200, "{path}: {by_token:?}");
        if method == Method::GET {
            let signed = request().signed_with(&secret(NORTH), Mode::Live, Timestamp::now());
            assert_eq!(signed.send().await.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn a_cursor_of_one_tenant_is_a_400_at_another_also_with_the_same_token_and_path() {
    for other in [SOUTH, NORTH] {
        let tenants = Tenants::of([tenant("north", NORTH), tenant("south", other)]);
        let server = serve(everything(tenants, &in_memory_store())).await;
        let mut lists = 0;
        for path in [
            "/customers",
            "/prices",
            "/coupons",
            "/products",
            "/customers/cus_ada/subscriptions",
        ] {
            let page = |tenant, token, query: &str| {
                let path = format!("/churnkey{path}?{query}");
                of(tenant, server.request("GET", &path)).header("Authorization", token)
            };
            let first = page("north", NORTH, "limit=1").send().await.json();
            let next = first["next"].as_str().unwrap();
            let second = format!("limit=1&cursor={next}");
            assert_eq!(page("north", NORTH, &second).send().await.status, 200);
            let reply = page("south", other, &second).send().await;
            assert_eq!(reply.error(), (400, "Invalid cursor".to_owned()), "{path}");
            lists += 1;
        }
        assert_eq!(lists, 5);
    }
}

const EXTEND: &str = "/churnkey/actions/subscription/extend-trial";
const A_WEEK: &str = r#"{"customerId":"cus_grace","subscriptionId":"sub_grace_trial","duration":{"amount":1,"unit":"week"}}"#;

#[tokio::test]
async fn what_one_tenant_has_done_is_not_done_for_another() {
    for namespace in [None, Some("shared")] {
        let tenants = Tenants::of([tenant("north", NORTH), tenant("south", NORTH)]);
        let mut builder = everything(tenants, &in_memory_store());
        if let Some(namespace) = namespace {
            builder = builder.namespace(namespace);
        }
        let server = serve(builder).await;
        let ends = async || {
            let path = "/churnkey/customers/cus_grace/subscriptions/sub_grace_trial";
            let reply = of("north", server.request("GET", path)).header("Authorization", NORTH);
            let status = reply.send().await.json()["status"].clone();
            status["trial"]["end"].as_str().map(str::to_owned)
        };
        let extend = async |tenant: &str| {
            let call = of(tenant, server.request("POST", EXTEND)).body(A_WEEK);
            let call = call.header("Authorization", NORTH);
            let call = call.header("Idempotency-Key", "the same key");
            assert_eq!(call.send().await.status, 200);
        };
        let at_first = ends().await;
        extend("north").await;
        let once = ends().await;
        assert_ne!(once, at_first);
        extend("north").await;
        assert_eq!(ends().await, once);
        // The same token, path, body and key; and yet another tenant's.
        extend("south").await;
        let twice = ends().await;
        assert_ne!(twice, once);
        extend("south").await;
        assert_eq!(ends().await, twice);
    }
}

#[tokio::test]
async fn with_the_tenant_in_the_path_a_signature_is_one_tenants_even_under_a_shared_token() {
    let tenants = Tenants::of([tenant("north", NORTH), tenant("south", NORTH)]);
    let server = serve(everything(tenants, &in_memory_store())).await;
    let (north, south) = ("/tenants/north/churnkey", "/tenants/south/churnkey");
    let signed = |path: &str| {
        let request = server.request("GET", &format!("{path}/features"));
        request.signed_with(&secret(NORTH), Mode::Live, Timestamp::now())
    };
    assert_eq!(signed(north).send().await.status, 200);
    let moved = signed(north).path(&format!("{south}/features"));
    assert_eq!(moved.send().await.status, 401);
}

#[tokio::test]
async fn whoever_has_no_credential_in_order_does_not_reach_the_resolver() {
    let tenants = two_tenants();
    let server = serve(everything(tenants.clone(), &in_memory_store())).await;
    let path = "/tenants/north/churnkey/customers";
    let request = || server.request("GET", path);
    let signed = |seconds: i64| {
        let at = Timestamp::now().unix_seconds() + seconds;
        let at = Timestamp::from_unix_seconds(at).unwrap();
        request().signed_with(&secret(NORTH), Mode::Live, at)
    };
    let nine = ["v1=00"; 9].join(",");
    let cheap = [
        ("nothing", request()),
        ("too old", signed(-301)),
        ("too new", signed(302)),
        ("no timestamp", signed(0).without("X-Churnkey-Timestamp")),
        (
            "two tokens",
            request()
                .header("Authorization", NORTH)
                .header("Authorization", NORTH),
        ),
        (
            "two signatures",
            signed(0).header("X-Churnkey-Signature", "v1=00"),
        ),
        (
            "nine signatures",
            signed(0)
                .without("X-Churnkey-Signature")
                .header("X-Churnkey-Signature", &nine),
        ),
    ];
    for (what, request) in cheap {
        assert_eq!(request.send().await.status, 401, "{what}");
        assert_eq!(tenants.asked(), 0, "{what}");
    }
    let large = request().body(vec![b' '; 70_000]).send().await;
    assert_eq!((large.status, tenants.asked()), (413, 0));
    let wrong = request().header("Authorization", SOUTH).send().await;
    assert_eq!((wrong.status, tenants.asked()), (401, 1));
    assert_eq!((signed(0).send().await.status, tenants.asked()), (200, 1));
}

/// Counts how often a signature is verified.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl AuthenticationScheme for Counting {
    fn applies_to(&self, request: &RequestHead<'_>) -> Result<bool, AuthenticationError> {
        let header = HeaderName::from_static("ck-signature");
        Ok(request.header(&header)?.is_some())
    }

    fn verify<'t>(
        &self,
        _: &RequestHead<'_>,
        body: &[u8],
        tokens: AcceptedTokens<'t>,
    ) -> Result<Authenticated<'t>, AuthenticationError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        tokens.verify_hmac_sha256(&[body], &[0; 32])
    }
}

#[tokio::test]
async fn for_an_unknown_tenant_the_same_is_verified_as_for_a_known_one() {
    let verified = Counting::default();
    let builder = everything(two_tenants(), &in_memory_store());
    let server = serve(builder.authentication_scheme(verified.clone())).await;
    for tenant in ["north", "nobody"] {
        let path = format!("/tenants/{tenant}/churnkey/customers");
        let request = || server.request("POST", &path).header("ck-signature", "00");
        let reply = request().body("{}").send().await;
        let times = verified.0.swap(0, Ordering::SeqCst);
        assert_eq!((reply.status, times), (401, 1), "{tenant}");
        // The body is read to its end for both, and for both up to the cap: nothing announces its size here.
        let chunk = format!("11170\r\n{}\r\n0\r\n\r\n", "a".repeat(70_000));
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: merchant\r\nck-signature: 00\r\n\
             Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{chunk}"
        );
        assert_eq!(server.exchange(head.as_bytes()).await.status, 413);
    }
}

/// What a resolver can do wrong.
struct Failing;

#[async_trait]
impl TenantResolver for Failing {
    async fn resolve(&self, request: &TenantRequest<'_>) -> Result<Option<Tenant>> {
        match request.path_parameter("tenant") {
            Some("fails") => Err("SELECT token FROM tenants; hunter2".into()),
            Some("away") => Err(HandlerError::unavailable(Duration::from_secs(7), "hunter2")),
            Some("rejects") => Err(HandlerError::not_found("no tenant hunter2")),
            Some("panics") => panic!("as the test wants it"),
            Some("hangs") => pending().await,
            _ => Ok(None),
        }
    }
}

#[test]
fn a_resolvers_failure_is_an_error_of_the_merchant_and_says_nothing() {
    let builder = everything(Failing, &in_memory_store());
    let integration = builder.deadline(Duration::from_millis(50));
    let integration = integration.build().unwrap();
    let app: Router = Router::new().nest("/tenants/{tenant}", integration.into_router());
    let client = Client::new(app, token());
    let log = log_while(Level::INFO, async {
        for (tenant, status, wait) in [
            ("fails", 500, None),
            ("away", 503, Some("7")),
            ("rejects", 500, None),
            ("panics", 500, None),
            ("hangs", 503, Some("1")),
        ] {
            let path = format!("/tenants/{tenant}/churnkey/customers");
            let call = client.call(Method::GET, &path).with_token();
            let answer = call.send().await;
            assert_eq!(answer.status(), status, "{tenant}");
            assert_eq!(answer.header("retry-after"), wait, "{tenant}");
            let message = answer.message().unwrap_or_default();
            assert!(
                ["Internal Server Error", "Service Unavailable"].contains(&message),
                "{message}"
            );
        }
    });
    for reason in [
        "the tenant resolver did not answer before the deadline",
        "the tenant resolver answered with a 4xx, but the caller is not known yet: return Ok(None) for an unknown tenant",
    ] {
        assert!(log.contains(reason), "{log}");
    }
    assert!(!log.contains("hunter2"), "{log}");
}

/// Serves each tenant one customer, who is called as the tenant is.
struct ByTenant;

#[controller]
impl CustomersController for ByTenant {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        let is_own = cx.tenant()?.as_str() == id.as_str();
        Ok(is_own.then(|| Customer::new(id.clone())))
    }
}

#[tokio::test]
async fn a_controller_knows_the_tenant_and_the_manifest_its_name() {
    let integration = Integration::for_tenants(two_tenants()).customers(ByTenant);
    let integration = integration.map_manifest(|mut manifest| {
        manifest["mapped"] = true.into();
        manifest
    });
    let integration = integration.build().unwrap();
    let app: Router = Router::new().nest("/tenants/{tenant}", integration.into_router());
    for (tenant, token, other) in [("north", NORTH, "south"), ("south", SOUTH, "north")] {
        let client = Client::new(app.clone(), secret(token));
        let path = format!("/tenants/{tenant}/churnkey");
        let customer =
            async |id: &str| client.get(&format!("{path}/customers/{id}")).await.status();
        assert_eq!((customer(tenant).await, customer(other).await), (200, 404));
        assert_eq!(
            client.get(&format!("{path}/features")).await.into_body(),
            json!({
                "name": format!("{tenant} Ltd"),
                "controllers": {"customers": {"retrieve": true}},
                "actions": {},
                "mapped": true,
            })
        );
    }
}

#[test]
fn asking_for_a_tenant_where_there_is_none_is_a_500_that_says_what_to_do() {
    let integration = Integration::builder("Shop", token()).customers(ByTenant);
    let client = client_of(&integration.build().unwrap());
    let log = log_while(Level::INFO, async {
        let answer = client.get("/churnkey/customers/north").await;
        assert_eq!(answer.status(), 500);
    });
    let reason = "the integration has no tenants, but a controller asked for one: build it with Integration::for_tenants";
    assert!(log.contains(reason), "{log}");
}

#[test]
fn a_rejected_read_has_its_tenant_and_trace_even_if_nothing_below_warnings_is_logged() {
    let integration = Integration::for_tenants(two_tenants()).customers(ByTenant);
    let app = integration.build().unwrap().into_router();
    let app: Router = Router::new().nest("/tenants/{tenant}", app);
    let line_at = |level| {
        let client = Client::new(app.clone(), secret(SOUTH));
        let log = log_while(level, async {
            let call = client.call(Method::GET, "/tenants/north/churnkey/customers/north");
            let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
            let call = call.header("traceparent", parent);
            let call = call.header("x-request-id", "req-1").signed();
            assert_eq!(call.send().await.status(), 401);
        });
        lines_of(&log)
    };
    let [line] = &*line_at(Level::INFO) else {
        panic!("one line a request");
    };
    for field in [
        "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 parent_id=00f067aa0ba902b7",
        "tenant=\"north\"",
    ] {
        assert!(line.contains(field), "{line}");
    }
    assert_eq!(line_at(Level::WARN), [line.as_str()]);
}

#[test]
fn the_log_names_the_tenant_and_never_a_token() {
    let integration = everything(two_tenants(), &in_memory_store());
    let integration = integration.build().unwrap();
    let app: Router = Router::new().nest("/tenants/{tenant}", integration.into_router());
    let log = log_while(Level::TRACE, async {
        let path = "/tenants/north/churnkey/customers/cus_ada";
        for (token, status) in [(NORTH, 200), (SOUTH, 401)] {
            let client = Client::new(app.clone(), secret(token));
            for call in [
                client.call(Method::GET, path).with_token(),
                client.call(Method::GET, path).signed(),
            ] {
                assert_eq!(call.send().await.status(), status);
            }
        }
        let client = Client::new(app, secret(NORTH));
        let unknown = client.get("/tenants/secret-name/churnkey/customers").await;
        assert_eq!(unknown.status(), 401);
    });
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("answered") || line.contains("rejected"))
        .collect();
    assert_eq!(lines.len(), 5, "{log}");
    for line in &lines[..4] {
        assert!(line.contains(r#"tenant="north""#), "{line}");
    }
    assert!(
        lines[4].contains(r#"rejected reason="an unknown tenant: "#),
        "{}",
        lines[4]
    );
    assert!(!lines[4].contains("tenant="), "{}", lines[4]);
    for private in [NORTH, SOUTH, "secret-name"] {
        assert!(!log.contains(private), "{log}");
    }
}

#[tokio::test]
async fn a_parameter_of_the_librarys_own_path_chooses_no_tenant() {
    struct ById;

    #[async_trait]
    impl TenantResolver for ById {
        async fn resolve(&self, request: &TenantRequest<'_>) -> Result<Option<Tenant>> {
            let id = request.path_parameter("id");
            Ok(id.filter(|id| *id == "north").map(|id| tenant(id, NORTH)))
        }
    }

    let integration = Integration::for_tenants(ById)
        .customers(ByTenant)
        .build()
        .unwrap();
    let app: Router = Router::new()
        .nest("/shops/{id}", integration.clone().into_router())
        .merge(integration.into_router());
    let client = Client::new(app, secret(NORTH));
    for (path, status) in [
        ("/shops/north/churnkey/customers/north", 200),
        ("/shops/south/churnkey/customers/north", 401),
        ("/churnkey/customers/north", 401),
        ("/churnkey/no/such/path", 401),
        ("/shops/north/churnkey/no/such/path", 404),
    ] {
        assert_eq!(client.get(path).await.status(), status, "{path}");
    }
}

/// A platform's table of tokens, and a cache over it.
#[derive(Clone)]
struct Cached {
    table: Arc<Mutex<HashMap<String, String>>>,
    cache: Arc<Mutex<HashMap<String, (Timestamp, Tenant)>>>,
    reads: Arc<AtomicUsize>,
    now: Arc<AtomicI64>,
}

impl Cached {
    const KEPT_SECONDS: i64 = 60;

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.now.load(Ordering::SeqCst)).unwrap()
    }

    fn find(&self, id: &str, now: Timestamp) -> Result<Option<Tenant>> {
        let is_fresh = |found: &&(Timestamp, Tenant)| {
            now.unix_seconds() - found.0.unix_seconds() < Self::KEPT_SECONDS
        };
        if let Some((_, tenant)) = self.cache.lock().unwrap().get(id).filter(is_fresh) {
            return Ok(Some(tenant.clone()));
        }
        self.reads.fetch_add(1, Ordering::SeqCst);
        let Some(token) = self.table.lock().unwrap().get(id).cloned() else {
            self.cache.lock().unwrap().remove(id);
            return Ok(None);
        };
        let tenant = Tenant::new(TenantId::new(id)?, id, IntegrationToken::new(token)?);
        let found = (now, tenant.clone());
        self.cache.lock().unwrap().insert(id.to_owned(), found);
        Ok(Some(tenant))
    }
}

#[async_trait]
impl TenantResolver for Cached {
    async fn resolve(&self, request: &TenantRequest<'_>) -> Result<Option<Tenant>> {
        match request.path_parameter("tenant") {
            Some(id) => self.find(id, self.now()),
            None => Ok(None),
        }
    }
}

#[tokio::test]
async fn a_revoked_token_stops_working_within_the_time_of_the_apps_cache() {
    let start = 1_767_225_600;
    let tenants = Cached {
        table: Arc::new(Mutex::new(HashMap::from([(
            "north".to_owned(),
            NORTH.to_owned(),
        )]))),
        cache: Arc::default(),
        reads: Arc::default(),
        now: Arc::new(AtomicI64::new(start)),
    };
    let integration = Integration::for_tenants(tenants.clone()).customers(ByTenant);
    let clock = tenants.clone();
    let integration = integration.clock(move || clock.now()).build().unwrap();
    let app: Router = Router::new().nest("/tenants/{tenant}", integration.into_router());
    let path = "/tenants/north/churnkey/customers/north";
    let status = async |seconds: i64, token: &str| {
        tenants.now.store(start + seconds, Ordering::SeqCst);
        let client = Client::new(app.clone(), secret(token));
        let call = client.call(Method::GET, path);
        let by_token = call.with_token().send().await.status();
        let signed = client.call(Method::GET, path).signed_at(tenants.now());
        assert_eq!(signed.send().await.status(), by_token);
        by_token
    };
    assert_eq!(status(0, NORTH).await, 200);
    tenants
        .table
        .lock()
        .unwrap()
        .insert("north".into(), SOUTH.into());
    assert_eq!(status(59, NORTH).await, 200);
    assert_eq!(tenants.reads.load(Ordering::SeqCst), 1);
    assert_eq!(status(60, NORTH).await, 401);
    assert_eq!(status(60, SOUTH).await, 200);
    tenants.table.lock().unwrap().clear();
    assert_eq!(status(119, SOUTH).await, 200);
    assert_eq!(status(120, SOUTH).await, 401);
}

#[tokio::test]
async fn a_tenants_tokens_are_rotated_one_tenant_at_a_time() {
    let newer = "the-newer-token-of-the-north";
    let tenants = two_tenants();
    let server = serve(everything(tenants.clone(), &in_memory_store())).await;
    let page = |tenant, token, query: &str| {
        let path = format!("/churnkey/customers?limit=1{query}");
        of(tenant, server.request("GET", &path)).header("Authorization", token)
    };
    let first = page("north", NORTH, "").send().await.json();
    let cursor = format!("&cursor={}", first["next"].as_str().unwrap());
    let both = tenant("north", newer).also_accept(secret(NORTH));
    tenants
        .known
        .lock()
        .unwrap()
        .insert("north".to_owned(), both);
    for token in [NORTH, newer] {
        assert_eq!(page("north", token, &cursor).send().await.status, 200);
        assert_eq!(page("south", token, "").send().await.status, 401);
    }
    tenants
        .known
        .lock()
        .unwrap()
        .insert("north".to_owned(), tenant("north", newer));
    assert_eq!(page("north", NORTH, "").send().await.status, 401);
    assert_eq!(page("north", newer, "").send().await.status, 200);
    assert_eq!(page("north", newer, &cursor).send().await.status, 400);
}

#[test]
fn what_makes_no_sense_for_tenants_is_an_error_of_the_build() {
    let error = everything(two_tenants(), &in_memory_store())
        .also_accept(token())
        .build()
        .unwrap_err();
    assert_eq!(
        error.problems(),
        [
            ".also_accept(..) is not for an integration with tenants: accept a further token of one tenant with Tenant::also_accept"
        ]
    );
    let built = everything(two_tenants(), &in_memory_store())
        .build()
        .unwrap();
    let shown = format!("{built:?} {:?}", tenant("north", NORTH));
    assert!(
        shown.contains(r#"Tenant { id: TenantId("north"), name: "north Ltd", .. }"#),
        "{shown}"
    );
    assert!(!shown.contains(NORTH), "{shown}");
}
