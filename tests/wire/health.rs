//! What an app's own readiness route says of the integration.

use crate::{merchants::token, socket::Server};
use axum::{Json, Router, http::StatusCode, routing::get};
use churnkey_integrator::{
    CustomerId, CustomersController, Health, Integration, IntegrationBuilder, RequestContext,
    Result, async_trait, controller,
    idempotency::{Attempt, IdempotencyStore, Known},
    model::Customer,
    replays::{ReplayStore, SignedRead},
};

struct Shop;

#[controller]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        Ok(Some(Customer::new(id.clone())))
    }
}

fn builder() -> IntegrationBuilder {
    Integration::builder("Shop", token()).customers(Shop)
}

/// How a store answers when it is asked whether it can write.
#[derive(Clone, Copy)]
enum Store {
    Answers,
    Fails,
}

impl Store {
    fn answer(self) -> Result<()> {
        match self {
            Self::Answers => Ok(()),
            Self::Fails => Err("the password of postgres://ada:secret@db is wrong".into()),
        }
    }
}

#[async_trait]
impl IdempotencyStore for Store {
    async fn begin(&self, _: &RequestContext, _: &Attempt) -> Result<Known> {
        Ok(Known::New)
    }

    async fn complete(&self, _: &RequestContext, _: &Attempt) -> Result<()> {
        Ok(())
    }

    async fn forget(&self, _: &RequestContext, _: &Attempt) -> Result<()> {
        Ok(())
    }

    async fn check(&self) -> Result<()> {
        self.answer()
    }
}

#[async_trait]
impl ReplayStore for Store {
    async fn is_first(&self, _: &SignedRead) -> Result<bool> {
        Ok(true)
    }

    async fn check(&self) -> Result<()> {
        self.answer()
    }
}

async fn ready(health: Health) -> (StatusCode, String) {
    let ready = async move || {
        let report = health.check().await;
        let status = match report.is_healthy() {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, Json(report))
    };
    let app = Router::new().route("/ready", get(ready));
    let server = Server::start(app, &token()).await;
    let reply = server.request("GET", "/ready").send().await;
    let status = StatusCode::from_u16(reply.status).unwrap();
    (status, String::from_utf8(reply.body).unwrap())
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_named_without_its_error() {
    let serves = r#""serves":["features","customers.retrieve"]"#;
    for (store, status, word) in [
        (Store::Answers, StatusCode::OK, "ok"),
        (Store::Fails, StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    ] {
        let integration = builder().idempotency(store).build().unwrap();
        let said = format!(r#"{{{serves},"idempotency_store":"{word}"}}"#);
        assert_eq!(ready(integration.health()).await, (status, said));

        let integration = builder().refuse_replays(store).build().unwrap();
        let said = format!(r#"{{{serves},"idempotency_store":"ok","replay_store":"{word}"}}"#);
        assert_eq!(ready(integration.health()).await, (status, said));
    }
}
