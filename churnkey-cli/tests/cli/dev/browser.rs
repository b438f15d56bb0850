//! Who may call, and what a call is answered that can't be done.

use std::{io::Read, net::TcpListener, thread};

use axum::{Router, routing::any};
use http::{HeaderMap, Method};
use serde_json::json;

use super::local::{API_KEY, Local, ORIGIN};
use crate::{
    merchants::{Server, in_memory},
    tool::churnkey,
};

#[test]
fn only_the_session_tokens_of_this_app_and_key_are_accepted() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let page = || local.page("cus_ada").of("sub_ada_pro");
    assert_eq!(page().config().status, 200);

    let mut other = page();
    other.key = "ck-another-api-key";
    let (status, message) = other.config().refusal();
    assert_eq!(status, 401);
    assert!(message.contains("compare CK_API_KEY"), "{message}");
    assert_eq!(
        other
            .act("cancel", &json!({ "cancelAtPeriodEnd": true }))
            .status,
        401
    );
    assert_eq!(other.record(&json!({ "mode": "LIVE" })).status, 401);

    let mut other = page();
    other.app = "another-app";
    assert_eq!(other.config().status, 401);
    let path = "/v1/api/orgs/demo-app/cancel-flow/config";
    let answer = local.send(Method::POST, path, other.headers(), None);
    assert_eq!(answer.status, 401, "in the header alone");
    let path = "/v1/api/orgs/another-app/cancel-flow/config";
    let answer = local.send(Method::POST, path, page().headers(), None);
    assert_eq!(answer.status, 401, "in the path alone");

    let mut headers = page().headers();
    headers.remove("x-ck-authorization");
    let path = "/v1/api/orgs/demo-app/cancel-flow/config";
    assert_eq!(local.send(Method::POST, path, headers, None).status, 401);
    let refused = page().config();
    assert_eq!(refused.header("access-control-allow-origin"), Some(ORIGIN));
}

#[test]
fn the_mode_decides_whose_data_it_is() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let mut page = local.page("cus_test");
    assert_eq!(page.config().status, 404, "live");
    page.mode = "test";
    assert_eq!(page.config().json()["customer"]["name"], "Test Customer");
    page.mode = "anything";
    assert_eq!(page.config().status, 404, "live");
}

#[test]
fn ids_beyond_ascii_arrive_as_the_bytes_of_their_utf8() {
    let app = Router::new().route(
        "/{*path}",
        any(|uri: http::Uri| async move {
            let manifest = json!({
                "controllers": { "subscriptions": { "list": true } },
                "actions": { "cancel": { "schedules": { "immediate": true } } }
            });
            let path = uri.path();
            let body = if path == "/churnkey/features" {
                manifest
            } else if path == "/churnkey/customers/cus_zo%C3%AB" {
                json!({ "id": "cus_zo\u{eb}" })
            } else {
                json!({ "data": [] })
            };
            axum::Json(body)
        }),
    );
    let server = Server::start(app);
    let local = Local::start(&server.url(), &[]);
    let (status, _) = local.page("cus_zo\u{eb}").config().refusal();
    assert_eq!(status, 409, "found, without a subscription");
}

#[test]
fn any_base_url_will_do_and_nothing_else_is_there() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let mut page = local.page("cus_ada").of("sub_ada_pro");
    for base in ["", "/v1", "/some/where"] {
        page.base = base;
        assert_eq!(page.config().status, 200, "{base}");
    }
    let post = |path: &str| local.send(Method::POST, path, page.headers(), None).status;
    assert_eq!(
        post("/v1/api/orgs/demo-app/cancel-flow/actions/refund"),
        404
    );
    assert_eq!(post("/v1/api/orgs/demo-app/cancel-flow"), 404);
    let path = "/v1/api/orgs/demo-app/cancel-flow/config";
    let get = local.send(Method::GET, path, page.headers(), None);
    assert_eq!(get.status, 405);
}

#[test]
fn pages_of_this_machine_and_of_named_origins_may_call_and_no_others() {
    let server = in_memory();
    let local = Local::start(&server.url(), &["--allow-origin", "https://shop.example"]);
    let mut page = local.page("cus_ada").of("sub_ada_pro");
    for origin in [
        "http://127.0.0.1:3000",
        "https://127.9.8.7",
        "http://[::1]:80",
        "http://localhost",
        "https://shop.example",
    ] {
        page.origin = Some(origin);
        let answer = page.config();
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (200, Some(origin))
        );
        assert_eq!(answer.header("vary"), Some("Origin"));
    }
    for origin in [
        "null",
        "https://shop.example.evil",
        "http://localhost.evil",
        "http://128.0.0.1",
        "http://[::2]",
        "https://shop.example:8443",
    ] {
        page.origin = Some(origin);
        let preflight = page.config();
        assert_eq!(
            (preflight.status, preflight.header("vary")),
            (403, Some("Origin")),
            "{origin}"
        );
        let path = "/v1/api/orgs/demo-app/cancel-flow/config";
        let answer = local.send(Method::POST, path, page.headers(), None);
        assert_eq!(
            (answer.status, answer.header("vary")),
            (403, Some("Origin")),
            "{origin}"
        );
        assert!(answer.header("access-control-allow-origin").is_none());
    }
}

/// DNS rebinding: a page of another site, whose name has an address of this machine.
#[test]
fn another_host_is_refused() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let mut headers = local.page("cus_ada").of("sub_ada_pro").headers();
    headers.remove("origin");
    headers.insert("host", "evil.example:8787".parse().unwrap());
    let path = "/v1/api/orgs/demo-app/cancel-flow/config";
    assert_eq!(
        local.send(Method::POST, path, headers.clone(), None).status,
        403
    );
    headers.insert("host", "localhost:8787".parse().unwrap());
    assert_eq!(local.send(Method::POST, path, headers, None).status, 200);
}

#[test]
fn what_the_page_asks_for_wrongly_is_a_400() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let page = local.page("cus_ada");
    let (status, message) = page.config().refusal();
    assert_eq!(status, 400);
    assert!(message.contains("(sub_ada_pro, sub_ada_year)"), "{message}");
    let page = page.of("sub_ada_pro");
    for (action, body) in [
        ("pause", json!({ "duration": 1, "interval": "day" })),
        ("pause", json!({ "duration": -1, "interval": "month" })),
        ("discount", json!({ "coupon": 7 })),
        ("cancel", json!({})),
        ("change-plan", json!({ "plan": "price_pro_year" })),
        ("extend-trial", json!([])),
    ] {
        let (status, message) = page.act(action, &body).refusal();
        assert_eq!(status, 400);
        assert!(
            message.starts_with("this is no body of the action"),
            "{message}"
        );
    }
    // The integration's own refusals come through.
    let (status, message) = page.act("extend-trial", &json!({ "days": 7 })).refusal();
    assert_eq!(status, 400);
    assert!(message.contains("trial"), "{message}");
    assert_eq!(
        page.act("discount", &json!({ "coupon": "nothing" })).status,
        404
    );
    assert_eq!(
        local.page("cus_ada").of("sub_grace_trial").config().status,
        404
    );
    assert_eq!(local.page("cus_nobody").config().status, 404);
}

#[test]
fn an_integration_that_does_not_work_is_a_502_or_a_504() {
    let nothing = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/churnkey", nothing.local_addr().unwrap());
    let unheard = Local::start(&url, &[]);
    // Taken, and never answered.
    let hanging = thread::spawn(move || {
        let answer = unheard.page("cus_ada").config();
        (answer.refusal(), unheard)
    });

    let closed = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/churnkey", free.local_addr().unwrap())
    };
    let (status, message) = Local::start(&closed, &[])
        .page("cus_ada")
        .config()
        .refusal();
    assert_eq!(status, 502);
    assert!(message.contains("`churnkey doctor` says why"), "{message}");

    let answers = |status: u16, body: &'static str| {
        let app = Router::new().fallback(any(move || async move {
            (http::StatusCode::from_u16(status).unwrap(), body)
        }));
        let server = Server::start(app);
        let local = Local::start(&server.url(), &[]);
        local.page("cus_ada").config().refusal()
    };
    assert_eq!(answers(500, "").0, 502);
    assert_eq!(answers(302, "").0, 502);
    assert_eq!(answers(200, "<html>").0, 502);
    let teapot = answers(418, r#"{"message":"short and stout"}"#);
    assert_eq!(teapot.0, 418);
    assert!(teapot.1.ends_with("short and stout"), "{teapot:?}");

    let ((status, message), local) = hanging.join().unwrap();
    assert_eq!(status, 504);
    assert!(message.contains("did not answer within 10 s"), "{message}");
    drop((local, nothing));
}

#[test]
fn a_merchant_without_a_cancel_action_has_no_flow() {
    let app = Router::new().fallback(any(|| async {
        axum::Json(json!({ "controllers": { "customers": { "retrieve": true } } }))
    }));
    let server = Server::start(app);
    let local = Local::start(&server.url(), &[]);
    let (status, message) = local.page("cus_ada").config().refusal();
    assert_eq!(status, 409);
    assert!(message.contains("declares no cancel action"), "{message}");
    let (status, message) = local.page("cus_ada").act("pause", &json!({})).refusal();
    assert_eq!(status, 400);
    assert!(
        message.contains("does not declare the action pause"),
        "{message}"
    );
}

#[test]
fn it_starts_with_a_right_key_and_at_a_free_address_only() {
    let run = |arguments: &[&str]| {
        let all = [&["dev", "--url", "http://127.0.0.1:1/churnkey"], arguments].concat();
        churnkey(all)
    };
    let ran = run(&["--listen", "127.0.0.1:0", "--api-key-env", "NOT_SET"]).run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("name it with --api-key-env"), "{ran:?}");
    let ran = run(&["--listen", "127.0.0.1:0", "--webhook-url", "ftp://x"]).run();
    assert_eq!(ran.code, 2);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = run(&["--listen", &address]).run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("name another with --listen"), "{ran:?}");
}

#[test]
fn no_secret_is_shown_to_a_page() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let page = local.page("cus_ada").of("sub_ada_pro");
    let mut shown = page.config().body;
    shown.push_str(&local.page("cus_ada").config().body);
    let mut other = local.page("cus_ada");
    other.key = "ck-another-api-key";
    shown.push_str(&other.config().body);
    let mut stream = std::net::TcpStream::connect(local.address()).unwrap();
    std::io::Write::write_all(&mut stream, b"GET / HTTP/1.0\r\nhost: localhost\r\n\r\n").unwrap();
    stream.read_to_string(&mut shown).unwrap();
    for secret in [API_KEY, crate::tool::TOKEN] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let headers = HeaderMap::new();
    assert_eq!(
        local.send(Method::GET, "/nowhere", headers, None).status,
        404
    );
}
