//! Money and cycles as people read them.

use churnkey_integrator::{
    Amount, Currency,
    model::{BillingDuration, CouponDuration, CouponValue, CycleUnit, PriceAmount},
};

use crate::dev::flow::{decimal, money};

pub(super) fn price(amount: &PriceAmount, cycle: BillingDuration) -> String {
    let every = every(cycle);
    match amount {
        PriceAmount::Fixed {
            currency, amount, ..
        } => format!("{} {every}", parts(*amount, *currency)),
        PriceAmount::Tiered {
            currency, tiers, ..
        } => {
            let tiers = tiers.as_slice().iter().map(|tier| {
                let amount = parts(tier.amount(), *currency);
                match tier.last_quantity() {
                    Some(last) => format!("up to {last}: {amount}"),
                    None => format!("then {amount}"),
                }
            });
            format!("{} {every}", tiers.collect::<Vec<_>>().join(", "))
        }
        _ => every,
    }
}

fn parts(amount: Amount, currency: Currency) -> String {
    let unit = amount.unit_part().map(|unit| money(unit, currency));
    let flat = amount
        .flat_part()
        .map(|flat| format!("{} flat", money(flat, currency)));
    let parts = [unit, flat].into_iter().flatten();
    parts.collect::<Vec<_>>().join(" and ")
}

fn every(cycle: BillingDuration) -> String {
    let unit = match cycle.unit() {
        CycleUnit::Year => "year",
        _ => "month",
    };
    match cycle.amount() {
        1 => format!("a {unit}"),
        amount => format!("every {amount} {unit}s"),
    }
}

pub(super) fn coupon(value: CouponValue, duration: CouponDuration) -> String {
    let off = match value {
        CouponValue::Percentage { percent, .. } => format!("{}% off", decimal(percent)),
        CouponValue::Fixed {
            currency, amount, ..
        } => format!("{} off", parts(amount, currency)),
        _ => "a discount".to_owned(),
    };
    let plural = |amount: u32, unit: &str| match amount {
        1 => format!("for 1 {unit}"),
        amount => format!("for {amount} {unit}s"),
    };
    let how_long = match duration {
        CouponDuration::Once => "once".to_owned(),
        CouponDuration::Forever => "for good".to_owned(),
        CouponDuration::Recurring { amount, unit } => match unit {
            CycleUnit::Year => plural(amount.get(), "year"),
            _ => plural(amount.get(), "month"),
        },
        CouponDuration::CycleAmount { cycles } => plural(cycles.get(), "cycle"),
        _ => String::new(),
    };
    format!("{off} {how_long}")
}
