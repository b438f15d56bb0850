//! What an action does to a subscription, now and later, and why it may not.

use churnkey_conformance::Client;
use churnkey_integrator::Timestamp;
use serde_json::{Value, json};

use crate::{Shop, act};

const ADA_PRO: &str = "/churnkey/customers/cus_ada/subscriptions/sub_ada_pro";
const ADA_YEAR: &str = "/churnkey/customers/cus_ada/subscriptions/sub_ada_year";
const GRACE: &str = "/churnkey/customers/cus_grace/subscriptions/sub_grace_trial";
const LINUS_SEATS: &str = "/churnkey/customers/cus_linus/subscriptions/sub_linus_seats";
const ZOE: &str = "/churnkey/customers/cus_zoe/subscriptions/sub_zoe_gone";
const NOW: &str = "2026-01-15T12:00:00.000Z";

/// An action on the subscription at this path.
async fn on(client: &Client, path: &str, action: &str, fields: Value) -> (u16, Value) {
    let mut parts = path.split('/').skip(3);
    let (customer, subscription) = (parts.next().unwrap(), parts.nth(1).unwrap());
    let mut body = fields;
    body["customerId"] = customer.into();
    body["subscriptionId"] = subscription.into();
    act(client, &format!("subscription/{action}"), &body).await
}

/// An expected refusal.
fn refused(message: &str) -> (u16, Value) {
    (400, json!({"code": 400, "message": message}))
}

const DONE: (u16, Value) = (200, Value::Null);

async fn status(client: &Client, path: &str) -> Value {
    client.get(path).await.body()["status"].clone()
}

fn active(start: &str, end: &str) -> Value {
    json!({"name": "active", "currentPeriod": {"start": start, "end": end}})
}

fn canceled(at: &str) -> Value {
    json!({"name": "canceled", "canceledAt": at})
}

const JANUARY: [&str; 2] = ["2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"];

#[tokio::test]
async fn a_cancellation_holds_at_once_or_from_the_end_of_the_period_on() {
    let shop = Shop::with_demo_data().await;
    let now = shop.at(NOW);
    for _ in 0..2 {
        let immediate = json!({"scheduledAt": "immediate"});
        assert_eq!(on(&now, ADA_YEAR, "cancel", immediate).await, DONE);
        assert_eq!(status(&now, ADA_YEAR).await, canceled(NOW));
        let later = json!({"scheduledAt": "end-of-period"});
        assert_eq!(on(&now, ADA_PRO, "cancel", later).await, DONE);
        assert_eq!(status(&now, ADA_PRO).await, active(JANUARY[0], JANUARY[1]));
    }
    let before = shop.at("2026-01-31T23:59:59.999Z");
    assert_eq!(
        status(&before, ADA_PRO).await,
        active(JANUARY[0], JANUARY[1])
    );
    let after = shop.at(JANUARY[1]);
    assert_eq!(status(&after, ADA_PRO).await, canceled(JANUARY[1]));
    // A cancelled subscription takes no action but another cancellation.
    let immediate = json!({"scheduledAt": "immediate"});
    assert_eq!(on(&after, ADA_PRO, "cancel", immediate).await, DONE);
    assert_eq!(status(&after, ADA_PRO).await, canceled(JANUARY[1]));
    let over = refused("The subscription is canceled");
    let month = json!({"startAt": "immediate", "duration": {"amount": 1, "unit": "month"}});
    assert_eq!(on(&after, ADA_PRO, "pause", month).await, over);
    let coupon = json!({"coupon": "coupon_stay20"});
    assert_eq!(on(&after, ZOE, "apply-coupon", coupon).await, over);
}

#[tokio::test]
async fn a_nearer_end_is_kept() {
    let shop = Shop::with_demo_data().await;
    let now = shop.at(NOW);
    let schedules = ["end-of-period", "immediate", "end-of-period"];
    for schedule in schedules.map(|schedule| json!({ "scheduledAt": schedule })) {
        assert_eq!(on(&now, ADA_PRO, "cancel", schedule).await, DONE);
    }
    assert_eq!(status(&now, ADA_PRO).await, canceled(NOW));
}

#[tokio::test]
async fn a_pause_holds_at_once_or_from_the_end_of_the_period_on_and_then_a_new_period_begins() {
    let shop = Shop::with_demo_data().await;
    let now = shop.at(NOW);
    let two_months = json!({"startAt": "immediate", "duration": {"type": "period", "amount": 2, "unit": "month"}});
    for _ in 0..2 {
        assert_eq!(on(&now, ADA_PRO, "pause", two_months.clone()).await, DONE);
    }
    let end = "2026-03-15T12:00:00.000Z";
    let paused = json!({
        "name": "paused",
        "pause": {"start": NOW, "end": end},
        "currentPeriod": {"start": JANUARY[0], "end": JANUARY[1]}
    });
    assert_eq!(status(&now, ADA_PRO).await, paused);
    let last = shop.at("2026-03-15T11:59:59.999Z");
    assert_eq!(status(&last, ADA_PRO).await, paused);
    let resumed = active(end, "2026-04-15T12:00:00.000Z");
    assert_eq!(status(&shop.at(end), ADA_PRO).await, resumed);

    let another = json!({"startAt": "immediate", "duration": {"amount": 3, "unit": "month"}});
    let already = refused("The subscription is paused already");
    assert_eq!(on(&now, ADA_PRO, "pause", another.clone()).await, already);
    // After the end of the first pause, another one may begin.
    assert_eq!(on(&shop.at(end), ADA_PRO, "pause", another).await, DONE);
    assert_eq!(
        status(&shop.at(end), ADA_PRO).await["pause"],
        json!({"start": end, "end": "2026-06-15T12:00:00.000Z"})
    );

    // An annual one, from the end of its period until a date.
    let shop = Shop::with_demo_data().await;
    let now = shop.at(NOW);
    let until = json!({"startAt": "end-of-period", "duration": {"type": "date", "date": "2026-10-15T00:00:00+00:00"}});
    let year = ["2025-09-01T00:00:00.000Z", "2026-09-01T00:00:00.000Z"];
    for _ in 0..2 {
        assert_eq!(on(&now, ADA_YEAR, "pause", until.clone()).await, DONE);
    }
    assert_eq!(status(&now, ADA_YEAR).await, active(year[0], year[1]));
    let end = "2026-10-15T00:00:00.000Z";
    let paused = status(&shop.at(year[1]), ADA_YEAR).await;
    assert_eq!(paused["pause"], json!({"start": year[1], "end": end}));
    assert_eq!(
        status(&shop.at(end), ADA_YEAR).await,
        active(end, "2027-10-15T00:00:00.000Z")
    );
}

#[tokio::test]
async fn what_must_not_be_paused_is_not() {
    let shop = Shop::with_demo_data().await;
    let now = shop.at(NOW);
    let month = json!({"amount": 1, "unit": "month"});
    let annual = json!({"startAt": "immediate", "duration": month, "allowAnnual": false});
    assert_eq!(
        on(&now, ADA_YEAR, "pause", annual.clone()).await,
        refused("An annual subscription can't be paused")
    );
    // Either all subscriptions of a customer are paused, or none.
    let mut all = annual;
    all["customerId"] = "cus_ada".into();
    assert_eq!(
        act(&now, "customer/pause", &all).await,
        refused("An annual subscription can't be paused")
    );
    assert_eq!(status(&now, ADA_PRO).await["name"], "active");
    let early = json!({"startAt": "end-of-period", "duration": {"date": "2026-02-01T00:00:00Z"}});
    assert_eq!(
        on(&now, ADA_PRO, "pause", early).await,
        refused("duration.date is too early")
    );
    assert_eq!(
        status(&shop.at("2027-01-01T00:00:00Z"), ADA_PRO).await,
        active(JANUARY[0], JANUARY[1])
    );
}

#[tokio::test]
async fn all_subscriptions_of_a_customer_are_cancelled_or_paused_together() {
    let shop = Shop::with_demo_data().await;
    let now = shop.at(NOW);
    let month = json!({"amount": 1, "unit": "month"});
    let pause = json!({"customerId": "cus_ada", "startAt": "immediate", "duration": month});
    for _ in 0..2 {
        assert_eq!(act(&now, "customer/pause", &pause).await, DONE);
        for path in [ADA_PRO, ADA_YEAR] {
            assert_eq!(
                status(&now, path).await["pause"],
                json!({"start": NOW, "end": "2026-02-15T12:00:00.000Z"})
            );
        }
    }
    let cancel = json!({"customerId": "cus_ada", "scheduledAt": "end-of-period"});
    assert_eq!(act(&now, "customer/cancel", &cancel).await, DONE);
    let later = shop.at("2026-02-10T00:00:00Z");
    assert_eq!(status(&later, ADA_PRO).await, canceled(JANUARY[1]));
    assert_eq!(status(&later, ADA_YEAR).await["name"], "paused");
    let last = shop.at("2026-09-01T00:00:00Z");
    assert_eq!(
        status(&last, ADA_YEAR).await,
        canceled("2026-09-01T00:00:00.000Z")
    );
    assert_eq!(status(&now, GRACE).await["name"], "trial");
    for action in ["customer/cancel", "customer/pause"] {
        let nobody = json!({"customerId": "cus_nobody", "scheduledAt": "immediate", "startAt": "immediate", "duration": month});
        assert_eq!(act(&now, action, &nobody).await.0, 404);
    }
}

#[tokio::test]
async fn a_coupon_is_redeemed_once_and_counted_wherever_it_is_served() {
    let shop = Shop::with_demo_data().await;
    let now = shop.at(NOW);
    let coupon = json!({"coupon": "coupon_stay20"});
    for _ in 0..2 {
        assert_eq!(
            on(&now, ADA_PRO, "apply-coupon", coupon.clone()).await,
            DONE
        );
        let served = now.get("/churnkey/coupons/coupon_stay20").await.into_body();
        assert_eq!(served["redemptions"], json!({"max": 100, "current": 5}));
        let discounts = now.get(ADA_PRO).await.body()["discounts"].clone();
        let expected = json!([{"coupon": served, "start": NOW, "end": "2026-04-15T12:00:00.000Z"}]);
        assert_eq!(discounts, expected);
        let grace = now.get("/churnkey/customers/cus_grace").await.into_body();
        assert_eq!(grace["discounts"][0]["coupon"], served);
    }
    let once = json!({"coupon": "coupon_five_once"});
    assert_eq!(on(&now, ADA_PRO, "apply-coupon", once).await, DONE);
    let discounts = now.get(ADA_PRO).await.body()["discounts"].clone();
    let ids: Vec<_> = (0..2).map(|n| &discounts[n]["coupon"]["id"]).collect();
    assert_eq!(ids, ["coupon_stay20", "coupon_five_once"]);
    assert_eq!(discounts[1]["end"], JANUARY[1]);
    assert_eq!(discounts[1]["coupon"]["redemptions"], Value::Null);

    for (id, answer) in [
        ("coupon_expired", refused("The coupon has expired")),
        ("coupon_full", refused("The coupon has no redemptions left")),
        (
            "coupon_nothing",
            (404, json!({"code": 404, "message": "Coupon not found"})),
        ),
    ] {
        let coupon = json!({ "coupon": id });
        assert_eq!(on(&now, ADA_PRO, "apply-coupon", coupon).await, answer);
    }
    let full = now.get("/churnkey/coupons/coupon_full").await.into_body();
    assert_eq!(full["redemptions"], json!({"max": 2, "current": 2}));
}

#[tokio::test]
async fn a_trial_is_extended_by_a_period_or_to_a_date() {
    let shop = Shop::with_demo_data().await;
    let now = shop.at(NOW);
    let week = json!({"duration": {"amount": 1, "unit": "week"}});
    let trial = |end: &str| json!({"name": "trial", "trial": {"start": "2026-01-10T00:00:00.000Z", "end": end}});
    for end in ["2026-01-31T00:00:00.000Z", "2026-02-07T00:00:00.000Z"] {
        assert_eq!(on(&now, GRACE, "extend-trial", week.clone()).await, DONE);
        assert_eq!(status(&now, GRACE).await, trial(end));
    }
    let date = json!({"duration": {"date": "2026-03-01T00:00:00Z"}});
    for _ in 0..2 {
        assert_eq!(on(&now, GRACE, "extend-trial", date.clone()).await, DONE);
    }
    let early = json!({"duration": {"date": "2026-02-28T00:00:00Z"}});
    assert_eq!(
        on(&now, GRACE, "extend-trial", early).await,
        refused("duration.date is too early")
    );
    assert_eq!(status(&now, GRACE).await, trial("2026-03-01T00:00:00.000Z"));
    assert_eq!(
        on(&now, ADA_PRO, "extend-trial", week).await,
        refused("The subscription is not in trial")
    );
}

#[tokio::test]
async fn a_price_changes_at_once_with_or_without_proration_or_at_the_end_of_the_period() {
    let price = |id: &str, schedule: &str| json!({"price": id, "scheduledAt": schedule});
    let shop = Shop::with_demo_data().await;
    let now = shop.at(NOW);
    let served = |client: Client| async move {
        let body = client.get(ADA_PRO).await.into_body();
        let item = &body["items"][0];
        assert_eq!(item["id"], "si_ada_pro");
        assert_eq!(body["duration"], item["price"]["duration"]);
        let id = item["price"]["id"].as_str().unwrap().to_owned();
        (id, body["status"].clone())
    };
    let basic = price("price_basic_month", "immediate");
    for _ in 0..2 {
        assert_eq!(on(&now, ADA_PRO, "change-price", basic.clone()).await, DONE);
        let january = active(JANUARY[0], JANUARY[1]);
        assert_eq!(
            served(now.clone()).await,
            ("price_basic_month".to_owned(), january)
        );
    }
    let mut year = price("price_pro_year", "immediate");
    year["prorate"] = true.into();
    for _ in 0..2 {
        assert_eq!(on(&now, ADA_PRO, "change-price", year.clone()).await, DONE);
        let from_now = active(NOW, "2027-01-15T12:00:00.000Z");
        assert_eq!(
            served(now.clone()).await,
            ("price_pro_year".to_owned(), from_now)
        );
    }
    for _ in 0..2 {
        let month = price("price_pro_month", "end-of-period");
        assert_eq!(on(&now, ADA_PRO, "change-price", month).await, DONE);
        assert_eq!(served(now.clone()).await.0, "price_pro_year");
    }
    let end = "2027-01-15T12:00:00.000Z";
    assert_eq!(
        served(shop.at(end)).await,
        (
            "price_pro_month".to_owned(),
            active(end, "2027-02-15T12:00:00.000Z")
        )
    );
    // A change to the present price removes the planned one.
    let year = price("price_pro_year", "immediate");
    assert_eq!(on(&now, ADA_PRO, "change-price", year).await, DONE);
    assert_eq!(served(shop.at(end)).await.0, "price_pro_year");

    let several = refused("The subscription has several items, so that its price can't be changed");
    let month = price("price_pro_month", "immediate");
    assert_eq!(on(&now, LINUS_SEATS, "change-price", month).await, several);
    let nothing = price("price_test_month", "immediate");
    assert_eq!(on(&now, ADA_PRO, "change-price", nothing).await.0, 404);
}

#[tokio::test]
async fn a_store_goes_by_the_real_clock_unless_it_is_told() {
    let shop = Shop::with_demo_data().await;
    let before = Timestamp::now();
    let immediate = json!({"scheduledAt": "immediate"});
    assert_eq!(on(&shop.live, ADA_PRO, "cancel", immediate).await, DONE);
    let at = status(&shop.live, ADA_PRO).await["canceledAt"].clone();
    let at: Timestamp = at.as_str().unwrap().parse().unwrap();
    assert!(before <= at && at <= Timestamp::now());
}

#[tokio::test]
async fn an_action_in_one_mode_leaves_the_other_alone() {
    let shop = Shop::with_demo_data().await;
    let cancel =
        json!({"customerId": "cus_test", "subscriptionId": "sub_test", "scheduledAt": "immediate"});
    for (client, answer) in [(&shop.live, 404), (&shop.test, 200)] {
        assert_eq!(act(client, "subscription/cancel", &cancel).await.0, answer);
    }
    let path = "/churnkey/customers/cus_test/subscriptions/sub_test";
    assert_eq!(status(&shop.test, path).await["name"], "canceled");
    // The refusal changed nothing.
    let records = "SELECT (SELECT count(*) FROM churnkey_live.churnkey_idempotency_records),
        (SELECT count(*) FROM churnkey_test.churnkey_idempotency_records WHERE done)";
    let counted = shop.sql().await.query_one(records, &[]).await.unwrap();
    assert_eq!((counted.get(0), counted.get(1)), (0_i64, 1_i64));
}

/// The last valid time: the API, the database and the rules must agree on it.
#[tokio::test]
async fn a_pause_until_the_end_of_the_calendar_is_the_same_pause_when_it_comes_again() {
    let shop = Shop::with_demo_data().await;
    let now = shop.at(NOW);
    let end = "9999-12-30T22:00:00.000Z";
    let forever = json!({"startAt": "immediate", "duration": {"date": end}});
    for _ in 0..2 {
        assert_eq!(on(&now, ADA_PRO, "pause", forever.clone()).await, DONE);
    }
    let pause = status(&now, ADA_PRO).await["pause"].clone();
    assert_eq!(pause, json!({"start": NOW, "end": end}));
}
