//! The schemas of the actions' bodies, held against what is read.

use churnkey_integrator::{
    ApplyCouponAction, CancelAction, ChangePriceAction, ExtendTrialAction, Integration, Operation,
    PauseAction, RequestContext, Result,
    actions::{
        ApplyCouponRequest, CancelAllRequest, CancelFeatures, CancelRequest, ChangePriceFeatures,
        ChangePriceRequest, Durations, ExtendTrialFeatures, ExtendTrialRequest, PauseAllRequest,
        PauseFeatures, PauseRequest, Schedules,
    },
    controller,
};
use http::Method;
use serde_json::{Value, json};

use super::Document;
use crate::merchants::{client_of, in_memory_store, token};

/// Does whatever is asked for.
#[derive(Clone)]
struct Obliging {
    schedules: Schedules,
    durations: Durations,
    allows_all: bool,
}

#[controller]
impl CancelAction for Obliging {
    fn features(&self) -> CancelFeatures {
        CancelFeatures::new(self.schedules)
    }

    async fn cancel(&self, _: &RequestContext, _: &CancelRequest) -> Result<()> {
        Ok(())
    }

    async fn cancel_all(&self, _: &RequestContext, _: &CancelAllRequest) -> Result<()> {
        Ok(())
    }
}

#[controller]
impl PauseAction for Obliging {
    fn features(&self) -> PauseFeatures {
        let features = PauseFeatures::new(self.schedules, self.durations);
        if self.allows_all {
            features.with_annual()
        } else {
            features
        }
    }

    async fn pause(&self, _: &RequestContext, _: &PauseRequest) -> Result<()> {
        Ok(())
    }

    async fn pause_all(&self, _: &RequestContext, _: &PauseAllRequest) -> Result<()> {
        Ok(())
    }
}

#[controller]
impl ApplyCouponAction for Obliging {
    async fn apply_coupon(&self, _: &RequestContext, _: &ApplyCouponRequest) -> Result<()> {
        Ok(())
    }
}

#[controller]
impl ExtendTrialAction for Obliging {
    fn features(&self) -> ExtendTrialFeatures {
        ExtendTrialFeatures::new(self.durations)
    }

    async fn extend_trial(&self, _: &RequestContext, _: &ExtendTrialRequest) -> Result<()> {
        Ok(())
    }
}

#[controller]
impl ChangePriceAction for Obliging {
    fn features(&self) -> ChangePriceFeatures {
        let features = ChangePriceFeatures::new(self.schedules);
        if self.allows_all {
            features.with_proration()
        } else {
            features
        }
    }

    async fn change_price(&self, _: &RequestContext, _: &ChangePriceRequest) -> Result<()> {
        Ok(())
    }
}

fn integration(merchant: &Obliging) -> Integration {
    let store = in_memory_store();
    let builder = Integration::builder("Obliging", token())
        .customers(store.clone())
        .subscriptions(store.clone())
        .prices(store.clone())
        .coupons(store.clone())
        .products(store.clone())
        .families(store)
        .cancel(merchant.clone())
        .pause(merchant.clone())
        .apply_coupon(merchant.clone())
        .extend_trial(merchant.clone())
        .change_price(merchant.clone());
    builder.build().unwrap()
}

/// The fields of all actions, each with values that are right or wrong.
fn fields() -> Vec<(&'static str, Vec<Value>)> {
    let flag = || {
        vec![
            json!(true),
            json!(false),
            Value::Null,
            json!("true"),
            json!(1),
        ]
    };
    let when = || {
        vec![
            json!("immediate"),
            json!("end-of-period"),
            Value::Null,
            json!("Immediate"),
            json!(true),
        ]
    };
    let id = |known: &str| {
        vec![
            json!(known),
            json!(""),
            json!("a\u{7}"),
            json!(1),
            json!({}),
            Value::Null,
        ]
    };
    let mut durations = Vec::new();
    for (unit, most) in [("day", 3660), ("week", 523), ("month", 120), ("year", 10)] {
        for amount in [
            json!(1),
            json!(most),
            json!(most + 1),
            json!(0),
            json!(-1),
            json!(1.5),
            json!("1"),
        ] {
            durations.push(json!({ "type": "period", "amount": amount, "unit": unit }));
        }
    }
    durations.extend([
        json!({ "amount": 2.0, "unit": "month" }),
        json!({ "type": null, "amount": 2, "unit": "month", "date": null }),
        json!({ "type": "period", "amount": 2, "unit": "month", "date": "2030-01-01T00:00:00Z" }),
        json!({ "amount": 2, "unit": "month", "date": "2030-01-01T00:00:00Z" }),
        json!({ "type": "date", "amount": 2, "unit": "month" }),
        json!({ "type": "date", "date": "2030-01-01T00:00:00Z" }),
        json!({ "date": "2030-01-01T00:00:00.123+05:30" }),
        json!({ "date": "2030-01-01" }),
        json!({ "type": "period", "date": "2030-01-01T00:00:00Z" }),
        json!({ "type": "decade", "amount": 1, "unit": "year" }),
        json!({ "type": "period", "amount": 1 }),
        json!({ "type": "period", "unit": "month" }),
        json!({ "amount": 1, "unit": "decade" }),
        json!({}),
        json!("P1M"),
        Value::Null,
    ]);
    vec![
        ("customerId", id("cus_ada")),
        ("subscriptionId", id("sub_ada_pro")),
        ("scheduledAt", when()),
        ("startAt", when()),
        ("duration", durations),
        ("unpause", flag()),
        ("allowAnnual", flag()),
        ("prorate", flag()),
        ("coupon", id("coupon_stay20")),
        ("couponId", id("coupon_stay20")),
        ("price", id("price_pro_year")),
        ("priceId", id("price_pro_year")),
        ("id", id("price_pro_year")),
        ("more", vec![json!(1)]),
    ]
}

/// Bodies that differ from the good one in one field each: it has another value, or it is not there.
fn bodies(good: &Value) -> Vec<Value> {
    let mut bodies = vec![good.clone(), json!([]), json!("text"), Value::Null];
    for (field, values) in fields() {
        for value in values {
            let mut body = good.clone();
            body[field] = value;
            bodies.push(body);
        }
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(field);
        bodies.push(body);
    }
    bodies
}

/// A good body of the action, for what the merchant declares.
fn good(operation: Operation, merchant: &Obliging) -> Option<Value> {
    let when = match merchant.schedules {
        Schedules::EndOfPeriod => "end-of-period",
        _ => "immediate",
    };
    let duration = match merchant.durations {
        Durations::Date => json!({ "type": "date", "date": "2030-01-01T00:00:00Z" }),
        _ => json!({ "type": "period", "amount": 1, "unit": "month" }),
    };
    let mut body = match operation.name() {
        "cancel" | "cancel_all" => json!({ "scheduledAt": when }),
        "pause" | "pause_all" => json!({ "startAt": when, "duration": duration }),
        "apply_coupon" => json!({ "coupon": "coupon_stay20" }),
        "extend_trial" => json!({ "duration": duration }),
        "change_price" => json!({ "price": "price_pro_year", "scheduledAt": when }),
        _ => return None,
    };
    body["customerId"] = json!("cus_ada");
    if !operation.name().ends_with("_all") {
        body["subscriptionId"] = json!("sub_ada_pro");
    }
    Some(body)
}

#[tokio::test]
async fn a_body_is_valid_exactly_if_it_is_not_rejected() {
    let merchants = [
        (Schedules::Both, Durations::Both, true),
        (Schedules::Immediate, Durations::Period, false),
        (Schedules::EndOfPeriod, Durations::Date, false),
    ];
    let mut seen = [0, 0];
    for (schedules, durations, allows_all) in merchants {
        let merchant = Obliging {
            schedules,
            durations,
            allows_all,
        };
        let integration = integration(&merchant);
        let client = client_of(&integration);
        let document = Document::of(integration.openapi());
        for operation in Operation::all() {
            let Some(good) = good(operation, &merchant) else {
                continue;
            };
            let described = document.operation(operation);
            assert_eq!(described["requestBody"]["required"], true);
            let schema = &described["requestBody"]["content"]["application/json"]["schema"];
            let validator = super::validator(&json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "allOf": [schema],
                "components": document.json["components"],
            }));
            for body in bodies(&good) {
                let path = format!("/churnkey{}", operation.path());
                let call = client.call(Method::POST, &path).with_token();
                let answer = call.body(body.to_string()).send().await;
                let is_taken = answer.status() == 200;
                assert!(
                    is_taken || answer.status() == 400,
                    "{}: {body}",
                    operation.name()
                );
                let message = answer.message().unwrap_or_default();
                assert_eq!(
                    validator.is_valid(&body),
                    is_taken,
                    "{} of {schedules:?}, {durations:?}: {body}: {message}",
                    operation.name()
                );
                seen[usize::from(is_taken)] += 1;
            }
        }
    }
    assert!(seen[0] > 400 && seen[1] > 400, "{seen:?}");
}
