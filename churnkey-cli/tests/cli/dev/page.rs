//! The tool's own pages.

use axum::{Router, extract::Request, routing::any};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::local::{API_KEY, Answer, Local};
use crate::{
    merchants::{Server, each, in_memory},
    tool::{TOKEN, churnkey},
};

pub(super) fn get(local: &Local, path: &str) -> Answer {
    local.send(Method::GET, path, HeaderMap::new(), None)
}

/// Sends a form as a browser does.
pub(super) fn post(local: &Local, path: &str, fields: &[(&str, &str)], origin: &str) -> Answer {
    let encoded = fields.iter().map(|(name, value)| format!("{name}={value}"));
    let body = encoded.collect::<Vec<_>>().join("&");
    let mut headers = HeaderMap::new();
    headers.insert(
        "content-type",
        "application/x-www-form-urlencoded".parse().unwrap(),
    );
    headers.insert("origin", origin.parse().unwrap());
    local.send_text(Method::POST, path, headers, body)
}

pub(super) fn own_origin(local: &Local) -> String {
    format!("http://{}", local.address())
}

/// The value of a form's hidden field.
pub(super) fn field(page: &Answer, name: &str) -> String {
    let start = format!(r#"name="{name}" value=""#);
    let (_, rest) = page
        .body
        .split_once(&start)
        .unwrap_or_else(|| panic!("{name}: {page:?}"));
    rest.split('"').next().unwrap().to_owned()
}

pub(super) fn status(server: &Server, customer: &str, id: &str) -> Value {
    let path = format!("/customers/{customer}/subscriptions/{id}");
    let ran = churnkey(["call", "GET", &path, "--json"]);
    let ran = ran.env("CHURNKEY_URL", &server.url()).run();
    ran.json()["answers"][0]["json"]["status"].clone()
}

#[test]
fn a_customer_pauses_and_the_merchants_record_says_so() {
    each(|server| {
        let local = Local::start(&server.url(), &[]);
        let own = own_origin(&local);
        let flow = "/flow/cus_ada/sub_ada_pro";
        let survey = get(&local, flow);
        assert_eq!(survey.status, 200);
        assert!(survey.body.contains("Why do you want to cancel?"));
        let offer = get(&local, &format!("{flow}?step=0&reason=pause"));
        assert!(offer.body.contains("Pause for a month?"), "{offer:?}");

        let csrf = field(&offer, "csrf");
        let pause = [
            ("csrf", &*csrf),
            ("action", "pause"),
            ("interval", "month"),
            ("duration", "1"),
            ("reason", "pause"),
        ];
        let asked = post(&local, flow, &pause, &own);
        assert!(
            asked.body.contains("This changes live data"),
            "asked once: {asked:?}"
        );
        assert!(asked.body.contains(&server.url()));
        assert_eq!(status(server, "cus_ada", "sub_ada_pro")["name"], "active");
        for name in ["action", "interval", "duration", "reason", "sure"] {
            assert!(!field(&asked, name).is_empty());
        }

        let done = post(
            &local,
            flow,
            &[&pause[..], &[("sure", "yes")]].concat(),
            &own,
        );
        assert_eq!(done.status, 200);
        assert_eq!(status(server, "cus_ada", "sub_ada_pro")["name"], "paused");
        for text in [
            "<code>status.name</code></th><td>active</td><td>paused</td>",
            "It was answered the same, and changed nothing.",
        ] {
            assert!(done.body.contains(text), "{text}: {done:?}");
        }

        // It is not asked a second time.
        let cancel = [
            ("csrf", &*csrf),
            ("action", "cancel"),
            ("feedback", "too+dear"),
        ];
        let done = post(&local, "/flow/cus_linus/sub_linus_seats", &cancel, &own);
        assert!(done.body.contains("<h1>Done</h1>"), "{done:?}");
    });
}

#[test]
fn a_reason_without_an_offer_and_a_declined_offer_lead_to_the_next_step() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let flow = "/flow/cus_ada/sub_ada_pro";
    let other = get(&local, &format!("{flow}?step=0&reason=other"));
    assert!(
        other.body.contains("What could we have done better?"),
        "{other:?}"
    );
    let offer = get(&local, &format!("{flow}?step=0&reason=pause"));
    assert!(offer.body.contains(&format!("{flow}?step=1")), "{offer:?}");
    let confirm = get(&local, &format!("{flow}?step=2&feedback=too+dear"));
    assert!(confirm.body.contains("Cancel your subscription?"));
    assert_eq!(field(&confirm, "feedback"), "too dear");
    let gone = get(&local, "/flow/cus_zoe/sub_zoe_gone");
    assert_eq!(gone.status, 409);
    assert!(gone.body.contains("There is nothing left to cancel"));
}

#[test]
fn the_overview_says_what_is_missing_and_which_call_adds_it() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let page = get(&local, "/");
    assert!(page.body.contains("<h1>In-memory example</h1>"), "{page:?}");
    assert!(page.body.contains("Yes: Churnkey has what it needs."));
    assert!(
        page.body
            .contains("They may be offered a pause of their subscription.")
    );

    let app = Router::new().fallback(any(|| async {
        axum::Json(json!({ "name": "New", "controllers": { "customers": { "retrieve": true } } }))
    }));
    let server = Server::start(app);
    let local = Local::start(&server.url(), &[]);
    let page = get(&local, "/");
    assert!(
        !page.body.contains("a customer who wants to leave"),
        "{page:?}"
    );
    for call in [".prices(..)", ".subscriptions(..)"] {
        assert!(
            page.body.contains(&format!("<code>{call}</code>")),
            "{call}: {page:?}"
        );
    }
}

#[test]
fn customers_are_listed_and_found_in_both_modes() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let listed = get(&local, "/customers");
    for id in ["cus_ada", "cus_grace", "cus_zoe"] {
        assert!(
            listed.body.contains(&format!(r#"href="/customers/{id}""#)),
            "{id}"
        );
    }
    let found = |query: &str| get(&local, &format!("/customers?{query}")).body;
    assert!(found("find=ADA@example.com&by=email").contains("cus_ada"));
    assert!(found("find=%2B441632960001&by=phone").contains("cus_ada"));
    assert!(found("find=nobody").contains("There is no customer with this id"));
    assert!(
        found("find=shared@example.com&by=email").contains(r#"role="alert""#),
        "several"
    );
    assert!(found("mode=test").contains(r#"href="/customers/cus_test?mode=test""#));
    assert_eq!(get(&local, "/customers/cus_test").status, 404);
    let page = get(&local, "/customers/cus_test?mode=test");
    assert!(
        page.body.contains("Test Customer") && page.body.contains("1.00 USD each, every month")
    );
}

/// Of a merchant whose customers' names are markup.
#[test]
fn everything_from_the_integration_is_text() {
    const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let app = Router::new().fallback(any(|request: Request| async move {
        let price = json!({
            "id": HOSTILE, "type": "standalone", "name": HOSTILE, "duration": { "amount": 1, "unit": "month" },
            "amount": { "model": "fixed", "currency": "usd", "unit": 1 }
        });
        let subscription = json!({
            "id": HOSTILE, "customerId": HOSTILE, "start": "2026-01-01T00:00:00Z", "status": { "name": "unpaid" },
            "duration": { "amount": 1, "unit": "month" },
            "items": [{ "id": HOSTILE, "quantity": 1, "price": price }]
        });
        let customer = json!({ "id": HOSTILE, "name": HOSTILE, "metadata": { HOSTILE: HOSTILE } });
        let path = request.uri().path();
        axum::Json(if path.ends_with("/features") {
            json!({
                "name": HOSTILE, "controllers": { "subscriptions": { "list": true }, HOSTILE: true },
                "actions": { "cancel": { "schedules": { "immediate": true, HOSTILE: true } }, HOSTILE: HOSTILE }
            })
        } else if path.ends_with("/subscriptions") {
            json!({ "data": [subscription] })
        } else if path.contains("/subscriptions/") {
            subscription
        } else if path.ends_with("/customers") {
            json!({ "data": [customer], "next": HOSTILE })
        } else {
            customer
        })
    }));
    let server = Server::start(app);
    let local = Local::start(&server.url(), &[]);
    for path in [
        "/",
        "/customers",
        "/customers?find=x",
        "/customers/x",
        "/flow/x/y",
        "/flow/x/y?step=2",
    ] {
        let page = get(&local, path);
        assert_eq!(page.status, 200, "{path}: {page:?}");
        assert!(
            !page.body.contains("<script") && !page.body.contains("<img"),
            "{path}: {page:?}"
        );
    }
}

#[test]
fn another_site_can_neither_read_a_page_nor_send_its_forms() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let own = own_origin(&local);
    let flow = "/flow/cus_ada/sub_ada_pro";
    let csrf = field(&get(&local, &format!("{flow}?step=2")), "csrf");
    let with = |csrf: &str, origin: &str| {
        let fields = [("csrf", csrf), ("action", "cancel"), ("sure", "yes")];
        post(&local, flow, &fields, origin).status
    };
    assert_eq!(with(&csrf, "http://evil.example"), 403);
    assert_eq!(
        with(&csrf, "http://127.0.0.1:1"),
        403,
        "another port is another site"
    );
    assert_eq!(with(&csrf, "null"), 403);
    assert_eq!(
        with("00000000000000000000000000000000", &own),
        303,
        "back to the flow"
    );
    assert_eq!(status(&server, "cus_ada", "sub_ada_pro")["name"], "active");

    let mut headers = HeaderMap::new();
    headers.insert("host", "evil.example".parse().unwrap());
    let page = local.send(Method::GET, "/customers", headers, None);
    assert_eq!(page.status, 403);
    assert!(!page.body.contains("cus_ada"));
}

#[test]
fn no_page_runs_a_foreign_script_is_framed_or_holds_a_secret() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    for path in [
        "/",
        "/customers",
        "/customers/cus_ada",
        "/flow/cus_ada/sub_ada_pro",
        "/customers/nobody",
        "/calls",
        "/calls/1",
        "/check",
        "/webhooks",
        "/refused",
        "/style.css",
        "/live.js",
    ] {
        let page = get(&local, path);
        assert_eq!(
            page.header("content-security-policy"),
            Some(
                "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; \
                 base-uri 'none'; frame-ancestors 'none'"
            ),
            "{path}"
        );
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("referrer-policy"), Some("same-origin"));
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        for secret in [TOKEN, API_KEY] {
            assert!(!page.body.contains(secret), "{path}");
        }
        let loaded = page.body.matches("http://").count();
        let named = page.body.matches(&server.url()).count();
        assert_eq!(loaded, named, "nothing is loaded from elsewhere: {path}");
    }
}

/// A URL resolves them, so that something else would be asked for than what was signed.
#[test]
fn an_id_of_dots_is_nobodys() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let page = get(&local, "/customers?find=..");
    assert!(
        page.body.contains("There is no customer with this id"),
        "{page:?}"
    );
    let (status, message) = local.page("..").config().refusal();
    assert_eq!((status, &*message), (404, "this id can't be part of a URL"));
}

/// Each call is answered in time, and a list has many pages.
#[test]
fn a_page_that_takes_too_long_is_given_up() {
    let app = Router::new().fallback(any(|request: Request| async move {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        axum::Json(if request.uri().path().ends_with("/subscriptions") {
            json!({ "data": [], "next": "again" })
        } else {
            json!({ "id": "cus_1" })
        })
    }));
    let server = Server::start(app);
    let local = Local::start(&server.url(), &[]);
    let page = get(&local, "/customers/cus_1");
    assert_eq!(page.status, 504);
    let said = "has not answered all that this page asks for within 20 s";
    assert!(page.body.contains(said), "{page:?}");
    let calls = get(&local, "/calls");
    assert!(
        calls
            .body
            .contains("GET /churnkey/customers/cus_1/subscriptions"),
        "{calls:?}"
    );
}

#[test]
fn an_integration_that_does_not_answer_is_said_in_the_page() {
    let local = Local::start("http://127.0.0.1:1/churnkey", &[]);
    for path in ["/", "/customers/cus_ada", "/flow/cus_ada/sub_ada_pro"] {
        let page = get(&local, path);
        assert_eq!(page.status, 502);
        assert!(page.body.contains("`churnkey doctor` says why"), "{page:?}");
    }
    // The form stays, to look for another one.
    let page = get(&local, "/customers");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("`churnkey doctor` says why"));
}
