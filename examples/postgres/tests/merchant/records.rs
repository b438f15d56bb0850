//! The records besides customers: served as the file has them, page by page, and to their owner alone;
//! and what the tables can't hold.

use churnkey_conformance::Client;
use churnkey_integrator::{
    Amount, CouponId, Currency, CustomerId, ItemId, Mode, Percentage, PriceId, ProductId,
    RequestContext, SubscriptionId, SubscriptionsController,
    model::{
        BillingDuration, Coupon, CouponDuration, CouponValue, Item, Price, PriceAmount,
        Redemptions, Subscription, Tier, TierMode, Tiers,
    },
};
use example_app::{DataSet, Demo};
use serde_json::{Value, json};

use crate::{Shop, demo_file, whole_crawl};

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
            assert_eq!(answer.into_body(), json!({ "data": expected }), "{path}");
            for record in expected {
                let id = record["id"].as_str().unwrap();
                let answer = client.get(&format!("{path}/{id}")).await;
                assert_eq!(
                    (answer.status(), &answer.into_body()),
                    (200, &record),
                    "{path}/{id}"
                );
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
        assert_eq!(answer.status(), 200, "{next}");
        pages.push(answer.body()["data"].as_array().unwrap().clone());
        let Some(cursor) = answer.body()["next"].as_str() else {
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
        assert_eq!(shop.live.get(path).await.status(), 404, "{path}");
    }
    // The framework checks the owner as well, but the statement has to find only the owner's.
    let cx = RequestContext::for_test(Mode::Live);
    for (customer, is_found) in [("cus_ada", true), ("cus_grace", false)] {
        let customer = CustomerId::new(customer).unwrap();
        let id = SubscriptionId::new("sub_ada_pro").unwrap();
        let found = SubscriptionsController::retrieve(&shop.store, &cx, &customer, &id).await;
        assert_eq!(found.unwrap().is_some(), is_found);
    }
    for (client, other) in [(&shop.live, "test"), (&shop.test, "live")] {
        for (path, records) in lists(&file[other]) {
            for record in records {
                let path = format!("{path}/{}", record["id"].as_str().unwrap());
                assert_eq!(client.get(&path).await.status(), 404, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn a_number_that_no_column_can_hold_is_refused_with_advice_and_never_wraps() {
    let shop = Shop::empty().await;
    // Every other number of a model fits its column: it is at most 2^53 - 1.
    let mut data = Demo::load().unwrap().live;
    data.coupons.push(Coupon::new(
        CouponId::new("coupon_new").unwrap(),
        CouponDuration::cycle_amount(u32::MAX).unwrap(),
        CouponValue::percentage(Percentage::whole(1).unwrap()),
    ));
    let none = DataSet::default();
    let error = shop.store.load_if_empty(&data, &none).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "loading records failed: PostgreSQL answered SQLSTATE 22003: a number is larger than its column can hold: \
        9223372036854775807 for an amount, a quantity or a count, 2147483647 for a duration",
    );
    assert_eq!(whole_crawl(&shop.live, 500).await, [""; 0]);
}

#[tokio::test]
async fn the_largest_numbers_of_the_models_survive_the_database() {
    let shop = Shop::empty().await;
    let most = 9_007_199_254_740_991;
    let usd = Currency::new("usd").unwrap();
    let mut data = Demo::load().unwrap().live;
    let amount = Amount::per_unit_and_flat(most, most).unwrap();
    data.coupons = vec![
        Coupon::new(
            CouponId::new("coupon_new").unwrap(),
            CouponDuration::Once,
            CouponValue::fixed(usd, amount),
        )
        .with_redemptions(Redemptions::new(most, most).unwrap()),
    ];
    let tiers = [Tier::up_to(most, amount), Tier::unbounded(amount)];
    let price = Price::of_product(
        ProductId::new("prod_pro").unwrap(),
        PriceId::new("price_new").unwrap(),
        BillingDuration::MONTHLY,
        PriceAmount::tiered(usd, TierMode::Total, Tiers::new(tiers).unwrap()),
    );
    data.prices.push(price.clone());
    let ada = &data.subscriptions[0];
    let subscription = Subscription::new(
        SubscriptionId::new("sub_new").unwrap(),
        ada.customer_id().clone(),
        ada.status(),
        ada.start(),
        ada.duration(),
        [Item::new(ItemId::new("si_new").unwrap(), price.clone(), most).unwrap()],
    );
    let path = format!(
        "/churnkey/customers/{}/subscriptions/sub_new",
        ada.customer_id()
    );
    data.subscriptions = vec![subscription.clone()];
    data.customers.truncate(1);
    let loaded = shop.store.load_if_empty(&data, &DataSet::default()).await;
    assert!(loaded.unwrap());
    for (path, expected) in [
        ("/churnkey/coupons/coupon_new", json!(data.coupons[0])),
        ("/churnkey/prices/price_new", json!(price)),
        (path.as_str(), json!(subscription)),
    ] {
        assert_eq!(shop.live.get(path).await.into_body(), expected, "{path}");
    }
}

#[tokio::test]
async fn a_count_that_no_model_can_hold_is_an_error_that_changes_nothing() {
    let shop = Shop::with_demo_data().await;
    let sql = shop.sql().await;
    let most =
        "UPDATE churnkey_live.coupons SET max_redemptions = NULL, redemptions = 9007199254740991";
    sql.execute(most, &[]).await.unwrap();
    let redeem = json!({"customerId": "cus_ada", "subscriptionId": "sub_ada_pro", "coupon": "coupon_five_once"});
    let path = "/churnkey/actions/subscription/apply-coupon";
    let answer = shop.live.post(path, &redeem.to_string()).await;
    assert_eq!(
        *answer.body(),
        json!({"code": 500, "message": "Internal Server Error"})
    );
    let cause = "`redemptions.current` must be at most 9007199254740991, the largest integer that JavaScript represents exactly";
    assert_eq!(answer.cause(), Some(cause));
    let path = "/churnkey/customers/cus_ada/subscriptions/sub_ada_pro";
    assert_eq!(shop.live.get(path).await.body()["discounts"], Value::Null);
}
