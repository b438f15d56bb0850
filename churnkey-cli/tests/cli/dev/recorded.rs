//! Every call of the browser API in front of the in-memory example, held against the exchange that was recorded.

use std::{env, fmt::Write, fs, path::Path};

use churnkey_integrator::{ApiKey, CustomerId, cancel_flow::auth_hash};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use super::local::{API_KEY, Local, ORIGIN, accepted};
use crate::merchants::in_memory;

const BASE: &str = "/v1/api/orgs/demo-app/cancel-flow";
const SESSIONS: &str = "/v1/api/sessions/sdk";
const HEADING: &str = "\
The browser API as `churnkey dev` answers it, in front of the in-memory example with its demo data and keys.
A test writes this file: UPDATE=1 cargo test -p churnkey-cli --test cli recorded

";
/// One byte more than is taken.
const TOO_LARGE: usize = 256 * 1024 + 1;

/// Calls and their answers as text.
struct Exchange {
    local: Local,
    text: String,
}

impl Exchange {
    /// Sends a call, and adds it with its answer.
    fn call(&mut self, about: &str, method: &Method, path: &str, headers: &HeaderMap, body: &str) {
        let answer = self
            .local
            .send_text(method.clone(), path, headers.clone(), body.to_owned());
        let text = &mut self.text;
        writeln!(text, "# {about}\n\n{method} {path}").unwrap();
        write_message(text, headers, body);
        writeln!(text, "HTTP {}", answer.status).unwrap();
        write_message(text, &answer.headers, &answer.body);
    }

    fn post(&mut self, about: &str, path: &str, headers: &HeaderMap, body: &Value) {
        self.call(about, &Method::POST, path, headers, &body.to_string());
    }

    fn config(&mut self, about: &str, headers: &HeaderMap) {
        let path = format!("{BASE}/config");
        self.call(about, &Method::POST, &path, headers, "");
    }

    fn act(&mut self, about: &str, action: &str, headers: &HeaderMap, body: &Value) {
        let path = format!("{BASE}/actions/{action}");
        self.post(about, &path, headers, body);
    }
}

/// Headers by name, and the body behind an empty line. What is different in each run, or very long, has a name instead.
fn write_message(text: &mut String, headers: &HeaderMap, body: &str) {
    let mut lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| {
            let value = match name.as_str() {
                "date" => "[date]",
                _ => value.to_str().unwrap(),
            };
            format!("{name}: {value}\n")
        })
        .collect();
    lines.sort();
    text.extend(lines);
    text.push('\n');
    match serde_json::from_str::<Value>(body) {
        Ok(json) => writeln!(text, "{json:#}\n").unwrap(),
        Err(_) if body.len() == TOO_LARGE => text.push_str("[256 KiB and 1 byte]\n\n"),
        Err(_) => assert_eq!(body, "", "every body is JSON"),
    }
}

fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
    let of = of.iter();
    of.map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    })
    .collect()
}

/// The headers of a page without a session token.
fn without_token() -> HeaderMap {
    headers(&[
        ("content-type", "application/json"),
        ("origin", ORIGIN),
        ("x-ck-app", "demo-app"),
    ])
}

/// The headers of a page with one.
fn token(customer: &'static str, subscription: Option<&'static str>) -> HeaderMap {
    let mut all = without_token();
    let id = CustomerId::new(customer).unwrap();
    let hash = auth_hash(&ApiKey::new(API_KEY).unwrap(), &id);
    all.insert("x-ck-customer", HeaderValue::from_static(customer));
    all.insert("x-ck-authorization", hash.parse().unwrap());
    all.insert("x-ck-mode", HeaderValue::from_static("live"));
    if let Some(subscription) = subscription {
        all.insert("x-ck-subscription", HeaderValue::from_static(subscription));
    }
    all
}

/// What a browser asks before a call of a page of this origin.
fn preflight(origin: &'static str) -> HeaderMap {
    headers(&[
        ("origin", origin),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "content-type,x-ck-app,x-ck-authorization,x-ck-customer,x-ck-mode,x-ck-subscription",
        ),
        ("access-control-request-private-network", "true"),
    ])
}

/// The customers are walked through by a page with handlers: `config`, the offer that was picked, the record.
fn walk(exchange: &mut Exchange) {
    let config = format!("{BASE}/config");
    let preflight = preflight(ORIGIN);
    exchange.call("preflight", &Method::OPTIONS, &config, &preflight, "");

    let ada = token("cus_ada", Some("sub_ada_pro"));
    exchange.config("config", &ada);
    let discount = json!({ "coupon": "coupon_stay20", "blueprintId": "built-in" });
    exchange.act("discount", "discount", &ada, &discount);
    let plan = json!({ "planId": "price_pro_year" });
    exchange.act("change-plan", "change-plan", &ada, &plan);
    let pause = json!({ "duration": 1, "interval": "month" });
    exchange.act("pause", "pause", &ada, &pause);
    let record = accepted("PAUSE");
    exchange.post("session record of an offer", SESSIONS, &ada, &record);

    let grace = token("cus_grace", None);
    exchange.config(
        "config of a trial, without a subscription in the token",
        &grace,
    );
    let extend = json!({ "days": 7, "blueprintId": "built-in" });
    exchange.act("extend-trial", "extend-trial", &grace, &extend);

    let seats = token("cus_linus", Some("sub_linus_seats"));
    let cancel = json!({ "cancelAtPeriodEnd": true });
    exchange.config("config of several items", &seats);
    exchange.act("cancel", "cancel", &seats, &cancel);
    let record = json!({ "blueprintId": "built-in", "canceled": true, "mode": "LIVE" });
    exchange.post(
        "session record of a cancellation",
        SESSIONS,
        &seats,
        &record,
    );
    let record = json!({ "aborted": true, "mode": "LIVE", "provider": "sdk-react" });
    let about = "session record without a session token";
    exchange.post(about, SESSIONS, &without_token(), &record);
}

fn be_refused(exchange: &mut Exchange) {
    let ada = token("cus_ada", Some("sub_ada_pro"));
    let config = format!("{BASE}/config");
    let with = |name: &'static str, value: &'static str| {
        let mut headers = ada.clone();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    };
    let no_action = json!({ "duration": 1, "interval": "day" });
    exchange.act("400: no body of the action", "pause", &ada, &no_action);
    let several = token("cus_ada", None);
    exchange.config("400: several subscriptions", &several);
    exchange.post("400: no session record", SESSIONS, &ada, &json!([]));

    let other = token("cus_grace", None);
    let hash = other.get("x-ck-authorization").unwrap().clone();
    let mut forged = ada.clone();
    forged.insert("x-ck-authorization", hash);
    exchange.config("401: the auth hash of another customer", &forged);
    exchange.config("401: another app", &with("x-ck-app", "another-app"));
    exchange.config("401: no session token", &without_token());

    let foreign = with("origin", "https://shop.example");
    exchange.config("403: a page of another origin", &foreign);
    let foreign = preflight("https://shop.example");
    exchange.call(
        "403: its preflight",
        &Method::OPTIONS,
        &config,
        &foreign,
        "",
    );
    exchange.config("403: a host of another name", &with("host", "evil.example"));

    let nobody = token("cus_nobody", None);
    exchange.config("404: no such customer", &nobody);
    let others = token("cus_ada", Some("sub_grace_trial"));
    exchange.config("404: the subscription of another customer", &others);
    exchange.act("404: no such action", "refund", &ada, &json!({}));
    exchange.call("405: no POST", &Method::GET, &config, &ada, "");

    let gone = token("cus_zoe", Some("sub_zoe_gone"));
    exchange.config("409: nothing left to cancel", &gone);
    let cancel = json!({ "cancelAtPeriodEnd": true });
    exchange.act("409: nothing left to cancel", "cancel", &gone, &cancel);

    let long = "x".repeat(TOO_LARGE);
    let about = "413: more than a session record can have";
    exchange.call(about, &Method::POST, SESSIONS, &ada, &long);
}

#[test]
fn the_exchange_is_as_it_was_recorded() {
    let server = in_memory();
    let mut exchange = Exchange {
        local: Local::start(&server.url(), &[]),
        text: HEADING.to_owned(),
    };
    walk(&mut exchange);
    be_refused(&mut exchange);
    let now = exchange.text;

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser-api.txt");
    if env::var_os("UPDATE").is_some() {
        fs::write(&file, &now).unwrap();
        return;
    }
    let recorded = fs::read_to_string(&file).unwrap_or_default();
    let same = recorded.lines().zip(now.lines());
    let same = same.take_while(|(recorded, now)| recorded == now).count();
    let rest = |text: &str| {
        text.lines()
            .skip(same)
            .take(5)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(
        recorded == now,
        "from line {} on, the exchange is another one than tests/browser-api.txt:\n{}\n\nIt is now:\n{}\n\n\
         If that is meant, renew the file:\n    UPDATE=1 cargo test -p churnkey-cli --test cli recorded",
        same + 1,
        rest(&recorded),
        rest(&now)
    );
}
