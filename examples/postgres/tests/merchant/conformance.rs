//! The suite that every merchant runs in their own tests.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use churnkey_conformance::check;
use example_app::{Clock, demo_token};
use postgres::churnkey;

use crate::{Shop, client_of};

#[tokio::test]
async fn churnkey_can_work_with_this_merchant() {
    // The demo data, and a record for each way in which an action can be asked for: each needs one of its own.
    let demo = suite_fixtures::demo().unwrap();
    let shop = Shop::empty().await;
    let loaded = shop.store.load_if_empty(&demo.live, &demo.test).await;
    assert!(loaded.unwrap());
    let (sql, calls) = (Arc::new(shop.sql().await), Arc::new(AtomicU32::new(0)));
    // On this clock, the periods in which the suite cancels and pauses have not ended.
    let store = shop.store.at(Clock::Frozen(demo.clock));
    let clock = store.clone();
    let fixtures = suite_fixtures::fixtures()
        // What is due at the end of a period is applied when it is read, so the clock is all that has to be set.
        .advance_clock(move |moment| {
            clock.set_clock(Clock::Frozen(moment));
            async {}
        })
        .between_pages(move || {
            let (sql, call) = (sql.clone(), calls.fetch_add(1, Ordering::Relaxed));
            async move {
                // Adds a customer and a family, and deletes the customer before.
                let change = format!(
                    "INSERT INTO churnkey_live.families (id, name) VALUES ('fam_new_{call}', 'New plans');
                    INSERT INTO churnkey_live.customers (id) VALUES ('cus_new_{call}');
                    DELETE FROM churnkey_live.customers WHERE id = 'cus_new_' || {call} - 1;
                    UPDATE churnkey_live.customers SET last_name = '{call}' WHERE id = 'cus_linus'"
                );
                sql.batch_execute(&change).await.unwrap();
            }
        });
    let integration = churnkey::integration(&store, demo_token().unwrap()).unwrap();
    let report = check(&client_of(integration), &fixtures).await.unwrap();
    report.assert_passed();
    assert_eq!(report.skipped(), []);
}
