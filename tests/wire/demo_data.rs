//! The demo data is served as it is written in `examples/demo-billing.json`.

use std::collections::BTreeMap;

use churnkey_integrator::Mode;
use serde_json::{Value, json};

use crate::{merchants::each, socket::Server};

fn demo() -> Value {
    serde_json::from_str(include_str!("../../examples/demo-billing.json")).unwrap()
}

async fn get(server: &Server, mode: Mode, path: &str) -> (u16, Value) {
    let reply = server.request("GET", path).signed_in(mode).send().await;
    (reply.status, reply.json())
}

#[tokio::test]
async fn each_mode_serves_its_own_customers_and_never_the_others() {
    each(|merchant, server| async move {
        let demo = demo();
        for (mode, own, others) in [(Mode::Live, "live", "test"), (Mode::Test, "test", "live")] {
            let customers = demo[own]["customers"].as_array().unwrap();
            for customer in customers {
                let path = format!("/churnkey/customers/{}", customer["id"].as_str().unwrap());
                let expected = (200, customer.clone());
                assert_eq!(get(&server, mode, &path).await, expected, "{merchant}");
            }
            let (status, page) = get(&server, mode, "/churnkey/customers").await;
            assert_eq!(
                (status, page),
                (200, json!({ "data": customers })),
                "{merchant}"
            );
            for customer in demo[others]["customers"].as_array().unwrap() {
                let path = format!("/churnkey/customers/{}", customer["id"].as_str().unwrap());
                let nobody = (404, json!({"code": 404, "message": "Customer not found"}));
                assert_eq!(get(&server, mode, &path).await, nobody, "{merchant}");
            }
        }
        let test_only = "/churnkey/customers/email/test@example.com";
        assert_eq!(
            get(&server, Mode::Live, test_only).await.0,
            404,
            "{merchant}"
        );
        assert_eq!(
            get(&server, Mode::Test, test_only).await.1["id"],
            "cus_test",
            "{merchant}"
        );
    })
    .await;
}

#[tokio::test]
async fn pages_of_any_size_hold_every_customer_once_in_the_order_of_creation() {
    each(|merchant, server| async move {
        let expected: Vec<Value> = demo()["live"]["customers"].as_array().unwrap().clone();
        for limit in 1..=7 {
            let first = format!("/churnkey/customers?limit={limit}");
            let (mut path, mut got, mut pages) = (first.clone(), Vec::new(), 0);
            loop {
                let (status, page) = get(&server, Mode::Live, &path).await;
                assert_eq!(status, 200, "{merchant}");
                pages += 1;
                got.extend(page["data"].as_array().unwrap().iter().cloned());
                match page.get("next") {
                    Some(next) => path = format!("{first}&cursor={}", next.as_str().unwrap()),
                    None => break,
                }
            }
            assert_eq!(got, expected, "{merchant}: limit={limit}");
            assert_eq!(pages, 6usize.div_ceil(limit), "{merchant}: limit={limit}");
        }
    })
    .await;
}

/// Where a record of the demo data is served, and the list that it is in.
fn served_at(kind: &str, record: &Value) -> (String, String) {
    let list = match record["customerId"].as_str() {
        Some(customer) => format!("/churnkey/customers/{customer}/subscriptions"),
        None => format!("/churnkey/{kind}"),
    };
    (format!("{list}/{}", record["id"].as_str().unwrap()), list)
}

const KINDS: [(&str, &str); 6] = [
    ("customers", "Customer not found"),
    ("subscriptions", "Subscription not found"),
    ("prices", "Price not found"),
    ("coupons", "Coupon not found"),
    ("products", "Product not found"),
    ("families", "Family not found"),
];

#[tokio::test]
async fn every_record_is_served_as_it_is_written_in_its_own_mode_and_list() {
    each(|merchant, server| async move {
        let demo = demo();
        for (mode, own, others) in [(Mode::Live, "live", "test"), (Mode::Test, "test", "live")] {
            for (kind, not_found) in KINDS {
                let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
                for record in demo[own][kind].as_array().unwrap() {
                    let (path, list) = served_at(kind, record);
                    let expected = (200, record.clone());
                    assert_eq!(
                        get(&server, mode, &path).await,
                        expected,
                        "{merchant}: {path}"
                    );
                    lists.entry(list).or_default().push(record.clone());
                }
                for (list, records) in lists {
                    let page = (200, json!({ "data": records }));
                    assert_eq!(get(&server, mode, &list).await, page, "{merchant}: {list}");
                    for limit in 1..=records.len() {
                        let crawled = crawl(&server, mode, &format!("{list}?limit={limit}")).await;
                        assert_eq!(crawled, records, "{merchant}: {list} by {limit}");
                    }
                }
                for record in demo[others][kind].as_array().unwrap() {
                    let (path, _) = served_at(kind, record);
                    let nobody = (404, json!({"code": 404, "message": not_found}));
                    assert_eq!(
                        get(&server, mode, &path).await,
                        nobody,
                        "{merchant}: {path}"
                    );
                }
            }
        }
        let coupons = get(&server, Mode::Test, "/churnkey/coupons").await;
        assert_eq!(coupons, (200, json!({"data": []})), "{merchant}");
    })
    .await;
}

async fn crawl(server: &Server, mode: Mode, first: &str) -> Vec<Value> {
    let (mut path, mut records) = (first.to_owned(), Vec::new());
    loop {
        let (status, page) = get(server, mode, &path).await;
        assert_eq!(status, 200, "{path}");
        records.extend(page["data"].as_array().unwrap().iter().cloned());
        match page.get("next") {
            Some(next) => path = format!("{first}&cursor={}", next.as_str().unwrap()),
            None => return records,
        }
    }
}

#[tokio::test]
async fn a_subscription_belongs_to_its_customer_and_a_customer_without_any_has_an_empty_list() {
    each(|merchant, server| async move {
        let nobody = |what: &str| {
            (
                404,
                json!({"code": 404, "message": format!("{what} not found")}),
            )
        };
        for (path, answer) in [
            (
                "customers/cus_linus/subscriptions/sub_ada_pro",
                nobody("Subscription"),
            ),
            (
                "customers/cus_nobody/subscriptions/sub_ada_pro",
                nobody("Subscription"),
            ),
            ("customers/cus_nobody/subscriptions", nobody("Customer")),
            (
                "customers/cus_twin_a/subscriptions",
                (200, json!({"data": []})),
            ),
        ] {
            let got = get(&server, Mode::Live, &format!("/churnkey/{path}")).await;
            assert_eq!(got, answer, "{merchant}: {path}");
        }
        // A cursor of one customer's list is not valid for another's.
        let ada = get(
            &server,
            Mode::Live,
            "/churnkey/customers/cus_ada/subscriptions?limit=1",
        )
        .await;
        let next = ada.1["next"].as_str().unwrap();
        let path = format!("/churnkey/customers/cus_linus/subscriptions?cursor={next}");
        assert_eq!(get(&server, Mode::Live, &path).await.0, 400, "{merchant}");
    })
    .await;
}

#[tokio::test]
async fn the_manifest_lists_everything_there_is() {
    each(|merchant, server| async move {
        let (status, manifest) = get(&server, Mode::Live, "/churnkey/features").await;
        assert_eq!(status, 200);
        let both = json!({"retrieve": true, "list": true});
        let typed = |kind: &str| json!({"retrieve": true, "list": true, "type": kind});
        let schedules = json!({"immediate": true, "end-of-period": true});
        let durations = json!({"period": true, "date": true});
        assert_eq!(
            manifest["controllers"],
            json!({
                "customers": {"retrieve": true, "list": true, "findByEmail": true, "findByPhone": true},
                "subscriptions": both,
                "prices": typed("product"),
                "coupons": both,
                "products": typed("family"),
                "families": both,
            }),
            "{merchant}"
        );
        assert_eq!(
            manifest["actions"],
            json!({
                "cancel": {"schedules": schedules, "all": true},
                "pause": {
                    "enabled": true, "all": true, "startDates": schedules, "durations": durations,
                    "allowAnnual": true
                },
                "applyCoupon": {"enabled": true},
                "extendTrial": {"enabled": true, "multiple": true, "durations": durations},
                "changePrice": {"enabled": true, "schedules": schedules, "prorate": true},
            }),
            "{merchant}"
        );
    })
    .await;
}
