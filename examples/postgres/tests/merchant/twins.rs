//! The same calls to this merchant and to the one in memory get the same answers: the rules are shared, and PostgreSQL must not
//! change what they say.

use churnkey_integrator::testing::Client;
use example_app::{Clock, Demo, demo_token};
use serde_json::{Value, json};

use crate::{Shop, act};

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll<'a, T>(&mut self, sides: &'a [T]) -> &'a T {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        &sides[usize::try_from(self.0 >> 33).unwrap() % sides.len()]
    }
}

const OWNERS: [(&str, &str); 6] = [
    ("cus_ada", "sub_ada_pro"),
    ("cus_ada", "sub_ada_year"),
    ("cus_grace", "sub_grace_trial"),
    ("cus_linus", "sub_linus_paused"),
    ("cus_linus", "sub_linus_seats"),
    ("cus_zoe", "sub_zoe_gone"),
];

fn any_action(dice: &mut Dice) -> (&'static str, Value) {
    let (customer, subscription) = dice.roll(&OWNERS);
    // Rarely an end, or nothing would be left to act on.
    let action = *dice.roll(&[
        "subscription/cancel",
        "subscription/pause",
        "subscription/pause",
        "customer/pause",
        "subscription/apply-coupon",
        "subscription/apply-coupon",
        "subscription/extend-trial",
        "subscription/extend-trial",
        "subscription/change-price",
        "subscription/change-price",
        "subscription/change-price",
    ]);
    let schedule = if action.ends_with("cancel") {
        "end-of-period"
    } else {
        dice.roll(&["immediate", "end-of-period"])
    };
    let durations = [
        json!({"amount": 10, "unit": "day"}),
        json!({"amount": 1, "unit": "month"}),
        json!({"date": "2026-04-01T00:00:00Z"}),
        json!({"date": "2027-01-01T00:00:00.001+02:00"}),
    ];
    let body = json!({
        "customerId": customer,
        "subscriptionId": subscription,
        "scheduledAt": schedule,
        "startAt": schedule,
        "duration": dice.roll(&durations),
        "allowAnnual": dice.roll(&[true, false]),
        "coupon": dice.roll(&["coupon_stay20", "coupon_five_once", "coupon_expired", "coupon_full"]),
        "price": dice.roll(&["price_pro_month", "price_pro_year", "price_basic_month", "price_seats_month"]),
        "prorate": dice.roll(&[true, false]),
    });
    (action, body)
}

async fn everything(client: &Client) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in ["customers", "coupons"] {
        seen.push(client.get(&format!("/churnkey/{path}")).await.body);
    }
    for customer in ["cus_ada", "cus_grace", "cus_linus", "cus_zoe"] {
        let path = format!("/churnkey/customers/{customer}/subscriptions");
        seen.push(client.get(&path).await.body);
    }
    seen
}

#[tokio::test]
async fn this_merchant_and_the_one_in_memory_answer_alike() {
    let shop = Shop::with_demo_data().await;
    let mut dice = Dice(2026);
    let (mut done, mut refused) = (0, 0);
    for _ in 0..5 {
        for table in [
            "subscription_discounts",
            "subscription_items",
            "subscriptions",
            "customer_discounts",
            "customers",
            "coupons",
            "price_tiers",
            "prices",
            "products",
            "families",
        ] {
            let empty =
                format!("DELETE FROM churnkey_live.{table}; DELETE FROM churnkey_test.{table}");
            shop.sql().await.batch_execute(&empty).await.unwrap();
        }
        assert!(crate::load_demo(&shop.store).await);
        let demo = Demo::load().unwrap();
        let memory = in_memory::store::Store::new(Clock::Frozen(demo.clock));
        memory.live.extend(demo.live);
        let mut now = demo.clock;
        for _ in 0..60 {
            let at = Clock::Frozen(now);
            let token = demo_token().unwrap();
            let twin = in_memory::churnkey::integration(&memory.at(at), token).unwrap();
            let (here, there) = (crate::client(&shop.store.at(at)), Client::new(&twin));
            let (action, body) = any_action(&mut dice);
            let answer = act(&here, action, &body).await;
            assert_eq!(answer, act(&there, action, &body).await, "{action} {body}");
            assert_eq!(
                everything(&here).await,
                everything(&there).await,
                "{action} {body}"
            );
            match answer.0 {
                200 => done += 1,
                _ => refused += 1,
            }
            let days = *dice.roll(&[0, 0, 1, 5, 12]);
            now = now.plus(days, churnkey_integrator::CalendarUnit::Day);
        }
    }
    assert!(done > 80 && refused > 80, "{done} {refused}");
}
