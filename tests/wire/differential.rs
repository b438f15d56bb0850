//! Both stores behave as the same merchant: the same stream of calls gets the same answers.
//!
//! The stream is made from a seed, which is printed; `DIFFERENTIAL_SEED` repeats another one. `DIFFERENTIAL_CALLS` sets how
//! many calls it has: `DIFFERENTIAL_CALLS=100000 cargo test -p wire-tests differential`.

use std::{collections::BTreeMap, env, sync::Arc};

use churnkey_conformance::{Answer, Client};
use churnkey_integrator::{Integration, Mode, Timestamp, idempotency::InMemoryIdempotency};
use example_app::{Clock, DataSet};
use proptest::{
    prelude::RngExt,
    test_runner::{RngAlgorithm, TestRng},
};
use serde_json::{Value, json};
use throwaway_postgres::test_database;

use crate::merchants::{client_of, empty_postgres_store, token};

const CALLS: usize = 1_200;
const SEED: u64 = 20_260_115;
const CUSTOMERS: usize = 60;
const SUBSCRIPTIONS: usize = 400;

fn start() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn pick<'a, T>(rng: &mut TestRng, from: &'a [T]) -> &'a T {
    &from[rng.random_range(0..from.len())]
}

/// Text of a moment some days from the start.
fn day(days: i64) -> String {
    let moment = start().unix_seconds() + days * 86_400;
    Timestamp::from_unix_seconds(moment).unwrap().to_string()
}

/// A merchant with many subscriptions in every state.
fn data(rng: &mut TestRng, prefix: &str) -> Value {
    let price = |id: usize, unit: &str, amount: Value| {
        json!({"id": format!("{prefix}price_{id}"), "type": "product", "amount": amount,
               "productId": format!("{prefix}prod_{}", id % 3), "name": format!("Price {id}"),
               "duration": {"amount": 1 + id % 3, "unit": unit}})
    };
    let fixed = |cents: u64| json!({"model": "fixed", "currency": "usd", "unit": cents, "flat": 7});
    let tiers = json!({"model": "tiered", "currency": "eur", "mode": "total",
                       "tiers": [{"unit": 900, "upTo": 5}, {"flat": 100, "upTo": 9}, {"unit": 1, "flat": 2}]});
    let prices: Vec<Value> = vec![
        price(0, "month", fixed(100)),
        price(1, "month", tiers),
        price(2, "year", fixed(9_007_199_254_740_991)),
        price(3, "year", fixed(0)),
        price(4, "month", fixed(2999)),
    ];
    let coupon = |n: usize, duration: Value, more: Value| {
        let mut coupon = json!({
            "id": format!("{prefix}coupon_{n}"), "code": format!("{prefix}C{n}"), "duration": duration,
            "value": {"type": "percentage", "percent": 12.5}
        });
        if let (Value::Object(coupon), Value::Object(more)) = (&mut coupon, more) {
            coupon.extend(more);
        }
        coupon
    };
    let coupons = vec![
        coupon(0, json!({"type": "once"}), json!({})),
        coupon(
            1,
            json!({"type": "recurring", "amount": 3, "unit": "month"}),
            json!({"redemptions": {"max": 5, "current": 1}}),
        ),
        coupon(
            2,
            json!({"type": "forever"}),
            json!({"redemptions": {"max": 2}, "name": "Forever"}),
        ),
        coupon(
            3,
            json!({"type": "cycle-amount", "cycles": 2}),
            json!({"redemptions": {"current": 0}}),
        ),
        coupon(4, json!({"type": "forever"}), json!({"expiresAt": day(3)})),
        coupon(
            5,
            json!({"type": "forever"}),
            json!({"expiresAt": day(-3), "value": {"type": "fixed", "currency": "usd", "flat": 5}}),
        ),
    ];
    let customers: Vec<Value> = (0..CUSTOMERS)
        .map(|n| {
            let mut customer =
                json!({"id": format!("{prefix}cus_{n}"), "name": format!("Customer {n}")});
            if n % 2 == 0 {
                customer["email"] = format!("{prefix}c{}@example.com", n / 4).into();
            }
            if n % 3 == 0 {
                customer["phone"] = format!(
                    "+49{prefix_digits}{:04}",
                    n / 6,
                    prefix_digits = prefix.len()
                )
                .into();
            }
            if n % 5 == 0 {
                customer["discounts"] = json!([{"coupon": coupons[n % 4], "start": day(-9)}]);
            }
            if n % 7 == 0 {
                customer["metadata"] =
                    json!({"n": n.to_string(), "Zoë": "D'Ávila \"quoted\" \\ back"});
            }
            customer
        })
        .collect();
    let subscriptions: Vec<Value> = (0..SUBSCRIPTIONS)
        .map(|n| {
            let period = json!({"start": day(-10), "end": day(rng.random_range(-5..40))});
            let status = match rng.random_range(0..10) {
                0 => json!({"name": "canceled", "canceledAt": day(-1)}),
                1 => json!({"name": "unpaid"}),
                2 => json!({"name": "unpaid", "currentPeriod": period}),
                3 => json!({"name": "paused", "pause": {"start": day(-2), "end": day(rng.random_range(1..20))}}),
                4 => json!({"name": "paused", "pause": {"start": day(-2)}, "currentPeriod": period, "trial": period}),
                5 | 6 => json!({"name": "trial", "trial": {"start": day(-3), "end": day(rng.random_range(-1..20))}}),
                _ => json!({"name": "active", "currentPeriod": period}),
            };
            let items: Vec<Value> = (0..1 + usize::from(n % 9 == 0))
                .map(|item| {
                    let price = pick(rng, &prices).clone();
                    json!({"id": format!("{prefix}si_{n}_{item}"), "price": price, "quantity": 1 + n % 4})
                })
                .collect();
            json!({
                "id": format!("{prefix}sub_{n}"), "customerId": format!("{prefix}cus_{}", n % (CUSTOMERS - 5)),
                "start": day(-30), "status": status, "duration": items[0]["price"]["duration"],
                "items": items,
                "metadata": if n % 11 == 0 { json!({"seat": "aisle"}) } else { json!({}) },
                "discounts": if n % 13 == 0 { json!([{"coupon": coupons[1], "end": day(2)}]) } else { json!([]) },
            })
        })
        .collect();
    json!({
        "customers": customers, "prices": prices, "coupons": coupons, "subscriptions": subscriptions,
        "products": (0..3).map(|n| json!({
            "id": format!("{prefix}prod_{n}"), "type": "family", "name": format!("Product {n}"),
            "familyId": format!("{prefix}fam_{}", n % 2), "unitLabel": "seat"})).collect::<Vec<_>>(),
        "families": (0..2).map(|n| json!({
            "id": format!("{prefix}fam_{n}"), "name": format!("Family {n}"), "description": "d"})).collect::<Vec<_>>(),
    })
}

/// One call, for both merchants.
#[derive(Debug, Clone)]
struct Call {
    mode: Mode,
    path: String,
    body: Option<String>,
    key: Option<String>,
}

fn some_id(rng: &mut TestRng, mode: Mode, what: &str, count: usize) -> String {
    let odd = [
        "nobody",
        "",
        "..",
        "%27%20OR%201=1--",
        "Zo%C3%AB",
        "a%00b",
        "%F0%9F%90%98",
        "email",
        "CUS_1",
    ];
    if rng.random_range(0..12) == 0 {
        return (*pick(rng, &odd)).to_owned();
    }
    // Now and then the other mode's.
    let other = rng.random_range(0..15) == 0;
    let prefix = if (mode == Mode::Test) ^ other {
        "t_"
    } else {
        ""
    };
    format!("{prefix}{what}_{}", rng.random_range(0..count + 1))
}

fn some_read(rng: &mut TestRng, mode: Mode) -> Call {
    let customer = some_id(rng, mode, "cus", CUSTOMERS);
    let limit = *pick(
        rng,
        &[
            "",
            "?limit=1",
            "?limit=2",
            "?limit=7",
            "?limit=500",
            "?limit=0",
            "?limit=x",
            "?limit=1&limit=2",
        ],
    );
    let path = match rng.random_range(0..14) {
        0 => format!("customers/{customer}"),
        1 => format!("customers{limit}"),
        2 => format!(
            "customers/email/{}c{}@EXAMPLE.com",
            if mode == Mode::Test { "t_" } else { "" },
            rng.random_range(0..16)
        ),
        3 => format!("customers/phone/%2B490{:04}", rng.random_range(0..11)),
        4 | 5 => format!("customers/{customer}/subscriptions{limit}"),
        6 | 7 => {
            let n = rng.random_range(0..SUBSCRIPTIONS);
            let prefix = if mode == Mode::Test { "t_" } else { "" };
            format!(
                "customers/{prefix}cus_{}/subscriptions/{prefix}sub_{n}",
                n % (CUSTOMERS - 5)
            )
        }
        8 => format!(
            "customers/{customer}/subscriptions/{}",
            some_id(rng, mode, "sub", SUBSCRIPTIONS)
        ),
        9 => format!("prices/{}", some_id(rng, mode, "price", 5)),
        10 => format!("coupons/{}", some_id(rng, mode, "coupon", 6)),
        11 => format!("products/{}", some_id(rng, mode, "prod", 3)),
        12 => format!("families/{}", some_id(rng, mode, "fam", 2)),
        _ => format!(
            "{}{limit}",
            pick(
                rng,
                &[
                    "prices", "coupons", "products", "families", "features", "invoices"
                ]
            )
        ),
    };
    Call {
        mode,
        path: format!("/churnkey/{path}"),
        body: None,
        key: None,
    }
}

fn some_action(rng: &mut TestRng, mode: Mode) -> Call {
    let n = rng.random_range(0..SUBSCRIPTIONS);
    let prefix = if mode == Mode::Test { "t_" } else { "" };
    let mut body = json!({
        "customerId": format!("{prefix}cus_{}", n % (CUSTOMERS - 5)),
        "subscriptionId": format!("{prefix}sub_{n}"),
    });
    let schedule = *pick(rng, &["immediate", "end-of-period", "end-of-period"]);
    let duration = match rng.random_range(0..8) {
        0 | 1 => json!({"type": "date", "date": day(rng.random_range(-20..60))}),
        2 => json!({"amount": 10, "unit": "year"}),
        _ => json!({"type": "period", "amount": rng.random_range(1..40),
                    "unit": pick(rng, &["day", "day", "week", "month"])}),
    };
    let action = match rng.random_range(0..20) {
        0..=3 => {
            body["scheduledAt"] = schedule.into();
            "subscription/cancel"
        }
        4 => {
            body["scheduledAt"] = schedule.into();
            "customer/cancel"
        }
        5..=8 => {
            body["startAt"] = schedule.into();
            body["duration"] = duration;
            if rng.random_range(0..3) == 0 {
                body["allowAnnual"] = (rng.random_range(0..2) == 0).into();
            }
            "subscription/pause"
        }
        9 => {
            body["startAt"] = schedule.into();
            body["duration"] = duration;
            body["allowAnnual"] = (rng.random_range(0..2) == 0).into();
            "customer/pause"
        }
        10..=12 => {
            body["coupon"] = some_id(rng, mode, "coupon", 6).into();
            "subscription/apply-coupon"
        }
        13..=15 => {
            body["duration"] = duration;
            "subscription/extend-trial"
        }
        _ => {
            body["price"] = some_id(rng, mode, "price", 5).into();
            body["scheduledAt"] = schedule.into();
            body["prorate"] = (rng.random_range(0..2) == 0).into();
            "subscription/change-price"
        }
    };
    match rng.random_range(0..25) {
        0 => body["customerId"] = some_id(rng, mode, "cus", CUSTOMERS).into(),
        1 => body["duration"] = json!({"amount": -1, "unit": "day"}),
        2 => body["scheduledAt"] = Value::Null,
        3 => body["subscriptionId"] = 7.into(),
        4 => body = json!([body]),
        _ => {}
    }
    // Some come with a key, some of those more than once, and some with a key of another request.
    let key = (rng.random_range(0..4) == 0).then(|| format!("key-{}", rng.random_range(0..400)));
    Call {
        mode,
        path: format!("/churnkey/actions/{action}"),
        body: Some(body.to_string()),
        key,
    }
}

async fn send(client: &Client, call: &Call) -> Answer {
    let client = client.in_mode(call.mode);
    let method = match call.body {
        None => http::Method::GET,
        Some(_) => http::Method::POST,
    };
    let mut request = client.call(method, &call.path).with_token();
    if call.mode == Mode::Test {
        request = request.header("x-churnkey-mode", "test");
    }
    if let Some(key) = &call.key {
        request = request.header("idempotency-key", key);
    }
    request
        .body(call.body.clone().unwrap_or_default())
        .send()
        .await
}

/// The answer without what is each merchant's own: how it writes a cursor, and its name in the manifest.
fn comparable(answer: &Answer) -> (u16, Value) {
    let mut body = answer.body().clone();
    if body.get("controllers").is_some() {
        body["name"] = "a merchant".into();
    }
    if let Some(next) = body.get_mut("next") {
        *next = "a cursor".into();
    }
    (answer.status(), body)
}

#[tokio::test]
async fn the_same_calls_get_the_same_answers_from_both_stores() {
    let seed = env::var("DIFFERENTIAL_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    let calls = env::var("DIFFERENTIAL_CALLS").map_or(CALLS, |calls| calls.parse().unwrap());
    println!("DIFFERENTIAL_SEED={seed} DIFFERENTIAL_CALLS={calls}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);

    let (live, test) = (data(&mut rng, ""), data(&mut rng, "t_"));
    let data = |value: &Value| -> DataSet { serde_json::from_value(value.clone()).unwrap() };
    let mut now = start();
    let in_memory = in_memory::store::Store::new(Clock::Frozen(now));
    in_memory.live.extend(data(&live));
    in_memory.test.extend(data(&test));
    let database = test_database();
    let postgres = empty_postgres_store(&database, Clock::Frozen(now)).await;
    assert!(
        postgres
            .load_if_empty(&data(&live), &data(&test))
            .await
            .unwrap()
    );

    let remembered = Arc::new(InMemoryIdempotency::default());
    let clients = |now: Timestamp| -> [Client; 2] {
        let clock = Clock::Frozen(now);
        let builder = in_memory::churnkey::builder(&in_memory.at(clock), token());
        let in_memory: Integration = builder.idempotency(remembered.clone()).build().unwrap();
        let postgres = postgres::churnkey::integration(&postgres.at(clock), token()).unwrap();
        [client_of(&in_memory), client_of(&postgres)]
    };
    let [mut one, mut other] = clients(now);

    let mut statuses: BTreeMap<(bool, u16), usize> = BTreeMap::new();
    for number in 0..calls {
        // The clock moves on by hours, and now and then by days.
        if number % 100 == 99 {
            let hours = if rng.random_range(0..5) == 0 {
                24 * 5
            } else {
                rng.random_range(1..20)
            };
            now = Timestamp::from_unix_seconds(now.unix_seconds() + hours * 3600).unwrap();
            [one, other] = clients(now);
        }
        let mode = if rng.random_range(0..5) == 0 {
            Mode::Test
        } else {
            Mode::Live
        };
        let call = match rng.random_range(0..100) {
            0..45 => some_read(&mut rng, mode),
            _ => some_action(&mut rng, mode),
        };
        let (left, right) = (send(&one, &call).await, send(&other, &call).await);
        assert_eq!(
            comparable(&left),
            comparable(&right),
            "call {number} of seed {seed} at {now}: {call:?}\n{:?}\n{:?}",
            left.cause(),
            right.cause()
        );
        assert!(
            left.status() < 500,
            "call {number} of seed {seed}: {call:?} {:?}",
            left.cause()
        );
        *statuses
            .entry((call.body.is_some(), left.status()))
            .or_default() += 1;
        // Pages go on to the end, each store by its own cursors.
        let (mut left, mut right) = (left, right);
        while let (Some(l), Some(r)) = (left.body()["next"].as_str(), right.body()["next"].as_str())
        {
            let next = |cursor: &str| Call {
                path: format!("{}&cursor={cursor}", call.path),
                ..call.clone()
            };
            (left, right) = (send(&one, &next(l)).await, send(&other, &next(r)).await);
            assert_eq!(comparable(&left), comparable(&right), "pages of {call:?}");
        }
    }
    println!("{statuses:?}");
    // Both kinds of call, and each of the usual answers, are there in numbers: at least so many of 10,000. In a longer run,
    // most subscriptions are cancelled in the end, and fewer actions succeed.
    for (is_action, status, least) in [
        (false, 200, 2000),
        (false, 400, 100),
        (false, 404, 300),
        (false, 409, 30),
        (true, 200, 1500),
        (true, 400, 800),
        (true, 404, 100),
        (true, 422, 30),
    ] {
        let seen = statuses.get(&(is_action, status)).copied().unwrap_or(0);
        assert!(
            seen * 10_000 >= least * calls.min(10_000),
            "{seen} answers {status}, actions: {is_action}"
        );
    }
}
