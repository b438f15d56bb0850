//! The flow without a blueprint: a survey with a reason for each possible offer, feedback, confirmation.
//!
//! It makes no offer that the integration can't carry out, and none that the component would draw or send wrongly: one
//! plan an offer, a pause of one month, no percentage without a number of months.

use churnkey_integrator::{
    Amount, Currency, Percentage, Timestamp,
    model::{CouponValue, Price, PriceAmount, Subscription, SubscriptionStatus},
};

use super::{Html, Kind, Offer, OfferCopy, PauseInterval, Plan, Reason, Step, Terms};
use crate::dev::{
    declared::Declared,
    direct::{self, BrowserAction},
};

/// More offers of a kind would make a long survey.
const MAX_OF_A_KIND: usize = 3;
const TRIAL_DAYS: u32 = 7;

/// The steps for a subscription that can be canceled.
pub(crate) fn steps(
    declared: &Declared,
    subscription: &Subscription,
    coupons: &[churnkey_integrator::model::Coupon],
    prices: &[Price],
) -> Vec<Step> {
    let mut reasons = Vec::new();
    if declared.schedules(BrowserAction::Discount).is_some() {
        let coupons = coupons
            .iter()
            .filter(|coupon| is_possible(coupon, subscription));
        let offers = coupons.filter_map(|coupon| discount(coupon, subscription));
        reasons.extend(offers.take(MAX_OF_A_KIND));
    }
    if declared.schedules(BrowserAction::ChangePlan).is_some() {
        let prices = prices
            .iter()
            .filter(|price| is_drawn_right(price, subscription));
        reasons.extend(prices.map(change_plan).take(MAX_OF_A_KIND));
    }
    if declared.schedules(BrowserAction::Pause).is_some() && can_pause(declared, subscription) {
        reasons.push(pause());
    }
    let is_in_trial = matches!(subscription.status(), SubscriptionStatus::Trial { .. });
    if declared.schedules(BrowserAction::ExtendTrial).is_some() && is_in_trial {
        reasons.push(extend_trial());
    }
    reasons.push(Reason {
        id: "other".to_owned(),
        label: "Something else".to_owned(),
        freeform: None,
        offer: None,
    });

    let ends_later = declared
        .schedules(BrowserAction::Cancel)
        .is_some_and(|schedules| schedules.end_of_period);
    let description = if ends_later {
        "Your subscription stays as it is until the end of the current period."
    } else {
        "Your subscription ends at once."
    };
    vec![
        step(
            "survey",
            "Why do you want to cancel?",
            None,
            Kind::Survey { reasons },
        ),
        step(
            "feedback",
            "What could we have done better?",
            None,
            Kind::Feedback {
                placeholder: Some("A sentence is enough".to_owned()),
                required: Some(false),
                min_length: None,
            },
        ),
        step(
            "confirm",
            "Cancel your subscription?",
            Some(description),
            Kind::Confirm,
        ),
    ]
}

fn step(guid: &str, title: &str, description: Option<&str>, kind: Kind) -> Step {
    Step {
        guid: guid.to_owned(),
        title: Some(title.to_owned()),
        description: description.map(str::to_owned),
        kind,
    }
}

fn reason(id: String, label: String, copy: [&str; 3], terms: Terms) -> Reason {
    let [headline, body, cta] = copy.map(str::to_owned);
    Reason {
        id,
        label,
        freeform: None,
        offer: Some(Offer {
            decision_id: None,
            copy: OfferCopy {
                headline,
                body: Html::Text(body),
                cta,
                decline_cta: "No, thank you".to_owned(),
            },
            terms,
        }),
    }
}

/// What the subscription is charged in.
fn currency(subscription: &Subscription) -> Option<Currency> {
    let first = subscription.items().first();
    first.map(|item| item.price().amount().currency())
}

/// The last moment that is past by what the integration says. Its clock may not be this machine's: that of a demo stands
/// still.
fn known_to_be_past(subscription: &Subscription) -> Timestamp {
    let status = subscription.status();
    let periods = [status.current_period(), status.trial_period()];
    let starts = periods.into_iter().flatten().map(|period| period.start());
    let pause = match status {
        SubscriptionStatus::Paused { pause, .. } => Some(pause.start()),
        _ => None,
    };
    let starts = starts.chain(pause);
    starts.fold(subscription.start(), Timestamp::max)
}

fn is_possible(coupon: &churnkey_integrator::model::Coupon, subscription: &Subscription) -> bool {
    let has_it = subscription
        .discounts()
        .iter()
        .any(|discount| discount.coupon().id() == coupon.id());
    let is_used_up = coupon.redemptions().is_some_and(|redemptions| {
        redemptions
            .max()
            .is_some_and(|max| redemptions.current().unwrap_or(0) >= max)
    });
    let is_over = coupon
        .expires_at()
        .is_some_and(|at| at <= known_to_be_past(subscription));
    let other_currency = match coupon.value() {
        CouponValue::Fixed { currency, .. } => Some(currency),
        CouponValue::Percentage { currency, .. } => currency,
        _ => None,
    };
    let is_of_other_currency =
        other_currency.is_some_and(|other| currency(subscription) != Some(other));
    !(has_it || is_used_up || is_over || is_of_other_currency)
}

/// `None` for what the component would draw wrongly.
fn discount(
    coupon: &churnkey_integrator::model::Coupon,
    subscription: &Subscription,
) -> Option<Reason> {
    let direct = direct::coupon(coupon, subscription.duration(), &mut Vec::new());
    let off = match coupon.value() {
        CouponValue::Percentage { percent, .. } => {
            direct.duration_in_months?;
            format!("{}% off", decimal(percent))
        }
        CouponValue::Fixed {
            currency, amount, ..
        } => {
            let quantity = subscription.items().iter().map(|item| item.quantity());
            let is_one = quantity.fold(0, u64::saturating_add) == 1;
            let off = one_part(amount).filter(|_| is_one || amount.unit_part().is_none())?;
            format!("{} off", money(off, currency))
        }
        _ => return None,
    };
    let off = match direct.duration_in_months {
        Some(1) => format!("{off} for 1 month"),
        Some(months) => format!("{off} for {months} months"),
        None => off,
    };
    let name = direct.name.clone().unwrap_or_else(|| off.clone());
    Some(reason(
        format!("discount-{}", direct.id),
        format!("It costs too much ({name})"),
        [&format!("How about {off}?"), &name, "Take the discount"],
        Terms::Discount {
            coupon_id: Some(direct.id),
            percent_off: direct.percent_off,
            amount_off: direct.amount_off,
            currency: direct.currency,
            duration_in_months: direct.duration_in_months,
        },
    ))
}

/// The amount, if it is by the unit or flat, and not both.
fn one_part(amount: Amount) -> Option<u64> {
    match (amount.unit_part(), amount.flat_part()) {
        (Some(amount), None) | (None, Some(amount)) => Some(amount),
        _ => None,
    }
}

/// One price, charged each month or year, in the currency of the subscription, which has one item.
fn is_drawn_right(price: &Price, subscription: &Subscription) -> bool {
    let [item] = subscription.items() else {
        return false;
    };
    let has_one_price = match price.amount() {
        PriceAmount::Fixed { amount, .. } => one_part(*amount).is_some(),
        _ => false,
    };
    let is_running = !matches!(subscription.status(), SubscriptionStatus::Canceled { .. });
    is_running
        && has_one_price
        && price.id() != item.price().id()
        && price.duration().amount() == 1
        && currency(subscription) == Some(price.amount().currency())
}

fn change_plan(price: &Price) -> Reason {
    let direct = direct::price(price, &mut Vec::new());
    let name = direct.name.clone().unwrap_or_else(|| direct.id.clone());
    let body = direct.description.clone().unwrap_or_else(|| name.clone());
    reason(
        format!("plan-{}", direct.id),
        format!("Another plan fits better ({name})"),
        [&format!("Change to {name}?"), &body, "Change the plan"],
        Terms::PlanChange {
            plans: vec![Plan {
                price: direct,
                tagline: None,
                features: Vec::new(),
                msrp: None,
            }],
        },
    )
}

fn can_pause(declared: &Declared, subscription: &Subscription) -> bool {
    let is_pausable = matches!(
        subscription.status(),
        SubscriptionStatus::Active { .. }
            | SubscriptionStatus::Trial { .. }
            | SubscriptionStatus::Unpaid { .. }
    );
    let is_allowed = declared.allows_annual_pauses() || !subscription.duration().is_annual();
    is_pausable && is_allowed
}

fn pause() -> Reason {
    reason(
        "pause".to_owned(),
        "I don't need it at the moment".to_owned(),
        [
            "Pause for a month?",
            "You pay nothing in the meantime, and keep what you have set up.",
            "Pause",
        ],
        Terms::Pause {
            months: 1,
            interval: PauseInterval::Month,
            date_picker: None,
        },
    )
}

fn extend_trial() -> Reason {
    reason(
        "trial".to_owned(),
        "I need more time to try it".to_owned(),
        [
            "Try it for another week?",
            "The trial goes on for seven days, and nothing is charged until then.",
            "Extend the trial",
        ],
        Terms::TrialExtension { days: TRIAL_DAYS },
    )
}

/// Without digits that say nothing, such as `12.5`.
fn decimal(percent: Percentage) -> String {
    let (whole, rest) = (percent.basis_points() / 100, percent.basis_points() % 100);
    match rest {
        0 => whole.to_string(),
        rest if rest % 10 == 0 => format!("{whole}.{}", rest / 10),
        rest => format!("{whole}.{rest:02}"),
    }
}

/// An amount in minor units as people write it, such as `5.00 USD`.
fn money(minor_units: u64, currency: Currency) -> String {
    let code = currency.code().to_ascii_uppercase();
    let digits = currency.minor_units();
    let one = 10_u64.saturating_pow(digits);
    let (whole, rest) = (minor_units / one.max(1), minor_units % one.max(1));
    match usize::try_from(digits) {
        Ok(digits @ 1..) => format!("{whole}.{rest:0digits$} {code}"),
        _ => format!("{whole} {code}"),
    }
}

#[cfg(test)]
#[expect(
    clippy::needless_pass_by_value,
    reason = "records are written in place"
)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn declared(allows_annual: bool) -> Declared {
        let times = json!({ "immediate": true, "end-of-period": true });
        let manifest = json!({
            "controllers": {
                "subscriptions": { "list": true }, "prices": { "list": true }, "coupons": { "list": true }
            },
            "actions": {
                "cancel": { "schedules": times },
                "pause": {
                    "enabled": true, "startDates": times, "durations": { "period": true },
                    "allowAnnual": allows_annual
                },
                "applyCoupon": { "enabled": true },
                "extendTrial": { "enabled": true, "durations": { "period": true } },
                "changePrice": { "enabled": true, "schedules": times }
            }
        });
        serde_json::from_value(manifest).unwrap()
    }

    fn price(id: &str, amount: Value, cycle: Value) -> Value {
        json!({ "id": id, "type": "standalone", "duration": cycle, "amount": amount })
    }

    fn fixed(unit: u32, currency: &str) -> Value {
        json!({ "model": "fixed", "currency": currency, "unit": unit })
    }

    fn cycle(amount: u32, unit: &str) -> Value {
        json!({ "amount": amount, "unit": unit })
    }

    fn subscription(unit: &str, quantity: u32) -> Subscription {
        let period = json!({ "start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z" });
        let record = json!({
            "id": "sub_1", "customerId": "cus_1", "start": "2025-06-01T00:00:00Z",
            "status": { "name": "active", "currentPeriod": period },
            "duration": cycle(1, unit),
            "items": [{
                "id": "si_1", "quantity": quantity, "price": price("p_own", fixed(1000, "usd"), cycle(1, unit))
            }]
        });
        serde_json::from_value(record).unwrap()
    }

    /// The ids of the reasons.
    fn reasons(
        declared: &Declared,
        subscription: &Subscription,
        coupons: &Value,
        prices: &Value,
    ) -> Vec<String> {
        let coupons: Vec<_> = serde_json::from_value(coupons.clone()).unwrap();
        let prices: Vec<Price> = serde_json::from_value(prices.clone()).unwrap();
        let steps = steps(declared, subscription, &coupons, &prices);
        let Some(Kind::Survey { reasons }) = steps.first().map(|step| step.kind.clone()) else {
            panic!("a survey first");
        };
        reasons.into_iter().map(|reason| reason.id).collect()
    }

    fn coupon(id: &str, duration: Value, value: Value) -> Value {
        json!({ "id": id, "duration": duration, "value": value })
    }

    fn percent(percent: f64) -> Value {
        json!({ "type": "percentage", "percent": percent })
    }

    #[test]
    fn only_coupons_that_the_component_draws_right_and_that_are_possible_are_offered() {
        let once = json!({ "type": "once" });
        let months = json!({ "type": "recurring", "amount": 3, "unit": "month" });
        let with = |mut coupon: Value, key: &str, value: Value| {
            coupon[key] = value;
            coupon
        };
        let off = |unit: Option<u32>, flat: Option<u32>, currency: &str| {
            let mut value = json!({ "type": "fixed", "currency": currency });
            let parts = [("unit", unit), ("flat", flat)];
            for (key, part) in parts
                .into_iter()
                .filter_map(|(key, part)| Some((key, part?)))
            {
                value[key] = json!(part);
            }
            value
        };
        let offered = |coupons: &[Value], quantity| {
            let reasons = reasons(
                &declared(false),
                &subscription("month", quantity),
                &json!(coupons),
                &json!([]),
            );
            let offered = reasons.iter().filter_map(|id| id.strip_prefix("discount-"));
            offered.map(str::to_owned).collect::<Vec<_>>()
        };
        let good = coupon("months", months.clone(), percent(12.5));
        let usual = [
            coupon("percent-once", once.clone(), percent(10.0)),
            coupon(
                "percent-forever",
                json!({ "type": "forever" }),
                percent(10.0),
            ),
            with(good.clone(), "expiresAt", json!("2026-01-01T00:00:00Z")),
            with(
                good.clone(),
                "redemptions",
                json!({ "max": 2, "current": 2 }),
            ),
            coupon("eur", once.clone(), off(None, Some(500), "eur")),
            coupon("both", once.clone(), off(Some(100), Some(500), "usd")),
            good.clone(),
            coupon("per-unit", once.clone(), off(Some(500), None, "usd")),
            coupon(
                "cycles",
                json!({ "type": "cycle-amount", "cycles": 2 }),
                percent(5.0),
            ),
        ];
        assert_eq!(offered(&usual, 1), ["months", "per-unit", "cycles"]);
        assert_eq!(offered(&usual, 2), ["months", "cycles"]);
        let many: Vec<Value> = (0..9)
            .map(|n| coupon(&format!("c{n}"), months.clone(), percent(5.0)))
            .collect();
        assert_eq!(offered(&many, 1), ["c0", "c1", "c2"]);
    }

    #[test]
    fn only_prices_that_the_component_draws_right_are_offered() {
        let tiers = json!({
            "model": "tiered", "currency": "usd", "mode": "total", "tiers": [{ "unit": 5 }]
        });
        let both = json!({ "model": "fixed", "currency": "usd", "unit": 5, "flat": 5 });
        let prices = json!([
            price("p_own", fixed(1000, "usd"), cycle(1, "month")),
            price("p_eur", fixed(900, "eur"), cycle(1, "month")),
            price("p_quarter", fixed(900, "usd"), cycle(3, "month")),
            price("p_tiers", tiers, cycle(1, "month")),
            price("p_both", both, cycle(1, "month")),
            price("p_year", fixed(9000, "usd"), cycle(1, "year")),
        ]);
        let offered = reasons(
            &declared(false),
            &subscription("month", 1),
            &json!([]),
            &prices,
        );
        assert_eq!(offered, ["plan-p_year", "pause", "other"]);
    }

    #[test]
    fn an_annual_subscription_is_paused_where_that_is_declared() {
        let none = json!([]);
        let offered = |allows| reasons(&declared(allows), &subscription("year", 1), &none, &none);
        assert_eq!(offered(false), ["other"]);
        assert_eq!(offered(true), ["pause", "other"]);
    }

    #[test]
    fn nothing_is_offered_that_is_not_declared() {
        let manifest = json!({
            "controllers": { "prices": { "list": true } },
            "actions": { "cancel": { "schedules": { "immediate": true } }, "pause": { "enabled": false } }
        });
        let declared: Declared = serde_json::from_value(manifest).unwrap();
        let prices = json!([price("p", fixed(1, "usd"), cycle(1, "month"))]);
        let offered = reasons(&declared, &subscription("month", 1), &json!([]), &prices);
        assert_eq!(offered, ["other"]);
        let steps = steps(&declared, &subscription("month", 1), &[], &[]);
        let confirm = steps.last().and_then(|step| step.description.clone());
        assert_eq!(confirm.as_deref(), Some("Your subscription ends at once."));
    }

    #[test]
    fn what_comes_from_the_integration_is_no_markup_in_a_body() {
        let mut record = price("p", fixed(1, "usd"), cycle(1, "month"));
        record["name"] = json!("<img src=x onerror=alert(1)> {{CUSTOMER_NAME|}} & 'co'");
        let price: Price = serde_json::from_value(record).unwrap();
        let offer = change_plan(&price).offer.unwrap();
        assert_eq!(
            serde_json::to_value(&offer.copy.body).unwrap(),
            "&lt;img src=x onerror=alert(1)&gt; &#123;&#123;CUSTOMER_NAME|}} &amp; &#39;co&#39;"
        );
        assert_eq!(offer.copy.body.as_written(), price.name().unwrap());
        assert!(offer.copy.headline.contains("<img"), "text elsewhere");
    }

    #[test]
    fn money_is_written_with_the_digits_of_its_currency() {
        let written = |amount, code| money(amount, Currency::new(code).unwrap());
        assert_eq!(written(500, "usd"), "5.00 USD");
        assert_eq!(written(5, "eur"), "0.05 EUR");
        assert_eq!(written(500, "jpy"), "500 JPY");
        assert_eq!(written(1_234_567, "bhd"), "1234.567 BHD");
        let percent = |points| decimal(Percentage::from_basis_points(points).unwrap());
        assert_eq!(
            [percent(2000), percent(1250), percent(1205)],
            ["20", "12.5", "12.05"]
        );
    }
}
