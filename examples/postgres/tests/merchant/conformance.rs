//! The suite that every merchant runs in their own tests.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use churnkey_integrator::testing::{Fixtures, conformance};
use example_app::demo_token;
use postgres::churnkey;

use crate::Shop;

#[tokio::test]
async fn churnkey_can_work_with_this_merchant() {
    let shop = Shop::with_demo_data().await;
    let (sql, calls) = (Arc::new(shop.sql().await), Arc::new(AtomicU32::new(0)));
    let fixtures = Fixtures::new("cus_ada", "cus_nobody")
        .test_customer("cus_test")
        .email("zoe+billing@example.com", "cus_zoe")
        .phone("+358401234567", "cus_linus")
        .shared_email("shared@example.com")
        .shared_phone("+15550100001")
        .between_pages(move || {
            let (sql, call) = (sql.clone(), calls.fetch_add(1, Ordering::Relaxed));
            async move {
                // One more customer, and the one before gone.
                let change = format!(
                    "INSERT INTO churnkey_live.customers (id) VALUES ('cus_new_{call}');
                    DELETE FROM churnkey_live.customers WHERE id = 'cus_new_' || {call} - 1;
                    UPDATE churnkey_live.customers SET last_name = '{call}' WHERE id = 'cus_linus'"
                );
                sql.batch_execute(&change).await.unwrap();
            }
        });
    let integration = churnkey::integration(&shop.store, demo_token().unwrap()).unwrap();
    conformance(&integration, &fixtures).await.assert_passed();
}
