//! The password of the pages, and where the tool may listen with it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;

use super::local::{Answer, Local};
use crate::{
    merchants::in_memory,
    tool::{Ran, churnkey},
};

const PASSWORD: &str = "correct horse battery";

fn headers(password: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(password) = password {
        let credentials = BASE64_STANDARD.encode(format!("anybody:{password}"));
        let value = HeaderValue::try_from(format!("Basic {credentials}")).unwrap();
        headers.insert("authorization", value);
    }
    headers
}

fn get(local: &Local, path: &str, password: Option<&str>) -> Answer {
    local.send(Method::GET, path, headers(password), None)
}

/// Where the links of a page lead to at the tool.
fn linked(page: &Answer) -> BTreeSet<String> {
    let attributes = ["href=\"/", "src=\"/"].into_iter();
    let links = attributes.flat_map(|attribute| page.body.split(attribute).skip(1));
    let paths = links.map(|rest| rest.split(['"', '#']).next().unwrap());
    let paths = paths.map(|path| format!("/{}", path.replace("&amp;", "&")));
    paths.collect()
}

#[test]
fn no_page_answers_without_the_password_and_each_does_with_it() {
    let server = in_memory();
    let local = Local::start_with_password(&server.url(), PASSWORD);
    local.said("the pages ask for the password of CHURNKEY_DEV_PASSWORD");

    let mut pages: BTreeSet<String> = BTreeSet::new();
    let mut to_come = vec!["/".to_owned()];
    while let Some(path) = to_come.pop() {
        // Every page that is seen makes more calls, each with a page of its own.
        let is_a_call = |path: &str| path.starts_with("/calls/");
        let is_known = pages.contains(&path);
        if is_known || is_a_call(&path) && pages.iter().any(|page| is_a_call(page)) {
            continue;
        }
        pages.insert(path.clone());
        let page = get(&local, &path, Some(PASSWORD));
        // A customer of the other mode is a 404, a subscription that is over a 409.
        assert!(matches!(page.status, 200 | 404 | 409), "{path}: {page:?}");
        to_come.extend(linked(&page));
        let page = get(&local, &path, None);
        assert_eq!(page.status, 401, "{path}");
        assert_eq!(
            page.header("www-authenticate"),
            Some(r#"Basic realm="churnkey dev", charset="UTF-8""#)
        );
        assert!(!page.body.contains('<'), "{path}: {page:?}");
        assert!(page.header("content-security-policy").is_some());
    }
    assert_eq!(get(&local, "/events", None).status, 401, "it has no end");
    for known in [
        "/style.css",
        "/live.js",
        "/calls",
        "/webhooks",
        "/refused",
        "/check",
        "/customers",
        "/customers?mode=test",
        "/customers/cus_ada",
        "/flow/cus_ada/sub_ada_pro",
    ] {
        assert!(pages.contains(known), "{known} in {pages:?}");
    }
}

#[test]
fn a_form_needs_the_password_as_well() {
    let server = in_memory();
    let local = Local::start_with_password(&server.url(), PASSWORD);
    let flow = "/flow/cus_grace/sub_grace_trial";
    let page = get(&local, &format!("{flow}?step=2"), Some(PASSWORD));
    let csrf = page.body.split_once(r#"name="csrf" value=""#).unwrap().1;
    let csrf = csrf.split('"').next().unwrap();
    let send = |password: Option<&str>, origin: &str| {
        let mut headers = headers(password);
        headers.insert(
            "content-type",
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        headers.insert("origin", origin.parse().unwrap());
        let form = format!("csrf={csrf}&action=extend-trial&days=7&sure=yes");
        local.send_text(Method::POST, flow, headers, form)
    };
    let own = format!("http://{}", local.address());
    assert_eq!(send(None, &own).status, 401);
    for path in ["/check", "/refused", "/calls/1/again"] {
        let refused = local.send(Method::POST, path, headers(None), None);
        assert_eq!(refused.status, 401, "{path}");
    }
    // A browser adds the password to the form of another site.
    assert_eq!(send(Some(PASSWORD), "http://evil.example").status, 403);
    let done = send(Some(PASSWORD), &own);
    assert!(done.body.contains("<h1>Done</h1>"), "{done:?}");
    assert!(
        done.body.contains("2026-01-31T00:00:00.000Z"),
        "one week, once: {done:?}"
    );
}

#[test]
fn a_wrong_password_is_answered_late_and_none_is_shown() {
    let server = in_memory();
    let local = Local::start_with_password(&server.url(), PASSWORD);
    for wrong in ["correct horse batter", "correct horse battery ", ""] {
        let begun = Instant::now();
        let page = get(&local, "/customers", Some(wrong));
        assert_eq!(page.status, 401, "{wrong}");
        assert!(begun.elapsed() >= Duration::from_secs(1), "{wrong}");
        assert!(!page.body.contains("cus_ada"));
    }
    // A path that is no page is the browser API's, whose calls are shown.
    assert_eq!(get(&local, "/no-page", Some(PASSWORD)).status, 404);
    let shown = get(&local, "/calls/1", Some(PASSWORD)).body;
    assert!(shown.contains("GET /no-page"), "{shown}");
    let said = local.said("apiBaseUrl");
    let sent = BASE64_STANDARD.encode(format!("anybody:{PASSWORD}"));
    for text in [shown, said] {
        assert!(!text.contains(PASSWORD) && !text.contains(&sent), "{text}");
    }
}

#[test]
fn the_browser_api_is_proven_by_its_auth_hash_alone() {
    let server = in_memory();
    let local = Local::start_with_password(&server.url(), PASSWORD);
    let page = local.page("cus_ada").of("sub_ada_pro");
    assert_eq!(page.config().status, 200);
    let pause = json!({ "duration": 1, "interval": "month" });
    assert_eq!(page.act("pause", &pause).status, 204);
    let record = json!({ "aborted": true, "mode": "LIVE" });
    assert_eq!(page.record(&record).status, 204);

    let mut other = local.page("cus_ada");
    other.key = "ck-another-api-key";
    let refused = other.config();
    assert_eq!(refused.status, 401);
    assert!(
        refused.header("www-authenticate").is_none(),
        "no browser asks the customer for it"
    );
    let mut headers = page.headers();
    headers.insert("host", "evil.example".parse().unwrap());
    let path = "/v1/api/orgs/demo-app/cancel-flow/config";
    let refused = local.send(Method::POST, path, headers, None);
    assert_eq!(refused.status, 403, "its Host has no password");
}

/// A browser has no password for a name that another site gave to this machine.
#[test]
fn the_pages_are_there_by_any_name_with_the_password() {
    let server = in_memory();
    let local = Local::start_with_password(&server.url(), PASSWORD);
    let by_name = |password| {
        let mut headers = headers(password);
        headers.insert("host", "devbox.example:8787".parse().unwrap());
        local.send(Method::GET, "/customers", headers, None)
    };
    let page = by_name(Some(PASSWORD));
    assert_eq!(page.status, 200);
    assert!(page.body.contains("cus_ada"));
    assert_eq!(by_name(None).status, 401);
}

/// At an address of documentation (RFC 5737), which this machine does not have: what is allowed ends when it is bound.
#[test]
fn other_machines_can_reach_it_with_a_password_and_a_key_of_its_own_only() {
    let beyond = |variables: &[(&str, &str)]| -> Ran {
        let url = "http://127.0.0.1:1/churnkey";
        let mut tool = churnkey(["dev", "--url", url, "--listen", "192.0.2.7:0"]);
        for (name, value) in variables {
            tool = tool.env(name, value);
        }
        tool.run()
    };
    let password = ("CHURNKEY_DEV_PASSWORD", PASSWORD);
    let key = ("CK_API_KEY", "ck-an-api-key-of-its-own");
    for (variables, why) in [
        (&[key][..], "set a password in CHURNKEY_DEV_PASSWORD"),
        (
            &[key, ("CHURNKEY_DEV_PASSWORD", "")],
            "it has 0 characters, which another machine could guess: take at least 12",
        ),
        (
            &[key, ("CHURNKEY_DEV_PASSWORD", "eleven char")],
            "it has 11 characters, which another machine could guess: take at least 12",
        ),
        (
            &[
                key,
                ("CHURNKEY_DEV_PASSWORD", "from a file, with its end\n"),
            ],
            "it has a control character, which no browser can send",
        ),
        (
            &[password],
            "without CK_API_KEY there is only the public demo key",
        ),
        (&[password, key], "192.0.2.7:0 can't be listened on"),
    ] {
        let ran = beyond(variables);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(why), "{why}: {ran:?}");
        for (_, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
            assert!(!ran.stderr.contains(value), "{ran:?}");
        }
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn a_password_that_can_be_guessed_is_refused_on_this_machine_too() {
    let ran = churnkey([
        "dev",
        "--url",
        "http://127.0.0.1:1/churnkey",
        "--listen",
        "127.0.0.1:0",
    ])
    .env("CHURNKEY_DEV_PASSWORD", "short")
    .run();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("it has 5 characters"), "{ran:?}");
}
