//! Slow requests are answered with an error, and don't block others.

use http::request;
use merchant_cases::{answer_behind_hanging, answer_to_unfinished_body};
use serde_json::json;

use crate::{Merchant, TOKEN};

fn request(method: &str) -> request::Builder {
    http::Request::builder()
        .method(method)
        .uri("/api/customers")
        .header("authorization", TOKEN)
}

#[tokio::test]
async fn a_body_that_never_arrives_is_a_408() {
    let merchant = Merchant::new().await;
    let body = r#"{"name": "#;
    let answer = answer_to_unfinished_body(&merchant.app, request("POST"), body).await;
    let answer = answer.unwrap();
    let late = json!({"message": "The request body did not arrive within 8 seconds."});
    assert_eq!((answer.status, answer.json()), (408, Some(late)));
    // The merchant was authenticated, and the request counted (R8).
    let [limit, remaining] = ["x-ratelimit-limit", "x-ratelimit-remaining"].map(|header| {
        let number = answer.headers[header].to_str().unwrap();
        number.parse::<u32>().unwrap()
    });
    assert_eq!(remaining, limit - 1);
    let created = merchant.call("POST", "/customers", json!({"name": "New"}));
    assert_eq!(created.await.0, 201);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_a_503() {
    let merchant = Merchant::new().await;
    let answer = answer_behind_hanging(&merchant.app, request("GET"), request("GET")).await;
    let answer = answer.unwrap();
    let late = json!({"message": "The request took more than 10 seconds. Please try again."});
    assert_eq!((answer.status, answer.json()), (503, Some(late)));
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(answer.headers["x-ratelimit-limit"], "999");
    assert_eq!(merchant.get("/customers").await.0, 200);
}
