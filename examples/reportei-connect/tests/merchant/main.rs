//! Reportei Connect as its own clients, Churnkey and its operator use it.
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
mod gate;
mod integrations;
mod limits;
mod listing;
mod mapping;
mod metrics;
mod process;
mod properties;
mod transactions;

use std::path::Path;

use axum::Router;
use churnkey_conformance::{Answer, Client};
use churnkey_integrator::{CustomersController, Mode};
use example_app::{Clock, Generator, demo_token};
use merchant_cases::text;
use reportei_connect::{
    app,
    churnkey::{self, Churnkey, Mapping},
    store::{Customers, Store},
};
use serde_json::{Value, json};

/// The merchant Reportei, and the other one.
pub(crate) const REPORTEI: &str = "c1e6c85a-6441-4107-ab36-b8bf581b40e0";
pub(crate) const TRIALING: &str = "5d7c1f3e-2b64-4a0f-9d3a-6f1f8c1e7a02";
pub(crate) const TOKEN: &str = "Bearer rp-demo-merchant-reportei";
pub(crate) const OTHER_TOKEN: &str = "Bearer rp-demo-merchant-trialing";

/// A customer whose trial is over, and one who pays.
pub(crate) const C1: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";
pub(crate) const C2: &str = "073c1e15-94d0-49b3-9861-a0e9b7ffb06c";
/// The other merchant's customer, in the trial.
pub(crate) const C3: &str = "9cdc0998-cd1c-406c-98b2-a40448486657";
pub(crate) const C1_TOKEN: &str =
    "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";
pub(crate) const C2_TOKEN: &str =
    "a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2";
pub(crate) const C3_TOKEN: &str =
    "a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3";
/// What C2 has connected.
pub(crate) const INSTAGRAM: &str = "6110b666-0327-4a81-b48e-9feb34d72f78";
pub(crate) const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// The app in process, with the demo data.
pub(crate) struct Merchant {
    pub(crate) store: Store,
    pub(crate) app: Router,
    client: Client,
}

impl Merchant {
    pub(crate) async fn new() -> Self {
        Self::with(None, Generator::counting()).await
    }

    pub(crate) async fn with(database: Option<&Path>, generator: Generator) -> Self {
        let clock = merchant_cases::CLOCK.parse().unwrap();
        let store = Store::open(database, clock, generator).await.unwrap();
        store.load_demo_if_empty().await.unwrap();
        let churnkey = churnkey(&store, REPORTEI);
        Self::serving(store, churnkey)
    }

    pub(crate) fn serving(store: Store, customers: impl CustomersController) -> Self {
        let token = demo_token().unwrap();
        let integration = churnkey::integration(customers, token.clone()).unwrap();
        let app = app(store.clone(), "https://connect.example", integration);
        Self {
            client: Client::new(app.clone(), token),
            app,
            store,
        }
    }

    /// The same data at another time.
    pub(crate) fn at(&self, clock: &str) -> Self {
        let store = self.store.at(clock.parse::<Clock>().unwrap());
        let churnkey = churnkey(&store, REPORTEI);
        Self::serving(store, churnkey)
    }

    pub(crate) async fn customers(&self, merchant: &str) -> Customers {
        self.store.customers_of(merchant).await.unwrap().unwrap()
    }

    /// A call as the merchant Reportei.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.json(method, path, &[("authorization", TOKEN)], body)
            .await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, Value::Null).await
    }

    /// A call for a customer of Reportei's.
    pub(crate) async fn call_for(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> (u16, Value) {
        let headers = [("authorization", TOKEN), ("x-customer-token", token)];
        self.json(method, path, &headers, body).await
    }

    pub(crate) async fn json(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> (u16, Value) {
        let answer = self.raw(method, path, headers, text(&body)).await;
        (answer.status(), answer.into_body())
    }

    /// A call with any headers and body. Checks what is true of every answer.
    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let answer = merchant_cases::send(&self.client, method, path, headers, body).await;
        for header in ["x-ratelimit-limit", "x-ratelimit-remaining"] {
            let number = answer.header(header).unwrap().parse::<u32>();
            assert!(number.is_ok(), "{path} without {header}");
        }
        if answer.status() >= 400 {
            assert!(answer.body()["message"].is_string(), "{path}");
            assert!(answer.body().get("success").is_none(), "{path}");
        }
        answer
    }

    /// The answer to Churnkey.
    pub(crate) async fn churnkey(&self, path: &str) -> (u16, Value) {
        merchant_cases::churnkey(&self.client, path).await
    }

    pub(crate) async fn churnkey_in_test(&self, path: &str) -> (u16, Value) {
        merchant_cases::churnkey(&self.client.in_mode(Mode::Test), path).await
    }

    pub(crate) async fn manifest(&self) -> Value {
        let manifest = self.client.get("/churnkey/features").await;
        manifest.into_body()
    }
}

pub(crate) fn churnkey(store: &Store, merchant: &str) -> Churnkey {
    Churnkey {
        store: store.clone(),
        merchant: merchant.to_owned(),
        mapping: Mapping::default(),
    }
}

/// An error without fields.
pub(crate) fn error(status: u16, message: &str) -> (u16, Value) {
    (status, json!({"message": message}))
}

/// An error of one field.
pub(crate) fn invalid(field: &str, rule: &str) -> (u16, Value) {
    let errors = json!({field: [rule]});
    (422, json!({"message": rule, "errors": errors}))
}

pub(crate) fn unknown() -> (u16, Value) {
    error(404, "Record not found")
}
