//! Notihub as its own clients, Churnkey and its operator use it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bad_input;
mod cases;
mod conformance;
mod contacts;
mod customers;
mod deadline;
mod mapping;
mod preferences;
mod process;
mod properties;
mod tokens;
mod transactions;

use std::path::Path;

use axum::Router;
use churnkey_conformance::Client;
use churnkey_integrator::Mode;
use example_app::{Generator, demo_token};
use merchant_cases::text;
use notihub::{
    app,
    churnkey::{self, Churnkey, Key, Mapping},
    store::{Environment, Store},
};
use serde_json::Value;

pub(crate) const TOKEN: &str = "1111111111111111111111111111111111111111111111111111111111111111";
pub(crate) const DEV_TOKEN: &str =
    "2222222222222222222222222222222222222222222222222222222222222222";

/// A customer with an e-mail address and a phone number, both primary and verified.
pub(crate) const C3: &str = "5b1c6f0e-3a57-4c1e-9d0b-0f6f5b7a1c03";
/// A customer who is identified only by an e-mail address.
pub(crate) const C4: &str = "5b1c6f0e-3a57-4c1e-9d0b-0f6f5b7a1c04";
/// An enabled customer with the e-mail address that a disabled one has, too.
pub(crate) const ENABLED: &str = "0f42b842-007d-4c98-9160-ae6b6e908ca0";
/// A disabled customer with a push token.
pub(crate) const DISABLED: &str = "af32b842-007d-4c98-9160-ae6b6e908ca1";
/// A customer of the other environment.
pub(crate) const IN_DEV: &str = "5b1c6f0e-3a57-4c1e-9d0b-0f6f5b7a1c07";

/// The app in process, with the demo data.
pub(crate) struct Merchant {
    pub(crate) store: Store,
    pub(crate) app: Router,
    client: Client,
}

impl Merchant {
    pub(crate) async fn new() -> Self {
        Self::at(None).await
    }

    pub(crate) async fn at(database: Option<&Path>) -> Self {
        Self::with(database, Key::CustomerId, Mapping::default()).await
    }

    pub(crate) async fn with(database: Option<&Path>, key: Key, mapping: Mapping) -> Self {
        let clock = merchant_cases::CLOCK.parse().unwrap();
        let store = Store::open(database, clock, Generator::counting()).await;
        let store = store.unwrap();
        store.load_demo_if_empty().await.unwrap();
        let churnkey = Churnkey {
            live: store.environment("prod").await.unwrap(),
            test: store.environment("dev").await.unwrap(),
            key,
            mapping,
        };
        let token = demo_token().unwrap();
        let integration = churnkey::integration(churnkey, token.clone()).unwrap();
        let app = app(store.clone(), integration);
        Self {
            client: Client::new(app.clone(), token),
            app,
            store,
        }
    }

    pub(crate) async fn environment(&self, name: &str) -> Environment {
        self.store.environment(name).await.unwrap().unwrap()
    }

    /// A call of Notihub's own API in the environment `prod`.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let headers = [("authorization", BEARER)];
        self.raw(method, path, &headers, text(&body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, Value::Null).await
    }

    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> (u16, Value) {
        let answer = merchant_cases::send(&self.client, method, path, headers, body).await;
        (answer.status(), answer.into_body())
    }

    /// The answer to Churnkey in live mode.
    pub(crate) async fn churnkey(&self, path: &str) -> (u16, Value) {
        merchant_cases::churnkey(&self.client, path).await
    }

    /// The answer to Churnkey in test mode.
    pub(crate) async fn churnkey_in_test(&self, path: &str) -> (u16, Value) {
        merchant_cases::churnkey(&self.client.in_mode(Mode::Test), path).await
    }
}

pub(crate) const BEARER: &str =
    "Bearer 1111111111111111111111111111111111111111111111111111111111111111";

/// An expected error.
pub(crate) fn error(code: u16, message: &str) -> (u16, Value) {
    (code, serde_json::json!({"code": code, "message": message}))
}
