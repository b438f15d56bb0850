//! `churnkey check`.

use std::{
    collections::BTreeSet,
    fs,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::header,
    middleware::{Next, from_fn},
    response::Response,
};
use churnkey_integrator::Timestamp;
use example_app::Clock;
use serde_json::{Value, json};

use crate::{
    merchants::{Server, each, in_memory, in_memory_app, in_memory_store, token},
    tool::{Ran, churnkey},
};

/// What may be done to the records of the demo, in the order in which the suite does it.
const DISPOSABLES: [&str; 7] = [
    "extend-trial=cus_grace/sub_grace_trial",
    "apply-coupon=cus_ada/sub_ada_year/coupon_stay20",
    "change-price=cus_ada/sub_ada_pro/price_basic_month",
    "pause=cus_ada/sub_ada_year",
    "cancel=cus_ada/sub_ada_pro",
    "pause-all=cus_grace",
    "cancel-all=cus_linus",
];

fn check(server: &Server, arguments: &[&str]) -> Ran {
    let url = server.url();
    churnkey([&["check", "--url", &url], arguments].concat()).run()
}

fn with_disposables<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let named = DISPOSABLES
        .iter()
        .flat_map(|named| ["--disposable", *named]);
    named.chain(more.iter().copied()).collect()
}

/// How many of each the report has.
fn counts(report: &Value) -> [usize; 3] {
    ["kept", "findings", "skipped"].map(|key| report[key].as_array().unwrap().len())
}

#[test]
fn records_are_found_by_listing() {
    each(|server| {
        let ran = check(server, &["--json"]);
        assert_eq!((ran.code, &*ran.stderr), (0, ""));
        let report = ran.json();
        assert_eq!(
            report["fixtures"],
            json!({
                "customer": "cus_ada", "missing": "churnkey-check-nobody", "test-customer": "cus_test",
                "email": "of cus_ada", "phone": "of cus_ada", "subscription": "cus_ada/sub_ada_pro",
                "price": "price_pro_month", "coupon": "coupon_stay20", "product": "prod_pro", "family": "fam_core",
            })
        );
        assert_eq!(
            (&report["url"], &report["passed"]),
            (&json!(server.url()), &json!(true))
        );
        let [kept, findings, skipped] = counts(&report);
        assert!(kept > 200 && skipped > 10, "{kept}, {skipped}");
        assert_eq!(findings, 0);
        // What several customers have was found, too.
        let ambiguous = json!({ "operation": "customers.find_by_email", "rule": "ambiguous" });
        assert!(report["kept"].as_array().unwrap().contains(&ambiguous));
    });
}

#[test]
fn what_is_named_is_used() {
    let server = in_memory();
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "url = \"{}\"\n[fixtures]\ncustomer = \"cus_linus\"\nmissing = \"nobody\"\nprice = \"price_pro_month\"\n\
         subscription = \"cus_linus/sub_linus_seats\"\n",
        server.url()
    );
    fs::write(folder.path().join("churnkey.toml"), settings).unwrap();
    let named = [
        "check",
        "--json",
        "--price",
        "price_basic_month",
        "--email",
        "cus_zoe/zoe+billing@example.com",
    ];
    let report = churnkey(named).within(folder.path()).run().json();
    assert_eq!(
        report["fixtures"],
        json!({
            "customer": "cus_linus", "missing": "nobody", "test-customer": "cus_test", "email": "of cus_zoe",
            "phone": "of cus_ada", "subscription": "cus_linus/sub_linus_seats", "price": "price_basic_month",
            "coupon": "coupon_stay20", "product": "prod_pro", "family": "fam_core",
        })
    );
    let wrong = check(&server, &["--json", "--price", "no_such_price"]);
    assert_eq!(
        (wrong.code, &wrong.json()["findings"][0]["operation"]),
        (1, &json!("prices.retrieve"))
    );
}

#[test]
fn records_are_changed_only_with_yes() {
    each(|server| {
        let status = || {
            let path = "/customers/cus_ada/subscriptions/sub_ada_pro";
            let ran = churnkey(["call", "GET", path, "--json", "--url", &server.url()]).run();
            ran.json()["answers"][0]["json"]["status"]["name"].clone()
        };
        let ran = check(server, &with_disposables(&["--fail-on", "unchecked"]));
        let note = format!("not done without --yes: {}\n", DISPOSABLES.join(", "));
        assert_eq!(
            (ran.code, &*ran.stderr, status()),
            (1, &*note, json!("active"))
        );

        // What is not asked for is not done either.
        let ran = check(server, &with_disposables(&["--yes", "--only", "customers"]));
        assert_eq!((ran.code, &*ran.stderr, status()), (0, "", json!("active")));
        assert!(
            ran.stdout.ends_with("broken: 0, not checked: 0\n"),
            "{}",
            ran.stdout
        );

        let report = check(
            server,
            &with_disposables(&["--yes", "--json", "--expired-coupon", "coupon_expired"]),
        );
        assert_eq!(
            (report.code, status()),
            (0, json!("canceled")),
            "{report:?}"
        );
        let report = report.json();
        for action in [
            "extend_trial",
            "apply_coupon",
            "change_price",
            "pause",
            "cancel",
            "pause_all",
            "cancel_all",
        ] {
            let done = json!({ "operation": action, "rule": "action-done" });
            assert!(
                report["kept"].as_array().unwrap().contains(&done),
                "{action}"
            );
        }
    });
}

#[test]
fn only_narrows_the_report_down() {
    let server = in_memory();
    let kept = |only: &str| {
        let report = check(&server, &["--json", "--only", only]).json();
        let kept = report["kept"].as_array().unwrap().iter();
        let kept = kept.map(|pair| {
            format!(
                "{} {}",
                pair["operation"].as_str().unwrap(),
                pair["rule"].as_str().unwrap()
            )
        });
        kept.collect::<Vec<_>>()
    };
    assert_eq!(
        kept("prices,each-record-once,found"),
        [
            "prices.retrieve found",
            "prices.list each-record-once",
            "prices.list found"
        ]
    );
    assert!(
        kept("coupons.list")
            .iter()
            .all(|pair| pair.starts_with("coupons.list "))
    );
    let wrong = check(&server, &["--only", "price"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong
            .stderr
            .contains("there is no such operation, resource or rule"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn only_narrows_down_what_is_called() {
    let called = Arc::new(Mutex::new(Vec::new()));
    let calls = called.clone();
    let app =
        Router::new()
            .merge(in_memory_app())
            .layer(from_fn(move |request: Request, next: Next| {
                let path = request.uri().path().trim_start_matches("/churnkey/");
                calls.lock().unwrap().push(path.to_owned());
                next.run(request)
            }));
    let server = Server::start(app);
    let called_by = |only: &str| {
        let ran = check(&server, &["--json", "--only", only]);
        assert_eq!((ran.code, &*ran.stderr), (0, ""));
        std::mem::take(&mut *called.lock().unwrap())
    };
    let actions_of = |called: &[String]| {
        let actions = called
            .iter()
            .filter_map(|path| path.strip_prefix("actions/"));
        actions.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let prices = called_by("prices");
    assert_eq!(actions_of(&prices), BTreeSet::new());
    let of_prices = prices
        .iter()
        .filter(|path| path.starts_with("prices"))
        .count();
    let others = prices.len() - of_prices;
    assert!(of_prices > 50 && others < 50, "{of_prices}, {others}");
    let cancel = called_by("cancel");
    assert_eq!(
        actions_of(&cancel),
        BTreeSet::from(["subscription/cancel".to_owned()])
    );

    // A rule alone is kept by many operations.
    assert_eq!(actions_of(&called_by("bad-body")).len(), 7);
    // What the list of customers brings is still known where only their subscriptions are asked for.
    let lists = |called: &[String]| {
        let lists = called
            .iter()
            .filter(|path| path.ends_with("/subscriptions"));
        lists.cloned().collect::<BTreeSet<_>>()
    };
    let [alone, with_customers] = ["subscriptions", "subscriptions,customers"].map(called_by);
    assert_eq!(lists(&alone), lists(&with_customers));
}

/// Cancels a subscription at the end of its period, with these options. The merchant's clock is what the file `clock` says,
/// which is returned.
fn cancel_at_the_end_of_a_period(options: &[&str]) -> (Ran, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clock");
    let store = in_memory_store();
    let integration = in_memory::churnkey::integration(&store, token()).unwrap();
    let clock = file.clone();
    let set_clock = from_fn(move |request: Request, next: Next| {
        if let Ok(moment) = fs::read_to_string(&clock) {
            store.set_clock(Clock::Frozen(moment.parse().unwrap()));
        }
        next.run(request)
    });
    let app = Router::new().merge(integration.into_router());
    let server = Server::start(app.layer(set_clock));
    let url = server.url();
    let named = [
        "check",
        "--url",
        &url,
        "--json",
        "--only",
        "cancel",
        "--yes",
        "--disposable",
        "cancel=cus_linus/sub_linus_seats",
        "--disposable",
        "cancel=cus_ada/sub_ada_pro",
    ];
    let ran = churnkey([&named, options].concat())
        .within(folder.path())
        .run();
    (ran, fs::read_to_string(file).ok())
}

#[test]
fn what_is_planned_is_checked_once_a_command_has_advanced_the_clock() {
    let (ran, _) = cancel_at_the_end_of_a_period(&[]);
    let skipped = &ran.json()["skipped"];
    assert_eq!((ran.code, skipped.as_array().unwrap().len()), (0, 1));
    assert_eq!(skipped[0]["needs"], "--advance-clock COMMAND");

    let command = "printf %s $CHURNKEY_CLOCK > clock; echo $CHURNKEY_CLOCK_SECONDS";
    let (ran, clock) = cancel_at_the_end_of_a_period(&["--advance-clock", command]);
    assert_eq!((ran.code, &ran.json()["skipped"]), (0, &json!([])));
    let moment: Timestamp = clock.unwrap().parse().unwrap();
    assert_eq!(ran.stderr, format!("{}\n", moment.unix_seconds()));

    // The clock that stays where it was shows nothing.
    let (ran, _) = cancel_at_the_end_of_a_period(&["--advance-clock", "true"]);
    assert_eq!(
        (ran.code, &ran.json()["findings"][0]["rule"]),
        (1, &json!("effect-visible"))
    );
    let (ran, _) = cancel_at_the_end_of_a_period(&["--advance-clock", "exit 3"]);
    assert_eq!(
        (ran.code, &ran.json()["error"]["message"]),
        (
            2,
            &json!("the command of --advance-clock failed: exit status: 3")
        )
    );
}

/// A merchant with a hostile name, whose gateway explains each 404 in HTML, and repeats the path.
pub(crate) fn broken() -> Server {
    async fn gateway(request: Request, next: Next) -> Response {
        let path = request.uri().path().to_owned();
        let response = next.run(request).await;
        let status = response.status();
        let (mut parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = match status.as_u16() {
            404 => format!("{{\"code\":404,\"message\":\"<b>\\u001b[31m{path}</b>\"}}"),
            200 if path.ends_with("/features") => String::from_utf8(bytes.to_vec())
                .unwrap()
                .replace("In-memory example", "<script>alert(1)</script> & 'co'"),
            _ => return Response::from_parts(parts, Body::from(bytes)),
        };
        parts.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(parts, Body::from(body))
    }
    Server::start(Router::new().merge(in_memory_app()).layer(from_fn(gateway)))
}

#[test]
fn what_is_broken_is_said_and_what_it_costs() {
    let server = broken();
    let ran = check(&server, &["--only", "products.retrieve"]);
    assert_eq!((ran.code, &*ran.stderr), (1, ""));
    let (_, said) = ran.stdout.split_once("broken ").unwrap();
    assert_eq!(
        said,
        "products.retrieve: errors-tell-nothing (contract, section 2.6)\n  \
         expected an error without anything of the store or of what was asked for\n  \
         got      \"churnkey-check-nobody\" in the message \"<b>\\u{1b}[31m/churnkey/products/churnkey-check-nobody</b>\"\n  \
         costs    the names of products in offers\n\
         broken products.retrieve: errors-tell-nothing (contract, section 2.6)\n  \
         expected an error without anything of the store or of what was asked for\n  \
         got      \"undefined\" in the message \"<b>\\u{1b}[31m/churnkey/products/undefined</b>\"\n  \
         costs    the names of products in offers\n\
         kept: 9, broken: 2, not checked: 0\n"
    );
}

#[test]
fn every_form_has_every_finding() {
    let server = broken();
    let json = check(&server, &["--json"]);
    assert_eq!((json.code, &*json.stderr), (1, ""));
    let report = json.json();
    let [kept, findings, skipped] = counts(&report);
    assert!(findings > 10, "{findings}");

    let text = check(&server, &["--report", "text"]);
    assert_eq!(text.code, 1);
    let summary = format!("kept: {kept}, broken: {findings}, not checked: {skipped}");
    assert_eq!(text.stdout.lines().last(), Some(&*summary));
    assert_eq!(
        text.stdout
            .lines()
            .filter(|line| line.starts_with("broken "))
            .count(),
        findings
    );

    let junit = check(&server, &["--report", "junit"]);
    assert_eq!(junit.code, 1);
    assert_eq!(junit.stdout.matches("; this costs ").count(), findings);
    assert_eq!(junit.stdout.matches("<skipped ").count(), skipped);
    assert!(junit.stdout.contains(
        "name=\"churnkey check: &lt;script&gt;alert(1)&lt;/script&gt; &amp; &#39;co&#39;\""
    ));

    let html = check(&server, &["--report", "html"]);
    assert_eq!(html.code, 1);
    assert_eq!(html.stdout.matches("<article>").count(), findings);
    assert!(
        html.stdout
            .contains("<h1>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#39;co&#39;</h1>")
    );
    assert!(html.stdout.contains(&summary));

    for ran in [&json, &text, &junit, &html] {
        for not_said in ["Fixtures::", "Disposable::", "\u{1b}", "<script>", "<b>"] {
            let is_text = std::ptr::eq(ran, &json) || std::ptr::eq(ran, &text);
            assert!(
                is_text && not_said.starts_with('<') || !ran.stdout.contains(not_said),
                "{not_said}"
            );
        }
    }
}

#[test]
fn a_report_goes_to_a_file_and_fails_on_what_it_should() {
    let server = broken();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let file = file.to_str().unwrap();
    let ran = check(
        &server,
        &["--report", "html", "--output", file, "--fail-on", "nothing"],
    );
    ran.assert(0, "", "");
    let page = fs::read_to_string(file).unwrap();
    assert!(
        page.starts_with("<!doctype html>") && page.ends_with("</html>\n"),
        "{page}"
    );
    for loads in [
        "http-equiv=\"refresh\"",
        " src=",
        "<link",
        "@import",
        "url(",
        "<script",
    ] {
        assert!(!page.contains(loads), "{loads}");
    }

    let unwritable = check(&server, &["--output", "/no/such/folder/report"]);
    assert_eq!((unwritable.code, &*unwritable.stdout), (2, ""));
    assert_eq!(check(&server, &["--json", "--report", "html"]).code, 2);
}

#[test]
fn what_can_not_be_checked_is_an_error() {
    let server = in_memory();
    let ran = check(&server, &["--token-env", "OTHER"]);
    assert_eq!(ran.code, 2);
    let other = churnkey(["check", "--url", &server.url()]);
    let ran = other
        .env("CK_INTEGRATION_TOKEN", "another-token-of-somebody")
        .run();
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    assert!(
        ran.stderr.contains("/features answered 401"),
        "{}",
        ran.stderr
    );
    let elsewhere = format!("http://{}", server.address());
    let ran = churnkey(["check", "--url", &elsewhere]).run();
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    let closed = server.url();
    drop(server);
    assert_eq!(churnkey(["check", "--url", &closed]).run().code, 3);
}
