//! Whatever is sent, the answer has Lumyri's shape, and is never a 5xx.

use axum::http::StatusCode;
use merchant_cases::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{As, FIRST, LABEL_1, Shop, minimal};

const JSON: Option<&str> = Some("application/json");

#[tokio::test]
async fn a_body_that_is_no_json_is_400() {
    let shop = Shop::open().await;
    let path = format!("/users/customers/{FIRST}");
    let deep = "[".repeat(100_000);
    for body in [
        "",
        "{",
        "}",
        "null",
        "[]",
        "\"x\"",
        "{'a': 1}",
        "{\"first_name\":\"a\"}}",
        "{\"first_name\":\"a\"} x",
        "{\"first_name\":\"\\ud800\"}",
        "{\"first_name\":\"a\nb\"}",
        "{\"first_name\":NaN}",
        "\u{feff}{}",
        &deep,
        "{\"first_name\":\"a\",\"first_name\":\"b\"}",
        "{\"labels\":[],\"labels\":null}",
    ] {
        for (method, path) in [
            ("POST", "/users/customers"),
            ("PUT", path.as_str()),
            ("DELETE", "/users/customers"),
            ("POST", "/labels"),
            ("DELETE", "/labels"),
        ] {
            let answer = shop
                .call_raw(&As::a(), method, path, JSON, body.to_owned())
                .await;
            assert_eq!(
                answer.error(),
                (400, "validation_error"),
                "{method} {path} {body:.40}"
            );
        }
    }
    let bytes = shop
        .call_raw(
            &As::a(),
            "PUT",
            &path,
            JSON,
            b"{\"first_name\":\"\xff\"}".to_vec(),
        )
        .await;
    assert_eq!(bytes.error(), (400, "validation_error"));
}

/// The documented example has one brace too many (L9).
#[tokio::test]
async fn the_documented_body_is_400_until_its_last_brace_is_gone() {
    let shop = Shop::open().await;
    let printed = format!("{}}}", minimal("new@example.com"));
    let answer = shop
        .call_raw(&As::a(), "POST", "/users/customers", JSON, printed.clone())
        .await;
    assert_eq!(answer.error(), (400, "validation_error"));
    assert_eq!(answer.message(), "The body is not valid JSON");
    let mended = printed.strip_suffix('}').unwrap().to_owned();
    let answer = shop
        .call_raw(&As::a(), "POST", "/users/customers", JSON, mended)
        .await;
    assert_eq!(answer.status, 201);
}

#[tokio::test]
async fn a_message_names_the_field_that_is_wrong() {
    let shop = Shop::open().await;
    let body =
        json!({"address": [{"category": "home", "location": {"name": "x", "geo": [1, "2"]}}]});
    let answer = shop.update(&As::a(), FIRST, &body).await;
    assert!(
        answer
            .message()
            .starts_with("address[0].location.geo[1]: expected a finite number")
    );
}

#[tokio::test]
async fn a_content_type_must_be_jsons_or_not_be_there() {
    let shop = Shop::open().await;
    let path = format!("/users/customers/{FIRST}");
    for (content_type, status) in [
        (None, 200),
        (Some("application/json"), 200),
        (Some("Application/JSON; charset=utf-8"), 200),
        (Some("application/merge-patch+json"), 200),
        (Some("text/plain"), 415),
        (Some("application/x-www-form-urlencoded"), 415),
        (Some("multipart/form-data"), 415),
        (Some("multipart/form-data; boundary=x"), 415),
        (Some("application/jsonx"), 415),
        (Some(""), 415),
    ] {
        let answer = shop
            .call_raw(&As::a(), "PUT", &path, content_type, "{}")
            .await;
        assert_eq!(answer.status, status, "{content_type:?}");
        if status == 415 {
            assert_eq!(answer.error(), (415, "unsupported_media_type"));
        }
    }
}

#[tokio::test]
async fn a_body_has_one_mebibyte_at_most() {
    let shop = Shop::open().await;
    let padded = |length: usize| format!("{{\"avatar\":\"{}\"}}", "x".repeat(length - 13));
    let path = format!("/users/customers/{FIRST}");
    let exact = shop
        .call_raw(&As::a(), "PUT", &path, JSON, padded(1_048_576))
        .await;
    assert_eq!(exact.status, 200);
    for length in [1_048_577, 2_000_000, 20_000_000] {
        let over = shop
            .call_raw(&As::a(), "PUT", &path, JSON, padded(length))
            .await;
        assert_eq!(over.error(), (413, "payload_too_large"));
    }
}

#[tokio::test]
async fn the_free_text_of_an_address_has_500_characters_at_most() {
    let shop = Shop::open().await;
    let body = |length: usize| {
        let name = "\u{eb}".repeat(length);
        json!({"address": [{"category": "Home", "location": {"name": name, "geo": [1, 2]}}]})
    };
    let exact = shop.update(&As::a(), FIRST, &body(500)).await;
    assert_eq!(exact.data(StatusCode::OK)["address"], body(500)["address"]);
    let over = shop.update(&As::a(), FIRST, &body(501)).await;
    assert_eq!(over.error(), (400, "validation_error"));
    let rule = "address: location.name must have at most 500 characters";
    assert_eq!(over.message(), rule);
    let mut new = minimal("long@example.com");
    new["address"] = body(501)["address"].take();
    assert_eq!(shop.create(&As::a(), &new).await.message(), rule);
}

#[tokio::test]
async fn an_id_of_another_form_is_nobodys() {
    let shop = Shop::open().await;
    for id in [
        "x",
        "1",
        "email",
        "..",
        "%2e%2e",
        "%00",
        "%ff",
        "%C3%A9",
        "'%20OR%201=1--",
        &FIRST.replace('-', ""),
        &format!("%7B{FIRST}%7D"),
        &format!("urn:uuid:{FIRST}"),
        &"x".repeat(5000),
    ] {
        for (method, body) in [("GET", None), ("PUT", Some(json!({})))] {
            let path = format!("/users/customers/{id}");
            let answer = shop.call(&As::a(), method, &path, body.as_ref()).await;
            assert_eq!(
                answer.error(),
                (404, "customer_not_found"),
                "{method} {id:.40}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_not_there_has_the_shape_of_an_error() {
    let shop = Shop::open().await;
    for path in [
        "/users",
        "/users/customers/",
        "/users//customers",
        "/users/customers:id",
        "/labels/x",
        "/x?y",
    ] {
        let answer = shop.get(&As::a(), path).await;
        assert_eq!(answer.error(), (404, "not_found"), "{path}");
    }
    let customer = format!("/users/customers/{FIRST}");
    for (method, path, allowed) in [
        ("PUT", "/users/customers", "GET,HEAD,POST,DELETE"),
        ("PATCH", "/users/customers", "GET,HEAD,POST,DELETE"),
        ("BREW", "/users/customers", "GET,HEAD,POST,DELETE"),
        ("DELETE", &customer, "GET,HEAD,PUT"),
        ("POST", &customer, "GET,HEAD,PUT"),
        ("PUT", "/labels", "GET,HEAD,POST,DELETE"),
    ] {
        let answer = shop.call(&As::a(), method, path, None).await;
        assert_eq!(
            answer.error(),
            (405, "method_not_allowed"),
            "{method} {path}"
        );
        assert_eq!(answer.headers["allow"], allowed);
    }
}

#[tokio::test]
async fn the_front_page_is_for_everybody() {
    let shop = Shop::open().await;
    let answer = shop.get(&As::default(), "/").await;
    assert_eq!(answer.status, 200);
    let answer = shop.call(&As::default(), "POST", "/", None).await;
    assert_eq!(answer.error(), (405, "method_not_allowed"));
}

#[tokio::test]
async fn texts_are_stored_as_they_are_whatever_they_look_like() {
    let shop = Shop::open().await;
    let label = json!({"name": "l'); DROP TABLE labels;--", "description": "\"", "color": "%s", "userName": "${x}"});
    assert_eq!(
        shop.call(&As::a(), "POST", "/labels", Some(&label))
            .await
            .status,
        201
    );
    for text in [
        "'; DROP TABLE customers; --",
        "\" OR \"1\"=\"1",
        "%",
        "_",
        "\\",
        "{{x}}",
        "<b>",
        "\u{202e}",
        "\u{1f600}",
    ] {
        let address = json!([{"category": "home", "location": {"name": text, "geo": [1, 2]}}]);
        let body = json!({"first_name": text, "last_name": text, "phone": text, "avatar": text, "address": address});
        let answer = shop.update(&As::a(), FIRST, &body).await;
        assert_eq!(answer.status, 200, "{text}");
        for (field, value) in body.as_object().unwrap() {
            assert_eq!(&answer.body["data"][field], value);
        }
        let query: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let found = shop
            .get(&As::a(), &format!("/users/customers?search={query}"))
            .await;
        assert_eq!(found.body["data"]["total"], 1, "{text}");
    }
}

#[tokio::test]
async fn control_characters_are_refused_in_every_text() {
    let shop = Shop::open().await;
    for character in ["\0", "\n", "\u{7f}", "\u{85}", "\u{1b}[31m"] {
        let text = format!("a{character}b");
        let address = json!([{"category": "home", "location": {"name": text, "geo": [1, 2]}}]);
        for (field, value) in [
            ("first_name", json!(text)),
            ("last_name", json!(text)),
            ("phone", json!(text)),
            ("avatar", json!(text)),
            ("email", json!(format!("{text}@b.co"))),
            ("address", address),
            ("labels", json!([text])),
            ("id", json!(text)),
        ] {
            let answer = shop.update(&As::a(), FIRST, &json!({field: value})).await;
            assert_eq!(
                answer.error(),
                (400, "validation_error"),
                "{field} {text:?}"
            );
        }
    }
}

/// Any JSON, mostly with the fields of a customer.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "\\PC{0,8}",
        ".{0,8}",
        Just("home".to_owned()),
        Just(LABEL_1.to_owned()),
        Just("a@b.co".to_owned())
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    let field = prop_oneof![
        proptest::sample::select(vec![
            "id",
            "first_name",
            "last_name",
            "email",
            "phone",
            "address",
            "avatar",
            "labels",
            "label_ids",
            "category",
            "location",
            "name",
            "geo",
            "customer_ids",
            "description",
            "color",
            "userName",
        ])
        .prop_map(str::to_owned),
        text,
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((field.clone(), inner), 0..8)
                .prop_map(|pairs| pairs.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_body_and_no_query_makes_a_5xx(value in any_json(), bytes in any::<Vec<u8>>(), query in "[ -~]{0,30}") {
        block_on(async {
            let shop = Shop::open().await;
            let customer = format!("/users/customers/{FIRST}");
            let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let list = format!("/users/customers?search={query}&{query}={query}&sort_by={query}");
            for body in [value.to_string().into_bytes(), bytes] {
                for (method, path) in [
                    ("PUT", customer.as_str()), ("POST", "/users/customers"), ("DELETE", "/users/customers"),
                    ("POST", "/labels"), ("DELETE", "/labels"), ("GET", list.as_str()),
                ] {
                    let answer = shop.call_raw(&As::a(), method, path, JSON, body.clone()).await;
                    if answer.status >= 300 {
                        assert!(matches!(answer.error().0, 400 | 404 | 409), "{method} {path}");
                    }
                }
            }
        });
    }
}
