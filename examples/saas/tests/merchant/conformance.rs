//! The suite that every merchant runs in their own tests, for each of five tenants.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::Router;
use churnkey_conformance::{Disposable, Fixtures, check};
use example_app::Clock;
use saas::{churnkey, store::Store};

use crate::{NOW, Platform, client, slug};

async fn fixtures(platform: &Platform, store: Store, tenant: &str) -> Fixtures {
    let id = async |name: &str| platform.id(&format!("{tenant}/live/{name}")).await;
    let [ada, zoe, linus, grace] =
        ["ada", "zoe", "linus", "grace"].map(|name| format!("customer/C-{name}"));
    let ada_monthly = id("subscription/C-ada/monthly").await;
    let stay = id("coupon/STAY20").await;
    let basic = id("price/Basic monthly/USD").await;
    let (ada, grace) = (id(&ada).await, id(&grace).await);
    let trial = id("subscription/C-grace/trial").await;
    let linus = id(&linus).await;
    let of = async |number: &str, subscription: &str| {
        let customer = id(&format!("customer/{number}")).await;
        let subscription = id(&format!("subscription/{number}{subscription}")).await;
        (customer, subscription)
    };
    let (max, max_one) = of("C-max", "/one").await;
    let (_, max_two) = of("C-max", "/two").await;
    let (ida, ida_one) = of("C-ida", "/one").await;
    let (_, ida_two) = of("C-ida", "/two").await;
    let (pauses, to_pause) = of("C-000018", "").await;
    let (cancels, to_cancel) = of("C-000036", "").await;
    let team = id("price/Team monthly/USD").await;
    let (pool, calls) = (platform.owner.clone(), Arc::new(AtomicU32::new(0)));
    let tenant_id = platform.id(tenant).await;
    let tess = format!("{tenant}/test/customer/C-tess");
    Fixtures::new(&ada, "0b6c7f4e-51c0-4b1e-8d3c-0f8a4f7a9d10")
        .test_customer(platform.id(&tess).await)
        .email("zoe+billing@example.com", id(&zoe).await)
        .phone("+358401234567", &linus)
        .shared_email("shared@example.com")
        .shared_phone("+15550100001")
        .subscription(&linus, id("subscription/C-linus/seats").await)
        .price(id("price/Team monthly/eur").await)
        .coupon(&stay)
        .expired_coupon(id("coupon/SUMMER").await)
        .product(id("product/Team").await)
        .disposable(Disposable::to_extend_trial(&grace, &trial))
        .disposable(Disposable::to_extend_trial(&max, &max_two))
        .disposable(Disposable::to_apply_coupon(&ada, &ada_monthly, &stay))
        .disposable(Disposable::to_change_price(&ada, &ada_monthly, &basic))
        .disposable(Disposable::to_change_price(&ida, &ida_one, &team))
        .disposable(Disposable::to_pause(&ada, &ada_monthly))
        .disposable(Disposable::to_pause(&max, &max_one))
        .disposable(Disposable::to_pause(&ida, &ida_two))
        .disposable(Disposable::to_pause(&pauses, &to_pause))
        .disposable(Disposable::to_cancel(&ada, &ada_monthly))
        .disposable(Disposable::to_cancel(&cancels, &to_cancel))
        .advance_clock(move |moment| {
            store.set_clock(Clock::Frozen(moment));
            async {}
        })
        .between_pages(move || {
            let (pool, tenant_id) = (pool.clone(), tenant_id.clone());
            let call = i32::try_from(calls.fetch_add(1, Ordering::Relaxed)).unwrap();
            async move {
                // One more customer, and the one before gone.
                sqlx::query(
                    "WITH gone AS (
                        UPDATE customers SET deleted_at = created_at
                        WHERE tenant_id = $1::uuid AND customer_number = 'C-new-' || $2 - 1
                    )
                    INSERT INTO customers (tenant_id, livemode, customer_number)
                    VALUES ($1::uuid, true, 'C-new-' || $2)",
                )
                .bind(tenant_id)
                .bind(call)
                .execute(&pool)
                .await
                .unwrap();
            }
        })
}

#[tokio::test]
async fn churnkey_can_work_with_each_of_five_tenants() {
    let platform = Platform::with_demo_data(5, 40).await;
    for tenant in (1..=5).map(slug) {
        let store = platform.store.at(Clock::Frozen(NOW.parse().unwrap()));
        let integration = churnkey::integration(&store).unwrap();
        let app = Router::new().nest("/tenants/{tenant}", integration.into_router());
        let fixtures = fixtures(&platform, store, &tenant).await;
        let report = check(&client(&app, &tenant), &fixtures).await.unwrap();
        report.assert_passed();
        assert_eq!(report.skipped(), []);
    }
}
