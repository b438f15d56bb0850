//! The pages of what was sent: calls, the suite, webhooks, refused calls.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, routing::post as posted};
use http::{HeaderMap, Method};
use serde_json::json;
use tokio::runtime::Runtime;

use super::{
    local::{Answer, Local, accepted},
    page::{field, get, own_origin, post, status},
};
use crate::{
    check::broken,
    merchants::{Server, in_memory},
    tool::churnkey,
};

/// The requests and the numbers of the calls that a page lists, as they stand there.
fn listed(page: &Answer) -> Vec<(u64, String)> {
    let links = page.body.split(r#"<a href="/calls/"#).skip(1);
    links
        .map(|link| {
            let (number, rest) = link.split_once("\">").unwrap();
            let request = rest.split("</a>").next().unwrap();
            (number.parse().unwrap(), request.to_owned())
        })
        .collect()
}

/// The page, once it has this text.
fn once_it_says(local: &Local, path: &str, text: &str) -> Answer {
    let begun = Instant::now();
    loop {
        let page = get(local, path);
        if page.body.contains(text) {
            return page;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{text:?} in {page:?}"
        );
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn every_call_in_both_directions_is_listed_and_shown_whole() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    assert!(get(&local, "/calls").body.contains("There are none yet."));
    get(&local, "/customers/nobody");
    assert_eq!(local.page("cus_ada").of("sub_ada_pro").config().status, 200);

    let page = get(&local, "/calls");
    let listed_now = listed(&page);
    let requests: Vec<&str> = listed_now.iter().map(|(_, request)| &**request).collect();
    let config = "/v1/api/orgs/demo-app/cancel-flow/config";
    assert_eq!(
        requests[..2],
        [&*format!("POST {config}"), "GET /churnkey/prices"]
    );
    assert_eq!(
        requests[requests.len() - 3..],
        [
            "GET /churnkey/features",
            &*format!("OPTIONS {config}"),
            "GET /churnkey/customers/nobody",
        ]
    );
    let numbers: Vec<u64> = listed_now.iter().map(|(number, _)| *number).collect();
    let expected: Vec<u64> = (1..=numbers.len() as u64).rev().collect();
    assert_eq!(numbers, expected);

    let failed = listed(&get(&local, "/calls?which=failed"));
    assert_eq!(failed, [(1, "GET /churnkey/customers/nobody".to_owned())]);
    let browser = listed(&get(&local, "/calls?which=browser"));
    assert_eq!(browser.len(), 2);
    let of_operation = listed(&get(&local, "/calls?operation=customers.retrieve&after=1"));
    assert_eq!(of_operation.len(), 1);
    assert_eq!(of_operation[0].1, "GET /churnkey/customers/cus_ada");

    let call = get(&local, "/calls/1");
    for text in [
        "<dt>x-churnkey-signature</dt>",
        "&quot;code&quot;: 404",
        "Not Found",
        "customers.retrieve",
    ] {
        assert!(call.body.contains(text), "{text}: {call:?}");
    }
    let config = get(&local, &format!("/calls/{}", numbers[0]));
    assert!(
        config
            .body
            .contains("&quot;blueprintId&quot;: &quot;built-in&quot;")
    );
    assert!(
        config
            .body
            .contains("<dt>x-ck-authorization</dt><dd><span class=\"faint\">not shown</span>"),
        "{config:?}"
    );
    assert!(
        !config.body.contains("Send again"),
        "it was not sent by the tool"
    );
    assert_eq!(get(&local, "/calls/999").status, 404);
}

#[test]
fn a_call_is_sent_again_or_changed_and_sent() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let own = own_origin(&local);
    let page = local.page("cus_ada").of("sub_ada_pro");
    page.config();
    let pause = json!({ "duration": 1, "interval": "month" });
    assert_eq!(page.act("pause", &pause).status, 204);
    assert_eq!(status(&server, "cus_ada", "sub_ada_pro")["name"], "paused");

    let path = "/churnkey/actions/subscription/pause";
    let sent = listed(&get(&local, "/calls?which=integration"));
    let (number, _) = sent
        .iter()
        .find(|(_, request)| *request == format!("POST {path}"))
        .unwrap();
    let call = format!("/calls/{number}");
    let shown = get(&local, &call);
    assert!(shown.body.contains("Idempotency-Key"));
    let csrf = field(&shown, "csrf");
    let again = format!("{call}/again");
    let asked = post(&local, &again, &[("csrf", &csrf)], &own);
    assert!(asked.body.contains("This changes live data"), "{asked:?}");
    let done = post(&local, &again, &[("csrf", &csrf), ("sure", "yes")], &own);
    assert_eq!(done.status, 303);
    let second = get(&local, done.header("location").unwrap());
    assert!(
        second.body.contains("<span class=\"good\">20"),
        "{second:?}"
    );

    // With another key it is another action.
    let key = [("csrf", &*csrf), ("key", "another-key")];
    let other = post(&local, &again, &key, &own);
    let other = get(&local, other.header("location").unwrap());
    assert!(other.body.contains("<dd>another-key</dd>"));

    let (number, _) = &sent
        .iter()
        .find(|(_, request)| request == "GET /churnkey/features")
        .unwrap();
    let changed = [("csrf", &*csrf), ("below", "%2Fcustomers%2Fcus_grace")];
    let sent = post(&local, &format!("/calls/{number}/again"), &changed, &own);
    let sent = get(&local, sent.header("location").unwrap());
    assert!(
        sent.body
            .contains("<h1>GET /churnkey/customers/cus_grace</h1>"),
        "{sent:?}"
    );
    let dots = [("csrf", &*csrf), ("below", "%2F..%2Fx")];
    assert_eq!(
        post(&local, &format!("/calls/{number}/again"), &dots, &own).status,
        404
    );
}

#[test]
fn a_page_hears_of_each_call_as_it_comes() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    let url = format!("{}/events", own_origin(&local));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (events, heard) = std::sync::mpsc::channel();
    thread::spawn(move || {
        Runtime::new().unwrap().block_on(async {
            let mut answer = reqwest::get(url).await.unwrap();
            while let Some(chunk) = answer.chunk().await.unwrap() {
                events
                    .send(String::from_utf8(chunk.to_vec()).unwrap())
                    .unwrap();
            }
        });
    });
    let next = || heard.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(next(), "event: changed\ndata: 0\n\n");
    get(&local, "/customers/cus_ada?mode=test");
    assert_eq!(next(), "event: changed\ndata: 1\n\n");
}

#[test]
fn the_suite_is_run_and_its_findings_lead_to_their_calls() {
    let server = broken();
    let local = Local::start(&server.url(), &[]);
    let own = own_origin(&local);
    let before = get(&local, "/check");
    assert!(before.body.contains("It has not been run yet."));
    assert_eq!(get(&local, "/check/report.json").status, 404);
    let csrf = field(&before, "csrf");
    assert_eq!(post(&local, "/check", &[("csrf", &csrf)], &own).status, 303);
    assert!(
        get(&local, "/check")
            .body
            .contains("It has been running since")
    );
    // It runs once.
    assert_eq!(post(&local, "/check", &[("csrf", &csrf)], &own).status, 303);

    let page = once_it_says(&local, "/check", "has ended");
    assert!(!page.body.contains("<b>"), "{page:?}");
    let (_, link) = page.body.split_once(r#"href="/calls?operation="#).unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    let calls = listed(&get(&local, &format!("/calls?operation={link}")));
    let refused = get(&local, "/refused");
    assert!(
        refused.body.contains("None has been refused."),
        "of the suite's: {refused:?}"
    );
    assert!(calls.len() > 3, "{calls:?}");

    let report = get(&local, "/check/report.json");
    assert_eq!(
        report.header("content-disposition"),
        Some("attachment; filename=\"churnkey-report.json\"")
    );
    let by_command = churnkey(["check", "--json"])
        .env("CHURNKEY_URL", &server.url())
        .run();
    assert_eq!(report.json()["findings"], by_command.json()["findings"]);
    for (file, kind) in [
        ("report.html", "text/html; charset=utf-8"),
        ("report.xml", "application/xml"),
        ("report.txt", "text/plain; charset=utf-8"),
    ] {
        assert_eq!(
            get(&local, &format!("/check/{file}")).header("content-type"),
            Some(kind)
        );
    }
}

#[test]
fn a_webhook_is_listed_with_its_session_and_sent_again_as_it_was() {
    let received = Arc::new(Mutex::new(Vec::<(HeaderMap, Bytes)>::new()));
    let taken = Arc::clone(&received);
    let take = move |headers, body| async move { taken.lock().unwrap().push((headers, body)) };
    let site = Server::start(Router::new().route("/hook", posted(take)));
    let server = in_memory();
    let url = format!("http://{}/hook", site.address());
    let local = Local::start(&server.url(), &["--webhook-url", &url]);
    let page = local.page("cus_ada").of("sub_ada_pro");
    page.config();
    assert_eq!(page.record(&accepted("PAUSE")).status, 204);
    local.said("the webhook was taken");

    let shown = get(&local, "/webhooks");
    for text in [
        "Sessions: 1, webhooks sent: 1",
        "<td>I don't need it at the moment</td>",
        "pass handlePause to the component",
    ] {
        assert!(shown.body.contains(text), "{text}: {shown:?}");
    }
    let [(number, request)] = &listed(&shown)[..] else {
        panic!("{shown:?}");
    };
    assert_eq!(request, "POST /hook");
    let csrf = field(&get(&local, &format!("/calls/{number}")), "csrf");
    let again = format!("/calls/{number}/again");
    assert_eq!(
        post(&local, &again, &[("csrf", &csrf)], &own_origin(&local)).status,
        303
    );
    let received = received.lock().unwrap();
    let [first, second] = &received[..] else {
        panic!("{received:?}");
    };
    assert_eq!(first.1, second.1);
    assert_eq!(first.0.get("ck-signature"), second.0.get("ck-signature"));
}

#[test]
fn refused_calls_are_listed_and_explained() {
    let server = in_memory();
    let path = std::env::temp_dir();
    let local = Local::start_with(&server.url(), &[], &path, "another-token-than-the-servers");
    get(&local, "/customers/cus_ada");
    let page = get(&local, "/refused");
    assert_eq!(listed(&page).len(), 1, "{page:?}");
    let csrf = field(&page, "csrf");
    assert_eq!(
        post(&local, "/refused", &[("csrf", &csrf)], &own_origin(&local)).status,
        303
    );
    let page = once_it_says(&local, "/refused", "It has been looked into.");
    let said = churnkey(["doctor", "--json"])
        .env("CHURNKEY_URL", &server.url())
        .env("CK_INTEGRATION_TOKEN", "another-token-than-the-servers")
        .run()
        .json();
    let name = said["cause"]["name"].as_str().unwrap();
    assert!(
        page.body.contains(&format!("<h3>{name}</h3>")),
        "{name}: {page:?}"
    );
}

#[test]
fn no_other_site_sends_a_call_or_runs_the_suite() {
    let server = in_memory();
    let local = Local::start(&server.url(), &[]);
    get(&local, "/customers/cus_ada");
    let csrf = field(&get(&local, "/calls/1"), "csrf");
    let own = own_origin(&local);
    for path in ["/calls/1/again", "/check", "/refused"] {
        let fields = [("csrf", &*csrf)];
        assert_eq!(
            post(&local, path, &fields, "http://evil.example").status,
            403
        );
        let fields = [("csrf", "00000000000000000000000000000000")];
        assert_eq!(post(&local, path, &fields, &own).status, 303);
    }
    assert_eq!(
        listed(&get(&local, "/calls?which=integration")).len(),
        2,
        "nothing more was sent"
    );
    assert!(
        get(&local, "/check")
            .body
            .contains("It has not been run yet.")
    );
    assert!(
        get(&local, "/refused")
            .body
            .contains("It has not been looked into yet.")
    );
    let mut headers = HeaderMap::new();
    headers.insert("host", "evil.example".parse().unwrap());
    for path in ["/calls", "/calls/1", "/events"] {
        assert_eq!(
            local.send(Method::GET, path, headers.clone(), None).status,
            403
        );
    }
}
