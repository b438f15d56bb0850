//! What each action does to a subscription, at once and later.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads best without a borrow"
)]

use std::num::NonZeroU32;

use churnkey_integrator::{
    CalendarUnit, CouponId, HandlerError, PriceId, Timestamp,
    actions::{
        ActionDuration,
        Schedule::{self, EndOfPeriod, Immediate},
    },
    model::{self, Coupon, Price, Redemptions},
};
use example_billing::{
    Catalogue, Redeemed, Subscription, cancel_all, pause_all, redeemed_once_more,
};
use proptest::prelude::*;
use serde_json::{Value, from_value, json, to_value};

struct Shop;

impl Catalogue for Shop {
    fn price(&self, id: &PriceId) -> Option<Price> {
        let unit = if id.as_str() == "year" {
            "year"
        } else {
            "month"
        };
        let price = json!({
            "id": id, "type": "standalone", "duration": {"amount": 1, "unit": unit},
            "amount": {"model": "fixed", "currency": "usd", "unit": 100},
        });
        from_value(price).unwrap()
    }

    fn coupon(&self, id: &CouponId) -> Option<Coupon> {
        Some(coupon(id.as_str(), json!({"type": "forever"}), json!({})))
    }
}

fn coupon(id: &str, duration: Value, more: Value) -> Coupon {
    let mut coupon = json!({
        "id": id, "duration": duration, "value": {"type": "percentage", "percent": 10}
    });
    if let (Value::Object(coupon), Value::Object(more)) = (&mut coupon, more) {
        coupon.extend(more);
    }
    from_value(coupon).unwrap()
}

fn price(id: &str) -> Price {
    Shop.price(&PriceId::new(id).unwrap()).unwrap()
}

fn at(text: &str) -> Timestamp {
    let text = if text.contains('T') {
        text.to_owned()
    } else {
        format!("{text}T00:00:00Z")
    };
    text.parse().unwrap()
}

/// The data's moment, in the middle of every period.
fn now() -> Timestamp {
    at("2026-01-15T12:00:00Z")
}

fn with_status(status: Value) -> Subscription {
    let item = json!({"id": "si", "quantity": 1, "price": to_value(price("month")).unwrap()});
    let subscription = json!({
        "id": "sub", "customerId": "cus", "start": "2025-06-01T00:00:00Z", "status": status,
        "duration": {"amount": 1, "unit": "month"}, "items": [item],
    });
    Subscription::from_served(&from_value(subscription).unwrap())
}

fn active() -> Subscription {
    with_status(json!({"name": "active", "currentPeriod":
        {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}}))
}

fn trial() -> Subscription {
    with_status(json!({"name": "trial", "trial":
        {"start": "2026-01-10T00:00:00Z", "end": "2026-01-24T00:00:00Z"}}))
}

fn unpaid() -> Subscription {
    with_status(json!({"name": "unpaid"}))
}

fn paused() -> Subscription {
    with_status(json!({"name": "paused", "pause":
        {"start": "2026-01-01T00:00:00Z", "end": "2026-03-01T00:00:00Z"}}))
}

fn canceled() -> Subscription {
    with_status(json!({"name": "canceled", "canceledAt": "2025-11-15T00:00:00Z"}))
}

fn every_status() -> [Subscription; 5] {
    [active(), trial(), unpaid(), paused(), canceled()]
}

fn served(subscription: &Subscription, when: Timestamp) -> model::Subscription {
    subscription.served(when, &Shop).unwrap()
}

/// The status in short: `active 01-01..02-01`, `paused 01-15..`, `canceled 02-01`.
fn status(subscription: &Subscription, when: &str) -> String {
    let status = to_value(served(subscription, at(when)).status()).unwrap();
    let day = |value: &Value| {
        value
            .as_str()
            .map_or(String::new(), |t| t[2..10].to_owned())
    };
    let period = |value: &Value| format!("{}..{}", day(&value["start"]), day(&value["end"]));
    match status["name"].as_str().unwrap() {
        "active" => format!("active {}", period(&status["currentPeriod"])),
        "trial" => format!("trial {}", period(&status["trial"])),
        "paused" => format!("paused {}", period(&status["pause"])),
        "canceled" => format!("canceled {}", day(&status["canceledAt"])),
        other => other.to_owned(),
    }
}

fn price_of(subscription: &Subscription, when: &str) -> String {
    served(subscription, at(when)).items()[0]
        .price()
        .id()
        .to_string()
}

fn period(amount: u32, unit: CalendarUnit) -> ActionDuration {
    let amount = NonZeroU32::new(amount).unwrap();
    ActionDuration::Period { amount, unit }
}

fn months(amount: u32) -> ActionDuration {
    period(amount, CalendarUnit::Month)
}

fn until(date: &str) -> ActionDuration {
    ActionDuration::Date(at(date))
}

fn refusal(result: Result<(), HandlerError>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.status(), 400);
    error.message().to_owned()
}

#[test]
fn what_nothing_was_done_to_is_served_as_it_was_written_at_any_time() {
    for subscription in every_status() {
        let then = served(&subscription, at("2020-01-01"));
        for when in ["2026-01-15", "2026-03-02", "2200-01-01"] {
            assert_eq!(served(&subscription, at(when)), then);
        }
    }
}

#[test]
fn a_cancellation_takes_effect_now_or_at_the_end_of_what_is_paid_for() {
    let mut now_gone = active();
    now_gone.cancel(Immediate, now());
    assert_eq!(
        status(&now_gone, "2026-01-15T12:00:00Z"),
        "canceled 26-01-15"
    );

    let mut later = active();
    later.cancel(EndOfPeriod, now());
    assert_eq!(
        status(&later, "2026-01-31T23:59:59Z"),
        "active 26-01-01..26-02-01"
    );
    assert_eq!(status(&later, "2026-02-01"), "canceled 26-02-01");
    // Once more, also later, changes nothing; a nearer end is taken.
    let before = later.clone();
    later.cancel(EndOfPeriod, at("2026-01-20"));
    assert_eq!(later, before);
    later.cancel(Immediate, at("2026-01-20"));
    assert_eq!(status(&later, "2026-01-20"), "canceled 26-01-20");
    let gone = later.clone();
    later.cancel(EndOfPeriod, at("2026-01-25"));
    assert_eq!(later, gone);

    let mut in_trial = trial();
    in_trial.cancel(EndOfPeriod, now());
    assert_eq!(status(&in_trial, "2026-01-23"), "trial 26-01-10..26-01-24");
    assert_eq!(status(&in_trial, "2026-01-24"), "canceled 26-01-24");
    // Without a current period, it ends at once.
    for mut subscription in [unpaid(), paused()] {
        subscription.cancel(EndOfPeriod, now());
        assert_eq!(status(&subscription, "2026-01-16"), "canceled 26-01-15");
    }
    let mut subscription = canceled();
    subscription.cancel(Immediate, now());
    assert_eq!(subscription, canceled());
}

#[test]
fn a_pause_starts_now_or_at_the_end_of_the_period_and_then_a_new_period_begins() {
    let mut subscription = active();
    subscription.pause(Immediate, months(2), now()).unwrap();
    assert_eq!(
        status(&subscription, "2026-01-16"),
        "paused 26-01-15..26-03-15"
    );
    assert_eq!(
        status(&subscription, "2026-03-15T11:59:59Z"),
        "paused 26-01-15..26-03-15"
    );
    assert_eq!(
        status(&subscription, "2026-03-15T12:00:00Z"),
        "active 26-03-15..26-04-15"
    );

    let mut later = active();
    later
        .pause(EndOfPeriod, until("2026-05-01"), now())
        .unwrap();
    assert_eq!(status(&later, "2026-01-31"), "active 26-01-01..26-02-01");
    assert_eq!(status(&later, "2026-02-01"), "paused 26-02-01..26-05-01");
    assert_eq!(status(&later, "2026-05-01"), "active 26-05-01..26-06-01");
    let wire = to_value(served(&later, at("2026-03-01")).status()).unwrap();
    assert_eq!(wire["currentPeriod"]["end"], "2026-02-01T00:00:00.000Z");

    // A subscription that was not active is as before once the pause is over.
    for (mut subscription, after) in [(trial(), "trial 26-01-10..26-01-24"), (unpaid(), "unpaid")] {
        subscription.pause(Immediate, months(1), now()).unwrap();
        assert_eq!(
            status(&subscription, "2026-01-20"),
            "paused 26-01-15..26-02-15"
        );
        assert_eq!(status(&subscription, "2026-02-16"), after);
    }
}

#[test]
fn the_same_pause_again_changes_nothing_and_another_one_is_refused() {
    let mut subscription = active();
    subscription.pause(Immediate, months(2), now()).unwrap();
    let before = subscription.clone();
    for when in ["2026-01-15T12:00:00Z", "2026-02-20"] {
        subscription.pause(Immediate, months(2), at(when)).unwrap();
        subscription
            .pause(Immediate, until("2026-03-15T12:00:00Z"), at(when))
            .unwrap();
        assert_eq!(subscription, before);
        let paused = "The subscription is paused already";
        assert_eq!(
            refusal(subscription.pause(Immediate, months(3), at(when))),
            paused
        );
        assert_eq!(
            refusal(subscription.pause(Immediate, until("2026-02-28"), at(when))),
            paused
        );
    }
    // A pause that is planned is not one that starts now.
    let mut later = active();
    later
        .pause(EndOfPeriod, until("2026-05-01"), now())
        .unwrap();
    later
        .pause(EndOfPeriod, until("2026-05-01"), now())
        .unwrap();
    let refused = later.pause(Immediate, until("2026-05-01"), now());
    assert_eq!(refusal(refused), "The subscription is paused already");
    // Once it is over, there may be another.
    subscription
        .pause(Immediate, months(1), at("2026-04-01"))
        .unwrap();
    assert_eq!(
        status(&subscription, "2026-04-02"),
        "paused 26-04-01..26-05-01"
    );

    assert!(paused().pause(Immediate, months(2), now()).is_ok());
    let refused = paused().pause(Immediate, months(1), now());
    assert_eq!(refusal(refused), "The subscription is paused already");
    let refused = canceled().pause(Immediate, months(1), now());
    assert_eq!(refusal(refused), "The subscription is canceled");
    for past in ["2026-01-15T12:00:00Z", "2025-01-01"] {
        let refused = active().pause(Immediate, until(past), now());
        assert_eq!(refusal(refused), "duration.date is too early");
    }
    let refused = active().pause(EndOfPeriod, until("2026-01-20"), now());
    assert_eq!(refusal(refused), "duration.date is too early");
}

#[test]
fn a_coupon_is_redeemed_once_and_lasts_as_long_as_it_says() {
    for (duration, end) in [
        (json!({"type": "once"}), Some("2026-02-01T00:00:00.000Z")),
        (
            json!({"type": "recurring", "amount": 3, "unit": "month"}),
            Some("2026-04-15T12:00:00.000Z"),
        ),
        (
            json!({"type": "recurring", "amount": 1, "unit": "year"}),
            Some("2027-01-15T12:00:00.000Z"),
        ),
        (
            json!({"type": "cycle-amount", "cycles": 2}),
            Some("2026-03-15T12:00:00.000Z"),
        ),
        (json!({"type": "forever"}), None),
    ] {
        let coupon = coupon("c", duration, json!({}));
        let mut subscription = active();
        assert_eq!(
            subscription.apply_coupon(&coupon, now()).unwrap(),
            Redeemed::Now
        );
        let discounts = to_value(served(&subscription, now()).discounts()).unwrap();
        assert_eq!(discounts[0]["start"], "2026-01-15T12:00:00.000Z");
        assert_eq!(discounts[0]["end"].as_str(), end);
        let before = subscription.clone();
        assert_eq!(
            subscription.apply_coupon(&coupon, now()).unwrap(),
            Redeemed::Before
        );
        assert_eq!(subscription, before);
    }
}

#[test]
fn a_once_coupon_without_a_running_period_ends_with_the_pause_or_after_one_billing_duration() {
    let mut yearly = unpaid();
    yearly.duration = model::BillingDuration::YEARLY;
    let open_pause = with_status(json!({"name": "paused", "pause":
        {"start": "2026-01-01T00:00:00Z"}}));
    let over = active();
    for (mut subscription, when, end) in [
        (unpaid(), now(), "2026-02-15T12:00:00.000Z"),
        (yearly, now(), "2027-01-15T12:00:00.000Z"),
        (paused(), now(), "2026-03-01T00:00:00.000Z"),
        (paused(), at("2026-03-01"), "2026-04-01T00:00:00.000Z"),
        (open_pause, now(), "2026-02-15T12:00:00.000Z"),
        (over, at("2026-02-01"), "2026-03-01T00:00:00.000Z"),
    ] {
        let once = coupon("once", json!({"type": "once"}), json!({}));
        let redeemed = subscription.apply_coupon(&once, when).unwrap();
        assert_eq!(redeemed, Redeemed::Now);
        let discounts = to_value(served(&subscription, when).discounts()).unwrap();
        assert_eq!(discounts[0]["end"], end);

        // The discount applies until then, and no longer.
        let end = at(end);
        let before = Timestamp::from_unix_seconds(end.unix_seconds() - 1).unwrap();
        let again = subscription.apply_coupon(&once, before).unwrap();
        assert_eq!(again, Redeemed::Before);
        let again = subscription.apply_coupon(&once, end).unwrap();
        assert_eq!(again, Redeemed::Now);
    }
}

#[test]
fn a_coupon_that_is_expired_or_used_up_is_refused_but_not_to_who_has_it() {
    let forever = json!({"type": "forever"});
    let refused = |more: Value| {
        let coupon = coupon("c", forever.clone(), more);
        let result = active().apply_coupon(&coupon, now());
        refusal(result.map(drop))
    };
    let expired = json!({"expiresAt": "2026-01-15T12:00:00Z"});
    assert_eq!(refused(expired.clone()), "The coupon has expired");
    let full = json!({"redemptions": {"max": 2, "current": 2}});
    assert_eq!(refused(full.clone()), "The coupon has no redemptions left");
    assert_eq!(
        refused(json!({"redemptions": {"max": 0}})),
        "The coupon has no redemptions left"
    );
    let result = canceled().apply_coupon(&coupon("c", forever.clone(), json!({})), now());
    assert_eq!(refusal(result.map(drop)), "The subscription is canceled");

    let mut subscription = active();
    let good = coupon(
        "c",
        forever.clone(),
        json!({"redemptions": {"max": 2, "current": 1}}),
    );
    assert_eq!(
        subscription.apply_coupon(&good, now()).unwrap(),
        Redeemed::Now
    );
    for gone in [expired, full] {
        let coupon = coupon("c", forever.clone(), gone);
        assert_eq!(
            subscription.apply_coupon(&coupon, now()).unwrap(),
            Redeemed::Before
        );
    }
    assert_eq!(
        redeemed_once_more(good).unwrap().redemptions(),
        Some(Redemptions::new(2, 2).unwrap())
    );
    let uncounted = coupon("c", forever, json!({}));
    assert_eq!(redeemed_once_more(uncounted.clone()).unwrap(), uncounted);
    // A coupon whose discount has ended can be redeemed again.
    let once = coupon("once", json!({"type": "once"}), json!({}));
    let mut subscription = active();
    subscription.apply_coupon(&once, now()).unwrap();
    let again = subscription.apply_coupon(&once, at("2026-02-01")).unwrap();
    assert_eq!((again, subscription.discounts.len()), (Redeemed::Now, 2));
}

#[test]
fn a_trial_grows_by_a_period_from_its_end_or_to_a_date() {
    let mut subscription = trial();
    subscription
        .extend_trial(period(1, CalendarUnit::Week), now())
        .unwrap();
    assert_eq!(
        status(&subscription, "2026-01-16"),
        "trial 26-01-10..26-01-31"
    );
    subscription
        .extend_trial(period(1, CalendarUnit::Week), now())
        .unwrap();
    assert_eq!(
        status(&subscription, "2026-01-16"),
        "trial 26-01-10..26-02-07"
    );
    subscription
        .extend_trial(until("2026-03-01"), now())
        .unwrap();
    subscription
        .extend_trial(until("2026-03-01"), now())
        .unwrap();
    assert_eq!(
        status(&subscription, "2026-01-16"),
        "trial 26-01-10..26-03-01"
    );
    let refused = subscription.extend_trial(until("2026-02-01"), now());
    assert_eq!(refusal(refused), "duration.date is too early");
    // A trial that has ended is extended from now.
    let mut late = trial();
    late.extend_trial(period(3, CalendarUnit::Day), at("2026-02-01"))
        .unwrap();
    assert_eq!(status(&late, "2026-02-01"), "trial 26-01-10..26-02-04");
    let refused = trial().extend_trial(until("2026-01-30"), at("2026-02-01"));
    assert_eq!(refusal(refused), "duration.date is too early");
    for mut other in [active(), unpaid(), paused(), canceled()] {
        let refused = other.extend_trial(period(1, CalendarUnit::Week), now());
        assert_eq!(refusal(refused), "The subscription is not in trial");
    }
}

#[test]
fn a_price_changes_now_with_or_without_a_new_period_or_at_the_end_of_this_one() {
    let mut plain = active();
    plain
        .change_price(&price("year"), Immediate, false, now())
        .unwrap();
    assert_eq!(price_of(&plain, "2026-01-16"), "year");
    assert_eq!(status(&plain, "2026-01-16"), "active 26-01-01..26-02-01");
    assert!(served(&plain, now()).duration().is_annual());

    let mut prorated = active();
    prorated
        .change_price(&price("year"), Immediate, true, now())
        .unwrap();
    assert_eq!(status(&prorated, "2026-01-16"), "active 26-01-15..27-01-15");
    let before = prorated.clone();
    prorated
        .change_price(&price("year"), Immediate, true, at("2026-01-20"))
        .unwrap();
    assert_eq!(prorated, before);

    let mut later = active();
    later
        .change_price(&price("year"), EndOfPeriod, true, now())
        .unwrap();
    later
        .change_price(&price("year"), EndOfPeriod, true, at("2026-01-20"))
        .unwrap();
    assert_eq!(price_of(&later, "2026-01-31"), "month");
    assert_eq!(price_of(&later, "2026-02-01"), "year");
    assert_eq!(status(&later, "2026-02-01"), "active 26-02-01..27-02-01");
    // A change to the present price removes a planned change. A change to another price replaces it.
    let mut back = later.clone();
    back.change_price(&price("month"), EndOfPeriod, false, now())
        .unwrap();
    assert_eq!(back, active());
    later
        .change_price(&price("other"), EndOfPeriod, false, now())
        .unwrap();
    assert_eq!(price_of(&later, "2026-02-01"), "other");

    let refused = canceled().change_price(&price("year"), Immediate, false, now());
    assert_eq!(refusal(refused), "The subscription is canceled");
    let mut two = active();
    two.items.push(two.items[0].clone());
    assert_eq!(
        refusal(two.change_price(&price("year"), Immediate, false, now())),
        "The subscription has several items, so that its price can't be changed"
    );
}

#[test]
fn what_is_planned_takes_effect_in_the_order_of_time() {
    // A new price while it is paused, then the end of the pause, then the cancellation.
    let mut subscription = active();
    subscription
        .pause(Immediate, until("2026-02-10"), now())
        .unwrap();
    subscription
        .change_price(&price("year"), EndOfPeriod, false, now())
        .unwrap();
    assert_eq!(
        status(&subscription, "2026-02-05"),
        "paused 26-01-15..26-02-10"
    );
    assert_eq!(price_of(&subscription, "2026-02-05"), "year");
    assert_eq!(
        status(&subscription, "2026-02-10"),
        "active 26-02-10..27-02-10"
    );
    // The same if somebody looked, and acted, in between.
    let mut looked = subscription.clone();
    looked
        .change_price(&price("year"), Immediate, false, at("2026-02-05"))
        .unwrap();
    assert_eq!(
        status(&looked, "2026-02-11"),
        status(&subscription, "2026-02-11")
    );

    let mut cancelled = active();
    cancelled.pause(EndOfPeriod, months(1), now()).unwrap();
    cancelled.cancel(EndOfPeriod, now());
    assert_eq!(status(&cancelled, "2026-02-01"), "canceled 26-02-01");
    assert_eq!(status(&cancelled, "2026-06-01"), "canceled 26-02-01");
}

#[test]
fn all_of_a_customers_are_cancelled_and_all_that_run_are_paused() {
    let mut all = every_status();
    cancel_all(&mut all, EndOfPeriod, now());
    let ends = all.each_ref().map(|s| status(s, "2026-02-01"));
    let expected = ["26-02-01", "26-01-24", "26-01-15", "26-01-15", "25-11-15"];
    assert_eq!(ends, expected.map(|day| format!("canceled {day}")));

    let mut all = every_status();
    pause_all(&mut all, Immediate, months(1), false, now()).unwrap();
    let pauses = all.each_ref().map(|s| status(s, "2026-01-16"));
    let (own, known) = ("paused 26-01-15..26-02-15", "paused 26-01-01..26-03-01");
    assert_eq!(pauses, [own, own, own, known, "canceled 25-11-15"]);

    let mut annual = every_status();
    annual[2].duration = model::BillingDuration::YEARLY;
    let refused = pause_all(&mut annual, Immediate, months(1), false, now());
    assert_eq!(refusal(refused), "An annual subscription can't be paused");
    assert!(pause_all(&mut annual, Immediate, months(1), true, now()).is_ok());
}

#[derive(Debug, Clone)]
enum Act {
    Cancel(Schedule),
    Pause(Schedule, ActionDuration),
    Coupon,
    Extend(ActionDuration),
    Price(&'static str, Schedule, bool),
}

fn schedule() -> impl Strategy<Value = Schedule> {
    prop_oneof![Just(Immediate), Just(EndOfPeriod)]
}

fn duration() -> impl Strategy<Value = ActionDuration> {
    let unit = prop_oneof![
        Just(CalendarUnit::Day),
        Just(CalendarUnit::Week),
        Just(CalendarUnit::Month),
        Just(CalendarUnit::Year)
    ];
    let amount = prop_oneof![1u32..40, Just(u32::MAX)];
    prop_oneof![
        (amount, unit).prop_map(|(amount, unit)| period(amount, unit)),
        (0i64..400_000_000).prop_map(|s| {
            let moment = at("2020-01-01").unix_seconds() + s;
            ActionDuration::Date(Timestamp::from_unix_seconds(moment).unwrap())
        })
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let price = prop_oneof![Just("year"), Just("month"), Just("other")];
    prop_oneof![
        schedule().prop_map(Act::Cancel),
        (schedule(), duration()).prop_map(|(s, d)| Act::Pause(s, d)),
        Just(Act::Coupon),
        duration().prop_map(Act::Extend),
        (price, schedule(), any::<bool>()).prop_map(|(p, s, b)| Act::Price(p, s, b)),
    ]
}

fn run(subscription: &mut Subscription, act: &Act, now: Timestamp) -> Result<(), HandlerError> {
    match act {
        Act::Cancel(schedule) => {
            subscription.cancel(*schedule, now);
            Ok(())
        }
        Act::Pause(start, duration) => subscription.pause(*start, *duration, now),
        Act::Coupon => {
            let coupon = coupon("c", json!({"type": "once"}), json!({}));
            subscription.apply_coupon(&coupon, now).map(drop)
        }
        Act::Extend(duration) => subscription.extend_trial(*duration, now),
        Act::Price(id, schedule, prorate) => {
            subscription.change_price(&price(id), *schedule, *prorate, now)
        }
    }
}

proptest! {
    /// Whatever is done, it can be served at any time, the same action again changes nothing (but for a trial that
    /// grows by a period), what is cancelled stays so, and what is refused is a 400 that changes nothing visible.
    #[test]
    fn no_sequence_of_actions_breaks_a_subscription(
        which in 0usize..5,
        acts in proptest::collection::vec((act(), 0i64..20_000_000), 1..12),
        looks in proptest::collection::vec(0i64..200_000_000, 4),
    ) {
        let mut subscription = every_status()[which].clone();
        let mut moment = now();
        for (act, later) in &acts {
            moment = Timestamp::from_unix_seconds(moment.unix_seconds() + later).unwrap();
            let before = served(&subscription, moment);
            match run(&mut subscription, act, moment) {
                Err(error) => {
                    prop_assert_eq!(error.status(), 400);
                    prop_assert_eq!(&served(&subscription, moment), &before);
                }
                Ok(()) => {
                    let once = subscription.clone();
                    if !matches!(act, Act::Extend(ActionDuration::Period { .. })) {
                        prop_assert!(run(&mut subscription, act, moment).is_ok(), "{:?}", act);
                        prop_assert_eq!(&subscription, &once);
                    }
                }
            }
            if before.status().name() == "canceled" {
                prop_assert_eq!(served(&subscription, moment).status(), before.status());
            }
        }
        // An action that is refused in between, and settles what is due, makes no difference to what is seen later.
        let mut looks = looks.clone();
        looks.sort_unstable();
        let mut touched = subscription.clone();
        for look in looks {
            let when = Timestamp::from_unix_seconds(moment.unix_seconds() + look).unwrap();
            if touched.status.name() != "trial" {
                let refused = refusal(touched.extend_trial(months(1), when));
                prop_assert_eq!(refused, "The subscription is not in trial");
            }
            prop_assert_eq!(served(&touched, when), served(&subscription, when));
        }
    }
}
