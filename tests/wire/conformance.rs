//! The conformance suite over the examples: in process, over a socket, and where there is nothing to check.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{
    Router,
    extract::Request,
    http::HeaderValue,
    middleware::{Next, from_fn},
    response::{Redirect, Response},
    routing::get,
};
use churnkey_conformance::{Client, Disposable, Fixtures, NotChecked, Report, UrlError, check};
use churnkey_integrator::{
    AuthenticationError, CustomerId, FamilyId, Integration, IntegrationToken, Timestamp,
    model::{Customer, Family},
};
use example_app::{Clock, Demo};
use http::Method;
use in_memory::{churnkey, store::Store};
use serde_json::json;
use throwaway_postgres::{TestDatabase, test_database};
use tokio::net::TcpListener;

use crate::{
    merchants::{
        billing_fixtures, billing_store, client_of, demo_fixtures, empty_postgres_store,
        in_memory_store, reading_fixtures, server, token,
    },
    socket::Server,
};

/// How many rules a merchant who serves everything is checked for, each with every operation that it is about.
const KEPT: usize = 268;

/// What is skipped where nothing may be changed: each action, in each way to ask for it.
const NOT_DONE: [&str; 17] = [
    "extend_trial with a duration of type period: not checked, add Disposable::to_extend_trial(..)",
    "extend_trial with a duration of type date: not checked, add Disposable::to_extend_trial(..)",
    "apply_coupon: not checked, add Disposable::to_apply_coupon(..)",
    "change_price with scheduledAt immediate: not checked, add Disposable::to_change_price(..)",
    "change_price with scheduledAt end-of-period: not checked, add Disposable::to_change_price(..)",
    "pause with startAt immediate and a duration of type period: not checked, add Disposable::to_pause(..)",
    "pause with startAt end-of-period and a duration of type period: not checked, add Disposable::to_pause(..)",
    "pause with startAt immediate and a duration of type date: not checked, add Disposable::to_pause(..)",
    "pause with startAt end-of-period and a duration of type date: not checked, add Disposable::to_pause(..)",
    "cancel with scheduledAt immediate: not checked, add Disposable::to_cancel(..)",
    "cancel with scheduledAt end-of-period: not checked, add Disposable::to_cancel(..)",
    "pause_all with startAt immediate and a duration of type period: not checked, add Disposable::to_pause_all(..)",
    "pause_all with startAt end-of-period and a duration of type period: not checked, add Disposable::to_pause_all(..)",
    "pause_all with startAt immediate and a duration of type date: not checked, add Disposable::to_pause_all(..)",
    "pause_all with startAt end-of-period and a duration of type date: not checked, add Disposable::to_pause_all(..)",
    "cancel_all with scheduledAt immediate: not checked, add Disposable::to_cancel_all(..)",
    "cancel_all with scheduledAt end-of-period: not checked, add Disposable::to_cancel_all(..)",
];

async fn over_a_socket(integration: Integration, path: &str, fixtures: &Fixtures) -> Report {
    let url = format!("{}{path}", server(integration).await.url());
    check(&Client::at(&url, token()).unwrap(), fixtures)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_in_memory_merchant_conforms_also_while_records_come_and_go() {
    let store = billing_store();
    let integration = churnkey::integration(&store, token()).unwrap();
    let count = AtomicUsize::new(0);
    let fixtures = billing_fixtures(&store).between_pages(move || {
        let n = count.fetch_add(1, Ordering::Relaxed);
        let new = CustomerId::new(format!("cus_new_{n}")).unwrap();
        let gone = CustomerId::new("cus_ada").unwrap();
        store.live.customers.extend([Customer::new(new)]);
        store.live.customers.remove(&gone);
        let new = FamilyId::new(format!("fam_new_{n}")).unwrap();
        let new = Family::new(new, "New plans");
        let books = &store.live.books;
        books.write(|tables| tables.families.put(new));
        async {}
    });
    let report = check(&client_of(&integration), &fixtures).await.unwrap();
    report.assert_passed();
    assert_eq!(report.skipped(), []);
    assert_eq!(report.passed().count(), KEPT, "{report}");
}

#[tokio::test]
async fn a_catalogue_that_both_modes_share_is_no_fault_if_the_merchant_says_so() {
    let demo = Demo::load().unwrap();
    let store = Store::new(Clock::Frozen(demo.clock));
    let shared = Demo::load().unwrap().live;
    let mut test = demo.test;
    test.prices.extend(shared.prices);
    test.coupons.extend(shared.coupons);
    test.products.extend(shared.products);
    test.families.extend(shared.families);
    store.live.extend(demo.live);
    store.test.extend(test);
    let integration = churnkey::integration(&store, token()).unwrap();

    let report = check(&client_of(&integration), &reading_fixtures())
        .await
        .unwrap();
    assert_eq!(report.findings().len(), 8, "{report}");
    for finding in report.findings() {
        assert_eq!(finding.rule().name(), "modes-apart", "{finding}");
    }
    let fixtures = reading_fixtures().shared_catalogue();
    let report = check(&client_of(&integration), &fixtures).await.unwrap();
    report.assert_passed();
}

#[tokio::test]
async fn the_in_memory_merchant_conforms_over_a_socket() {
    let store = billing_store();
    let integration = churnkey::integration(&store, token()).unwrap();
    let report = over_a_socket(integration, "", &billing_fixtures(&store)).await;
    report.assert_passed();
    assert_eq!(report.skipped(), []);
    // All but what needs the hook that changes the store.
    assert_eq!(report.passed().count(), KEPT - 6, "{report}");
}

#[tokio::test]
async fn the_postgres_merchant_conforms_in_process_and_over_a_socket() {
    let prepared = async |database: &TestDatabase| {
        let demo = suite_fixtures::demo().unwrap();
        let store = empty_postgres_store(database, Clock::Frozen(demo.clock)).await;
        assert!(store.load_if_empty(&demo.live, &demo.test).await.unwrap());
        let integration = postgres::churnkey::integration(&store, token()).unwrap();
        let fixtures = suite_fixtures::fixtures().advance_clock(move |moment| {
            store.set_clock(Clock::Frozen(moment));
            async {}
        });
        (integration, fixtures)
    };
    let (one, other) = (test_database(), test_database());
    let (here, fixtures) = prepared(&one).await;
    let (there, fixtures_there) = prepared(&other).await;
    for report in [
        check(&client_of(&here), &fixtures).await.unwrap(),
        over_a_socket(there, "", &fixtures_there).await,
    ] {
        report.assert_passed();
        assert_eq!(report.skipped(), []);
        assert_eq!(report.passed().count(), KEPT - 6, "{report}");
    }
}

#[tokio::test]
async fn merchants_with_settings_of_their_own_conform() {
    let builder = |store: &Store| churnkey::builder(store, token());
    let store = billing_store();
    let signed_only = builder(&store).require_signature().build().unwrap();
    check(&client_of(&signed_only), &billing_fixtures(&store))
        .await
        .unwrap()
        .assert_passed();

    let prefix = "/api/churnkey";
    let store = billing_store();
    let elsewhere = builder(&store).prefix(prefix).page_limit(2, 3);
    over_a_socket(
        elsewhere.build().unwrap(),
        prefix,
        &billing_fixtures(&store),
    )
    .await
    .assert_passed();

    let live_only = builder(&in_memory_store()).live_only().build().unwrap();
    let fixtures = Fixtures::new("cus_ada", "cus_nobody")
        .email("zoe+billing@example.com", "cus_zoe")
        .phone("+358401234567", "cus_linus")
        .subscription("cus_linus", "sub_linus_seats")
        .price("price_pro_month")
        .coupon("coupon_stay20")
        .product("prod_pro")
        .family("fam_core");
    check(&client_of(&live_only), &fixtures)
        .await
        .unwrap()
        .assert_passed();
    over_a_socket(live_only, "/churnkey/", &fixtures)
        .await
        .assert_passed();
}

#[tokio::test]
async fn an_integration_with_a_clock_of_its_own_is_called_by_that_clock() {
    let moment: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let builder = churnkey::builder(&in_memory_store(), token()).clock(move || moment);
    let client = client_of(&builder.build().unwrap());
    let error = check(&client, &reading_fixtures()).await.unwrap_err();
    assert!(matches!(error, NotChecked::Unauthorized { .. }), "{error}");
    let client = client.with_clock(move || moment);
    let report = check(&client, &reading_fixtures()).await.unwrap();
    report.assert_passed();
}

#[tokio::test]
async fn without_a_disposable_nothing_is_changed() {
    async fn everything(store: &Store) -> Vec<serde_json::Value> {
        let client = client_of(&churnkey::integration(store, token()).unwrap());
        let mut all = vec![client.get("/churnkey/coupons").await.into_body()];
        for customer in Demo::load().unwrap().live.customers {
            let path = format!("/churnkey/customers/{}/subscriptions", customer.id());
            all.push(client.get(&path).await.into_body());
        }
        all
    }
    let store = in_memory_store();
    let before = everything(&store).await;
    let integration = churnkey::integration(&store, token()).unwrap();
    let report = check(&client_of(&integration), &reading_fixtures())
        .await
        .unwrap();
    report.assert_passed();
    assert_eq!(everything(&store).await, before);

    let skipped = report.skipped().iter().map(ToString::to_string);
    assert_eq!(skipped.collect::<Vec<_>>(), NOT_DONE);
    let text = report.to_string();
    for line in NOT_DONE {
        assert!(text.contains(&format!("skipped {line}\n")), "{text}");
    }
}

#[tokio::test]
async fn what_takes_effect_later_is_named_where_no_clock_can_be_advanced() {
    let store = billing_store();
    let integration = churnkey::integration(&store, token()).unwrap();
    let report = check(&client_of(&integration), &suite_fixtures::fixtures())
        .await
        .unwrap();
    report.assert_passed();
    let skipped = report.skipped().iter();
    let skipped = skipped.map(|skipped| {
        assert_eq!(skipped.needs(), "Fixtures::advance_clock(..)");
        (skipped.operation().name(), skipped.what())
    });
    let period = "a duration of type period";
    let date = "a duration of type date";
    let ended = "once the period has ended";
    let over = "once the pause has ended";
    let mut expected = vec![(
        "change_price",
        format!("scheduledAt end-of-period, {ended}"),
    )];
    for form in ["pause", "pause_all"] {
        for lasts in [period, date] {
            expected.push((form, format!("startAt immediate and {lasts}, {over}")));
            expected.push((form, format!("startAt end-of-period and {lasts}, {ended}")));
            expected.push((form, format!("startAt end-of-period and {lasts}, {over}")));
        }
        let cancel = if form == "pause" {
            "cancel"
        } else {
            "cancel_all"
        };
        expected.push((cancel, format!("scheduledAt end-of-period, {ended}")));
    }
    let expected = expected.iter().map(|(name, what)| (*name, what.as_str()));
    assert_eq!(
        skipped.collect::<Vec<_>>(),
        expected.collect::<Vec<_>>(),
        "{report}"
    );
}

#[tokio::test]
async fn what_is_changed_at_the_end_of_its_period_is_given_for_that_alone() {
    let store = billing_store();
    let integration = churnkey::integration(&store, token()).unwrap();
    let fixtures = reading_fixtures()
        .disposable(Disposable::to_cancel("cus_mary", "sub_mary_pause_planned"))
        .disposable(Disposable::to_cancel("cus_mary", "sub_mary_cancel_planned"))
        .disposable(Disposable::to_cancel_all("cus_linus"))
        .disposable(Disposable::to_cancel_all("cus_mary"));
    let report = check(&client_of(&integration), &fixtures).await.unwrap();
    let findings = report.findings().iter();
    let findings = findings.map(|finding| (finding.rule().name(), finding.expected()));
    assert_eq!(
        findings.collect::<Vec<_>>(),
        [
            (
                "fixture-given",
                "the subscription sub_mary_cancel_planned to be given for one action only, as this one is done at the end of a period"
            ),
            (
                "fixture-given",
                "all subscriptions of the customer cus_mary to be given for one action only, as this one is done at the end of a period"
            ),
        ],
        "{report}"
    );
}

#[tokio::test]
async fn a_disposable_that_was_used_before_is_named() {
    let store = billing_store();
    let clock = store.now();
    let integration = churnkey::integration(&store, token()).unwrap();
    check(&client_of(&integration), &billing_fixtures(&store))
        .await
        .unwrap()
        .assert_passed();
    store.set_clock(Clock::Frozen(clock));
    let report = check(&client_of(&integration), &billing_fixtures(&store))
        .await
        .unwrap();
    let findings = report.findings().iter().map(ToString::to_string);
    assert_eq!(
        findings.collect::<Vec<_>>(),
        [
            "extend_trial broke fixture-given (contract, section 4): expected the disposable subscription sub_grace_trial in trial; got one that is paused; this costs trial extension offers",
            "apply_coupon broke fixture-given (contract, section 4): expected the disposable subscription sub_ada_year without the coupon coupon_stay20; got one that is paused; this costs discount offers",
            "change_price broke fixture-given (contract, section 4): expected the disposable subscription sub_ada_pro with one item, of another price than price_basic_month; got one that is canceled; this costs plan change offers",
            "pause broke fixture-given (contract, section 4): expected the disposable subscription sub_ada_year that can be paused; got one that is paused; this costs pause offers",
            "pause broke fixture-given (contract, section 4): expected the disposable subscription sub_mary_pause_dated that can be paused; got one that is paused; this costs pause offers",
            // What was planned for it in the first run can't be seen.
            "pause broke action-done (contract, section 5.2): expected 200 with an empty body for what can be done to the subscription sub_mary_pause_planned_dated; got 400: The subscription is paused already; this costs pause offers",
            "cancel broke fixture-given (contract, section 4): expected the disposable subscription sub_ada_pro that is not canceled; got one that is canceled; this costs the cancel flow, and every offer in it",
            "pause_all broke fixture-given (contract, section 4): expected a subscription of the disposable customer cus_grace with a status that this can change; got none; this costs pausing all subscriptions of a customer in one call",
            "pause_all broke rejected (contract, section 5.2): expected 400 for an annual subscription, with \"allowAnnual\": false; got 200; this costs pausing all subscriptions of a customer in one call",
            "pause_all broke fixture-given (contract, section 4): expected a subscription of the disposable customer cus_pause_dated with a status that this can change; got none; this costs pausing all subscriptions of a customer in one call",
            "pause_all broke rejected (contract, section 5.2): expected 400 for an annual subscription, with \"allowAnnual\": false; got 200; this costs pausing all subscriptions of a customer in one call",
            "cancel_all broke fixture-given (contract, section 4): expected a subscription of the disposable customer cus_linus with a status that this can change; got none; this costs cancelling all subscriptions of a customer in one call",
        ]
    );
}

#[tokio::test]
async fn the_report_is_json_for_programs() {
    let store = in_memory_store();
    let integration = Integration::builder("Shop", token())
        .customers(store.clone())
        .coupons(store.clone())
        .build()
        .unwrap();
    let fixtures = demo_fixtures().coupon("coupon_of_nobody");
    for report in [
        check(&client_of(&integration), &fixtures).await.unwrap(),
        over_a_socket(integration.clone(), "", &fixtures).await,
    ] {
        let json = report.to_json();
        let keys = json.as_object().unwrap().keys();
        assert_eq!(
            keys.collect::<Vec<_>>(),
            ["checked", "findings", "passed", "skipped"]
        );
        assert_eq!(json["passed"], false);
        assert_eq!(
            json["findings"],
            json!([
                {
                    "operation": "coupons.retrieve", "rule": "found", "section": "4",
                    "expected": "200 and the coupon coupon_of_nobody", "got": "404: Coupon not found",
                    "costs": "discounts and discount offers"
                },
                {
                    "operation": "coupons.list", "rule": "found", "section": "4",
                    "expected": "the coupon coupon_of_nobody among the listed", "got": "4 others",
                    "costs": "discounts and discount offers"
                }
            ])
        );
        let checked = json["checked"].as_array().unwrap();
        for pair in [
            json!({"operation": "coupons.retrieve", "rule": "found", "section": "4"}),
            json!({"operation": "customers.list", "rule": "crawl-ends", "section": "2.5"}),
            json!({"operation": "cancel", "rule": "manifest-matches-routes", "section": "2.3"}),
        ] {
            let times = checked.iter().filter(|checked| **checked == pair).count();
            assert_eq!(times, 1, "{pair}");
        }
        assert_eq!(json["skipped"], json!([]));
        let text = format!("{report}{json}");
        assert!(!text.contains("zoe+billing@example.com"), "{text}");
        assert!(!text.contains("358401234567"), "{text}");
    }
}

#[tokio::test]
async fn a_url_that_can_not_be_called_is_an_error_that_says_why() {
    for url in [
        "",
        "127.0.0.1:3000",
        "/churnkey",
        "ftp://merchant.example",
        "http://:3000/churnkey",
        "http://user:password@merchant.example",
        "https://merchant.example/churnkey?limit=1",
        "https://merchant.example/churnkey#limit",
    ] {
        let error = Client::at(url, token()).unwrap_err();
        assert_eq!(error, UrlError::Invalid, "{url}");
        assert_eq!(
            error.to_string(),
            "this is not the URL of an integration: write it like https://staging.example.com or \
             http://127.0.0.1:3000/churnkey, without a user name and a query"
        );
    }
    for (url, prefix) in [
        ("http://merchant.example", "/churnkey"),
        ("HTTP://merchant.example:8080/", "/churnkey"),
        ("http://[::1]:3000/api/churnkey/", "/api/churnkey"),
    ] {
        let client = Client::at(url, token()).unwrap();
        assert_eq!(client.prefix(), prefix, "{url}");
    }
}

#[tokio::test]
async fn where_there_is_no_integration_an_error_says_why() {
    let error = async |url: &str, token: IntegrationToken| {
        let client = Client::at(url, token).unwrap();
        check(&client, &demo_fixtures()).await.unwrap_err()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let refused = error(&nobody, token()).await.to_string();
    let start = format!("nothing answers at {nobody}/churnkey/features: ");
    assert!(refused.starts_with(&start), "{refused}");
    assert!(refused.contains("onnection refused"), "{refused}");

    let integration = churnkey::integration(&in_memory_store(), token()).unwrap();
    let url = server(integration.clone()).await.url();
    let another = IntegrationToken::new("another-token-than-the-merchants").unwrap();
    let advice = "answered 401: give the integration's own token, and compare the clocks, which may \
                  differ by minutes at most";
    assert_eq!(
        error(&url, another.clone()).await.to_string(),
        format!("{url}/churnkey/features {advice}")
    );
    let in_process = Client::new(integration.into_router(), another);
    assert_eq!(
        check(&in_process, &demo_fixtures())
            .await
            .unwrap_err()
            .to_string(),
        format!("/churnkey/features {advice}")
    );

    let site = Router::new().route("/", get(|| async { "a shop" }));
    let in_process = Client::new(site.clone(), token()).mounted_at("/shop/");
    let site = Server::start(site, &token()).await.url();
    let advice = "answered 404 and no features manifest (contract, section 2.3): give the path at \
                  which the integration is mounted";
    assert_eq!(
        error(&site, token()).await.to_string(),
        format!("{site}/churnkey/features {advice}")
    );
    assert_eq!(
        check(&in_process, &demo_fixtures())
            .await
            .unwrap_err()
            .to_string(),
        format!("/shop/features {advice}")
    );
}

#[tokio::test]
async fn the_client_calls_an_integration_over_a_socket_as_in_process() {
    let store = in_memory_store().at(Clock::System);
    let integration = churnkey::integration(&store, token()).unwrap();
    let in_process = client_of(&integration);
    let url = server(integration).await.url();
    let over_http = Client::at(&url, token()).unwrap();
    for path in [
        "/churnkey/customers/cus_ada",
        "/churnkey/customers/email/zoe%2Bbilling%40example.com",
        "/churnkey/customers?limit=2",
        "/churnkey/nothing",
    ] {
        let (one, other) = (in_process.get(path).await, over_http.get(path).await);
        assert_eq!(
            (one.status(), one.bytes()),
            (other.status(), other.bytes()),
            "{path}"
        );
    }
    let unproven = over_http.call(Method::GET, "/churnkey/customers").send();
    assert_eq!(unproven.await.status(), 401);
    // A URL has no such path, and what arrived would not be what was signed.
    let dots = over_http
        .call(Method::GET, "/churnkey/%2E%2E/features")
        .signed();
    let dots = dots.send_unchecked().await;
    assert_eq!(dots.status(), 0);
    assert_eq!(
        dots.cause(),
        Some("this path can't be sent as it is in a URL")
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let moved = Router::new().fallback(|| async { Redirect::permanent("http://127.0.0.1:1/") });
    let url = Server::start(moved, &token()).await.url();
    let client = Client::at(&url, token()).unwrap();
    let call = client.call(Method::GET, "/churnkey/features").signed();
    assert_eq!(call.send_unchecked().await.status(), 308);
}

/// What the examples' answers have beyond the contract, another server's may lack or write differently.
#[tokio::test]
async fn headers_that_the_contract_leaves_open_are_no_findings() {
    async fn changed(request: Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        let headers = response.headers_mut();
        headers.remove("cache-control");
        headers.remove("x-request-id");
        let json = HeaderValue::from_static("Application/JSON; charset=utf-8");
        headers.insert("content-type", json);
        if response.status() != 401 {
            return response;
        }
        let (mut parts, _) = response.into_parts();
        parts.headers.remove("content-length");
        let spaced = r#"{ "message": "Unauthorized", "code": 401 }"#;
        Response::from_parts(parts, spaced.into())
    }
    let store = billing_store();
    let integration = churnkey::integration(&store, token()).unwrap();
    let app = Router::new()
        .merge(integration.into_router())
        .layer(from_fn(changed));
    let client = Client::new(app, token());
    let report = check(&client, &billing_fixtures(&store)).await.unwrap();
    report.assert_passed();
}

#[tokio::test]
async fn why_a_request_failed_is_known_in_process_alone() {
    let integration = churnkey::integration(&in_memory_store(), token()).unwrap();
    let in_process = client_of(&integration);
    let over_http = Client::at(&server(integration).await.url(), token()).unwrap();
    let cause = AuthenticationError::Missing.to_string();
    for (client, cause) in [(in_process, Some(cause.as_str())), (over_http, None)] {
        let answer = client.call(Method::GET, "/churnkey/customers").send().await;
        assert_eq!((answer.status(), answer.cause()), (401, cause));
    }
}
