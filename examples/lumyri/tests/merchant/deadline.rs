//! Slow requests are answered with an error, and don't block others.

use axum::http::{Request, request};
use merchant_cases::{answer_behind_hanging, answer_to_unfinished_body};
use serde_json::json;

use crate::{As, Shop, minimal};

fn request(method: &str) -> request::Builder {
    let builder = Request::builder().method(method).uri("/users/customers");
    let headers = As::a().headers.into_iter();
    headers.fold(builder, |builder, (name, value)| {
        builder.header(name, value)
    })
}

#[tokio::test]
async fn a_body_that_never_arrives_is_a_408() {
    let shop = Shop::open().await;
    let body = r#"{"first_name": "New", "#;
    let answer = answer_to_unfinished_body(&shop.app, request("POST"), body).await;
    let answer = answer.unwrap();
    let reason =
        json!({"code": "request_timeout", "message": "The body did not arrive within 8 seconds"});
    assert_eq!(answer.status, 408);
    assert_eq!(answer.json(), Some(json!({"error": reason, "data": null})));
    let created = shop.create(&As::a(), &minimal("new@example.com")).await;
    assert_eq!(created.status, 201);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_a_503() {
    let shop = Shop::open().await;
    let answer = answer_behind_hanging(&shop.app, request("GET"), request("GET")).await;
    let answer = answer.unwrap();
    let reason = json!({"code": "unavailable", "message": "The request took more than 10 seconds, try again"});
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json(), Some(json!({"error": reason, "data": null})));
    assert_eq!(shop.get(&As::a(), "/users/customers").await.status, 200);
}
