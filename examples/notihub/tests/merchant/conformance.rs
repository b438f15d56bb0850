//! The suite that every merchant runs in their own tests.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use churnkey_conformance::{Fixtures, check};
use notihub::record::{CustomerChanges, NewCustomer, Status};

use crate::{C3, DISABLED, ENABLED, IN_DEV, Merchant};

#[tokio::test]
async fn churnkey_can_work_with_this_merchant_also_while_customers_come_and_go() {
    let merchant = Merchant::new().await;
    let environment = merchant.environment("prod").await;
    let calls = Arc::new(AtomicUsize::new(0));
    let fixtures = Fixtures::new(C3, "00000000-0000-4000-8000-000000000000")
        .test_customer(IN_DEV)
        .email("avalid@email.com", C3)
        .phone("+5491155550101", C3)
        .shared_email("shared@example.com")
        // The one who is verified, and the one who is enabled.
        .preferred_by_email("avalid@email.com", C3)
        .preferred_by_email("emailtest@notihub.io", ENABLED)
        .between_pages(move || {
            let environment = environment.clone();
            let call = calls.fetch_add(1, Ordering::Relaxed);
            async move {
                let new = NewCustomer {
                    external_id: Some(format!("new-{call}")),
                    status: Status::Enabled,
                    language: None,
                    metadata: String::new(),
                    contacts: Vec::new(),
                };
                let rename = CustomerChanges {
                    external_id: Some(Some(format!("renamed-{call}"))),
                    ..CustomerChanges::default()
                };
                environment.create(&new).await.unwrap();
                environment.update(C3, &rename).await.unwrap();
                let _ = environment.delete(DISABLED).await;
            }
        });
    let report = check(&merchant.client, &fixtures).await.unwrap();
    report.assert_passed();
}
