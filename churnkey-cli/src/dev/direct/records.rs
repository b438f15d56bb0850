//! The integration's records as Churnkey's browser code reads them.

use std::fmt;

use churnkey_integrator::{
    Amount,
    model::{self, BillingDuration, CouponValue, CycleUnit, PriceAmount, SubscriptionStatus},
};

use super::{
    Address, Coupon, CouponDuration, Customer, Cycle, Discount, Interval, Item, Model, Money,
    Pause, Price, Span, Status, Subscription,
};

/// What a record says and the browser's shape has no place for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lost {
    /// The field of the provider contract, such as `price_pro.amount.tiers`.
    pub(crate) field: String,
    pub(crate) why: &'static str,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.why)
    }
}

fn lose(lost: &mut Vec<Lost>, record: &str, field: &str, why: &'static str) {
    let field = format!("{record}.{field}");
    if !lost.iter().any(|known| known.field == field) {
        lost.push(Lost { field, why });
    }
}

/// A customer. The browser's shape has no place for their discounts.
pub(crate) fn customer(from: &model::Customer, lost: &mut Vec<Lost>) -> Customer {
    if !from.discounts().is_empty() {
        let why = "a customer has no discounts there, only a subscription has";
        lose(lost, from.id().as_str(), "discounts", why);
    }
    let text = |text: Option<&str>| text.map(str::to_owned);
    let addresses = from.addresses().iter().map(|address| Address {
        line1: text(address.line1()),
        line2: text(address.line2()),
        city: text(address.city()),
        state: text(address.state()),
        postal_code: text(address.postal_code()),
        country: address.country().map(|country| country.code().to_owned()),
    });
    Customer {
        id: from.id().as_str().to_owned(),
        email: from.email().map(|email| email.as_str().to_owned()),
        name: text(from.name()),
        last_name: text(from.last_name()),
        phone: from.phone().map(|phone| phone.as_str().to_owned()),
        currency: from.currency(),
        addresses: addresses.collect(),
        metadata: from.metadata().clone(),
    }
}

/// A price. Of an amount by the unit and a flat one only the first has a place, and of tiers only the first one's.
pub(crate) fn price(from: &model::Price, lost: &mut Vec<Lost>) -> Price {
    let id = from.id().as_str();
    let (model, amount) = match from.amount() {
        PriceAmount::Tiered { tiers, .. } => {
            let why = "only the first tier's amount has a place";
            lose(lost, id, "amount.tiers", why);
            let first = tiers.as_slice().first().map(|tier| tier.amount());
            (Model::Tiered, first)
        }
        PriceAmount::Fixed { amount, .. } => (Model::Fixed, Some(*amount)),
        _ => (Model::Fixed, None),
    };
    if model == Model::Fixed && amount.is_some_and(has_both) {
        lose(lost, id, "amount.flat", "beside `unit` it has no place");
    }
    let by_unit = |amount: Amount| amount.unit_part().or(amount.flat_part());
    Price {
        id: id.to_owned(),
        price_type: Some(from.price_type().as_str().to_owned()),
        product_id: from.product_id().map(|id| id.as_str().to_owned()),
        name: from.name().map(str::to_owned),
        description: from.description().map(str::to_owned),
        duration: Some(cycle(from.duration())),
        amount: Money {
            model: Some(model),
            value: amount.and_then(by_unit).unwrap_or(0),
            currency: Some(from.amount().currency()),
        },
    }
}

fn has_both(amount: Amount) -> bool {
    amount.unit_part().is_some() && amount.flat_part().is_some()
}

fn cycle(from: BillingDuration) -> Cycle {
    Cycle {
        interval: interval(from.unit()),
        interval_count: Some(from.amount()),
    }
}

fn interval(from: CycleUnit) -> Interval {
    match from {
        CycleUnit::Year => Interval::Year,
        _ => Interval::Month,
    }
}

/// The months of so many cycles.
fn months(amount: u32, unit: CycleUnit) -> u64 {
    let months_of_one = match unit {
        CycleUnit::Year => 12,
        _ => 1,
    };
    u64::from(amount).saturating_mul(months_of_one)
}

/// A coupon, for a subscription that is charged in these cycles.
pub(crate) fn coupon(from: &model::Coupon, cycle: BillingDuration, lost: &mut Vec<Lost>) -> Coupon {
    let id = from.id().as_str();
    if from.code().is_some() && from.name().is_some() {
        lose(lost, id, "code", "beside `name` it has no place");
    }
    if from.redemptions().is_some() {
        lose(lost, id, "redemptions", "it has no place");
    }
    if from.expires_at().is_some() {
        lose(lost, id, "expiresAt", "it has no place");
    }
    let (percent_off, amount_off, currency) = match from.value() {
        CouponValue::Percentage {
            percent, currency, ..
        } => (Some(percent), None, currency),
        CouponValue::Fixed {
            currency, amount, ..
        } => {
            if has_both(amount) {
                lose(lost, id, "value.unit", "beside `flat` it has no place");
            }
            let off = amount.flat_part().or(amount.unit_part());
            (None, off, Some(currency))
        }
        _ => (None, None, None),
    };
    let (duration, duration_in_months) = match from.duration() {
        model::CouponDuration::Recurring { amount, unit } => {
            (CouponDuration::Repeating, Some(months(amount.get(), unit)))
        }
        model::CouponDuration::CycleAmount { cycles } => {
            let one = months(cycle.amount(), cycle.unit());
            let all = u64::from(cycles.get()).saturating_mul(one);
            (CouponDuration::Repeating, Some(all))
        }
        model::CouponDuration::Forever => (CouponDuration::Forever, None),
        _ => (CouponDuration::Once, None),
    };
    Coupon {
        id: id.to_owned(),
        name: from.name().or(from.code()).map(str::to_owned),
        percent_off,
        amount_off,
        currency,
        duration,
        duration_in_months,
    }
}

/// A subscription, with its items and discounts.
pub(crate) fn subscription(from: &model::Subscription, lost: &mut Vec<Lost>) -> Subscription {
    let id = from.id().as_str();
    let items = from.items().iter().map(|item| Item {
        id: item.id().as_str().to_owned(),
        price: price(item.price(), lost),
        quantity: item.quantity(),
    });
    let items = items.collect();
    let discounts = from.discounts().iter().map(|discount| Discount {
        coupon: coupon(discount.coupon(), from.duration(), lost),
        start: discount.start(),
        end: discount.end(),
    });
    let discounts = discounts.collect();
    Subscription {
        id: id.to_owned(),
        customer_id: from.customer_id().as_str().to_owned(),
        start: from.start(),
        status: status(id, from.status(), lost),
        items,
        duration: cycle(from.duration()),
        discounts,
        metadata: from.metadata().clone(),
    }
}

fn status(id: &str, from: SubscriptionStatus, lost: &mut Vec<Lost>) -> Status {
    let span = |period: model::Period| Span {
        start: period.start(),
        end: period.end(),
    };
    let status = match from {
        SubscriptionStatus::Active { current_period, .. } => Status::Active {
            current_period: span(current_period),
        },
        SubscriptionStatus::Trial {
            trial,
            current_period,
            ..
        } => Status::Trial {
            trial: span(trial),
            current_period: current_period.map(span),
        },
        SubscriptionStatus::Paused {
            pause,
            current_period,
            ..
        } => Status::Paused {
            pause: Pause {
                start: pause.start(),
                end: pause.end(),
            },
            current_period: current_period.map(span),
        },
        SubscriptionStatus::Canceled {
            canceled_at,
            current_period,
            ..
        } => {
            if current_period.is_some() {
                let why = "a canceled subscription has none there";
                lose(lost, id, "status.currentPeriod", why);
            }
            Status::Canceled { canceled_at }
        }
        SubscriptionStatus::Unpaid { current_period, .. } => Status::Unpaid {
            current_period: current_period.map(span),
        },
        _ => Status::Unpaid {
            current_period: None,
        },
    };
    if from.trial_period().is_some() && !matches!(status, Status::Trial { .. }) {
        let why = "only a subscription in trial has one there";
        lose(lost, id, "status.trial", why);
    }
    status
}
