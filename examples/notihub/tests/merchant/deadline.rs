//! Slow requests are answered with an error, and don't block others.

use http::request;
use merchant_cases::{Answer, answer_behind_hanging, answer_to_unfinished_body};
use serde_json::{Value, json};

use crate::{BEARER, Merchant, error};

fn request(method: &str) -> request::Builder {
    http::Request::builder()
        .method(method)
        .uri("/customers")
        .header("authorization", BEARER)
}

fn told(answer: Option<Answer>) -> (u16, Value) {
    let answer = answer.unwrap();
    assert_eq!(answer.headers["content-type"], "application/json");
    (answer.status, answer.json().unwrap())
}

#[tokio::test]
async fn a_body_that_never_arrives_is_a_408() {
    let merchant = Merchant::new().await;
    let body = r#"{"externalId": "half", "#;
    let answer = answer_to_unfinished_body(&merchant.app, request("POST"), body).await;
    let late = error(408, "The body did not arrive within 8 seconds");
    assert_eq!(told(answer), late);
    let new = json!({"externalId": "half"});
    assert_eq!(merchant.call("POST", "/customers", new).await.0, 201);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_a_503() {
    let merchant = Merchant::new().await;
    let answer = answer_behind_hanging(&merchant.app, request("GET"), request("GET")).await;
    let late = error(503, "The request took more than 10 seconds, try again");
    assert_eq!(told(answer), late);
    assert_eq!(merchant.get("/customers").await.0, 200);
}
