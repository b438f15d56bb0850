//! What a page of customers costs beyond the writing of its JSON.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark that can't run should stop"
)]

mod ratio;

use std::{hint::black_box, sync::Arc};

use axum::{Router, body::Body, extract::Request, response::Response};
use churnkey_integrator::{
    Currency, Cursor, CustomerId, CustomersController, Email, Integration, IntegrationToken, Mode,
    Page, PageRequest, Phone, RequestContext, Result, Timestamp, controller,
    model::{Address, Country, Customer},
    sign,
};
use http::{HeaderMap, Method, StatusCode, Uri};
use http_body_util::BodyExt;
use ratio::{Goals, compare};
use serde::Serialize;
use tower::ServiceExt;

/// A page that the controller has at hand already, so that the store costs nothing but the clone of its rows.
struct Shop {
    customers: Arc<Vec<Customer>>,
    next: Cursor,
}

#[controller]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Ok(None)
    }

    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Customer>> {
        Ok(Page::new(self.customers.to_vec(), Some(self.next.clone())))
    }
}

/// What the answer holds.
#[derive(Serialize)]
struct PageBody<'a> {
    data: &'a [Customer],
    next: &'a str,
}

fn customer(number: usize) -> Customer {
    let address = Address::new()
        .with_country(Country::new("GB").unwrap())
        .with_city("London")
        .with_postal_code("SW1Y 4JH")
        .with_line1("12 St James's Square");
    Customer::new(CustomerId::new(format!("cus_{number:08}")).unwrap())
        .with_name("Ada")
        .with_last_name("Lovelace")
        .with_email(Email::new(format!("ada.{number:08}@example.com")).unwrap())
        .with_phone(Phone::new("+441632960001").unwrap())
        .with_addresses([address])
        .with_currency(Currency::new("USD").unwrap())
        .with_metadata([("plan", "pro")])
}

fn main() {
    // Shared, because where rows lie in memory shows in the time.
    let customers: Arc<Vec<Customer>> = Arc::new((0..100).map(customer).collect());
    let token = IntegrationToken::new("a-token-for-the-benchmarks-only!").unwrap();
    let now = Timestamp::from_unix_seconds(1_767_225_600).unwrap();
    let shop = Shop {
        customers: Arc::clone(&customers),
        next: Cursor::new(&("2026-01-01", 100)).unwrap(),
    };
    let integration = Integration::builder("Acme", token.clone()).customers(shop);
    let router: Router = integration
        .clock(move || now)
        .build()
        .unwrap()
        .into_router();

    let path = "/churnkey/customers?limit=100";
    let signature = sign(&token, &Method::GET, path, Mode::Live, b"", now);
    let headers: HeaderMap = signature.headers().collect();
    let uri = Uri::from_static(path);
    let get = async || -> Response {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = headers.clone();
        router.clone().oneshot(request).await.unwrap()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();

    let bytes = runtime.block_on(async {
        let answer = get().await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.into_body().collect().await.unwrap().to_bytes()
    });
    let answer: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let next = answer["next"].as_str().unwrap();
    let write = |data: &[Customer]| serde_json::to_vec(&PageBody { data, next }).unwrap();
    assert_eq!(bytes, write(&customers));

    let mut ours = |n| {
        runtime.block_on(async {
            for _ in 0..n {
                drop(black_box(get().await));
            }
        });
    };
    let goals = Goals {
        instructions: Some(1.1),
        time: Some(1.1),
    };
    let both_clone = compare(
        "page of 100, rows cloned by both",
        20,
        &goals,
        &mut ours,
        |n| (0..n).for_each(|_| drop(black_box(write(&black_box(&customers).to_vec())))),
    );
    let goals = Goals {
        instructions: None,
        time: None,
    };
    let writing_alone = compare(
        "page of 100, rows cloned by ours",
        20,
        &goals,
        &mut ours,
        |n| (0..n).for_each(|_| drop(black_box(write(black_box(&customers))))),
    );
    if let (Some((ours, rival)), Some((_, writing))) = (both_clone, writing_alone) {
        let beyond = 1.0 + (ours - rival) / writing;
        println!("  instructions without the clone, against the writing alone: {beyond:.2}");
    }
}
