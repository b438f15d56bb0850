//! What can be expressed survives, and what can't is named.

use churnkey_integrator::model;
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use super::*;

fn with(
    mut record: Value,
    optional: impl IntoIterator<Item = (&'static str, Option<Value>)>,
) -> Value {
    for (key, value) in optional {
        if let Some(value) = value {
            record[key] = value;
        }
    }
    record
}

fn amounts() -> impl Strategy<Value = Value> {
    let amount = 0_u64..1_000_000;
    (option::of(amount.clone()), option::of(amount)).prop_map(|(unit, flat)| {
        let unit = if flat.is_none() {
            unit.or(Some(7))
        } else {
            unit
        };
        with(
            json!({}),
            [
                ("unit", unit.map(Value::from)),
                ("flat", flat.map(Value::from)),
            ],
        )
    })
}

fn cycles() -> impl Strategy<Value = Value> {
    (1_u32..25, select(vec!["month", "year"]))
        .prop_map(|(amount, unit)| json!({ "amount": amount, "unit": unit }))
}

fn texts() -> impl Strategy<Value = Option<Value>> {
    option::of(select(vec!["Pro", "Zo\u{eb}", "<b>x</b>"]).prop_map(Value::from))
}

fn prices() -> impl Strategy<Value = Value> {
    let tiers = (amounts(), amounts()).prop_map(|(mut first, last)| {
        first["upTo"] = json!(10);
        json!({ "model": "tiered", "currency": "eur", "mode": "graduated", "tiers": [first, last] })
    });
    let fixed = amounts().prop_map(|amount| {
        with(
            amount,
            [
                ("model", Some(json!("fixed"))),
                ("currency", Some(json!("usd"))),
            ],
        )
    });
    (cycles(), prop_oneof![3 => fixed, 1 => tiers], texts(), texts()).prop_map(
        |(duration, amount, name, description)| {
            let price = json!({
                "id": "price_1", "type": "product", "productId": "prod_1", "duration": duration, "amount": amount
            });
            with(price, [("name", name), ("description", description)])
        },
    )
}

fn coupons() -> impl Strategy<Value = Value> {
    let durations = prop_oneof![
        Just(json!({ "type": "once" })),
        Just(json!({ "type": "forever" })),
        (1_u32..30).prop_map(|cycles| json!({ "type": "cycle-amount", "cycles": cycles })),
        cycles().prop_map(|cycle| with(cycle, [("type", Some(json!("recurring")))])),
    ];
    let percent =
        (0_u32..=100).prop_map(|percent| json!({ "type": "percentage", "percent": percent }));
    let fixed = amounts().prop_map(|amount| {
        with(
            amount,
            [
                ("type", Some(json!("fixed"))),
                ("currency", Some(json!("usd"))),
            ],
        )
    });
    let redemptions = option::of(Just(json!({ "max": 5, "current": 1 })));
    let expires = option::of(Just(json!("2030-01-01T00:00:00.000Z")));
    (
        durations,
        prop_oneof![percent, fixed],
        texts(),
        texts(),
        redemptions,
        expires,
    )
        .prop_map(|(duration, value, name, code, redemptions, expires)| {
            let coupon = json!({ "id": "coupon_1", "duration": duration, "value": value });
            with(
                coupon,
                [
                    ("name", name),
                    ("code", code),
                    ("redemptions", redemptions),
                    ("expiresAt", expires),
                ],
            )
        })
}

fn statuses() -> impl Strategy<Value = Value> {
    let period = json!({ "start": "2026-01-01T00:00:00.000Z", "end": "2026-02-01T00:00:00.000Z" });
    let own = prop_oneof![
        Just(json!({ "name": "active", "currentPeriod": period })),
        Just(json!({ "name": "trial", "trial": period })),
        Just(json!({ "name": "paused", "pause": { "start": "2026-01-01T00:00:00.000Z" } })),
        Just(json!({ "name": "canceled", "canceledAt": "2026-01-01T00:00:00.000Z" })),
        Just(json!({ "name": "unpaid" })),
    ];
    let period = option::of(Just(period));
    (own, period.clone(), period)
        .prop_map(|(own, current, trial)| with(own, [("currentPeriod", current), ("trial", trial)]))
}

fn subscriptions() -> impl Strategy<Value = Value> {
    (statuses(), cycles(), vec((prices(), 1_u64..100), 1..3), vec(coupons(), 0..3)).prop_map(
        |(status, duration, items, coupons)| {
            let items = items.into_iter().enumerate().map(|(n, (price, quantity))| {
                json!({ "id": format!("si_{n}"), "price": price, "quantity": quantity })
            });
            let items: Vec<Value> = items.collect();
            let discounts: Vec<Value> = coupons.into_iter().map(|coupon| json!({ "coupon": coupon })).collect();
            let mut record = json!({
                "id": "sub_1", "customerId": "cus_1", "status": status, "start": "2025-01-01T00:00:00.000Z",
                "duration": duration, "items": items, "metadata": { "plan": "pro" }
            });
            if !discounts.is_empty() {
                record["discounts"] = json!(discounts);
            }
            record
        },
    )
}

/// The record of the provider contract that a browser's record stands for.
fn back(direct: &Value) -> Value {
    let mut record = direct.clone();
    record["duration"] = cycle_back(&direct["duration"]);
    for item in record["items"].as_array_mut().unwrap() {
        item["price"] = price_back(&item["price"]);
    }
    if let Some(discounts) = record.get_mut("discounts").and_then(Value::as_array_mut) {
        for discount in discounts {
            discount["coupon"] = coupon_back(&discount["coupon"]);
        }
    }
    record
}

fn cycle_back(cycle: &Value) -> Value {
    json!({ "amount": cycle["intervalCount"], "unit": cycle["interval"] })
}

fn price_back(direct: &Value) -> Value {
    let amount = &direct["amount"];
    let mut price = direct.clone();
    price["duration"] = cycle_back(&direct["duration"]);
    price["amount"] = json!({ "model": amount["model"], "currency": amount["currency"], "unit": amount["value"] });
    price
}

fn coupon_back(direct: &Value) -> Value {
    let duration = match (
        direct["duration"].as_str().unwrap(),
        direct.get("durationInMonths"),
    ) {
        ("repeating", Some(months)) => {
            json!({ "type": "recurring", "amount": months, "unit": "month" })
        }
        (kind, _) => json!({ "type": kind }),
    };
    let value = match direct.get("percentOff") {
        Some(percent) => json!({ "type": "percentage", "percent": percent }),
        None => {
            json!({ "type": "fixed", "currency": direct["currency"], "flat": direct["amountOff"] })
        }
    };
    let mut coupon = Map::new();
    coupon.insert("id".to_owned(), direct["id"].clone());
    coupon.insert("duration".to_owned(), duration);
    coupon.insert("value".to_owned(), value);
    if let Some(name) = direct.get("name") {
        coupon.insert("name".to_owned(), name.clone());
    }
    Value::Object(coupon)
}

/// What has two spellings in the provider contract, in the one that [`back`] writes.
fn plain(record: &Value) -> Value {
    let mut record = record.clone();
    let cycle = record["duration"].clone();
    for item in record["items"].as_array_mut().unwrap() {
        let amount = &mut item["price"]["amount"];
        if let Some(flat) = amount.as_object_mut().unwrap().remove("flat") {
            amount["unit"] = flat;
        }
    }
    if let Some(discounts) = record.get_mut("discounts").and_then(Value::as_array_mut) {
        for discount in discounts {
            let coupon = &mut discount["coupon"];
            let months = |amount: &Value, unit: &Value| {
                amount.as_u64().unwrap() * if unit == "year" { 12 } else { 1 }
            };
            let duration = coupon["duration"].clone();
            let months = match duration["type"].as_str().unwrap() {
                "recurring" => Some(months(&duration["amount"], &duration["unit"])),
                "cycle-amount" => {
                    let one = months(&cycle["amount"], &cycle["unit"]);
                    Some(one * duration["cycles"].as_u64().unwrap())
                }
                _ => None,
            };
            if let Some(months) = months {
                coupon["duration"] =
                    json!({ "type": "recurring", "amount": months, "unit": "month" });
            }
            if let Some(unit) = coupon["value"].as_object_mut().unwrap().remove("unit") {
                coupon["value"]["flat"] = unit;
            }
            let coupon = coupon.as_object_mut().unwrap();
            if !coupon.contains_key("name")
                && let Some(code) = coupon.remove("code")
            {
                coupon.insert("name".to_owned(), code);
            }
        }
    }
    record
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn a_subscription_of_which_nothing_is_lost_comes_back_as_it_was(record in subscriptions()) {
        let model: model::Subscription = serde_json::from_value(record.clone()).unwrap();
        let mut lost = Vec::new();
        let direct = serde_json::to_value(subscription(&model, &mut lost)).unwrap();
        let is_whole = back(&direct) == plain(&record);
        prop_assert_eq!(is_whole, lost.is_empty(), "{} {:?}", direct, lost);
        prop_assert!(!direct.to_string().contains("null"), "absent fields are left out");
    }
}

#[test]
fn what_has_no_place_is_named() {
    let tiered = json!({
        "model": "tiered", "currency": "usd", "mode": "total", "tiers": [{ "unit": 9, "upTo": 5 }, { "unit": 8 }]
    });
    let both = json!({ "model": "fixed", "currency": "usd", "unit": 5, "flat": 7 });
    let period = json!({ "start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z" });
    let item = |id: &str, amount: &Value| {
        let price = json!({ "id": id, "type": "standalone", "duration": { "amount": 1, "unit": "month" }, "amount": amount });
        json!({ "id": id, "quantity": 1, "price": price })
    };
    let record = json!({
        "id": "sub", "customerId": "cus", "start": "2025-01-01T00:00:00Z",
        "status": { "name": "canceled", "canceledAt": "2026-01-05T00:00:00Z", "currentPeriod": period, "trial": period },
        "duration": { "amount": 1, "unit": "month" },
        "items": [item("tiered", &tiered), item("both", &both), item("both", &both)],
        "discounts": [{ "coupon": {
            "id": "coupon", "code": "C", "name": "N", "duration": { "type": "once" },
            "value": { "type": "fixed", "currency": "usd", "unit": 1, "flat": 2 },
            "redemptions": { "max": 1 }, "expiresAt": "2026-01-01T00:00:00Z"
        } }]
    });
    let mut lost = Vec::new();
    let direct = subscription(&serde_json::from_value(record).unwrap(), &mut lost);
    let values: Vec<u64> = direct
        .items
        .iter()
        .map(|item| item.price.amount.value)
        .collect();
    assert_eq!(values, [9, 5, 5], "the first tier's, and that of the unit");
    assert_eq!(
        direct
            .discounts
            .first()
            .and_then(|discount| discount.coupon.amount_off),
        Some(2)
    );

    let record = json!({
        "id": "cus", "discounts": [{ "coupon": {
            "id": "c", "duration": { "type": "once" }, "value": { "type": "percentage", "percent": 5 }
        } }]
    });
    customer(&serde_json::from_value(record).unwrap(), &mut lost);
    let fields: Vec<&str> = lost.iter().map(|lost| &*lost.field).collect();
    assert_eq!(
        fields,
        [
            "tiered.amount.tiers",
            "both.amount.flat",
            "coupon.code",
            "coupon.redemptions",
            "coupon.expiresAt",
            "coupon.value.unit",
            "sub.status.currentPeriod",
            "sub.status.trial",
            "cus.discounts",
        ]
    );
}

#[test]
fn a_customer_has_all_that_the_browser_knows_of() {
    let record = json!({
        "id": "cus", "name": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "phone": "+441632960001",
        "currency": "usd", "metadata": { "plan": "pro" },
        "addresses": [{
            "line1": "1", "line2": "2", "city": "London", "state": "S", "postalCode": "SW1Y", "country": "GB"
        }]
    });
    let mut lost = Vec::new();
    let direct = customer(&serde_json::from_value(record.clone()).unwrap(), &mut lost);
    assert_eq!(serde_json::to_value(direct).unwrap(), record);
    assert_eq!(lost, []);
}

#[test]
fn each_action_is_this_request() {
    let schedules = Schedules {
        immediate: true,
        end_of_period: true,
    };
    let request = |action: BrowserAction, body: Value, schedules: Schedules| {
        action.request(body.to_string().as_bytes(), "cus", "sub", schedules)
    };
    let expected = |mut fields: Value| {
        fields["customerId"] = json!("cus");
        fields["subscriptionId"] = json!("sub");
        Ok(fields)
    };
    let period =
        |amount: u32, unit: &str| json!({ "type": "period", "amount": amount, "unit": unit });
    let one = |immediate| Schedules {
        immediate,
        end_of_period: !immediate,
    };
    for (action, body, schedules, fields) in [
        (
            BrowserAction::Discount,
            json!({ "coupon": "c", "blueprintId": "b" }),
            schedules,
            json!({ "coupon": "c" }),
        ),
        (
            BrowserAction::Pause,
            json!({ "duration": 2, "interval": "week" }),
            schedules,
            json!({ "startAt": "immediate", "duration": period(2, "week") }),
        ),
        (
            BrowserAction::Pause,
            json!({ "duration": 1, "interval": "month" }),
            one(false),
            json!({ "startAt": "end-of-period", "duration": period(1, "month") }),
        ),
        (
            BrowserAction::Cancel,
            json!({ "cancelAtPeriodEnd": true }),
            schedules,
            json!({ "scheduledAt": "end-of-period" }),
        ),
        (
            BrowserAction::Cancel,
            json!({ "cancelAtPeriodEnd": true }),
            one(true),
            json!({ "scheduledAt": "immediate" }),
        ),
        (
            BrowserAction::ChangePlan,
            json!({ "planId": "p" }),
            schedules,
            json!({ "price": "p", "scheduledAt": "end-of-period" }),
        ),
        (
            BrowserAction::ExtendTrial,
            json!({ "days": 7 }),
            schedules,
            json!({ "duration": period(7, "day") }),
        ),
    ] {
        assert_eq!(request(action, body, schedules), expected(fields));
    }
}
