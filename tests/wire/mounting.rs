//! Where the router can be mounted, what it leaves alone there, and what `build` rejects.

use std::time::Duration;

use axum::{Router, extract::State, routing::get};
use churnkey_conformance::Client;
use churnkey_integrator::{
    CustomerId, CustomersController, Integration, IntegrationBuilder, IntegrationToken, Mode,
    RequestContext, Result, controller, model::Customer,
};
use http::{HeaderName, header};
use serde_json::json;

use crate::merchants::{client_of, in_memory_store, token};

/// Serves nothing but what is required.
struct OnlyRetrieve;

#[controller]
impl CustomersController for OnlyRetrieve {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        Ok((id.as_str() == "email").then(|| Customer::new(id.clone())))
    }
}

fn shop() -> IntegrationBuilder {
    Integration::builder("Shop", token()).customers(in_memory_store())
}

fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    shop().build().unwrap().into_router()
}

async fn works(app: Router, path: &str) {
    let client = Client::new(app, token());
    let answer = client.get(&format!("{path}/customers?limit=1")).await;
    assert_eq!(answer.body()["data"][0]["id"], "cus_ada", "{path}");
    // Without a credential, a caller can't find out which paths exist, even if the router is nested.
    for unknown in ["", "/", "/no/such/path", "/customers/cus_ada"] {
        let call = client.call(http::Method::GET, &format!("{path}{unknown}"));
        assert_eq!(call.send().await.status(), 401, "{path}{unknown}");
    }
    let answer = client.get(&format!("{path}/no/such/path")).await;
    assert_eq!(
        answer.into_body(),
        json!({"code": 404, "message": "Not Found"})
    );
}

#[tokio::test]
async fn merged_nested_once_and_nested_twice_the_signature_covers_the_path_as_sent() {
    works(router(), "/churnkey").await;
    works(Router::new().merge(router()), "/churnkey").await;
    let once = Router::new().nest("/api", router());
    works(once.clone(), "/api/churnkey").await;
    works(Router::new().nest("/v1", once.clone()), "/v1/api/churnkey").await;
    works(Router::new().nest_service("/v1", once), "/v1/api/churnkey").await;
}

#[tokio::test]
async fn a_parameter_of_the_apps_own_path_is_not_mistaken_for_ours() {
    let app: Router = Router::new().nest("/shops/{id}", router());
    let client = Client::new(app, token());
    let answer = client
        .get("/shops/cus_grace/churnkey/customers/cus_ada")
        .await;
    assert_eq!(answer.body()["id"], "cus_ada");
    // A cursor is bound to the whole path, so one shop's is not another's.
    let page = client.get("/shops/north/churnkey/customers?limit=1").await;
    let next = page.body()["next"].as_str().unwrap().to_owned();
    for (shop, status) in [("north", 200), ("south", 400)] {
        let path = format!("/shops/{shop}/churnkey/customers?cursor={next}");
        assert_eq!(client.get(&path).await.status(), status, "{shop}");
    }
}

#[tokio::test]
async fn another_prefix_moves_everything() {
    let app: Router = shop().prefix("/billing/ck").build().unwrap().into_router();
    works(app.clone(), "/billing/ck").await;
    let client = Client::new(app, token());
    let call = client
        .call(http::Method::GET, "/churnkey/features")
        .signed();
    assert_eq!(call.send_unchecked().await.bytes(), b"");
}

#[tokio::test]
async fn a_client_that_calls_another_path_says_which_and_where_the_integration_is() {
    let app = router().route("/churnkeys", get(|| async { "lost and found" }));
    let client = Client::new(app, token()).mounted_at("/api/churnkey");
    for (path, sentence) in [
        (
            "/features?x=1",
            "GET /features?x=1: an answer 404 without `content-type: application/json`; nothing of the integration \
             is there: a path begins with where it is mounted, which is /api/churnkey unless Client::mounted_at says \
             otherwise",
        ),
        (
            "/churnkeys",
            "GET /churnkeys: an answer 200 without `content-type: application/json`",
        ),
    ] {
        let client = client.clone();
        let get = tokio::spawn(async move { client.get(path).await });
        let panic = get.await.unwrap_err().into_panic();
        assert_eq!(*panic.downcast::<String>().unwrap(), sentence);
    }
}

#[tokio::test]
async fn two_integrations_live_in_one_app() {
    let other = IntegrationToken::new("another-integration-token").unwrap();
    let second = Integration::builder("Second", other.clone())
        .customers(in_memory_store())
        .prefix("/second");
    let app: Router = Router::new()
        .merge(router())
        .merge(second.build().unwrap().into_router());
    works(app.clone(), "/churnkey").await;
    let client = Client::new(app, other);
    assert_eq!(
        client.get("/second/features").await.body()["name"],
        "Second"
    );
    assert_eq!(client.get("/churnkey/features").await.status(), 401);
}

#[tokio::test]
async fn the_apps_own_routes_state_fallback_and_layers_stay_its_own() {
    let app = Router::new()
        .route(
            "/",
            get(|State(name): State<&'static str>| async move { name }),
        )
        .route("/churnkeys", get(|| async { "lost and found" }))
        .route("/churnkey/mine", get(|| async { "my own, beside yours" }))
        .merge(router())
        .fallback(|| async { "my fallback" })
        .with_state("my shop");
    works(app.clone(), "/churnkey").await;
    let client = Client::new(app, token());
    for (path, body) in [
        ("/", "my shop"),
        ("/churnkeys", "lost and found"),
        ("/churnkey/mine", "my own, beside yours"),
        ("/elsewhere", "my fallback"),
        ("/churnkeyed/customers", "my fallback"),
    ] {
        let answer = client.call(http::Method::GET, path).send_unchecked().await;
        assert_eq!(String::from_utf8_lossy(answer.bytes()), body, "{path}");
        assert_eq!(answer.header("x-request-id"), None, "{path}");
    }
}

#[tokio::test]
async fn what_the_impl_does_not_have_is_neither_mounted_nor_advertised() {
    let integration = Integration::builder("Shop", token())
        .customers(OnlyRetrieve)
        .build()
        .unwrap();
    let client = client_of(&integration);
    assert_eq!(
        client.get("/churnkey/features").await.into_body(),
        json!({"name": "Shop", "controllers": {"customers": {"retrieve": true}}, "actions": {}})
    );
    for path in [
        "/churnkey/customers",
        "/churnkey/customers/email/a",
        "/churnkey/customers/phone/1",
    ] {
        assert_eq!(
            client.get(path).await.body()["message"],
            "Not Found",
            "{path}"
        );
    }
    let literally = client.get("/churnkey/customers/email").await;
    assert_eq!(literally.into_body(), json!({"id": "email"}));
}

#[tokio::test]
async fn live_only_answers_test_calls_with_400() {
    let client = client_of(&shop().live_only().build().unwrap());
    let answer = client
        .in_mode(Mode::Test)
        .get("/churnkey/customers/cus_ada")
        .await;
    let rejected = json!({"code": 400, "message": "This integration serves live data only"});
    assert_eq!(answer.into_body(), rejected);
    assert_eq!(
        client.get("/churnkey/customers/cus_ada").await.status(),
        200
    );
}

#[tokio::test]
async fn limits_are_settings() {
    let integration = shop()
        .page_limit(2, 3)
        .max_id_bytes(5)
        .max_body_bytes(8)
        .build()
        .unwrap();
    let client = client_of(&integration);
    let count =
        |answer: churnkey_conformance::Answer| answer.body()["data"].as_array().map(Vec::len);
    assert_eq!(count(client.get("/churnkey/customers").await), Some(2));
    assert_eq!(
        count(client.get("/churnkey/customers?limit=9").await),
        Some(3)
    );
    let answer = client.get("/churnkey/customers/cus_ada").await;
    assert_eq!(
        answer.body()["message"],
        "id must not be longer than 5 bytes"
    );
    let call = client
        .call(http::Method::POST, "/churnkey/customers")
        .body("123456789");
    assert_eq!(call.send().await.status(), 413);
}

#[tokio::test]
async fn build_names_every_problem_at_once_each_with_its_fix() {
    let error = Integration::builder(" ", token())
        .prefix("churnkey/")
        .tolerance(Duration::from_secs(10))
        .deadline(Duration::ZERO)
        .page_limit(10, 5)
        .max_id_bytes(0)
        .max_cursor_bytes(10)
        .token_header(header::CONTENT_LENGTH)
        .build()
        .unwrap_err();
    let starts = [
        "the name is empty: give",
        "the prefix is not a plain path: write it like /churnkey",
        "the tolerance is out of bounds: choose 30 to 900 seconds",
        "the deadline is out of bounds: choose more than zero",
        "the page limits are out of bounds",
        "max_id_bytes is out of bounds: choose 1 to 1024",
        "max_cursor_bytes is too small",
        "no customers controller is registered: add .customers(..)",
        "the token header content-length already has another meaning: choose",
    ];
    assert_eq!(error.problems().len(), starts.len(), "{error}");
    for (problem, start) in error.problems().iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}");
    }
    assert!(
        error
            .to_string()
            .starts_with("the integration can't be built:\n- the name is empty")
    );

    let twice = shop().customers(OnlyRetrieve).build().unwrap_err();
    assert_eq!(
        twice.problems(),
        [".customers(..) was called more than once: keep one of the calls"]
    );
    for prefix in [
        "",
        "/",
        "churnkey",
        "/churnkey/",
        "/a//b",
        "/{id}",
        "/a b",
        "/é",
    ] {
        let error = shop().prefix(prefix).build().unwrap_err();
        assert_eq!(
            error.problems(),
            [
                "the prefix is not a plain path: write it like /churnkey or /api/churnkey, with a leading slash, \
              without a trailing one, and only with letters, digits, `-`, `_`, `.` and `~` between slashes"
            ],
            "{prefix}"
        );
    }
}

/// The standard headers, for which the crate `http` has constants, and others that some programs use.
const HEADERS_WITH_A_MEANING: &str = "accept accept-charset accept-encoding accept-language accept-ranges \
    access-control-allow-credentials access-control-allow-headers access-control-allow-methods \
    access-control-allow-origin access-control-expose-headers access-control-max-age access-control-request-headers \
    access-control-request-method age allow alt-svc authorization cache-control cache-status cdn-cache-control \
    connection content-disposition content-encoding content-language content-length content-location content-range \
    content-security-policy content-security-policy-report-only content-type cookie date dnt etag expect expires \
    forwarded from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link \
    location max-forwards origin pragma proxy-authenticate proxy-authorization public-key-pins \
    public-key-pins-report-only range referer referrer-policy refresh retry-after sec-websocket-accept \
    sec-websocket-extensions sec-websocket-key sec-websocket-protocol sec-websocket-version server set-cookie \
    strict-transport-security te trailer transfer-encoding upgrade upgrade-insecure-requests user-agent vary via \
    warning www-authenticate x-content-type-options x-dns-prefetch-control x-frame-options x-xss-protection \
    baggage ck-signature content-digest idempotency-key keep-alive priority proxy-connection sec-fetch-mode \
    traceparent tracestate x-churnkey-mode x-churnkey-signature x-churnkey-timestamp x-churnkey-of-tomorrow \
    x-forwarded-for x-forwarded-host x-forwarded-proto x-real-ip x-request-id X-Request-Id Cookie";

#[test]
fn a_header_with_another_meaning_cant_carry_the_token() {
    for name in HEADERS_WITH_A_MEANING.split_whitespace() {
        let header = name.parse().unwrap();
        let error = shop().token_header(header).build().unwrap_err();
        let lower = name.to_lowercase();
        assert_eq!(
            error.problems(),
            [format!(
                "the token header {lower} already has another meaning: choose one like x-integration-token \
                 (Authorization is always read)"
            )]
        );
    }
    for name in ["x-integration-token", "X-Shop-Token", "token", "viable"] {
        let header: HeaderName = name.parse().unwrap();
        assert!(shop().token_header(header).build().is_ok(), "{name}");
    }
}

#[test]
fn an_integration_says_what_it_serves_and_no_secret() {
    let integration =
        shop().also_accept(IntegrationToken::new("another-integration-token").unwrap());
    let shown = format!("{:?}", integration.build().unwrap());
    for part in [
        "name: \"Shop\"",
        "\"GET /churnkey/features\"",
        "\"GET /churnkey/customers/{id}\"",
        "\"GET /churnkey/customers\"",
        "\"GET /churnkey/customers/email/{email}\"",
        "\"GET /churnkey/customers/phone/{phone}\"",
        "accepted_tokens: 2",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    for secret in ["ck-demo", "another-integration-token", "example.com"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
