//! The merchant's own site: the cancel flow's session, and Churnkey's webhook.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use churnkey_conformance::Client;
use churnkey_integrator::{
    ApiKey, CustomerId, IntegrationToken, WebhookSecret, cancel_flow::auth_hash, model::Customer,
    webhooks::sign,
};
use example_app::Clock;
use http::Method;
use in_memory::{
    account::{Keys, routes},
    store::Store,
};

fn site() -> Client {
    let store = Store::new(Clock::System);
    store
        .live
        .customers
        .extend([Customer::new(CustomerId::new("cus_1").unwrap())]);
    let token = IntegrationToken::new("a-token-that-is-not-used").unwrap();
    Client::new(routes(store, Keys::demo().unwrap()), token)
}

#[tokio::test]
async fn a_signed_in_customer_gets_a_session_of_their_own() {
    let site = site();
    let call = site.call(Method::GET, "/account/cancel-session");
    let answer = call.header("x-demo-login", "cus_1").send_unchecked().await;
    assert_eq!(answer.status(), 200);
    let key = ApiKey::new("ck-demo-api-key").unwrap();
    let hash = auth_hash(&key, &CustomerId::new("cus_1").unwrap());
    assert_eq!(answer.body()["authHash"], hash);
    assert_eq!(answer.body()["customerId"], "cus_1");
    assert_eq!(answer.body()["appId"], "demo-app");
    assert_eq!(answer.body()["mode"], "live");
    assert!(
        answer.body()["sessionToken"]
            .as_str()
            .unwrap()
            .starts_with("ck_")
    );

    let path = "/account/cancel-session?subscription=sub_1";
    let call = site.call(Method::GET, path);
    let answer = call.header("x-demo-login", "cus_1").send_unchecked().await;
    let token = answer.body()["sessionToken"].as_str().unwrap().to_owned();
    let json = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix("ck_").unwrap());
    let json: serde_json::Value = serde_json::from_slice(&json.unwrap()).unwrap();
    assert_eq!(json["s"], "sub_1");

    for login in [None, Some("cus_2"), Some("")] {
        let call = site.call(Method::GET, "/account/cancel-session");
        let call = match login {
            Some(login) => call.header("x-demo-login", login),
            None => call,
        };
        assert_eq!(call.send_unchecked().await.status(), 401, "{login:?}");
    }
}

#[tokio::test]
async fn a_webhook_is_taken_with_its_signature_only() {
    let site = site();
    let secret = WebhookSecret::new("ck-demo-webhook-secret").unwrap();
    let body = r#"{"event":"session","data":{"session":{"result":"discount"}}}"#;
    let post = |body: &str| site.call(Method::POST, "/webhooks/churnkey").body(body);
    let good = sign(&secret, body.as_bytes());
    for (call, status) in [
        (post(body).header("ck-signature", &good), 200),
        (post(body), 401),
        (post(body).header("ck-signature", "00"), 401),
        (post("{}").header("ck-signature", &good), 401),
        (
            post("{}").header("ck-signature", &sign(&secret, b"{}")),
            400,
        ),
        (post(&"x".repeat(64 * 1024 + 1)), 401),
        (
            post(&"x".repeat(64 * 1024 + 1)).header("ck-signature", &good),
            413,
        ),
    ] {
        let answer = call.send_unchecked().await;
        assert_eq!(answer.status(), status);
        if status != 200 {
            assert_eq!(answer.body()["code"], status);
        }
    }
}
