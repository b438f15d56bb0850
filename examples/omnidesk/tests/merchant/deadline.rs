//! Slow requests are answered with an error, and don't block others.

use axum::http::{Request, request};
use merchant_cases::{answer_behind_hanging, answer_to_unfinished_body};
use serde_json::json;

use crate::{KEY, Shop};

fn request(method: &str) -> request::Builder {
    Request::builder()
        .method(method)
        .uri("/api/v2/customer")
        .header("apiKey", KEY)
        .header("content-type", "application/x-www-form-urlencoded")
}

#[tokio::test]
async fn a_body_that_never_arrives_is_a_408() {
    let shop = Shop::open().await;
    let body = "brand_id=1&primary_id=";
    let answer = answer_to_unfinished_body(&shop.app, request("POST"), body).await;
    let answer = answer.unwrap();
    let late = json!({"status": "error", "message": "The body did not arrive within 8 seconds."});
    assert_eq!((answer.status, answer.json()), (408, Some(late)));
    let fields = [("brand_id", "1"), ("primary_id", "new")];
    let created = shop.call("POST", "", &fields).await;
    created.done("User created and channel linked.");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_a_503() {
    let shop = Shop::open().await;
    let answer = answer_behind_hanging(&shop.app, request("GET"), request("GET")).await;
    let answer = answer.unwrap();
    let late = json!({"status": "error", "message": "The request took more than 10 seconds, please try again."});
    assert_eq!((answer.status, answer.json()), (503, Some(late)));
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(shop.get("").await.status, 200);
}
