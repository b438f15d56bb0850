//! Money and cycles as people read them, with the digits and separators of the browser's language.

use std::str::FromStr;

use churnkey_integrator::{
    Amount, Currency,
    model::{BillingDuration, CouponDuration, CouponValue, CycleUnit, PriceAmount, Tier, TierMode},
};
use http::{HeaderMap, header};
use icu_decimal::{DecimalFormatter, input::Decimal};
use icu_locale_core::{Locale, locale};
use maud::{Markup, html};

/// How a language writes numbers.
pub(super) struct Numbers(Option<DecimalFormatter>);

impl Numbers {
    /// As the browser's user wants them, and else in English.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let wanted = headers.get(header::ACCEPT_LANGUAGE);
        let wanted = wanted.and_then(|languages| languages.to_str().ok());
        let locale = wanted.and_then(preferred).unwrap_or(locale!("en"));
        Self(DecimalFormatter::try_new(locale.into(), Default::default()).ok())
    }

    /// A number of so many decimals, of which `units` has the digits.
    fn decimal(&self, units: u64, decimals: u32) -> String {
        let mut decimal = Decimal::from(units);
        if let Ok(decimals) = i16::try_from(decimals) {
            decimal.multiply_pow10(decimals.saturating_neg());
        }
        match &self.0 {
            Some(formatter) => formatter.format(&decimal).to_string(),
            None => decimal.to_string(),
        }
    }

    pub(super) fn whole(&self, number: u64) -> String {
        self.decimal(number, 0)
    }

    /// Of an amount in minor units, such as `1,234.50 USD`.
    fn money(&self, minor_units: u64, currency: Currency) -> String {
        let number = self.decimal(minor_units, currency.minor_units());
        format!("{number} {}", currency.code().to_ascii_uppercase())
    }

    fn parts(&self, amount: Amount, currency: Currency) -> String {
        let unit = amount
            .unit_part()
            .map(|unit| format!("{} each", self.money(unit, currency)));
        let flat = amount
            .flat_part()
            .map(|flat| format!("{} flat", self.money(flat, currency)));
        let parts = [unit, flat].into_iter().flatten();
        parts.collect::<Vec<_>>().join(" and ")
    }

    /// What is charged each cycle, which is written behind it.
    pub(super) fn price(&self, amount: &PriceAmount) -> Markup {
        match amount {
            PriceAmount::Fixed {
                currency, amount, ..
            } => html! { (self.parts(*amount, *currency)) "," },
            PriceAmount::Tiered {
                currency,
                mode,
                tiers,
                ..
            } => html! {
                @match mode {
                    TierMode::Graduated => "By tiers, each for its part of the quantity:",
                    TierMode::Total => "By the tier of the whole quantity:",
                    _ => "By tiers:",
                }
                ul.tiers { @for tier in tiers.as_slice() { li { (self.tier(*tier, *currency)) } } }
            },
            _ => html! {},
        }
    }

    fn tier(&self, tier: Tier, currency: Currency) -> String {
        let amount = self.parts(tier.amount(), currency);
        match tier.last_quantity() {
            Some(last) => format!("up to {}: {amount}", self.whole(last)),
            None => format!("above: {amount}"),
        }
    }

    /// What a coupon takes off.
    pub(super) fn worth(&self, worth: CouponValue) -> String {
        match worth {
            CouponValue::Percentage { percent, .. } => self.percent(percent.basis_points().into()),
            CouponValue::Fixed {
                currency, amount, ..
            } => self.parts(amount, currency),
            _ => String::new(),
        }
    }

    /// For how long a coupon takes it off.
    pub(super) fn how_long(&self, duration: CouponDuration) -> String {
        match duration {
            CouponDuration::Once => "one invoice".to_owned(),
            CouponDuration::Forever => "ever".to_owned(),
            CouponDuration::Recurring { amount, unit } => {
                self.counted(amount.get(), unit_name(unit))
            }
            CouponDuration::CycleAmount { cycles } => self.counted(cycles.get(), "cycle"),
            _ => String::new(),
        }
    }

    /// Without decimals that say nothing, such as `12.5%`.
    fn percent(&self, basis_points: u64) -> String {
        let number = match (basis_points % 100, basis_points % 10) {
            (0, _) => self.decimal(basis_points / 100, 0),
            (_, 0) => self.decimal(basis_points / 10, 1),
            _ => self.decimal(basis_points, 2),
        };
        format!("{number}%")
    }

    /// `every month` or `every 3 months`.
    pub(super) fn cycle(&self, cycle: BillingDuration) -> String {
        match (cycle.amount(), unit_name(cycle.unit())) {
            (1, unit) => format!("every {unit}"),
            (amount, unit) => format!("every {}", self.counted(amount, unit)),
        }
    }

    fn counted(&self, amount: u32, unit: &str) -> String {
        match amount {
            1 => format!("1 {unit}"),
            amount => format!("{} {unit}s", self.whole(amount.into())),
        }
    }
}

fn unit_name(unit: CycleUnit) -> &'static str {
    match unit {
        CycleUnit::Year => "year",
        _ => "month",
    }
}

/// The first of the most wanted languages (RFC 9110, section 12.5.4).
fn preferred(accept_language: &str) -> Option<Locale> {
    let wanted = accept_language.split(',').filter_map(|range| {
        let (language, weight) = range.split_once(';').unwrap_or((range, "q=1"));
        let weight = f32::from_str(weight.trim().strip_prefix("q=")?).ok()?;
        let locale = Locale::from_str(language.trim()).ok()?;
        (weight > 0.0).then_some((weight, locale))
    });
    let first = wanted.reduce(|first, next| if next.0 > first.0 { next } else { first });
    first.map(|(_, locale)| locale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(accept_language: &str) -> Numbers {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, accept_language.parse().unwrap());
        Numbers::of(&headers)
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency_and_the_separators_of_the_language() {
        let written =
            |language, amount, code| numbers(language).money(amount, Currency::new(code).unwrap());
        assert_eq!(written("en", 123_456_789, "usd"), "1,234,567.89 USD");
        assert_eq!(written("de-DE", 123_456_789, "eur"), "1.234.567,89 EUR");
        assert_eq!(written("de-CH", 123_456_789, "chf"), "1'234'567.89 CHF");
        assert_eq!(
            written("fr", 123_456_789, "eur"),
            "1\u{202f}234\u{202f}567,89 EUR"
        );
        assert_eq!(written("hi-IN", 123_456_789, "inr"), "12,34,567.89 INR");
        assert_eq!(written("en", 1_234_567, "jpy"), "1,234,567 JPY");
        assert_eq!(written("en", 1_234_567, "bhd"), "1,234.567 BHD");
        assert_eq!(written("en", 5, "eur"), "0.05 EUR");
        assert_eq!(written("en", 0, "eur"), "0.00 EUR");
    }

    #[test]
    fn a_percentage_has_no_more_decimals_than_it_needs() {
        let percents = [2000, 1250, 1205].map(|points| numbers("de").percent(points));
        assert_eq!(percents, ["20%", "12,5%", "12,05%"]);
    }

    #[test]
    fn the_most_wanted_language_counts() {
        let preferred = |text| preferred(text).map(|locale| locale.to_string());
        assert_eq!(
            preferred("de-DE,de;q=0.9,en;q=0.8").as_deref(),
            Some("de-DE")
        );
        assert_eq!(preferred("en;q=0.5, fr ; q=0.7").as_deref(), Some("fr"));
        assert_eq!(preferred("*, de;q=0, ??"), None);
        let one = |language| numbers(language).whole(1_000);
        assert_eq!(
            [one("*"), one("de;q=0"), one("")],
            ["1,000"; 3].map(str::to_owned)
        );
    }
}
