//! Whatever is sent, the answer is JSON in Reportei's shape.

use serde_json::json;

use crate::{C1, C2_TOKEN, Merchant, TOKEN, error, unknown};

const HEADERS: [(&str, &str); 2] = [("authorization", TOKEN), ("x-customer-token", C2_TOKEN)];

fn with_bodies() -> [(&'static str, String); 6] {
    [
        ("POST", "/customers".to_owned()),
        ("PUT", format!("/customers/{C1}")),
        ("POST", format!("/customers/{C1}/update-payment-status")),
        ("POST", "/customer-integrations/session".to_owned()),
        ("POST", "/metrics/get-data".to_owned()),
        ("POST", "/metrics/get-data-async".to_owned()),
    ]
}

#[tokio::test]
async fn what_is_no_json_is_refused_in_the_own_shape() {
    let merchant = Merchant::new().await;
    let deep = "[".repeat(100_000);
    let bodies: [&[u8]; 8] = [
        b" ",
        b"{",
        b"{\"name\": \"x\",}",
        b"{\"name\": \"\xff\"}",
        b"{\"name\": \"\\ud800\"}",
        b"name=x",
        b"{} {}",
        deep.as_bytes(),
    ];
    for body in bodies {
        for (method, path) in with_bodies() {
            let answer = merchant.raw(method, &path, &HEADERS, body).await;
            let expected = error(400, "The request body is not valid JSON.");
            assert_eq!(
                (answer.status(), answer.into_body()),
                expected,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn json_that_is_no_object_is_refused_also_where_no_field_is_required() {
    let merchant = Merchant::new().await;
    for body in ["[]", "[\"x\"]", "[{\"name\": \"x\"}]", "null", "5", "\"x\""] {
        for (method, path) in with_bodies() {
            let answer = merchant.raw(method, &path, &HEADERS, body).await;
            assert_eq!(answer.status(), 422, "{method} {path} {body}");
            assert!(
                answer.body()["errors"].is_object(),
                "{}",
                answer.into_body()
            );
        }
        let path = "/customer-integrations/session";
        let answer = merchant.raw("POST", path, &HEADERS, body).await;
        let message = "The given data was invalid.";
        assert_eq!(
            answer.into_body(),
            json!({"message": message, "errors": {}})
        );
    }
}

#[tokio::test]
async fn a_content_type_is_json_or_not_given() {
    let merchant = Merchant::new().await;
    for (content_type, status) in [
        ("application/json", 201),
        ("Application/JSON; charset=utf-8", 201),
        ("application/vnd.reportei+json", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonp", 415),
        ("", 415),
    ] {
        let headers = [HEADERS[0], ("content-type", content_type)];
        let answer = merchant
            .raw("POST", "/customers", &headers, r#"{"name":"x"}"#)
            .await;
        assert_eq!(answer.status(), status, "{content_type}");
        if status == 415 {
            let message = "The content type must be application/json.";
            assert_eq!(answer.into_body(), json!({"message": message}));
        }
    }
    // Without a body, the content type does not matter.
    let headers = [
        HEADERS[0],
        HEADERS[1],
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let session = merchant
        .raw("POST", "/customer-integrations/session", &headers, "")
        .await;
    assert_eq!(session.status(), 201);
}

#[tokio::test]
async fn a_body_has_at_most_one_mebibyte() {
    let merchant = Merchant::new().await;
    let post = async |size: usize| {
        let blanks = " ".repeat(size - r#"{"name":"x"}"#.len());
        let body = format!(r#"{{"name":"x"{blanks}}}"#);
        let answer = merchant.raw("POST", "/customers", &HEADERS, body).await;
        (answer.status(), answer.into_body())
    };
    for size in [1024 * 1024 + 1, 2 * 1024 * 1024, 16 * 1024 * 1024] {
        assert_eq!(
            post(size).await,
            error(413, "The request body is too large.")
        );
    }
    assert_eq!(post(1024 * 1024).await.0, 201);
}

#[tokio::test]
async fn two_mebibytes_are_answered_over_a_socket_too() {
    let program = crate::cases::merchant().start().await.unwrap();
    let path = format!("/customers/{C1}");
    for (method, path, authorization, status) in [
        ("POST", "/customers", TOKEN, 413),
        ("POST", "/customers", "Bearer x", 401),
        ("POST", "/nowhere", TOKEN, 404),
        ("DELETE", &path, TOKEN, 200),
    ] {
        let request = merchant_cases::Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![("authorization".to_owned(), authorization.to_owned())],
            body: Some(vec![b' '; 2 * 1024 * 1024]),
        };
        let answer = program.send(&request).await.unwrap();
        assert_eq!(answer.status, status);
        assert!(answer.json().unwrap()["message"].is_string());
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_in_the_own_shape() {
    let merchant = Merchant::new().await;
    for path in [
        "/customer",
        "/customers/",
        "//customers",
        "/api",
        "/api/x",
        "/customers/a/b/c",
    ] {
        assert_eq!(
            merchant.get(path).await,
            error(404, "Route not found"),
            "{path}"
        );
    }
    // The documented call to delete is one of these: a PUT to the list.
    for (method, path) in [
        ("PUT", "/customers".to_owned()),
        ("PUT", "/api/customers".to_owned()),
        ("DELETE", "/customers".to_owned()),
        ("PATCH", format!("/customers/{C1}")),
        ("OPTIONS", "/customers".to_owned()),
        ("BREW", format!("/api/customers/{C1}")),
        ("GET", format!("/customers/{C1}/update-payment-status")),
        ("PUT", "/customers/settings".to_owned()),
        ("GET", "/customer-integrations/session".to_owned()),
        ("GET", "/metrics/get-data".to_owned()),
        ("POST", "/merchants/settings".to_owned()),
        ("POST", "/".to_owned()),
    ] {
        let body = json!({"name": "x"});
        let answer = merchant.call(method, &path, body).await;
        assert_eq!(answer, error(405, "Method not allowed"), "{method} {path}");
    }
}

#[tokio::test]
async fn ids_of_any_form_are_unknown() {
    let merchant = Merchant::new().await;
    let (long, upper) = ("x".repeat(4000), C1.to_uppercase());
    for id in [
        "0",
        "1%20OR%201=1",
        "%27%3B%20DROP%20TABLE%20customers%3B--",
        "%00",
        "%ff%fe",
        "..%2fcustomers",
        "%E2%80%AE",
        "{uuid}",
        &long,
        &upper,
        &C1[..35],
    ] {
        let path = format!("/customers/{}", id.replace(['{', '}'], "%7B"));
        assert_eq!(merchant.get(&path).await, unknown(), "{id}");
        let renamed = merchant.call("PUT", &path, json!({"name": "x"})).await;
        assert_eq!(renamed, unknown());
        assert_eq!(merchant.call("DELETE", &path, json!(null)).await, unknown());
        let paying = format!("{path}/update-payment-status");
        let paying = merchant
            .call("POST", &paying, json!({"is_paying": true}))
            .await;
        assert_eq!(paying, unknown());
        let path = path.replace("/customers/", "/customer-integrations/");
        let shown = merchant.call_for(C2_TOKEN, "GET", &path, json!(null)).await;
        assert_eq!(shown, unknown());
        let path = path.replace("integrations/", "integrations/session/");
        assert_eq!(
            merchant.json("GET", &path, &[], json!(null)).await,
            error(401, "Integration session is invalid or has expired.")
        );
    }
    assert_eq!(merchant.get("/customers").await.1["meta"]["total"], 2);
}

#[tokio::test]
async fn the_last_of_two_equal_keys_counts() {
    let merchant = Merchant::new().await;
    let body = r#"{"name": 1, "name": "second"}"#;
    let answer = merchant.raw("POST", "/customers", &HEADERS, body).await;
    assert_eq!(answer.body()["customer"]["name"], "second");
}
