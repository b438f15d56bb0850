//! Whatever is sent, the answer is JSON in Notihub's shape.

use serde_json::{Value, json};

use crate::{BEARER, C3, Merchant, error};

const AUTHORIZED: (&str, &str) = ("authorization", BEARER);

#[tokio::test]
async fn what_is_no_json_is_refused_in_the_own_shape() {
    let merchant = Merchant::new().await;
    let deep = "[".repeat(100_000);
    let bodies: [&[u8]; 8] = [
        b"",
        b"{",
        b"{\"externalId\": \"x\",}",
        b"{\"externalId\": \"\xff\"}",
        b"{\"externalId\": \"\\ud800\"}",
        b"externalId=x",
        b"{} {}",
        deep.as_bytes(),
    ];
    for body in bodies {
        for (method, path) in [
            ("POST", "/customers".to_owned()),
            ("PUT", format!("/customers/{C3}")),
            ("POST", format!("/customers/{C3}/contacts")),
            ("PUT", format!("/customers/{C3}/contacts")),
            ("PUT", format!("/customers/{C3}/contacts/11")),
            ("POST", format!("/customers/{C3}/preferences")),
        ] {
            let answer = merchant.raw(method, &path, &[AUTHORIZED], body).await;
            assert_eq!(answer, error(400, "Malformed JSON"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_list_is_no_object_also_if_its_items_would_do() {
    let merchant = Merchant::new().await;
    let item = json!({"externalId": "x", "type": "PHONE", "value": "123", "contactId": 11});
    for body in [json!([]), json!(["x"]), json!([item]), json!(5)] {
        for (method, path) in [
            ("POST", "/customers".to_owned()),
            ("PUT", format!("/customers/{C3}")),
            ("POST", format!("/customers/{C3}/contacts")),
            ("PUT", format!("/customers/{C3}/contacts")),
            ("PUT", format!("/customers/{C3}/contacts/11")),
        ] {
            let answer = merchant.call(method, &path, body.clone()).await;
            let expected = error(400, "The body must be a JSON object");
            assert_eq!(answer, expected, "{method} {path} {body}");
        }
    }
}

#[tokio::test]
async fn a_content_type_is_json_or_not_given() {
    let merchant = Merchant::new().await;
    let body = r#"{"type": "PHONE", "value": "123"}"#;
    let path = format!("/customers/{C3}/contacts");
    for (content_type, status) in [
        ("application/json", 201),
        ("Application/JSON; charset=utf-8", 201),
        ("application/vnd.notihub+json", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data", 415),
        ("application/jsonp", 415),
        ("", 415),
    ] {
        let headers = [AUTHORIZED, ("content-type", content_type)];
        let (got, answer) = merchant.raw("POST", &path, &headers, body).await;
        assert_eq!(got, status, "{content_type}");
        if status == 415 {
            let expected = error(415, "Content type must be application/json");
            assert_eq!((got, answer), expected);
        }
    }
}

#[tokio::test]
async fn a_body_has_at_most_one_mebibyte() {
    let merchant = Merchant::new().await;
    let sized = |size: usize| {
        let around = r#"{"externalId":"big","metadata":""}"#.len();
        let metadata = "m".repeat(size - around);
        format!(r#"{{"externalId":"big","metadata":"{metadata}"}}"#)
    };
    let post = async |size| {
        merchant
            .raw("POST", "/customers", &[AUTHORIZED], sized(size))
            .await
    };
    for size in [1024 * 1024 + 1, 2 * 1024 * 1024, 16 * 1024 * 1024] {
        assert_eq!(post(size).await, error(413, "Body too large"));
    }
    assert_eq!(post(1024 * 1024).await.0, 201);
}

#[tokio::test]
async fn two_mebibytes_are_answered_over_a_socket_too() {
    let program = crate::cases::merchant().start().await.unwrap();
    for (authorization, status) in [(BEARER, 413), ("Bearer x", 401)] {
        let request = merchant_cases::Request {
            method: "POST".to_owned(),
            path: "/customers".to_owned(),
            headers: vec![("authorization".to_owned(), authorization.to_owned())],
            body: Some(vec![b' '; 2 * 1024 * 1024]),
        };
        let answer = program.send(&request).await.unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(answer.json().unwrap()["code"], status);
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_in_the_own_shape() {
    let merchant = Merchant::new().await;
    for (method, path, expected) in [
        ("GET", "/messages/".to_owned(), error(404, "Not found")),
        (
            "GET",
            "/customers/a/b/c/d".to_owned(),
            error(404, "Not found"),
        ),
        (
            "PATCH",
            format!("/customers/{C3}"),
            error(405, "Method not allowed"),
        ),
        (
            "OPTIONS",
            "/customers".to_owned(),
            error(405, "Method not allowed"),
        ),
        (
            "FROBNICATE",
            "/customers".to_owned(),
            error(405, "Method not allowed"),
        ),
        (
            "DELETE",
            "/customers".to_owned(),
            error(405, "Method not allowed"),
        ),
        (
            "GET",
            format!("/customers/{C3}/contacts"),
            error(405, "Method not allowed"),
        ),
        ("GET", "/token".to_owned(), error(405, "Method not allowed")),
    ] {
        assert_eq!(
            merchant.call(method, &path, Value::Null).await,
            expected,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn ids_of_any_form_are_unknown() {
    let merchant = Merchant::new().await;
    let long = "x".repeat(4000);
    let upper = C3.to_uppercase();
    for id in [
        "customer-id",
        "0",
        "-1",
        "%00",
        "%ff%fe",
        "..",
        "%2e%2e%2ftoken",
        "'%20OR%20'1'='1",
        "%F0%9F%98%80",
        &long,
        &upper,
    ] {
        let answer = merchant.get(&format!("/customers/{id}")).await;
        assert_eq!(answer, error(404, "Customer Not found"), "{id}");
    }
}

#[tokio::test]
async fn sql_and_control_characters_are_text_like_any_other() {
    let merchant = Merchant::new().await;
    for (number, text) in [
        "'); DROP TABLE customers; --",
        "\" OR \"\"=\"",
        "\u{0}zero",
        "a\u{1}\u{7f}\u{9f}\u{202e}b",
        "\u{1f600} \u{fdd0} \u{10ffff}",
        "%s{{7*7}}${jndi:x}",
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("n{number}\u{1}@example.com");
        let body = json!({"externalId": text, "metadata": text, "contacts": [{"type": "EMAIL", "value": email}]});
        let (status, created) = merchant.call("POST", "/customers", body).await;
        assert_eq!(status, 201, "{text:?}");
        assert_eq!(
            (&created["externalId"], &created["metadata"]),
            (&json!(text), &json!(text))
        );
        let id = created["customerId"].as_str().unwrap();
        assert_eq!(merchant.get(&format!("/customers/{id}")).await.1, created);
        let term: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let (_, found) = merchant.get(&format!("/customers?search={term}")).await;
        assert_eq!(found, json!([created]), "{text:?}");
        // What Churnkey can't hold is left out, and the rest is there.
        let (status, seen) = merchant.churnkey(&format!("/{id}")).await;
        assert_eq!(
            (status, &seen["metadata"]["externalId"]),
            (200, &json!(text))
        );
        assert_eq!(seen.get("email"), None);
        for field in ["language", "status"] {
            let path = format!("/customers/{id}");
            assert_eq!(
                merchant.call("PUT", &path, json!({field: text})).await.0,
                400
            );
        }
    }
}

#[tokio::test]
async fn of_a_repeated_key_the_last_value_counts() {
    let merchant = Merchant::new().await;
    let body = r#"{"externalId": "first", "externalId": "last"}"#;
    let (_, created) = merchant
        .raw("POST", "/customers", &[AUTHORIZED], body)
        .await;
    assert_eq!(created["externalId"], "last");
}
