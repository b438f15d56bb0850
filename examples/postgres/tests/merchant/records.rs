//! The records besides customers: served as the file has them, page by page, and to their owner alone.

use churnkey_integrator::testing::Client;
use serde_json::{Value, json};

use crate::{Shop, demo_file};

/// The lists of a mode, each with its path: those of the catalogue, and each customer's subscriptions.
fn lists(data: &Value) -> Vec<(String, Vec<Value>)> {
    let all = |name: &str| data[name].as_array().unwrap().clone();
    let mut lists = Vec::new();
    for name in ["families", "products", "prices", "coupons"] {
        lists.push((format!("/churnkey/{name}"), all(name)));
    }
    for customer in all("customers") {
        let id = &customer["id"];
        let path = format!("/churnkey/customers/{}/subscriptions", id.as_str().unwrap());
        let mut own = all("subscriptions");
        own.retain(|subscription| subscription["customerId"] == *id);
        lists.push((path, own));
    }
    lists
}

#[tokio::test]
async fn the_demo_data_is_served_as_its_file_has_it() {
    let shop = Shop::with_demo_data().await;
    let file = demo_file();
    for (client, mode, number) in [(&shop.live, "live", 19), (&shop.test, "test", 4)] {
        let mut records = 0;
        for (path, expected) in lists(&file[mode]) {
            let answer = client.get(&path).await;
            assert_eq!(answer.body, json!({ "data": expected }), "{path}");
            for record in expected {
                let id = record["id"].as_str().unwrap();
                let answer = client.get(&format!("{path}/{id}")).await;
                assert_eq!((answer.status, &answer.body), (200, &record), "{path}/{id}");
                records += 1;
            }
        }
        assert_eq!(records, number);
    }
}

#[tokio::test]
async fn every_list_comes_page_by_page_whatever_the_limit() {
    let shop = Shop::with_demo_data().await;
    for (path, expected) in lists(&demo_file()["live"]) {
        for limit in [1, 2, 3, 100] {
            let pages = pages(&shop.live, &path, limit).await;
            assert_eq!(pages.concat(), expected, "{path} by {limit}");
            assert_eq!(pages.len(), expected.len().div_ceil(limit).max(1), "{path}");
        }
    }
}

async fn pages(client: &Client, path: &str, limit: usize) -> Vec<Vec<Value>> {
    let first = format!("{path}?limit={limit}");
    let (mut pages, mut next) = (Vec::new(), first.clone());
    loop {
        let answer = client.get(&next).await;
        assert_eq!(answer.status, 200, "{next}");
        pages.push(answer.body["data"].as_array().unwrap().clone());
        let Some(cursor) = answer.body["next"].as_str() else {
            return pages;
        };
        next = format!("{first}&cursor={cursor}");
    }
}

#[tokio::test]
async fn a_subscription_is_its_owners_alone_and_nothing_crosses_the_modes() {
    let shop = Shop::with_demo_data().await;
    let file = demo_file();
    for path in [
        "/churnkey/customers/cus_grace/subscriptions/sub_ada_pro",
        "/churnkey/customers/cus_nobody/subscriptions/sub_ada_pro",
        "/churnkey/customers/cus_ada/subscriptions/sub_nothing",
        "/churnkey/customers/cus_ada/subscriptions/sub_test",
        "/churnkey/customers/cus_test/subscriptions/sub_test",
        "/churnkey/families/fam_nothing",
        "/churnkey/products/prod_nothing",
        "/churnkey/prices/price_nothing",
        "/churnkey/coupons/coupon_nothing",
    ] {
        assert_eq!(shop.live.get(path).await.status, 404, "{path}");
    }
    for (client, other) in [(&shop.live, "test"), (&shop.test, "live")] {
        for (path, records) in lists(&file[other]) {
            for record in records {
                let path = format!("{path}/{}", record["id"].as_str().unwrap());
                assert_eq!(client.get(&path).await.status, 404, "{path}");
            }
        }
    }
}
