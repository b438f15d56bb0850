//! Lumyri as its callers and Churnkey see it, in process.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod authentication;
mod bad_input;
mod cases;
mod conformance;
mod customers;
mod deadline;
mod durability;
mod labels;
mod lists;
mod mapping;
mod owners;
mod paging;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use churnkey_conformance::Client;
use example_app::{Clock, Generator, demo_token};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::BodyExt;
use lumyri::{
    app,
    churnkey::{self, Churnkey, Mapping},
    store::Store,
    token::TokenKey,
};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const COMPANY_A: &str = "231080c5-b622-4a25-aef8-c7e426927bb0";
pub(crate) const COMPANY_B: &str = "956865a9-b9f7-4198-87eb-10b4f0f411c9";
pub(crate) const MAIN: &str = "14e43e28-7e6d-461e-b1c9-7c54736f4331";
pub(crate) const SECOND: &str = "9a1f0c52-6d0e-4b57-8f55-3c2f6a1d7e10";
pub(crate) const FIRST: &str = "346dd239-cbe4-44fe-b9ee-be88fd2fa853";
pub(crate) const OF_SECOND: &str = "fbea0f23-e783-44e8-9cdc-9c4f69430f88";
pub(crate) const OF_B: &str = "dfe225ef-2a38-481b-83bd-c93b72cb2542";
pub(crate) const NOBODY: &str = "00000000-0000-4000-8000-0000000000ff";
pub(crate) const LABEL_1: &str = "b9a8f981-44e9-424c-89b5-79cde82a5fad";
pub(crate) const LABEL_2: &str = "eb4f3069-6a54-41b9-82e0-f95a8dd98ad1";
pub(crate) const USER: &str = "c0cd66fe-c08b-46c2-9697-e5ed9a927969";
pub(crate) const SECRET: &str = "lumyri-demo-secret";

/// The demo data in memory, at the demo's clock, with ids that count from 1.
pub(crate) struct Shop {
    pub(crate) store: Store,
    pub(crate) app: Router,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::with(Mapping::default(), None).await
    }

    pub(crate) async fn with(mapping: Mapping, app_of_churnkey: Option<&str>) -> Self {
        let clock: Clock = "2024-10-10T12:00:00Z".parse().unwrap();
        let store = Store::open(None, clock, Generator::counting())
            .await
            .unwrap();
        assert!(store.load_demo_if_empty().await.unwrap());
        let churnkey = Churnkey {
            scope: store.scope(COMPANY_A.to_owned(), app_of_churnkey.map(str::to_owned)),
            mapping,
        };
        let churnkey = churnkey::integration(churnkey, demo_token().unwrap()).unwrap();
        let app = app(store.clone(), TokenKey::new(SECRET), churnkey);
        Self { store, app }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    /// Sends a request of a caller.
    pub(crate) async fn call(
        &self,
        as_whom: &As,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let body = body.map(Value::to_string);
        let json = Some("application/json");
        self.call_raw(as_whom, method, path, json, body.unwrap_or_default())
            .await
    }

    pub(crate) async fn call_raw(
        &self,
        as_whom: &As,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &as_whom.headers {
            request = request.header(name, value);
        }
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn get(&self, as_whom: &As, path: &str) -> Answer {
        self.call_raw(as_whom, "GET", path, None, Body::empty())
            .await
    }

    pub(crate) async fn create(&self, as_whom: &As, body: &Value) -> Answer {
        self.call(as_whom, "POST", "/users/customers", Some(body))
            .await
    }

    pub(crate) async fn update(&self, as_whom: &As, id: &str, body: &Value) -> Answer {
        let path = format!("/users/customers/{id}");
        self.call(as_whom, "PUT", &path, Some(body)).await
    }

    pub(crate) async fn delete(&self, as_whom: &As, ids: &[&str]) -> Answer {
        let body = json!({"customer_ids": ids});
        self.call(as_whom, "DELETE", "/users/customers", Some(&body))
            .await
    }

    pub(crate) async fn detail(&self, as_whom: &As, id: &str) -> Answer {
        self.get(as_whom, &format!("/users/customers/{id}")).await
    }

    /// Churnkey's client, for company A.
    pub(crate) fn churnkey(&self) -> Client {
        Client::new(self.app.clone(), demo_token().unwrap())
    }
}

impl Answer {
    /// The code of an error, whose shape is checked.
    #[track_caller]
    pub(crate) fn error(&self) -> (u16, &str) {
        let (status, body) = (self.status, &self.body);
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(body["data"], Value::Null, "{status} {body}");
        assert_eq!(body.as_object().unwrap().len(), 2, "{status} {body}");
        let error = body["error"].as_object().unwrap();
        assert_eq!(error.len(), 2, "{status} {body}");
        assert!(!error["message"].as_str().unwrap().is_empty());
        (status, error["code"].as_str().unwrap())
    }

    /// The data of a success in an envelope.
    #[track_caller]
    pub(crate) fn data(&self, status: StatusCode) -> &Value {
        assert_eq!(self.status, status.as_u16(), "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.body["error"], Value::Null);
        assert_eq!(self.body.as_object().unwrap().len(), 2);
        &self.body["data"]
    }

    #[track_caller]
    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap()
    }
}

/// A caller: their headers.
#[derive(Clone, Default)]
pub(crate) struct As {
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl As {
    /// Company A in its main app.
    pub(crate) fn a() -> Self {
        Self::of(COMPANY_A).in_app(MAIN)
    }

    /// Company B in its main app.
    pub(crate) fn b() -> Self {
        Self::of(COMPANY_B).in_app(MAIN)
    }

    /// A company, with no app.
    pub(crate) fn of(company: &str) -> Self {
        let claims = json!({"company_id": company, "iss": "lumyri-demo", "user_id": USER});
        Self::holding(&token(&claims))
    }

    pub(crate) fn holding(token: &str) -> Self {
        Self::default().with("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn in_app(self, app: &str) -> Self {
        self.with("x-app-id", app)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let name = name.parse().unwrap();
        self.headers.push((name, value.parse().unwrap()));
        self
    }
}

/// A token as Lumyri issues it.
pub(crate) fn token(claims: &Value) -> String {
    signed(&json!({"alg": "HS256", "typ": "JWT"}), claims, SECRET)
}

pub(crate) fn signed(header: &Value, claims: &Value, secret: &str) -> String {
    let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let tag = mac.chain_update(&message).finalize().into_bytes();
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

/// For a property, which is no `async fn`.
/// A customer with only the required fields.
pub(crate) fn minimal(email: &str) -> Value {
    json!({"first_name": "New", "last_name": "One", "email": email})
}
