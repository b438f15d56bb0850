//! Calling a merchant in this process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use churnkey_conformance::{Answer, Client};
use http::Method;
use serde_json::Value;

/// Calls the merchant's own API with whatever headers and body.
///
/// # Panics
/// If the method is invalid, or the answer is not JSON.
pub async fn send(
    client: &Client,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut call = client.call(method, path).body(body);
    for (name, value) in headers {
        call = call.header(name, value);
    }
    let answer = call.send_unchecked().await;
    let content_type = answer.header("content-type");
    assert_eq!(content_type, Some("application/json"), "{path}");
    answer
}

/// A body as it is sent. Null is sent as an empty body.
#[must_use]
pub fn text(body: &Value) -> String {
    match body {
        Value::Null => String::new(),
        body => body.to_string(),
    }
}

/// Reads the merchant's customers as Churnkey does. `path` is what follows `/churnkey/customers`.
pub async fn churnkey(client: &Client, path: &str) -> (u16, Value) {
    let answer = client.get(&format!("/churnkey/customers{path}")).await;
    (answer.status(), answer.into_body())
}
