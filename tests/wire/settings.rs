//! What a merchant sets where Churnkey turns out to call otherwise: paths behind a proxy, names of headers, the manifest,
//! and further authentication schemes.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use churnkey_integrator::{
    AcceptedTokens, Authenticated, AuthenticationError, AuthenticationScheme, Integration,
    IntegrationBuilder, Mode, RequestHead, Timestamp, WebhookSecret, sign,
    webhooks::{self, SIGNATURE_HEADER},
};
use http::{HeaderName, HeaderValue, Method};
use serde_json::json;

use crate::{
    demo,
    merchants::{client_of, in_memory_store, server, token},
    socket::Server,
};

fn shop() -> IntegrationBuilder {
    Integration::builder("Shop", token()).customers(in_memory_store())
}

#[tokio::test]
async fn behind_a_proxy_that_takes_a_prefix_off_the_signature_covers_what_the_caller_sent() {
    let server = server(shop().external_prefix("/api").build().unwrap()).await;
    let arrives = "/churnkey/customers/cus_ada?x=1";
    let signed_over = |path: &str| server.request("GET", path).signed().path(arrives);
    for (path, status) in [
        ("/api/churnkey/customers/cus_ada?x=1", 200),
        ("/churnkey/customers/cus_ada?x=1", 401),
        ("/v1/churnkey/customers/cus_ada?x=1", 401),
        ("/api/api/churnkey/customers/cus_ada?x=1", 401),
    ] {
        assert_eq!(signed_over(path).send().await.status, status, "{path}");
    }
    let by_token = server.request("GET", arrives);
    let by_token = by_token.header("Authorization", "ck-demo-integration-token-0001");
    assert_eq!(by_token.send().await.status, 200);
    // Nothing is mounted under it.
    let doubled = server.get("/api/churnkey/customers/cus_ada").await;
    assert_eq!(doubled.status, 404);
}

#[tokio::test]
async fn headers_have_the_names_that_they_are_given_and_no_others() {
    let integration = shop()
        .signature_header(HeaderName::from_static("x-merchant-signature"))
        .timestamp_header(HeaderName::from_static("x-merchant-time"))
        .mode_header(HeaderName::from_static("x-merchant-mode"));
    let server = server(integration.build().unwrap()).await;
    let path = "/churnkey/customers/cus_test";
    let signature = sign(
        &token(),
        &Method::GET,
        path,
        Mode::Test,
        b"",
        Timestamp::now(),
    );
    let request = || server.request("GET", path);
    let named = |timestamp: &str, signature_header: &str, mode: &str| {
        request()
            .header(timestamp, signature.timestamp())
            .header(signature_header, signature.signature())
            .header(mode, "test")
    };
    let (time, signed, mode) = ("x-merchant-time", "x-merchant-signature", "x-merchant-mode");
    for (what, request, status) in [
        ("the given names", named(time, signed, mode), 200),
        (
            "the default names",
            named(
                "x-churnkey-timestamp",
                "x-churnkey-signature",
                "x-churnkey-mode",
            ),
            401,
        ),
        (
            "the default name of the time",
            named("x-churnkey-timestamp", signed, mode),
            401,
        ),
        // The signature is of test mode, and this says live.
        (
            "the default name of the mode",
            named(time, signed, "x-churnkey-mode"),
            401,
        ),
        (
            "a mode twice",
            named(time, signed, mode).header(mode, "test"),
            401,
        ),
    ] {
        assert_eq!(request.send().await.status, status, "{what}");
    }
    let unknown = request()
        .header("Authorization", "ck-demo-integration-token-0001")
        .header(mode, "staging");
    let message = "x-merchant-mode must be live or test".to_owned();
    assert_eq!(unknown.send().await.error(), (400, message));
}

#[tokio::test]
async fn a_retry_is_known_by_the_named_timestamp_too() {
    let store = in_memory_store();
    let integration = in_memory::churnkey::builder(&store, token())
        .timestamp_header(HeaderName::from_static("x-time"));
    let server = server(integration.build().unwrap()).await;
    let body = r#"{"customerId":"cus_grace","subscriptionId":"sub_grace_trial","duration":{"amount":1,"unit":"week"}}"#;
    let path = "/churnkey/actions/subscription/extend-trial";
    let end = async || {
        let path = "/churnkey/customers/cus_grace/subscriptions/sub_grace_trial";
        let by_token = server.request("GET", path);
        let by_token = by_token.header("Authorization", "ck-demo-integration-token-0001");
        by_token.send().await.json()["status"].to_string()
    };
    let extend = async |seconds: i64| {
        let at = Timestamp::now().unix_seconds() + seconds;
        let at = Timestamp::from_unix_seconds(at).unwrap();
        let signature = sign(
            &token(),
            &Method::POST,
            path,
            Mode::Live,
            body.as_bytes(),
            at,
        );
        let call = server.request("POST", path).body(body);
        let call = call.header("x-time", signature.timestamp());
        let call = call.header("X-Churnkey-Signature", signature.signature());
        (call.clone().send().await.status, call.send().await.status)
    };
    let at_first = end().await;
    assert_eq!(extend(0).await, (200, 200));
    let once = end().await;
    assert_ne!(once, at_first);
    assert_eq!(extend(-30).await, (200, 200));
    assert_ne!(end().await, once);
    assert!(once.contains("2026-01-31"), "{once}");
    assert!(end().await.contains("2026-02-07"), "{}", end().await);
}

#[tokio::test]
async fn the_manifest_has_the_path_and_the_shape_that_it_is_given() {
    let builds = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&builds);
    let integration = Integration::builder("Shop", token())
        .customers(demo::Shop)
        .manifest_path("/meta/capabilities")
        .map_manifest(move |manifest| {
            counted.fetch_add(1, Ordering::SeqCst);
            json!({"merchant": manifest["name"], "features": manifest["controllers"]})
        })
        .build()
        .unwrap();
    assert_eq!(integration.manifest_path(), "/meta/capabilities");
    assert!(format!("{integration:?}").contains("GET /churnkey/meta/capabilities"));
    let client = client_of(&integration);
    for _ in 0..2 {
        let answer = client.get("/churnkey/meta/capabilities").await;
        assert_eq!(
            answer.into_body(),
            json!({"merchant": "Shop", "features": {"customers": {"retrieve": true}}})
        );
    }
    assert_eq!(builds.load(Ordering::SeqCst), 1);
    assert_eq!(client.get("/churnkey/features").await.status(), 404);
    let post = client
        .call(Method::POST, "/churnkey/meta/capabilities")
        .signed();
    assert_eq!(post.send().await.status(), 405);
}

/// A hexadecimal HMAC of the body, as Churnkey's webhooks have it.
struct BodyHmac;

impl AuthenticationScheme for BodyHmac {
    fn applies_to(&self, request: &RequestHead<'_>) -> Result<bool, AuthenticationError> {
        Ok(request.header(&SIGNATURE_HEADER)?.is_some())
    }

    fn verify<'t>(
        &self,
        request: &RequestHead<'_>,
        body: &[u8],
        tokens: AcceptedTokens<'t>,
    ) -> Result<Authenticated<'t>, AuthenticationError> {
        let sent = request.header(&SIGNATURE_HEADER)?;
        let sent = sent.ok_or(AuthenticationError::Missing)?;
        let signature = hex::decode(sent).map_err(|_| AuthenticationError::Malformed)?;
        tokens.verify_hmac_sha256(&[body], &signature)
    }
}

const DEMO: &str = "ck-demo-integration-token-0001";
const EXTEND: &str = "/churnkey/actions/subscription/extend-trial";
const A_WEEK: &str = r#"{"customerId":"cus_grace","subscriptionId":"sub_grace_trial","duration":{"amount":1,"unit":"week"}}"#;

/// As a program would that knows the key only.
fn hmac_of(body: &str, key: &str) -> String {
    webhooks::sign(&WebhookSecret::new(key).unwrap(), body.as_bytes())
}

async fn with_body_hmac(further: impl Fn(IntegrationBuilder) -> IntegrationBuilder) -> Server {
    let builder = in_memory::churnkey::builder(&in_memory_store(), token());
    let builder = further(builder.authentication_scheme(BodyHmac));
    server(builder.build().unwrap()).await
}

#[tokio::test]
async fn a_registered_scheme_lets_in_whoever_has_the_token_and_nobody_else() {
    let server = with_body_hmac(|builder| builder).await;
    let right = hmac_of(A_WEEK, DEMO);
    let post = || server.request("POST", EXTEND).body(A_WEEK);
    let get = || server.request("GET", "/churnkey/customers");
    let with = |hmac: &str| post().header("ck-signature", hmac);
    for (what, request, status) in [
        ("the right one", with(&right), 200),
        (
            "the right one of no body",
            get().header("ck-signature", &hmac_of("", DEMO)),
            200,
        ),
        ("another body", with(&right).body("{}"), 401),
        (
            "another key",
            with(&hmac_of(A_WEEK, "another-integration-token")),
            401,
        ),
        ("half of it", with(&right[..32]), 401),
        ("nothing", with(""), 401),
        ("no hexadecimal digits", with("v1=00"), 401),
        ("twice", with(&right).header("ck-signature", &right), 401),
        // A request that has the credential is judged by it alone.
        (
            "a wrong one beside the token",
            with("00").header("Authorization", DEMO),
            401,
        ),
        (
            "a wrong signature of the library's form",
            with(&right).header("X-Churnkey-Signature", "v1=00"),
            401,
        ),
        ("a wrong one beside a signature", with("00").signed(), 200),
        ("the token", get().header("Authorization", DEMO), 200),
        ("no credential", get(), 401),
    ] {
        assert_eq!(request.send().await.status, status, "{what}");
    }
}

#[tokio::test]
async fn to_require_a_signature_turns_off_the_plain_token_only() {
    let server = with_body_hmac(IntegrationBuilder::require_signature).await;
    let get = || server.request("GET", "/churnkey/customers");
    let by_scheme = get().header("ck-signature", &hmac_of("", DEMO));
    for (request, status) in [
        (get().signed(), 200),
        (by_scheme, 200),
        (get().header("Authorization", DEMO), 401),
    ] {
        assert_eq!(request.send().await.status, status);
    }
}

#[tokio::test]
async fn what_a_registered_scheme_authenticated_is_known_again_by_its_idempotency_key_alone() {
    let server = with_body_hmac(|builder| builder).await;
    let end = async || {
        let path = "/churnkey/customers/cus_grace/subscriptions/sub_grace_trial";
        server.get(path).await.json()["status"].clone()
    };
    let post = || {
        let hmac = hmac_of(A_WEEK, DEMO);
        server
            .request("POST", EXTEND)
            .body(A_WEEK)
            .header("ck-signature", &hmac)
    };
    let mut ends = vec![end().await];
    for request in [
        post(),
        post(),
        post().header("Idempotency-Key", "one"),
        post().header("Idempotency-Key", "one"),
        post().header("Idempotency-Key", "two"),
    ] {
        assert_eq!(request.send().await.status, 200);
        ends.push(end().await);
    }
    let changed: Vec<bool> = ends.windows(2).map(|pair| pair[0] != pair[1]).collect();
    assert_eq!(changed, [true, true, true, false, true]);
}

/// The token in a header, split in two.
struct Halves;

impl AuthenticationScheme for Halves {
    fn applies_to(&self, request: &RequestHead<'_>) -> Result<bool, AuthenticationError> {
        let halves = ["x-first", "x-second"].map(HeaderName::from_static);
        Ok(halves
            .iter()
            .any(|name| matches!(request.header(name), Ok(Some(_)))))
    }

    fn needs_body(&self) -> bool {
        false
    }

    fn verify<'t>(
        &self,
        request: &RequestHead<'_>,
        body: &[u8],
        tokens: AcceptedTokens<'t>,
    ) -> Result<Authenticated<'t>, AuthenticationError> {
        assert_eq!(body, b"");
        assert!(request.path().starts_with("/churnkey/") && request.method() == Method::POST);
        assert!(request.now() > Timestamp::from_unix_seconds(1_767_225_600).unwrap());
        let half = |name| request.header(&HeaderName::from_static(name));
        let halves = [half("x-first")?, half("x-second")?];
        let halves = halves.map(|half| half.map_or(b"".as_slice(), HeaderValue::as_bytes));
        tokens.verify_token(&halves.concat())
    }
}

#[tokio::test]
async fn a_scheme_that_needs_no_body_decides_before_the_body_is_read() {
    let server = server(shop().authentication_scheme(Halves).build().unwrap()).await;
    let halves = |second| format!("x-first: ck-demo-integration-\r\nx-second: {second}");
    for (credential, status) in [
        (halves("token-0001"), 413),
        (halves("token-0002"), 401),
        (format!("Authorization: {DEMO}"), 413),
        ("Authorization: another-integration-token".to_owned(), 401),
    ] {
        let request = format!(
            "POST /churnkey/customers HTTP/1.1\r\nHost: merchant\r\n{credential}\r\n\
             Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n11170\r\n{}\r\n0\r\n\r\n",
            "a".repeat(70_000)
        );
        let reply = server.exchange(request.as_bytes()).await;
        assert_eq!(reply.status, status, "{credential}");
    }
}

/// Says something else each time it is asked, and accepts nobody.
#[derive(Default)]
struct Fickle(AtomicUsize);

impl AuthenticationScheme for Fickle {
    fn applies_to(&self, _: &RequestHead<'_>) -> Result<bool, AuthenticationError> {
        Ok(true)
    }

    fn needs_body(&self) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst).is_multiple_of(2)
    }

    fn verify<'t>(
        &self,
        _: &RequestHead<'_>,
        _: &[u8],
        tokens: AcceptedTokens<'t>,
    ) -> Result<Authenticated<'t>, AuthenticationError> {
        tokens.verify_token(b"")
    }
}

#[tokio::test]
async fn a_scheme_that_contradicts_itself_lets_nobody_in() {
    let server = server(
        shop()
            .authentication_scheme(Fickle::default())
            .build()
            .unwrap(),
    )
    .await;
    for _ in 0..4 {
        let reply = server.request("GET", "/churnkey/features").send().await;
        assert_eq!(reply.status, 401);
    }
}

#[test]
fn build_names_what_is_wrong_with_these_settings() {
    let error = shop()
        .external_prefix("api/")
        .manifest_path("features")
        .signature_header(HeaderName::from_static("content-length"))
        .mode_header(HeaderName::from_static("x-key"))
        .token_header(HeaderName::from_static("x-key"))
        .build()
        .unwrap_err();
    let starts = [
        "the external prefix is not a plain path: write it like /api",
        "the manifest's path is not a plain path: write it like /features",
        "the signature header content-length already has another meaning: choose one like x-signature",
        "the header x-key is named for two things: choose",
    ];
    assert_eq!(error.problems().len(), starts.len(), "{error}");
    for (problem, start) in error.problems().iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}");
    }
    for taken in [
        "/customers",
        "/customers/features",
        "/actions/x",
        "/families",
    ] {
        let error = shop().manifest_path(taken).build().unwrap_err();
        let [problem] = error.problems() else {
            panic!("{error}");
        };
        assert!(
            problem.starts_with("the manifest's path begins like"),
            "{problem}"
        );
    }
    let same = shop()
        .mode_header(HeaderName::from_static("x-churnkey-timestamp"))
        .build()
        .unwrap_err();
    assert_eq!(same.problems().len(), 1, "{same}");
    for fine in ["ck-signature", "x-churnkey-sig", "x-hub-signature-256"] {
        assert!(
            shop()
                .signature_header(HeaderName::from_static(fine))
                .build()
                .is_ok(),
            "{fine}"
        );
    }
}
