//! What the framework costs beyond a handler that was written by hand for one route.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark that can't run should stop"
)]

mod ratio;
mod rival;

use std::{error::Error, hint::black_box};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
};
use churnkey_integrator::{
    Currency, CustomerId, CustomersController, Email, Integration, IntegrationToken, Mode, Phone,
    RequestContext, Result, Timestamp, async_trait, controller,
    model::{Address, Country, Customer},
    sign,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::BodyExt;
use ratio::{Goals, compare};
use tower::ServiceExt;

const TOKEN: &str = "a-token-for-the-benchmarks-only!";
const PATH: &str = "/churnkey/customers/cus_00000001";

/// One customer, in memory.
#[derive(Clone)]
struct Shop(Customer);

impl Shop {
    fn find(&self, id: &CustomerId) -> Option<Customer> {
        (self.0.id() == id).then(|| self.0.clone())
    }
}

#[controller]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        Ok(self.find(id))
    }
}

#[async_trait]
impl rival::Customers for Shop {
    async fn retrieve(
        &self,
        _: &rival::Context,
        id: &CustomerId,
    ) -> Result<Option<Customer>, Box<dyn Error + Send + Sync>> {
        Ok(self.find(id))
    }
}

fn customer() -> Customer {
    let address = Address::new()
        .with_country(Country::new("GB").unwrap())
        .with_city("London")
        .with_postal_code("SW1Y 4JH");
    Customer::new(CustomerId::new("cus_00000001").unwrap())
        .with_name("Ada")
        .with_last_name("Lovelace")
        .with_email(Email::new("ada.lovelace@example.com").unwrap())
        .with_phone(Phone::new("+441632960001").unwrap())
        .with_addresses([address])
        .with_currency(Currency::new("USD").unwrap())
        .with_metadata([("plan", "pro")])
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

async fn answer(router: &Router, headers: &HeaderMap) -> Answer {
    let response = router.clone().oneshot(get(headers)).await.unwrap();
    let (parts, body) = response.into_parts();
    let mut headers = parts.headers;
    assert!(headers.remove("x-request-id").is_some());
    Answer {
        status: parts.status,
        headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

fn get(headers: &HeaderMap) -> Request {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static(PATH);
    *request.headers_mut() = headers.clone();
    request
}

async fn both_agree(ours: &Router, rival: &Router, headers: &HeaderMap) -> StatusCode {
    let (ours, rival) = (answer(ours, headers).await, answer(rival, headers).await);
    assert_eq!(ours.status, rival.status);
    assert_eq!(ours.body, rival.body);
    assert_eq!(ours.headers, rival.headers);
    ours.status
}

fn main() {
    let token = IntegrationToken::new(TOKEN).unwrap();
    let now = Timestamp::from_unix_seconds(1_767_225_600).unwrap();
    let shop = Shop(customer());
    let integration = Integration::builder("Acme", token.clone()).customers(shop.clone());
    let ours: Router = integration
        .clock(move || now)
        .build()
        .unwrap()
        .into_router();
    let rival = rival::router(TOKEN, move || now.unix_seconds(), shop);

    let signature = sign(&token, &Method::GET, PATH, Mode::Live, b"", now);
    let mut headers: HeaderMap = signature.headers().collect();
    headers.insert(header::HOST, HeaderValue::from_static("shop.example.com"));
    let mut spoilt = headers.clone();
    spoilt.insert("x-churnkey-mode", HeaderValue::from_static("test"));

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        assert_eq!(both_agree(&ours, &rival, &headers).await, StatusCode::OK);
        assert_eq!(
            both_agree(&ours, &rival, &spoilt).await,
            StatusCode::UNAUTHORIZED
        );
    });

    let serve = |router: &Router, n: u64| {
        runtime.block_on(async {
            for _ in 0..n {
                let response = router.clone().oneshot(get(&headers)).await;
                drop(black_box(response));
            }
        });
    };
    let mut ours = |n| serve(&ours, n);
    let mut rival = |n| serve(&rival, n);
    let goals = Goals {
        instructions: Some(1.1),
        time: Some(1.1),
    };
    compare("retrieve", 500, &goals, &mut ours, &mut rival);
    // As an app logs, but for the place that the lines go to.
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(std::io::sink)
        .init();
    compare("retrieve, logged", 500, &goals, &mut ours, &mut rival);
}
