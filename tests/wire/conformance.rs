//! The conformance suite over the examples: in process, over a socket, and where there is nothing to check.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{Router, routing::get};
use churnkey_integrator::{
    CustomerId, FamilyId, Integration, IntegrationToken,
    model::{Customer, Family},
    testing::{Client, Fixtures, NotChecked, Report, UrlError, conformance, conformance_at},
};
use example_app::{Clock, Demo};
use http::Method;
use in_memory::{churnkey, store::Store};
use serde_json::json;
use throwaway_postgres::test_database;
use tokio::net::TcpListener;

use crate::{
    merchants::{
        billing_fixtures, demo_fixtures, in_memory_store, postgres_store, reading_fixtures, server,
        token,
    },
    socket::Server,
};

/// How many rules a merchant who serves everything is checked for, each with every operation that it is about.
const KEPT: usize = 260;

async fn over_a_socket(integration: Integration, path: &str, fixtures: &Fixtures) -> Report {
    let url = format!("{}{path}", server(integration).await.url());
    conformance_at(&url, token(), fixtures).await.unwrap()
}

#[tokio::test]
async fn the_in_memory_merchant_conforms_also_while_records_come_and_go() {
    let store = in_memory_store();
    let integration = churnkey::integration(&store, token()).unwrap();
    let count = AtomicUsize::new(0);
    let fixtures = billing_fixtures().between_pages(move || {
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
    let report = conformance(&integration, &fixtures).await;
    report.assert_passed();
    assert_eq!(report.unwritten(), []);
    assert_eq!(report.passed().len(), KEPT, "{report}");
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

    let report = conformance(&integration, &reading_fixtures()).await;
    assert_eq!(report.findings().len(), 8, "{report}");
    for finding in report.findings() {
        assert_eq!(finding.rule.name(), "modes-apart", "{finding}");
    }
    let fixtures = reading_fixtures().shared_catalogue();
    let report = conformance(&integration, &fixtures).await;
    report.assert_passed();
}

#[tokio::test]
async fn the_in_memory_merchant_conforms_over_a_socket() {
    let integration = churnkey::integration(&in_memory_store(), token()).unwrap();
    let report = over_a_socket(integration, "", &billing_fixtures()).await;
    report.assert_passed();
    assert_eq!(report.unwritten(), []);
    // All but what needs the hook that changes the store.
    assert_eq!(report.passed().len(), KEPT - 6, "{report}");
}

#[tokio::test]
async fn the_postgres_merchant_conforms_in_process_and_over_a_socket() {
    let clock = Clock::Frozen(Demo::load().unwrap().clock);
    let integration = |store: postgres::store::Store| {
        postgres::churnkey::integration(&store.at(clock), token()).unwrap()
    };
    let (one, other) = (test_database(), test_database());
    let here = integration(postgres_store(&one).await);
    let there = integration(postgres_store(&other).await);
    for report in [
        conformance(&here, &billing_fixtures()).await,
        over_a_socket(there, "", &billing_fixtures()).await,
    ] {
        report.assert_passed();
        assert_eq!(report.unwritten(), []);
        assert_eq!(report.passed().len(), KEPT - 6, "{report}");
    }
}

#[tokio::test]
async fn merchants_with_settings_of_their_own_conform() {
    let builder = || churnkey::builder(&in_memory_store(), token());
    let signed_only = builder().require_signature().build().unwrap();
    conformance(&signed_only, &billing_fixtures())
        .await
        .assert_passed();

    let prefix = "/api/churnkey";
    let elsewhere = builder().prefix(prefix).page_limit(2, 3).build().unwrap();
    over_a_socket(elsewhere, prefix, &billing_fixtures())
        .await
        .assert_passed();

    let live_only = builder().live_only().build().unwrap();
    let fixtures = Fixtures::new("cus_ada", "cus_nobody")
        .email("zoe+billing@example.com", "cus_zoe")
        .phone("+358401234567", "cus_linus")
        .subscription("cus_linus", "sub_linus_seats")
        .price("price_pro_month")
        .coupon("coupon_stay20")
        .product("prod_pro")
        .family("fam_core");
    conformance(&live_only, &fixtures).await.assert_passed();
    over_a_socket(live_only, "/churnkey/", &fixtures)
        .await
        .assert_passed();
}

#[tokio::test]
async fn without_a_disposable_nothing_is_changed() {
    async fn everything(store: &Store) -> Vec<serde_json::Value> {
        let client = Client::new(&churnkey::integration(store, token()).unwrap());
        let mut all = vec![client.get("/churnkey/coupons").await.body];
        for customer in Demo::load().unwrap().live.customers {
            let path = format!("/churnkey/customers/{}/subscriptions", customer.id());
            all.push(client.get(&path).await.body);
        }
        all
    }
    let store = in_memory_store();
    let before = everything(&store).await;
    let integration = churnkey::integration(&store, token()).unwrap();
    let report = conformance(&integration, &reading_fixtures()).await;
    report.assert_passed();
    assert_eq!(everything(&store).await, before);

    let unwritten = report.unwritten().iter();
    let unwritten = unwritten.map(|(operation, needs)| (operation.name(), *needs));
    assert_eq!(
        unwritten.collect::<Vec<_>>(),
        [
            ("extend_trial", "Disposable::to_extend_trial(..)"),
            ("apply_coupon", "Disposable::to_apply_coupon(..)"),
            ("change_price", "Disposable::to_change_price(..)"),
            ("pause", "Disposable::to_pause(..)"),
            ("cancel", "Disposable::to_cancel(..)"),
            ("pause_all", "Disposable::to_pause_all(..)"),
            ("cancel_all", "Disposable::to_cancel_all(..)"),
        ]
    );
    assert!(report.to_string().contains(
        "LEFT    cancel was not done, as no fixture allows it: Disposable::to_cancel(..)\n"
    ));
}

#[tokio::test]
async fn a_disposable_that_was_used_before_is_named() {
    let store = in_memory_store();
    let integration = churnkey::integration(&store, token()).unwrap();
    conformance(&integration, &billing_fixtures())
        .await
        .assert_passed();
    let report = conformance(&integration, &billing_fixtures()).await;
    let findings = report.findings().iter().map(ToString::to_string);
    assert_eq!(
        findings.collect::<Vec<_>>(),
        [
            "extend_trial broke fixture-given (contract, section 4): expected the disposable subscription sub_grace_trial in trial; got one that is paused; this costs trial extension offers",
            "apply_coupon broke fixture-given (contract, section 4): expected the disposable subscription sub_ada_year without the coupon coupon_stay20; got one that is paused; this costs discount offers",
            "change_price broke fixture-given (contract, section 4): expected the disposable subscription sub_ada_pro with one item, of another price than price_basic_month; got one that is canceled; this costs plan change offers",
            "pause broke fixture-given (contract, section 4): expected the disposable subscription sub_ada_year that can be paused; got one that is paused; this costs pause offers",
            "cancel broke fixture-given (contract, section 4): expected the disposable subscription sub_ada_pro that is not canceled; got one that is canceled; this costs the cancel flow, and every offer in it",
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
        conformance(&integration, &fixtures).await,
        over_a_socket(integration.clone(), "", &fixtures).await,
    ] {
        let json = report.to_json();
        let keys = json.as_object().unwrap().keys();
        assert_eq!(
            keys.collect::<Vec<_>>(),
            ["checked", "findings", "passed", "unwritten"]
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
        assert_eq!(json["unwritten"], json!([]));
        let text = format!("{report}{json}");
        assert!(!text.contains("zoe+billing@example.com"), "{text}");
        assert!(!text.contains("358401234567"), "{text}");
    }
}

#[tokio::test]
async fn a_url_that_holds_no_integration_is_an_error_that_says_why() {
    let fixtures = demo_fixtures();
    let error = |url: String, token: IntegrationToken| {
        let fixtures = fixtures.clone();
        async move { conformance_at(&url, token, &fixtures).await.unwrap_err() }
    };
    for url in [
        "https://merchant.example",
        "HTTPS://merchant.example/churnkey",
    ] {
        assert_eq!(
            error(url.to_owned(), token()).await.to_string(),
            "https:// is not spoken here: give the plain http:// address of the integration, behind whatever ends TLS for it"
        );
    }
    for url in [
        "",
        "127.0.0.1:3000",
        "/churnkey",
        "ftp://merchant.example",
        "http://user:password@merchant.example",
        "http://merchant.example/churnkey?limit=1",
    ] {
        assert_eq!(
            error(url.to_owned(), token()).await.to_string(),
            "this is no URL of an integration: write it like http://127.0.0.1:3000 or http://127.0.0.1:3000/churnkey",
            "{url}"
        );
    }

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let refused = error(nobody.clone(), token()).await.to_string();
    let start = format!("nothing answers at {nobody}/churnkey/features: ");
    assert!(refused.starts_with(&start), "{refused}");
    assert!(refused.contains("onnection refused"), "{refused}");

    let integration = churnkey::integration(&in_memory_store(), token()).unwrap();
    let url = server(integration).await.url();
    let another = IntegrationToken::new("another-token-than-the-merchants").unwrap();
    let address = format!("{url}/churnkey/features");
    assert_eq!(error(url, another).await, NotChecked::Unauthorized(address));

    let site = Router::new().route("/", get(|| async { "a shop" }));
    let site = Server::start(site, &token()).await.url();
    assert_eq!(
        error(site.clone(), token()).await.to_string(),
        format!(
            "{site}/churnkey/features answered 404, but a features manifest was expected (contract, section 2.3): \
             give the URL under which the integration is mounted"
        )
    );
}

#[tokio::test]
async fn the_client_calls_an_integration_over_a_socket_as_in_process() {
    let store = in_memory_store().at(Clock::System);
    let integration = churnkey::integration(&store, token()).unwrap();
    let in_process = Client::new(&integration);
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
            (one.status, one.bytes),
            (other.status, other.bytes),
            "{path}"
        );
    }
    let unproven = over_http.call(Method::GET, "/churnkey/customers").send();
    assert_eq!(unproven.await.status, 401);
    let with_a_path = Client::at(&format!("{url}/churnkey"), token());
    assert_eq!(with_a_path.unwrap_err(), UrlError::Invalid);
}
