//! The effect of an action is visible in the next retrieve, at once or when it is due, in both examples.

use churnkey_conformance::{Answer, Client};
use serde_json::{Value, json};

use crate::merchants::{Example, examples};

/// The moment of the demo data.
const NOW: &str = "2026-01-15T12:00:00Z";

fn demo() -> Value {
    serde_json::from_str(include_str!("../../examples/demo-billing.json")).unwrap()
}

/// A subscription as the demo data has it.
fn written(id: &str) -> Value {
    let demo = demo();
    let all = demo["live"]["subscriptions"].as_array().unwrap();
    all.iter().find(|one| one["id"] == id).unwrap().clone()
}

fn price(id: &str) -> Value {
    let demo = demo();
    let all = demo["live"]["prices"].as_array().unwrap();
    all.iter().find(|one| one["id"] == id).unwrap().clone()
}

async fn act(client: &Client, action: &str, body: Value) -> Answer {
    let path = format!("/churnkey/actions/{action}");
    let call = client.call(http::Method::POST, &path);
    call.with_token().body(body.to_string()).send().await
}

async fn done(client: &Client, action: &str, body: Value) {
    let answer = act(client, action, body.clone()).await;
    assert_eq!(
        (answer.status(), answer.cause()),
        (200, None),
        "{action} {body}"
    );
    assert_eq!(answer.bytes(), b"");
}

async fn rejected(client: &Client, action: &str, body: Value, message: &str) {
    let answer = act(client, action, body.clone()).await;
    assert_eq!(
        answer.into_body(),
        json!({"code": 400, "message": message}),
        "{action} {body}"
    );
}

async fn served(client: &Client, customer: &str, id: &str) -> Value {
    let path = format!("/churnkey/customers/{customer}/subscriptions/{id}");
    let answer = client.get(&path).await;
    assert_eq!(answer.status(), 200, "{path}");
    // The list says the same.
    let list = client
        .get(&format!("/churnkey/customers/{customer}/subscriptions"))
        .await;
    let listed = list.body()["data"].as_array().unwrap().iter();
    assert!(
        listed.clone().any(|one| one == answer.body()),
        "{path} in its list"
    );
    answer.into_body()
}

/// The subscription as in the demo data, except for these fields.
fn but(mut record: Value, fields: Value) -> Value {
    let Value::Object(fields) = fields else {
        panic!("no fields: {fields}");
    };
    record.as_object_mut().unwrap().extend(fields);
    record
}

fn of_ada(more: Value) -> Value {
    but(
        json!({"customerId": "cus_ada", "subscriptionId": "sub_ada_pro"}),
        more,
    )
}

fn of_grace(more: Value) -> Value {
    but(
        json!({"customerId": "cus_grace", "subscriptionId": "sub_grace_trial"}),
        more,
    )
}

fn period(start: &str, end: &str) -> Value {
    json!({"start": format!("{start}T00:00:00.000Z"), "end": format!("{end}T00:00:00.000Z")})
}

/// Looks at Ada's subscription at several times.
async fn ada_at(example: &Example, looks: Vec<(&str, Value)>) {
    for (moment, fields) in looks {
        let got = served(&example.at(moment), "cus_ada", "sub_ada_pro").await;
        let expected = but(written("sub_ada_pro"), fields);
        assert_eq!(got, expected, "{} at {moment}", example.name);
    }
}

const CANCEL: &str = "subscription/cancel";
const PAUSE: &str = "subscription/pause";
const COUPON: &str = "subscription/apply-coupon";
const TRIAL: &str = "subscription/extend-trial";
const PRICE: &str = "subscription/change-price";

#[tokio::test]
async fn a_cancellation_now_and_one_at_the_end_of_the_period() {
    for example in examples().await {
        let now = example.at(NOW);
        for _ in 0..2 {
            done(
                &now,
                CANCEL,
                of_ada(json!({"scheduledAt": "end-of-period"})),
            )
            .await;
        }
        let later =
            json!({"status": {"name": "canceled", "canceledAt": "2026-02-01T00:00:00.000Z"}});
        let looks = vec![
            (NOW, json!({})),
            ("2026-01-31T23:59:59.999Z", json!({})),
            ("2026-02-01T00:00:00Z", later.clone()),
            ("2027-01-01T00:00:00Z", later),
        ];
        ada_at(&example, looks).await;
        let at_once =
            json!({"status": {"name": "canceled", "canceledAt": "2026-01-15T12:00:00.000Z"}});
        for _ in 0..2 {
            done(&now, CANCEL, of_ada(json!({"scheduledAt": "immediate"}))).await;
            ada_at(&example, vec![(NOW, at_once.clone())]).await;
        }
        for (action, more) in [
            (
                PAUSE,
                json!({"startAt": "immediate", "duration": {"amount": 1, "unit": "month"}}),
            ),
            (COUPON, json!({"coupon": "coupon_stay20"})),
            (
                PRICE,
                json!({"price": "price_pro_year", "scheduledAt": "immediate"}),
            ),
        ] {
            rejected(&now, action, of_ada(more), "The subscription is canceled").await;
        }
        ada_at(&example, vec![(NOW, at_once)]).await;
    }
}

#[tokio::test]
async fn a_pause_for_a_period_and_one_until_a_date() {
    for example in examples().await {
        let now = example.at(NOW);
        let pause = |subscription: &str, more: Value| {
            but(
                json!({"customerId": "cus_ada", "subscriptionId": subscription}),
                more,
            )
        };
        let from_the_end = json!({"startAt": "end-of-period", "duration": {"type": "period", "amount": 2, "unit": "month"}});
        for _ in 0..2 {
            done(&now, PAUSE, pause("sub_ada_pro", from_the_end.clone())).await;
        }
        let paused = json!({"status": {
            "name": "paused", "pause": period("2026-02-01", "2026-04-01"),
            "currentPeriod": period("2026-01-01", "2026-02-01")}});
        let resumed = json!({"status": {
            "name": "active", "currentPeriod": period("2026-04-01", "2026-05-01")}});
        let looks = vec![
            ("2026-01-31T00:00:00Z", json!({})),
            ("2026-02-01T00:00:00Z", paused.clone()),
            ("2026-03-31T00:00:00Z", paused),
            ("2026-04-01T00:00:00Z", resumed),
        ];
        ada_at(&example, looks).await;
        let longer =
            json!({"startAt": "end-of-period", "duration": {"amount": 3, "unit": "month"}});
        rejected(
            &now,
            PAUSE,
            pause("sub_ada_pro", longer),
            "The subscription is paused already",
        )
        .await;

        let until = json!({"startAt": "immediate", "duration": {"date": "2026-06-01T00:00:00Z"}, "allowAnnual": false});
        let annual = "An annual subscription can't be paused";
        rejected(&now, PAUSE, pause("sub_ada_year", until.clone()), annual).await;
        done(
            &now,
            PAUSE,
            pause("sub_ada_year", but(until, json!({"allowAnnual": true}))),
        )
        .await;
        let got = served(&now, "cus_ada", "sub_ada_year").await;
        let expected = json!({
            "name": "paused", "currentPeriod": period("2025-09-01", "2026-09-01"),
            "pause": {"start": "2026-01-15T12:00:00.000Z", "end": "2026-06-01T00:00:00.000Z"}});
        assert_eq!(got["status"], expected, "{}", example.name);
        let past = json!({"startAt": "immediate", "duration": {"date": "2026-01-15T12:00:00Z"}});
        let linus = |more| {
            but(
                json!({"customerId": "cus_linus", "subscriptionId": "sub_linus_seats"}),
                more,
            )
        };
        rejected(&now, PAUSE, linus(past), "duration.date is too early").await;
    }
}

#[tokio::test]
async fn a_coupon_within_its_limits() {
    for example in examples().await {
        let now = example.at(NOW);
        let coupon = |id: &str| of_ada(json!({"coupon": id}));
        for _ in 0..2 {
            done(&now, COUPON, coupon("coupon_stay20")).await;
        }
        let redeemed = now.get("/churnkey/coupons/coupon_stay20").await.into_body();
        assert_eq!(
            redeemed["redemptions"],
            json!({"max": 100, "current": 5}),
            "{}",
            example.name
        );
        let discounts = json!({"discounts": [{
            "coupon": redeemed, "start": "2026-01-15T12:00:00.000Z", "end": "2026-04-15T12:00:00.000Z"}]});
        ada_at(&example, vec![(NOW, discounts)]).await;
        // Grace's discount is by the same coupon.
        let grace = now.get("/churnkey/customers/cus_grace").await.into_body();
        assert_eq!(
            grace["discounts"][0]["coupon"], redeemed,
            "{}",
            example.name
        );

        done(&now, COUPON, coupon("coupon_five_once")).await;
        let both = served(&now, "cus_ada", "sub_ada_pro").await;
        assert_eq!(
            both["discounts"][1]["end"], "2026-02-01T00:00:00.000Z",
            "{}",
            example.name
        );
        rejected(
            &now,
            COUPON,
            coupon("coupon_expired"),
            "The coupon has expired",
        )
        .await;
        rejected(
            &now,
            COUPON,
            coupon("coupon_full"),
            "The coupon has no redemptions left",
        )
        .await;
        assert_eq!(
            served(&now, "cus_ada", "sub_ada_pro").await,
            both,
            "{}",
            example.name
        );
        let gone = act(&now, COUPON, coupon("coupon_nobody")).await;
        assert_eq!(
            gone.into_body(),
            json!({"code": 404, "message": "Coupon not found"})
        );
    }
}

#[tokio::test]
async fn a_trial_that_grows() {
    for example in examples().await {
        let now = example.at(NOW);
        let trial = |duration: Value| of_grace(json!({"duration": duration}));
        let ends = |example: &Example| {
            let client = example.at(NOW);
            async move { served(&client, "cus_grace", "sub_grace_trial").await["status"].clone() }
        };
        done(
            &now,
            TRIAL,
            trial(json!({"type": "period", "amount": 7, "unit": "day"})),
        )
        .await;
        let longer = json!({"name": "trial", "trial": period("2026-01-10", "2026-01-31")});
        assert_eq!(ends(&example).await, longer, "{}", example.name);
        // With a plain token and no key, a retry can't be recognized.
        done(
            &now,
            TRIAL,
            trial(json!({"type": "period", "amount": 7, "unit": "day"})),
        )
        .await;
        let longer = json!({"name": "trial", "trial": period("2026-01-10", "2026-02-07")});
        assert_eq!(ends(&example).await, longer, "{}", example.name);
        for _ in 0..2 {
            done(
                &now,
                TRIAL,
                trial(json!({"type": "date", "date": "2026-03-01T00:00:00Z"})),
            )
            .await;
        }
        let longer = json!({"name": "trial", "trial": period("2026-01-10", "2026-03-01")});
        assert_eq!(ends(&example).await, longer, "{}", example.name);
        let shorter = trial(json!({"date": "2026-02-01T00:00:00Z"}));
        rejected(&now, TRIAL, shorter, "duration.date is too early").await;
        let not = of_ada(json!({"duration": {"amount": 1, "unit": "day"}}));
        rejected(&now, TRIAL, not, "The subscription is not in trial").await;

        for _ in 0..3 {
            let path = format!("/churnkey/actions/{TRIAL}");
            let call = now.call(http::Method::POST, &path);
            let call = call.with_token().header("idempotency-key", "a week, once");
            let body = trial(json!({"amount": 1, "unit": "week"})).to_string();
            assert_eq!(
                call.body(body).send().await.status(),
                200,
                "{}",
                example.name
            );
        }
        let longer = json!({"name": "trial", "trial": period("2026-01-10", "2026-03-08")});
        assert_eq!(ends(&example).await, longer, "{}", example.name);
    }
}

#[tokio::test]
async fn a_price_now_or_later_with_or_without_proration() {
    for example in examples().await {
        let now = example.at(NOW);
        let to = |id: &str, schedule: &str, prorate: bool| {
            of_ada(json!({"price": id, "scheduledAt": schedule, "prorate": prorate}))
        };
        let with_price = |id: &str, more: Value| {
            let item = json!({"id": "si_ada_pro", "quantity": 1, "price": price(id)});
            but(
                json!({"items": [item], "duration": price(id)["duration"]}),
                more,
            )
        };
        done(&now, PRICE, to("price_pro_year", "end-of-period", false)).await;
        let later = with_price(
            "price_pro_year",
            json!({"status": {"name": "active", "currentPeriod": period("2026-02-01", "2027-02-01")}}),
        );
        ada_at(
            &example,
            vec![(NOW, json!({})), ("2026-02-01T00:00:00Z", later)],
        )
        .await;

        for _ in 0..2 {
            done(&now, PRICE, to("price_basic_month", "immediate", false)).await;
        }
        let at_once = with_price("price_basic_month", json!({}));
        ada_at(
            &example,
            vec![(NOW, at_once.clone()), ("2026-02-01T00:00:00Z", at_once)],
        )
        .await;

        for _ in 0..2 {
            done(&now, PRICE, to("price_pro_month", "immediate", true)).await;
        }
        let prorated = json!({"status": {"name": "active", "currentPeriod": {
            "start": "2026-01-15T12:00:00.000Z", "end": "2026-02-15T12:00:00.000Z"}}});
        ada_at(
            &example,
            vec![(NOW, with_price("price_pro_month", prorated))],
        )
        .await;

        let seats = json!({"customerId": "cus_linus", "subscriptionId": "sub_linus_seats",
                           "price": "price_pro_month", "scheduledAt": "immediate"});
        let several = "The subscription has several items, so that its price can't be changed";
        rejected(&now, PRICE, seats, several).await;
        let gone = act(&now, PRICE, to("price_nobody", "immediate", false)).await;
        assert_eq!(
            gone.into_body(),
            json!({"code": 404, "message": "Price not found"})
        );
    }
}

#[tokio::test]
async fn all_subscriptions_of_a_customer_at_once_or_none() {
    for example in examples().await {
        let now = example.at(NOW);
        let pause = |annual: bool| {
            json!({"customerId": "cus_ada", "startAt": "immediate", "allowAnnual": annual,
                   "duration": {"amount": 1, "unit": "month"}})
        };
        let annual = "An annual subscription can't be paused";
        rejected(&now, "customer/pause", pause(false), annual).await;
        ada_at(&example, vec![(NOW, json!({}))]).await;
        for _ in 0..2 {
            done(&now, "customer/pause", pause(true)).await;
        }
        for id in ["sub_ada_pro", "sub_ada_year"] {
            let got = served(&now, "cus_ada", id).await;
            assert_eq!(got["status"]["name"], "paused", "{} {id}", example.name);
        }
        // Linus's are paused and unpaid; neither has a period to wait for.
        let cancel = json!({"customerId": "cus_linus", "scheduledAt": "end-of-period"});
        for _ in 0..2 {
            done(&now, "customer/cancel", cancel.clone()).await;
        }
        let gone = json!({"name": "canceled", "canceledAt": "2026-01-15T12:00:00.000Z"});
        for id in ["sub_linus_paused", "sub_linus_seats"] {
            let got = served(&now, "cus_linus", id).await;
            assert_eq!(
                got,
                but(written(id), json!({"status": gone})),
                "{}",
                example.name
            );
        }
        // No other customer's were touched. A customer without subscriptions has nothing to cancel.
        let zoe = served(&now, "cus_zoe", "sub_zoe_gone").await;
        assert_eq!(zoe, written("sub_zoe_gone"), "{}", example.name);
        let none = json!({"customerId": "cus_twin_a", "scheduledAt": "immediate"});
        done(&now, "customer/cancel", none).await;
    }
}
