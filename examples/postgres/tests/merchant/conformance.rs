//! The suite that every merchant runs in their own tests.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use churnkey_conformance::{Disposable, Fixtures, check};
use example_app::{Clock, Demo, demo_token};
use postgres::churnkey;

use crate::{Shop, client_of};

#[tokio::test]
async fn churnkey_can_work_with_this_merchant() {
    let shop = Shop::with_demo_data().await;
    let (sql, calls) = (Arc::new(shop.sql().await), Arc::new(AtomicU32::new(0)));
    let coupon = Disposable::to_apply_coupon("cus_ada", "sub_ada_year", "coupon_stay20");
    let price = Disposable::to_change_price("cus_ada", "sub_ada_pro", "price_basic_month");
    let fixtures = Fixtures::new("cus_ada", "cus_nobody")
        .test_customer("cus_test")
        .email("zoe+billing@example.com", "cus_zoe")
        .phone("+358401234567", "cus_linus")
        .shared_email("shared@example.com")
        .shared_phone("+15550100001")
        .subscription("cus_linus", "sub_linus_seats")
        .price("price_pro_month")
        .coupon("coupon_stay20")
        .expired_coupon("coupon_expired")
        .product("prod_pro")
        .family("fam_core")
        .disposable(Disposable::to_extend_trial("cus_grace", "sub_grace_trial"))
        .disposable(coupon)
        .disposable(price)
        .disposable(Disposable::to_pause("cus_ada", "sub_ada_year"))
        .disposable(Disposable::to_cancel("cus_ada", "sub_ada_pro"))
        .disposable(Disposable::to_pause_all("cus_grace"))
        .disposable(Disposable::to_cancel_all("cus_linus"))
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
    // On this clock, the periods in which the suite cancels and pauses have not ended.
    let store = shop.store.at(Clock::Frozen(Demo::load().unwrap().clock));
    let integration = churnkey::integration(&store, demo_token().unwrap()).unwrap();
    let report = check(&client_of(integration), &fixtures).await.unwrap();
    report.assert_passed();
    assert_eq!(report.skipped(), []);
}
