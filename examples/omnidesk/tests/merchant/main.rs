//! The merchant as its clients and Churnkey see it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod access;
mod bad_input;
mod cases;
mod changing;
mod conformance;
mod creating;
mod crm;
mod deadline;
mod https;
mod mapping;
mod process;
mod properties;
mod reading;
mod removing;
mod timeline;

use axum::{
    Router,
    body::Body,
    http::{Request, header::CONTENT_TYPE},
};
use churnkey_conformance::Client;
use example_app::{Clock, demo_token};
use http_body_util::BodyExt;
use omnidesk::{
    api::Api,
    churnkey::{Churnkey, Mapping, integration},
    crm::Crm,
    store::{Scope, Store},
};
use serde_json::{Value, json};
use tower::ServiceExt;

const KEY: &str = "od-demo-read-cud";
const NOW: &str = "2024-10-10 12:00:00";

/// The merchant in this process, with the demo data.
#[derive(Clone)]
struct Shop {
    store: Store,
    app: Router,
}

/// An answer of the merchant's own API.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    allow: Option<String>,
    body: Value,
}

impl Shop {
    async fn open() -> Self {
        let store = Store::open(None).await.unwrap();
        assert!(store.load_demo(NOW).await.unwrap());
        Self::over(store)
    }

    fn over(store: Store) -> Self {
        let customers = churnkey(&store, Scope::AllBrands);
        let churnkey = integration(customers, demo_token().unwrap()).unwrap();
        let api = Api {
            store: store.clone(),
            clock: Clock::Frozen("2024-10-10T12:00:00Z".parse().unwrap()),
            crm: Crm::default(),
        };
        let app = api.into_router().merge(churnkey.into_router());
        Self { store, app }
    }

    /// Churnkey, calling this merchant.
    fn churnkey(&self) -> Client {
        Client::new(self.app.clone(), demo_token().unwrap())
    }

    /// Sends a request as it is, and checks that the answer is JSON in one of the API's shapes.
    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        assert_eq!(parts.headers[CONTENT_TYPE], "application/json");
        let body: Value = serde_json::from_slice(&bytes).unwrap();
        if parts.status.is_success() {
            assert!(body["type"].is_string(), "{body}");
        } else {
            let message = body["message"].as_str().unwrap();
            assert!(message.ends_with('.'), "{body}");
            assert_eq!(body, json!({"status": "error", "message": message}));
        }
        let allow = parts.headers.get("allow");
        Answer {
            status: parts.status.as_u16(),
            allow: allow.map(|allow| allow.to_str().unwrap().to_owned()),
            body,
        }
    }

    /// Calls `/api/v2/customer` and this path with the key that has all permissions.
    async fn call(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v2/customer{path}"))
            .header("apiKey", KEY);
        let request = if fields.is_empty() {
            request.body(Body::empty())
        } else {
            let mut body = form_urlencoded::Serializer::new(String::new());
            body.extend_pairs(fields);
            request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(body.finish()))
        };
        self.send(request.unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[]).await
    }

    /// One customer as the API shows them.
    async fn item(&self, id: i64) -> Value {
        let mut answer = self.get(&format!("/{id}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["item"].take()
    }

    /// The addresses of a customer, as `channel address`.
    async fn addresses(&self, id: i64) -> Vec<String> {
        let item = self.item(id).await;
        let channels = item["channels"].as_array().unwrap().iter();
        let text = |channel: &Value, key: &str| channel[key].as_str().unwrap().to_owned();
        channels
            .map(|one| format!("{} {}", text(one, "channel_name"), text(one, "address")))
            .collect()
    }

    /// The tickets of a customer.
    async fn tickets(&self, brand: i64, external_id: &str) -> Vec<i64> {
        let path = "/timelineByCustomerExternalID?getTicketHistory";
        let path = format!("{path}&brand_id={brand}&external_id={external_id}");
        let answer = self.get(&path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let items = answer.body["items"].as_array().unwrap().iter();
        items
            .filter_map(|item| item["ticket_id"].as_i64())
            .collect()
    }
}

/// Some of a store's customers, shown as they are.
fn churnkey(store: &Store, scope: Scope) -> Churnkey {
    Churnkey {
        store: store.clone(),
        scope,
        mapping: Mapping::default(),
    }
}

impl Answer {
    #[track_caller]
    fn done(&self, message: &str) -> &Value {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.body["type"], "result");
        assert_eq!(self.body["message"], message);
        &self.body
    }

    #[track_caller]
    fn refused(&self, status: u16, message: &str) {
        assert_eq!(
            (self.status, self.body["message"].as_str()),
            (status, Some(message))
        );
    }
}
