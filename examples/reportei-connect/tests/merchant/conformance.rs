//! The suite that every merchant runs in their own tests.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use churnkey_conformance::{Fixtures, check};
use example_app::Generator;

use crate::{C1, C2, Merchant, NOBODY, REPORTEI, TRIALING};

#[tokio::test]
async fn churnkey_can_work_with_this_merchant_also_while_customers_come_and_go() {
    let merchant = Merchant::with(None, Generator::Random).await;
    let customers = merchant.customers(REPORTEI).await;
    let others = merchant.customers(TRIALING).await;
    for number in 0..8 {
        customers
            .create(&format!("Customer {number}"))
            .await
            .unwrap();
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let fixtures = Fixtures::new(C1, NOBODY).between_pages(move || {
        let (customers, others) = (customers.clone(), others.clone());
        let call = calls.fetch_add(1, Ordering::Relaxed);
        async move {
            let name = format!("new {call}");
            customers.create(&name).await.unwrap();
            others.create(&name).await.unwrap();
            customers.rename(C1, &name).await.unwrap();
            let _ = customers.delete(C2).await;
        }
    });
    let report = check(&merchant.client, &fixtures).await.unwrap();
    report.assert_passed();
}
