//! `churnkey list`.

use axum::{
    Router,
    extract::Request,
    http::header,
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::{Value, json};

use crate::{
    merchants::{Server, each},
    tool::{Ran, churnkey},
};

fn list(server: &Server, arguments: &[&str]) -> Ran {
    let url = server.url();
    churnkey([&["list", "--url", &url], arguments].concat()).run()
}

/// The ids on the lines of standard output.
fn ids(ran: &Ran) -> Vec<String> {
    let records = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    records
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_record_is_a_line() {
    each(|server| {
        let ran = list(server, &["prices"]);
        assert_eq!((ran.code, &*ran.stderr), (0, "records: 4, pages: 1\n"));
        let paged = list(server, &["prices", "--limit", "1"]);
        assert_eq!((paged.code, &*paged.stderr), (0, "records: 4, pages: 4\n"));
        assert_eq!(paged.stdout, ran.stdout);
        assert_eq!(ids(&ran).len(), 4);

        for resource in ["customers", "coupons", "products", "families"] {
            let ran = list(server, &[resource, "--limit", "2"]);
            assert_eq!(ran.code, 0, "{ran:?}");
        }
        let ran = list(server, &["subscriptions", "--customer", "cus_grace"]);
        assert_eq!((ran.code, &*ran.stderr), (0, "records: 1, pages: 1\n"));
        assert_eq!(ids(&ran), ["sub_grace_trial"]);
    });
}

#[test]
fn max_is_the_last_record() {
    each(|server| {
        let ran = list(server, &["customers", "--limit", "2", "--max", "3"]);
        assert_eq!(
            (ran.code, &*ran.stderr),
            (0, "records: 3, pages: 2, and there are more\n")
        );
        assert_eq!(ids(&ran).len(), 3);
        let json = list(
            server,
            &["customers", "--limit", "2", "--max", "3", "--json"],
        );
        assert_eq!(json.stdout, ran.stdout);
        let summary: Value = serde_json::from_str(&json.stderr).unwrap();
        let expected =
            json!({ "version": 1, "records": 3, "pages": 2, "complete": false, "wrong": [] });
        assert_eq!(summary, expected);
    });
}

#[test]
fn what_can_not_be_listed_is_an_error() {
    each(|server| {
        let url = server.url();
        list(server, &["subscriptions", "--customer", "cus_nobody"]);
        let ran = list(server, &["prices", "--mode", "test", "--limit", "0"]);
        assert_eq!(ran.code, 2);
        assert_eq!(list(server, &["subscriptions"]).code, 2);
        assert_eq!(list(server, &["prices", "--customer", "cus_ada"]).code, 2);
        let other = churnkey(["list", "prices", "--json", "--url", &url]);
        let other = other
            .env("CK_INTEGRATION_TOKEN", "another-token-of-somebody")
            .run();
        assert_eq!(
            (other.code, &other.json()["error"]["kind"]),
            (1, &json!("answer"))
        );
        let elsewhere = format!("http://{}/elsewhere", server.address());
        let ran = churnkey(["list", "prices", "--url", &elsewhere]).run();
        assert_eq!((ran.code, &*ran.stdout), (1, ""));
        let start = format!(
            "error: {elsewhere}/prices answered 404 (request id none): give the URL with its prefix"
        );
        assert!(ran.stderr.starts_with(&start), "{}", ran.stderr);
    });
}

fn family(id: &str) -> Value {
    json!({ "id": id, "name": id })
}

/// A list whose pages are wrong in many ways.
async fn broken(request: Request) -> Response {
    let page = match request.uri().query().unwrap_or_default() {
        "limit=2" => json!({ "data": [family("a"), family("b"), family("c")], "next": "2" }),
        "limit=2&cursor=2" => json!({ "data": [], "next": "a b" }),
        "limit=2&cursor=a%20b" => json!({ "data": [family("b"), { "id": "d" }], "next": "2" }),
        query => panic!("{query}"),
    };
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (headers, page.to_string()).into_response()
}

#[test]
fn what_is_wrong_with_pages_is_named() {
    let server = Server::start(Router::new().fallback(any(broken)));
    list(&server, &["families", "--limit", "2"]).assert(
        1,
        "{\"id\":\"a\",\"name\":\"a\"}\n{\"id\":\"b\",\"name\":\"b\"}\n{\"id\":\"c\",\"name\":\"c\"}\n\
         {\"id\":\"b\",\"name\":\"b\"}\n{\"id\":\"d\"}\n",
        "wrong: page 1, data: expected 2 records at most; got 3 (contract, section 2.5)\n\
         wrong: page 2, data: expected a record on every page but an only one; got none (contract, section 2.5)\n\
         wrong: page 3, data[1].name: expected a value; got none (contract, section 3.10)\n\
         wrong: page 3, data[0].id: expected every record once; got b again (contract, section 2.5)\n\
         wrong: page 3, next: expected a list that comes to its end; got the cursor of an earlier page \
         (contract, section 2.5)\n\
         records: 5, pages: 3\n",
    );
    let json = list(&server, &["families", "--limit", "2", "--json"]);
    let summary: Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!(
        (json.code, summary["wrong"].as_array().unwrap().len()),
        (1, 5)
    );
    let wrong = json!({ "page": 3, "field": "data[0].id", "expected": "every record once", "got": "b again", "section": "2.5" });
    assert_eq!(summary["wrong"][3], wrong);
}

#[test]
fn a_list_that_never_ends_is_left() {
    let app = Router::new().fallback(any(|request: Request| async move {
        let next = format!("{}x", request.uri().query().unwrap_or_default().len());
        let body = json!({ "data": [family("a")], "next": next + &"x".repeat(request.uri().to_string().len()) });
        axum::Json(body)
    }));
    let ran = list(&Server::start(app), &["families"]);
    assert_eq!(ran.code, 1);
    let end =
        "got 100 pages without a new record (contract, section 2.5)\nrecords: 101, pages: 101\n";
    assert!(
        ran.stderr.ends_with(end),
        "{}",
        ran.stderr.lines().last().unwrap()
    );
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    each(|server| {
        let line = format!(
            "{} list customers --limit 1 --url {} | head -n 1 > /dev/null; echo ${{PIPESTATUS[0]}}",
            env!("CARGO_BIN_EXE_churnkey"),
            server.url()
        );
        let mut command = std::process::Command::new("bash");
        let output = command
            .args(["-c", &line])
            .env("CK_INTEGRATION_TOKEN", crate::tool::TOKEN)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "0\n");
        assert!(
            !String::from_utf8(output.stderr)
                .unwrap()
                .contains("panicked")
        );
    });
}
