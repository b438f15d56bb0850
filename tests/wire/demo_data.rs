//! The demo data is served as it is written in `examples/demo-billing.json`.

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

#[tokio::test]
async fn the_manifest_lists_the_four_operations() {
    each(|merchant, server| async move {
        let (status, manifest) = get(&server, Mode::Live, "/churnkey/features").await;
        assert_eq!(status, 200);
        assert_eq!(
            manifest["controllers"]["customers"],
            json!({"retrieve": true, "list": true, "findByEmail": true, "findByPhone": true}),
            "{merchant}"
        );
    })
    .await;
}
