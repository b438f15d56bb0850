//! An integration that is written without the library, straight from the contract. It has any key, a request id for no
//! request, and one customer.

use axum::{
    Json, Router,
    body::to_bytes,
    extract::Request,
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// It accepts this key as it is, white space and all.
pub(super) fn integration(prefix: &'static str, key: &str) -> Router {
    let key = key.to_owned();
    Router::new().fallback(move |request: Request| answer(prefix, key.clone(), request))
}

/// The same without a features manifest, which is an unknown path then.
pub(super) fn without_manifest(key: &str) -> Router {
    integration("/churnkey", key).route(
        "/churnkey/features",
        any(async || error(StatusCode::NOT_FOUND)),
    )
}

async fn answer(prefix: &str, key: String, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().unwrap().as_str().to_owned();
    let body = to_bytes(body, 64 * 1024).await.unwrap();
    if !is_authentic(&key, &parts.method, &path, &parts.headers, &body) {
        return error(StatusCode::UNAUTHORIZED);
    }
    let below = parts.uri.path().strip_prefix(prefix);
    match (&parts.method, below) {
        (&Method::GET, Some("/features")) => Json(manifest()).into_response(),
        (&Method::GET, Some("/customers")) => Json(json!({ "data": [customer()] })).into_response(),
        (&Method::GET, Some("/customers/cus_1")) => Json(customer()).into_response(),
        _ => error(StatusCode::NOT_FOUND),
    }
}

fn manifest() -> Value {
    let customers = json!({ "retrieve": true, "list": true });
    json!({ "name": "Not ours", "controllers": { "customers": customers } })
}

fn customer() -> Value {
    json!({ "id": "cus_1" })
}

fn error(status: StatusCode) -> Response {
    let reason = status.canonical_reason();
    let body = json!({ "code": status.as_u16(), "message": reason });
    (status, Json(body)).into_response()
}

fn is_authentic(key: &str, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(signature) = header("x-churnkey-signature") else {
        return header("authorization") == Some(&*format!("Bearer {key}"));
    };
    let timestamp = header("x-churnkey-timestamp").unwrap_or_default();
    let mode = header("x-churnkey-mode").unwrap_or("live");
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("v1\n{timestamp}\n{method}\n{path}\n{mode}\n").as_bytes());
    mac.update(body);
    let expected = hex::encode(mac.finalize().into_bytes());
    signature == format!("v1={expected}")
}
