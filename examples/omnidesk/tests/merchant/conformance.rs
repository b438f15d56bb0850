//! The suite that every merchant runs in their own tests.

use std::sync::atomic::{AtomicU32, Ordering};

use churnkey_conformance::{Fixtures, check};

use crate::Shop;

#[tokio::test]
async fn churnkey_can_work_with_this_merchant_also_while_customers_come_and_go() {
    let shop = Shop::open().await;
    for id in ["a", "b"] {
        let fields = [
            ("brandID", "2"),
            ("primaryID", id),
            ("customerChannelType_0", "2"),
            ("customerChannelValue_0", "+319"),
        ];
        shop.call("POST", "/createCustomerCRUD", &fields)
            .await
            .done("Customer created.");
    }
    let client = shop.churnkey();
    let calls = AtomicU32::new(0);
    let fixtures = Fixtures::new("1", "999")
        .email("zoe@example.org", "2")
        .phone("+31612312311", "1")
        .shared_email("thomas@example.org")
        .shared_phone("+319")
        .between_pages(move || {
            let (shop, call) = (shop.clone(), calls.fetch_add(1, Ordering::Relaxed));
            async move {
                // Adds a customer, and deletes the one before.
                let id = format!("new-{call}");
                let fields = [("brandID", "2"), ("primaryID", id.as_str())];
                let answer = shop.call("POST", "/createCustomerCRUD", &fields).await;
                answer.done("Customer created.");
                if let Some(before) = call.checked_sub(1) {
                    let path = format!("/purgedata?brandID=2&externalPrimaryID=new-{before}");
                    let purged = shop.call("DELETE", &path, &[]).await;
                    purged.done("Customer data purged.");
                }
                shop.call("PUT", "/2", &[("lastname", "Other")])
                    .await
                    .done("Customer updated.");
            }
        });
    let report = check(&client, &fixtures).await.unwrap();
    report.assert_passed();
}
