//! `churnkey call`.

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::json;

use crate::{
    merchants::{Server, each, in_memory, in_memory_app},
    tool::{Ran, churnkey},
};

/// What differs between two runs, in each line about an answer.
fn without_times(ran: Ran) -> Ran {
    let lines = ran
        .stdout
        .lines()
        .map(|line| match line.split_once(" ms, request id ") {
            Some((start, id)) => {
                let status = start.split(' ').next().unwrap();
                let id = if id == "none" { "none" } else { "ID" };
                format!("{status} TIME, request id {id}\n")
            }
            None => format!("{line}\n"),
        });
    Ran {
        stdout: lines.collect(),
        ..ran
    }
}

#[test]
fn an_answer_is_shown_and_its_shape_is_right() {
    each(|server| {
        let ran = churnkey([
            "call",
            "GET",
            "/customers/cus_linus",
            "--url",
            &server.url(),
        ])
        .run();
        without_times(ran).assert(
            0,
            "200 TIME, request id ID\n{\n  \"id\": \"cus_linus\",\n  \"name\": \"Linus\",\n  \"phone\": \"+358401234567\"\n}\n\
             the shape is right (customers.retrieve)\n",
            "",
        );
        let ran = churnkey([
            "call",
            "GET",
            "/customers/cus_nobody",
            "--url",
            &server.url(),
        ])
        .run();
        without_times(ran).assert(
            0,
            "404 TIME, request id ID\n{\n  \"code\": 404,\n  \"message\": \"Customer not found\"\n}\n\
             the shape is right (customers.retrieve)\n",
            "",
        );
    });
}

#[test]
fn json_has_the_answer_and_what_is_wrong_with_it() {
    each(|server| {
        let path = "/customers/cus_linus";
        let mut json = churnkey(["call", "GET", path, "--json", "--url", &server.url()])
            .run()
            .json();
        let answer = &mut json["answers"][0];
        assert!(answer["milliseconds"].take().is_u64());
        assert!(answer["requestId"].take().is_string());
        let record = json!({ "id": "cus_linus", "name": "Linus", "phone": "+358401234567" });
        let answer = json!({
            "status": 200, "milliseconds": null, "requestId": null, "operation": "customers.retrieve",
            "json": record, "text": null, "wrong": [],
        });
        assert_eq!(json, json!({ "version": 1, "answers": [answer] }));
    });
}

#[test]
fn every_read_of_the_examples_has_the_right_shape() {
    each(|server| {
        for path in [
            "/features",
            "/customers?limit=3",
            "/customers/cus_ada",
            "/customers/email/ada%40example.com",
            "/customers/email/shared@example.com",
            "/customers/phone/%2B358401234567",
            "/customers/cus_ada/subscriptions",
            "/customers/cus_ada/subscriptions/sub_ada_pro",
            "/prices",
            "/prices/price_pro_month",
            "/coupons",
            "/coupons/coupon_stay20",
            "/products",
            "/products/prod_pro",
            "/families",
            "/families/fam_core",
            "/nothing",
            "/customers?limit=0",
        ] {
            let ran = churnkey(["call", "GET", path, "--json", "--url", &server.url()]).run();
            assert_eq!(
                (ran.code, &ran.json()["answers"][0]["wrong"]),
                (0, &json!([])),
                "{path}"
            );
        }
    });
}

#[test]
fn the_same_request_again_is_the_same_request() {
    each(|server| {
        let body =
            r#"{"customerId":"cus_ada","subscriptionId":"sub_ada_pro","scheduledAt":"immediate"}"#;
        let path = "/actions/subscription/cancel";
        let url = server.url();
        let all = [
            "call", "POST", path, "--body", body, "--repeat", "2", "--url", &url,
        ];
        without_times(churnkey(all).run()).assert(
            0,
            "200 TIME, request id ID\nthe shape is right (cancel)\n200 TIME, request id ID\nthe shape is right (cancel)\n",
            "",
        );
        // From here on, the key stands for another request.
        let body = body.replace("sub_ada_pro", "sub_ada_year");
        let body = &*body;
        let first = churnkey([
            "call",
            "POST",
            path,
            "--body",
            body,
            "--idempotency-key",
            "k",
            "--url",
            &url,
        ])
        .run();
        assert_eq!(first.code, 0);
        let other = body.replace("immediate", "end-of-period");
        let other = churnkey([
            "call",
            "POST",
            path,
            "--body",
            &other,
            "--idempotency-key",
            "k",
            "--json",
            "--url",
            &url,
        ])
        .run();
        assert_eq!(other.json()["answers"][0]["status"], 422);
    });
}

#[test]
fn the_plain_token_and_the_mode_are_sent() {
    each(|server| {
        let url = server.url();
        for (path, expected) in [("/customers/cus_test", 200), ("/customers/cus_ada", 404)] {
            for more in [&["--plain"][..], &[]] {
                let all = [
                    &[
                        "call", "GET", path, "--json", "--mode", "test", "--url", &url,
                    ],
                    more,
                ]
                .concat();
                assert_eq!(
                    churnkey(all).run().json()["answers"][0]["status"],
                    expected,
                    "{path} {more:?}"
                );
            }
        }
    });
}

async fn broken(request: Request) -> Response {
    // As of a server that is not made with the library.
    let good = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    match request.uri().path() {
        "/churnkey/prices" => {
            let price = json!({ "id": "p", "type": "standalone", "duration": { "amount": 1, "unit": "week" } });
            (good, json!({ "data": [price, "p"] }).to_string()).into_response()
        }
        "/churnkey/customers/c" => {
            (good, r#"{"id":"c","addresses":[{"country":"Germany"}]}"#).into_response()
        }
        "/churnkey/features" => (
            StatusCode::FOUND,
            [(header::LOCATION, "https://evil.example/")],
            "",
        )
            .into_response(),
        _ => (StatusCode::NOT_FOUND, "<h1>\x1b[31mnobody</h1>").into_response(),
    }
}

#[test]
fn what_is_wrong_with_a_shape_is_named() {
    let server = Server::start(Router::new().fallback(any(broken)));
    let call =
        |path: &str| without_times(churnkey(["call", "GET", path, "--url", &server.url()]).run());
    let said = |path: &str| {
        let ran = call(path);
        assert_eq!((ran.code, &*ran.stderr), (1, ""));
        let start = ran.stdout.find("the shape is").unwrap();
        let (shown, said) = ran.stdout.split_at(start);
        (shown.to_owned(), said.to_owned())
    };
    assert_eq!(
        said("/prices").1,
        "the shape is wrong (prices.list):\n  \
         data[0].duration.unit: expected `month` or `year`; got `week` (contract, section 3.5)\n  \
         data[1]: expected an object; got string \"p\" (contract, section 3.5)\n"
    );
    assert_eq!(
        said("/customers/c").1,
        "the shape is wrong (customers.retrieve):\n  \
         addresses[0].country: expected a valid value: `country` is not a valid ISO 3166-1 alpha-2 code: use one like GB; got \"Germany\" (contract, section 3.1)\n"
    );
    assert_eq!(
        said("/features").1,
        "the shape is wrong (features):\n  \
         status: expected 200, or an error from 400 on; got 302 (contract, section 2.6)\n  \
         content-type: expected application/json; got text/plain; charset=utf-8 (contract, section 2.1)\n  \
         body: expected a JSON object; got nothing (contract, section 2.1)\n\
         redirects are not followed with a credential: give the URL that it leads to\n"
    );
    // What comes from outside does not take over the terminal.
    let (shown, said) = said("/nothing");
    assert_eq!(
        shown,
        "404 TIME, request id none\n<h1>\\u{1b}[31mnobody</h1>\n"
    );
    assert_eq!(
        said,
        "the shape is wrong (no operation of the contract):\n  \
         content-type: expected application/json; got text/plain; charset=utf-8 (contract, section 2.1)\n  \
         body: expected a JSON object; got text that is not JSON (contract, section 2.6)\n"
    );
}

#[test]
fn a_credential_does_not_follow_a_redirect() {
    let app = Router::new().fallback(any(|request: Request| async move {
        assert!(
            request.uri().path() == "/churnkey/prices",
            "{} is not called",
            request.uri()
        );
        (
            StatusCode::TEMPORARY_REDIRECT,
            [(header::LOCATION, "/churnkey/elsewhere")],
        )
            .into_response()
    }));
    let server = Server::start(app);
    let ran = churnkey(["call", "GET", "/prices", "--json", "--url", &server.url()]).run();
    assert_eq!(
        (ran.code, &ran.json()["answers"][0]["status"]),
        (1, &json!(307))
    );
}

#[test]
fn who_does_not_answer_is_exit_code_3() {
    let closed = in_memory().url();
    let ran = churnkey(["call", "GET", "/features", "--url", &closed]).run();
    assert_eq!((ran.code, &*ran.stdout), (3, ""));
    let origin = closed.trim_end_matches("/churnkey");
    assert!(
        ran.stderr
            .starts_with(&format!("error: nothing answered at {origin}: ")),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("onnection refused"), "{}", ran.stderr);

    let ran = churnkey(["call", "GET", "/features", "--json", "--url", &closed]).run();
    assert_eq!(
        (ran.code, &ran.json()["error"]["kind"], &*ran.stderr),
        (3, &json!("unreachable"), "")
    );
}

#[test]
fn the_time_that_an_answer_may_take_has_an_end() {
    let app = Router::new().fallback(any(|| async {
        tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    }));
    let server = Server::start(app);
    let ran = churnkey([
        "call",
        "GET",
        "/features",
        "--timeout",
        "1",
        "--url",
        &server.url(),
    ])
    .run();
    assert_eq!(ran.code, 3);
    assert!(
        ran.stderr.contains("no answer came in time"),
        "{}",
        ran.stderr
    );
}

#[test]
fn verbose_names_requests_and_no_credentials() {
    let server = Server::start(in_memory_app());
    let ran = churnkey([
        "call",
        "GET",
        "/features",
        "-v",
        "--plain",
        "--url",
        &server.url(),
    ])
    .run();
    let (line, rest) = ran.stderr.split_once(", ").unwrap();
    assert_eq!(line, "GET /churnkey/features -> 200 HTTP/1.1");
    assert!(rest.ends_with(" ms\n"), "{rest}");
}
