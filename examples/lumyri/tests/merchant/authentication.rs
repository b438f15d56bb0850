//! Tokens and scope (L1, L2, L3).

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    As, COMPANY_A, COMPANY_B, FIRST, MAIN, OF_B, OF_SECOND, SECOND, SECRET, Shop, USER, minimal,
    signed, token,
};

/// 2024-10-10T12:00:00Z, the time of the demo data.
const NOW: i64 = 1_728_561_600;

fn claims() -> Value {
    json!({"company_id": COMPANY_A, "iss": "lumyri-demo", "user_id": USER})
}

fn claims_with(name: &str, value: &Value) -> Value {
    let mut claims = claims();
    claims[name] = value.clone();
    claims
}

#[tokio::test]
async fn the_documented_token_opens_its_company() {
    let shop = Shop::open().await;
    let demo = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjb21wYW55X2lkIjoiMjMxMDgwYzUtYjYyMi00YTI1LWFlZjgtYzdlNDI2OTI3YmIwIiwiaXNzIjoibHVteXJpLWRlbW8iLCJ1c2VyX2lkIjoiYzBjZDY2ZmUtYzA4Yi00NmMyLTk2OTctZTVlZDlhOTI3OTY5In0.cOortJCD_9TfeNjz4TXwkIr6ub6n_zilETJ2437dIx0";
    assert_eq!(token(&claims()), demo);
    let caller = As::holding(demo).in_app(MAIN);
    assert_eq!(shop.detail(&caller, FIRST).await.status, 200);
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_401() {
    let shop = Shop::open().await;
    let hs256 = json!({"alg": "HS256", "typ": "JWT"});
    let good = token(&claims());
    let (rest, tag) = good.rsplit_once('.').unwrap();
    let none = signed(&json!({"alg": "none"}), &claims(), SECRET);
    let unsigned = format!("{}.", none.rsplit_once('.').unwrap().0);
    let tokens = [
        String::new(),
        "x".to_owned(),
        "..".to_owned(),
        format!("{rest}."),
        format!("{rest}.{tag}A"),
        format!("{rest}.{}", &tag[1..]),
        format!("{good}.{tag}"),
        none,
        unsigned,
        signed(&json!({"alg": "HS384", "typ": "JWT"}), &claims(), SECRET),
        signed(&json!({"alg": "RS256", "typ": "JWT"}), &claims(), SECRET),
        signed(&json!({"typ": "JWT"}), &claims(), SECRET),
        signed(&hs256, &claims(), "another secret"),
        signed(&hs256, &claims(), ""),
        token(&json!([])),
        token(&json!({})),
        token(&json!({"company_id": COMPANY_A, "user_id": USER})),
        token(&json!({"company_id": COMPANY_A, "iss": "lumyri-demo"})),
        token(&json!({"iss": "lumyri-demo", "user_id": USER})),
        token(&claims_with("company_id", &json!("A"))),
        token(&claims_with("company_id", &json!(1))),
    ];
    for token in &tokens {
        let answer = shop.get(&As::holding(token).in_app(MAIN), "/labels").await;
        assert_eq!(answer.error(), (401, "unauthorized"), "{token}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
}

#[tokio::test]
async fn a_token_that_ends_is_good_until_then() {
    let shop = Shop::open().await;
    for (claim, value, status) in [
        ("exp", json!(NOW + 1), 200),
        ("exp", json!(NOW), 401),
        ("exp", json!(NOW - 1), 401),
        ("exp", json!(0), 401),
        ("exp", json!(1e300), 200),
        ("exp", json!("soon"), 401),
        ("nbf", json!(NOW), 200),
        ("nbf", json!(NOW + 1), 401),
        ("aud", json!("somebody"), 200),
    ] {
        let token = token(&claims_with(claim, &value));
        let answer = shop.get(&As::holding(&token), "/labels").await;
        assert_eq!(answer.status, status, "{claim} {value}");
    }
}

#[tokio::test]
async fn only_one_bearer_counts_whatever_its_letter_case() {
    let shop = Shop::open().await;
    let token = token(&claims());
    let with = |value: String| As::default().with("authorization", &value);
    let status = async |caller: &As| shop.get(caller, "/labels").await.status;
    assert_eq!(status(&with(format!("bearer {token}"))).await, 200);
    assert_eq!(status(&with(format!("BEARER  {token}"))).await, 200);
    assert_eq!(status(&with(token.clone())).await, 401);
    assert_eq!(status(&with(format!("Basic {token}"))).await, 401);
    assert_eq!(status(&As::default()).await, 401);
    let twice = As::holding(&token).with("authorization", &format!("Bearer {token}"));
    assert_eq!(status(&twice).await, 401);
}

#[tokio::test]
async fn nothing_is_learnt_without_a_token() {
    let shop = Shop::open().await;
    for (method, path) in [
        ("GET", "/users/customers"),
        ("PATCH", "/users/customers"),
        ("GET", "/nothing"),
        ("GET", "/users/customers/x"),
        ("DELETE", "/labels"),
    ] {
        let answer = shop.call(&As::default(), method, path, None).await;
        assert_eq!(answer.error(), (401, "unauthorized"), "{method} {path}");
        assert!(!answer.headers.contains_key("allow"));
    }
}

#[tokio::test]
async fn an_app_is_named_where_records_are_made_or_read() {
    let shop = Shop::open().await;
    let nowhere = As::of(COMPANY_A);
    let path = format!("/users/customers/{FIRST}");
    let created = shop.create(&nowhere, &minimal("a@b.co")).await;
    assert_eq!(created.error(), (400, "validation_error"));
    assert_eq!(created.message(), "x-app-id is required");
    for path in ["/users/customers", &path] {
        let read = shop.get(&nowhere, path).await;
        assert_eq!(read.error(), (400, "validation_error"));
    }
    let change = json!({"first_name": "Ada"});
    let changed = shop.update(&nowhere, FIRST, &change).await;
    assert_eq!(changed.data(StatusCode::OK)["first_name"], "Ada");
    let deleted = shop.delete(&nowhere, &[FIRST]).await;
    assert_eq!(deleted.data(StatusCode::OK), &json!({"message": "OK"}));
}

#[tokio::test]
async fn an_app_must_be_one_uuid() {
    let shop = Shop::open().await;
    let path = format!("/users/customers/{FIRST}");
    for caller in [
        As::of(COMPANY_A).in_app("main"),
        As::of(COMPANY_A).in_app(""),
        As::of(COMPANY_A).in_app(MAIN).in_app(MAIN),
    ] {
        for (method, path) in [("GET", path.as_str()), ("DELETE", "/users/customers")] {
            let answer = shop.call(&caller, method, path, None).await;
            assert_eq!(answer.error(), (400, "validation_error"));
            assert_eq!(answer.message(), "x-app-id must be one UUID");
        }
    }
    let upper = As::of(COMPANY_A).in_app(&MAIN.to_uppercase());
    assert_eq!(shop.detail(&upper, FIRST).await.status, 200);
}

#[tokio::test]
async fn an_app_narrows_what_a_token_opens() {
    let shop = Shop::open().await;
    let (main, second) = (As::a(), As::of(COMPANY_A).in_app(SECOND));
    let not_found = (404, "customer_not_found");
    assert_eq!(shop.detail(&main, OF_SECOND).await.error(), not_found);
    assert_eq!(shop.detail(&second, FIRST).await.error(), not_found);
    let change = json!({"first_name": "Ada"});
    let changed = shop.update(&second, FIRST, &change).await;
    assert_eq!(changed.error(), not_found);
    assert_eq!(shop.delete(&second, &[FIRST]).await.status, 200);
    let still = shop.detail(&main, FIRST).await;
    assert_eq!(still.body["first_name"], "customer");
}

#[tokio::test]
async fn another_company_is_another_world() {
    let shop = Shop::open().await;
    let (a, b) = (As::a(), As::b());
    let not_found = (404, "customer_not_found");
    assert_eq!(shop.detail(&a, OF_B).await.error(), not_found);
    let change = json!({"first_name": "Ada", "company_id": COMPANY_A});
    assert_eq!(shop.update(&a, OF_B, &change).await.error(), not_found);
    assert_eq!(shop.delete(&a, &[OF_B]).await.status, 200);
    assert_eq!(shop.detail(&b, OF_B).await.body["first_name"], "Phan");

    // The body does not set the company of a customer (L2).
    let mut new = minimal("a@b.co");
    new["company_id"] = COMPANY_B.into();
    new["app_id"] = SECOND.into();
    let created = shop.create(&a, &new).await;
    let created = created.data(StatusCode::CREATED);
    assert_eq!(created["company_id"], COMPANY_A);
    assert_eq!(created["app_id"], MAIN);
    let changed = shop.update(&a, FIRST, &json!({"company_id": 1})).await;
    assert_eq!(changed.data(StatusCode::OK)["company_id"], COMPANY_A);
}
