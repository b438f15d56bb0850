//! How a session ended: the record, the warning, the webhook.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, routing::post};
use churnkey_integrator::{WebhookSecret, webhooks};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::local::{Local, accepted};
use crate::merchants::{Server, in_memory};

#[test]
fn a_record_of_what_was_never_asked_for_is_warned_of() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let page = local.page("cus_ada").of("sub_ada_pro");
    page.config();
    let body = json!({ "duration": 1, "interval": "month" });
    assert_eq!(page.act("pause", &body).status, 204);
    assert_eq!(page.record(&accepted("PAUSE")).status, 204);
    assert_eq!(
        page.record(&json!({ "aborted": true, "mode": "LIVE" }))
            .status,
        204
    );
    for (record, callback) in [
        (accepted("DISCOUNT"), "handleDiscount"),
        (accepted("PLAN_CHANGE"), "handlePlanChange"),
        (accepted("TRIAL_EXTENSION"), "handleTrialExtension"),
        (json!({ "canceled": true, "mode": "LIVE" }), "handleCancel"),
    ] {
        assert_eq!(page.record(&record).status, 204);
        local.said(&format!("pass {callback} to the component"));
    }
    assert_eq!(page.record(&accepted("CONTACT")).status, 204);
    page.config();
    assert_eq!(page.record(&accepted("PAUSE")).status, 204);
    let said = local.said("pass handlePause to the component");
    assert_eq!(
        said.matches("warning:").count(),
        5,
        "not since the latest config: {said}"
    );
    assert!(!said.contains("\u{1b}"), "no colours without a terminal");

    assert_eq!(page.post("/api/sessions/sdk", Some(&json!([]))).status, 400);
}

type Received = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A merchant's site that fails this often, and then takes a webhook.
fn site(failures: usize) -> (Server, Received) {
    let received = Received::default();
    let taken = Arc::clone(&received);
    let app = Router::new().route(
        "/webhooks/churnkey",
        post(move |headers: HeaderMap, body: Bytes| async move {
            let mut taken = taken.lock().unwrap();
            taken.push((headers, body));
            if taken.len() <= failures {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::OK
            }
        }),
    );
    (Server::start(app), received)
}

#[test]
fn the_webhook_says_what_is_proven_and_is_sent_until_it_is_taken() {
    let server = in_memory();
    let (site, received) = site(1);
    let url = format!("http://{}/webhooks/churnkey", site.address());
    let local = Local::start(&server.url(), &["--webhook-url", &url]);
    let page = local.page("cus_ada").of("sub_ada_pro");
    page.config();
    let mut record = accepted("PAUSE");
    record["customer"] = json!({ "id": "cus_grace", "email": "grace@example.com" });
    record["mode"] = json!("TEST");
    record["feedback"] = json!("Too much at once");
    assert_eq!(page.record(&record).status, 204);
    local.said("the webhook was taken");

    let received = received.lock().unwrap();
    let [first, second] = &received[..] else {
        panic!("{received:?}");
    };
    assert_eq!(first.1, second.1, "the same bytes");
    let secret = WebhookSecret::new("ck-demo-webhook-secret").unwrap();
    for (headers, body) in [first, second] {
        let signature = headers.get("ck-signature").unwrap().to_str().unwrap();
        assert_eq!(signature, webhooks::sign(&secret, body));
    }
    let body: Value = serde_json::from_slice(&first.1).unwrap();
    assert_eq!(body["event"], "session");
    assert_eq!(body["data"]["customer"]["id"], "cus_ada");
    assert_eq!(
        body["data"]["customer"]["email"], "ada@example.com",
        "the integration's record"
    );
    assert_eq!(
        body["data"]["session"],
        json!({
            "result": "pause", "mode": "LIVE", "feedback": "Too much at once",
            "surveyResponse": "I don't need it at the moment", "acceptedOffer": { "offerType": "PAUSE" }
        })
    );
}

#[test]
fn a_record_without_a_session_token_proves_nothing_and_is_not_sent_on() {
    let server = in_memory();
    let (site, received) = site(0);
    let url = format!("http://{}/webhooks/churnkey", site.address());
    let local = Local::start(&server.url(), &["--webhook-url", &url]);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    headers.insert("x-ck-app", "demo-app".parse().unwrap());
    let record = json!({ "canceled": true, "customer": { "id": "cus_ada" }, "mode": "LIVE" });
    let send = |headers: HeaderMap| {
        let path = "/v1/api/sessions/sdk";
        local
            .send(Method::POST, path, headers, Some(&record))
            .status
    };
    assert_eq!(send(headers.clone()), 204);
    local.said("a session record without a session token");
    headers.insert("x-ck-app", "another-app".parse().unwrap());
    assert_eq!(send(headers), 401);

    // One with a token comes after it, and is the only one that the site gets.
    let page = local.page("cus_ada");
    assert_eq!(
        page.record(&json!({ "canceled": true, "mode": "LIVE" }))
            .status,
        204
    );
    local.said("the webhook was taken");
    let received = received.lock().unwrap();
    let results: Vec<Value> = received
        .iter()
        .map(|(_, body)| {
            serde_json::from_slice::<Value>(body).unwrap()["data"]["session"]["result"].clone()
        })
        .collect();
    assert_eq!(results, ["cancel"]);
}
