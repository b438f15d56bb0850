//! Controllers that fail, panic, hang or return wrong records, and what the caller sees of it.

use std::{sync::Arc, time::Duration};

use crate::merchants::client_of;
use axum::{Extension, Router};
use churnkey_conformance::Client;
use churnkey_integrator::{
    CustomerId, CustomersController, Email, HandlerError, Integration, IntegrationBuilder, Mode,
    Page, PageRequest, RequestContext, Result, controller, model::Customer,
};
use serde_json::json;

use crate::{merchants::token, socket::Server};

/// Behaves as the id says.
struct Moody;

#[derive(Clone)]
struct Tenant(&'static str);

#[controller]
impl CustomersController for Moody {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        match id.as_str() {
            "foreign-error" => Ok(Some(
                "customer"
                    .parse::<u8>()
                    .map(|_| Customer::new(id.clone()))?,
            )),
            "text" => Err("password=hunter2 at /srv/shop/db.rs".into()),
            "rejection" => {
                Err(HandlerError::bad_request("annual plans can't be paused")
                    .with_source("hunter2"))
            }
            "conflict" => Err(HandlerError::conflict("the customer is being merged")),
            "away" => Err(HandlerError::unavailable(
                Duration::from_millis(1500),
                "hunter2",
            )),
            "panic" => panic!("hunter2"),
            "hang" => std::future::pending().await,
            "another" => Ok(Some(Customer::new(CustomerId::new("cus_1")?))),
            "tenant" => {
                let tenant = cx.extension::<Tenant>().map_or("none", |tenant| tenant.0);
                Ok(Some(Customer::new(id.clone()).with_name(tenant.to_owned())))
            }
            "time" => {
                let left = cx.time_left() <= Duration::from_millis(200);
                Ok(left.then(|| Customer::new(id.clone())))
            }
            _ => Ok(None),
        }
    }

    async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let five = (1..=5).map(|n| CustomerId::new(format!("cus_{n}")).map(Customer::new));
        let five = five.collect::<Result<Vec<_>, _>>()?;
        match page.limit() {
            // A key of another type than the one that the next page asks for, as after a release.
            1 => Ok(Page::from_overfetch(five, page, |last| last.id().clone())?),
            // A key that no cursor can hold.
            3 => Ok(Page::from_overfetch(five, page, |_| "x".repeat(1000))?),
            4 => Ok(Page::new(five, None)),
            _ => {
                let after: u64 = page.after()?.unwrap_or(0);
                Ok(Page::from_overfetch(five, page, |_| after + 1)?)
            }
        }
    }

    async fn find_by_email(&self, _: &RequestContext, _: &Email) -> Result<Option<Customer>> {
        Err("SELECT * FROM customers WHERE email = 'ada@example.com'".into())
    }
}

fn moody() -> IntegrationBuilder {
    Integration::builder("Moody", token())
        .customers(Moody)
        .deadline(Duration::from_millis(200))
}

fn client() -> Client {
    client_of(&moody().build().unwrap())
}

#[tokio::test]
async fn what_goes_wrong_inside_is_a_500_with_a_fixed_sentence() {
    for id in [
        "foreign-error",
        "text",
        "panic",
        "another",
        "email/ada@example.com",
    ] {
        let answer = client().get(&format!("/churnkey/customers/{id}")).await;
        let fixed = json!({"code": 500, "message": "Internal Server Error"});
        assert_eq!((answer.status(), answer.into_body()), (500, fixed), "{id}");
    }
}

#[tokio::test]
async fn a_rejection_reaches_the_caller_word_for_word() {
    for (id, status, message) in [
        ("rejection", 400, "annual plans can't be paused"),
        ("conflict", 409, "the customer is being merged"),
    ] {
        let answer = client().get(&format!("/churnkey/customers/{id}")).await;
        let expected = json!({"code": status, "message": message});
        assert_eq!((answer.status(), answer.into_body()), (status, expected));
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_a_503_that_says_when_to_come_back() {
    let answer = client().get("/churnkey/customers/away").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.body()["message"], "Service Unavailable");
    assert_eq!(answer.header("retry-after"), Some("2"));
}

#[tokio::test]
async fn a_controller_that_hangs_is_a_503_at_the_deadline() {
    let started = std::time::Instant::now();
    let answer = client().get("/churnkey/customers/hang").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(client().get("/churnkey/customers/time").await.status(), 200);
}

#[tokio::test]
async fn a_panic_harms_no_other_request() {
    let client = client();
    for _ in 0..100 {
        assert_eq!(client.get("/churnkey/customers/panic").await.status(), 500);
    }
    assert_eq!(client.get("/churnkey/customers/nobody").await.status(), 404);
}

#[tokio::test]
async fn another_customers_record_is_never_served() {
    let answer = client().get("/churnkey/customers/another").await;
    assert!(!String::from_utf8_lossy(answer.bytes()).contains("cus_1"));
    assert_eq!(
        answer.cause(),
        Some(
            "retrieve returned a record with another id than the one that was asked for, so nothing was served: \
             compare ids byte by byte"
        )
    );
}

#[tokio::test]
async fn a_page_over_the_limit_is_not_cut_down_in_silence() {
    let answer = client().get("/churnkey/customers?limit=4").await;
    assert_eq!(answer.status(), 500);
    let cause = answer.cause().unwrap();
    assert!(
        cause.starts_with("the page holds 5 records though 4 were asked for"),
        "{cause}"
    );
}

#[tokio::test]
async fn a_cursor_of_a_former_release_is_a_400_and_one_that_is_too_long_is_not_issued() {
    let client = client();
    let first = client.get("/churnkey/customers?limit=1").await;
    let next = first.body()["next"].as_str().unwrap();
    let answer = client
        .get(&format!("/churnkey/customers?limit=2&cursor={next}"))
        .await;
    assert_eq!(
        answer.into_body(),
        json!({"code": 400, "message": "Invalid cursor"})
    );
    let answer = client.get("/churnkey/customers?limit=3").await;
    assert_eq!(answer.status(), 500);
    let cause = answer.cause().unwrap();
    assert!(
        cause.starts_with("the signed cursor has 1359 bytes, but at most 512"),
        "{cause}"
    );
}

#[tokio::test]
async fn the_apps_own_layers_can_hand_values_in() {
    let app = Router::new()
        .merge(moody().build().unwrap().into_router())
        .layer(Extension(Tenant("north")));
    let client = Client::new(app, token());
    let answer = client.get("/churnkey/customers/tenant").await;
    assert_eq!(answer.body()["name"], "north");
}

#[tokio::test]
async fn a_body_that_never_ends_is_answered_at_the_deadline() {
    let server = Server::start(moody().build().unwrap().into_router(), &token()).await;
    let head = "POST /churnkey/customers HTTP/1.1\r\nHost: m\r\nContent-Length: 10\r\n\
                Authorization: ck-demo-integration-token-0001\r\nConnection: close\r\n\r\n{";
    let reply = server.exchange(head.as_bytes()).await;
    assert_eq!(reply.error(), (408, "Request Timeout".to_owned()));
}

#[tokio::test]
async fn a_controller_can_be_called_directly_and_behind_arcs() {
    let controller: Arc<dyn CustomersController> = Arc::new(Arc::new(Moody));
    let cx = RequestContext::for_test(Mode::Test);
    let id = CustomerId::new("tenant").unwrap();
    let found = controller.retrieve(&cx, &id).await.unwrap().unwrap();
    assert_eq!(found.name(), Some("none"));

    let integration = Integration::builder("Moody", token())
        .customers(controller)
        .build();
    let names: Vec<&str> = integration
        .unwrap()
        .operations()
        .map(|o| o.name())
        .collect();
    let expected = [
        "features",
        "customers.retrieve",
        "customers.list",
        "customers.find_by_email",
    ];
    assert_eq!(names, expected);
}
