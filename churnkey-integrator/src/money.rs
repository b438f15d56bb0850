//! Money and percentages. Amounts are whole numbers in the currency's minor unit: $1.10 is `110`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tinystr::TinyAsciiStr;

use crate::iso_codes::ThreeLetters;

/// An ISO 4217 currency. Its code is read in any letter case and written in lower case (contract, section 2.7).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(with = "String", extend("pattern" = "^[a-z]{3}$"))
)]
pub struct Currency {
    /// In lower case.
    code: TinyAsciiStr<3>,
}

static FOUND: ThreeLetters = ThreeLetters::empty();

/// The text is not an ISO 4217 currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the currency is not a valid ISO 4217 code: use one like usd or EUR")]
#[non_exhaustive]
pub struct InvalidCurrency;

impl Currency {
    /// Looks up a code, in any letter case.
    ///
    /// # Errors
    /// [`InvalidCurrency`] if ISO 4217 has no such code.
    pub fn new(code: &str) -> Result<Self, InvalidCurrency> {
        let code: TinyAsciiStr<3> = code.parse().map_err(|_| InvalidCurrency)?;
        let currency = Self {
            code: code.to_ascii_lowercase(),
        };
        let exists = FOUND.exists(currency.code(), || currency.known().is_some());
        exists.then_some(currency).ok_or(InvalidCurrency)
    }

    /// The code in lower case.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// How many decimals an amount has, by ISO 4217: 2 for `usd`, 0 for `jpy`, 3 for `kwd`. Gold and other codes without a
    /// minor unit have none.
    ///
    /// Some payment providers count otherwise for a few currencies. What Churnkey reads are ISO's minor units.
    #[must_use]
    pub fn minor_units(self) -> u32 {
        let exponent = self.known().and_then(iso_currency::Currency::exponent);
        exponent.map_or(0, u32::from)
    }

    fn known(self) -> Option<iso_currency::Currency> {
        iso_currency::Currency::from_code(&self.code.to_ascii_uppercase())
    }

    /// The minor units of an amount that is stored as a decimal: exact, nothing is rounded. Take the column as text;
    /// a float has lost the amount already.
    ///
    /// ```
    /// use churnkey_integrator::Currency;
    ///
    /// let [usd, jpy] = [Currency::new("usd")?, Currency::new("jpy")?];
    /// assert_eq!(usd.to_minor_units("12.34")?, 1234);
    /// assert_eq!(usd.to_minor_units("12.3400")?, 1234);
    /// assert_eq!(jpy.to_minor_units("660.00")?, 660);
    /// assert_eq!(
    ///     jpy.to_minor_units("6.60").unwrap_err().to_string(),
    ///     "an amount in jpy has no decimals: round it first, or check the currency"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidDecimal`] if the text is no plain decimal number, is negative or is no whole number of minor units.
    pub fn to_minor_units(self, decimal: &str) -> Result<u64, InvalidDecimal> {
        let (whole, fraction) = unsigned_decimal(decimal)?;
        let decimals = self.minor_units();
        let fraction = fraction.trim_end_matches('0');
        let width = decimals as usize;
        if fraction.len() > width {
            return Err(InvalidDecimal::TooFine {
                currency: self,
                decimals,
            });
        }
        // Digits alone fail for being too many only.
        let number = format!("{whole}{fraction:0<width$}").parse();
        let number = number.ok().filter(|number| *number <= MAX_SAFE_INTEGER);
        number.ok_or(InvalidDecimal::TooLarge)
    }
}

impl AsRef<str> for Currency {
    fn as_ref(&self) -> &str {
        self.code()
    }
}

impl TryFrom<&str> for Currency {
    type Error = InvalidCurrency;

    fn try_from(code: &str) -> Result<Self, InvalidCurrency> {
        Self::new(code)
    }
}

impl std::str::FromStr for Currency {
    type Err = InvalidCurrency;

    fn from_str(code: &str) -> Result<Self, InvalidCurrency> {
        Self::new(code)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({})", self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::new(&code).map_err(de::Error::custom)
    }
}

/// The text is not an amount of the currency. The text itself is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDecimal {
    /// It is no number, or one that begins or ends with the point.
    #[error("an amount must be digits, with a point before the decimals, such as 12.34")]
    NotDecimal,
    /// It groups its digits, or has a comma before the decimals.
    #[error(
        "an amount must not have separators other than the point before the decimals: 1234.50, not 1,234.50"
    )]
    Separators,
    /// It is written with an exponent, as floats are.
    #[error("an amount must not have an exponent: read the column as a decimal, not as a float")]
    Exponent,
    /// It is below zero, or minus zero.
    #[error("an amount must not be negative")]
    Negative,
    /// It is no whole number of minor units.
    #[error(
        "an amount in {currency} has {}: round it first, or check the currency",
        at_most(*.decimals)
    )]
    #[non_exhaustive]
    TooFine {
        /// The currency.
        currency: Currency,
        /// How many decimals it has.
        decimals: u32,
    },
    /// It is more than 2^53 - 1 minor units, so that JavaScript would read another number.
    #[error(
        "an amount must be at most {max} minor units, the largest number that JavaScript reads right",
        max = MAX_SAFE_INTEGER
    )]
    TooLarge,
}

fn at_most(decimals: u32) -> String {
    match decimals {
        0 => "no decimals".to_owned(),
        _ => format!("at most {decimals} decimals"),
    }
}

/// The digits before and after the point.
fn unsigned_decimal(text: &str) -> Result<(&str, &str), InvalidDecimal> {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    if is_digits(whole) && is_digits(fraction) {
        if unsigned.len() < text.len() {
            return Err(InvalidDecimal::Negative);
        }
        return Ok((whole, fraction));
    }
    let separates = |c: char| matches!(c, ',' | '.' | '_' | '\'' | '’') || c.is_whitespace();
    let without: String = unsigned.chars().filter(|c| !separates(*c)).collect();
    let is_between_digits = unsigned.starts_with(|c: char| c.is_ascii_digit())
        && unsigned.ends_with(|c: char| c.is_ascii_digit());
    Err(if is_between_digits && is_digits(&without) {
        InvalidDecimal::Separators
    } else if is_between_digits && text.parse::<f64>().is_ok() {
        InvalidDecimal::Exponent
    } else {
        InvalidDecimal::NotDecimal
    })
}

/// A percentage from 0 to 100, to a hundredth of a percent.
///
/// # Example
/// ```
/// use churnkey_integrator::Percentage;
///
/// assert_eq!(serde_json::to_string(&Percentage::whole(20)?)?, "20");
/// assert_eq!(serde_json::to_string(&Percentage::from_basis_points(1250)?)?, "12.5");
/// assert!(Percentage::whole(101).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(with = "f64", extend("minimum" = 0, "maximum" = 100))
)]
pub struct Percentage {
    basis_points: u32,
}

/// The number is not a percentage from 0 to 100 with at most two decimals.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a percentage must be from 0 to 100, with at most two decimals")]
#[non_exhaustive]
pub struct InvalidPercentage;

impl Percentage {
    /// Whole percents: `whole(20)` is 20 %.
    ///
    /// # Errors
    /// [`InvalidPercentage`] above 100.
    pub fn whole(percent: u32) -> Result<Self, InvalidPercentage> {
        Self::from_basis_points(percent.saturating_mul(100))
    }

    /// Basis points, which are hundredths of a percent: `from_basis_points(1250)` is 12.5 %.
    ///
    /// # Errors
    /// [`InvalidPercentage`] above 10,000.
    pub fn from_basis_points(basis_points: u32) -> Result<Self, InvalidPercentage> {
        if basis_points > 10_000 {
            return Err(InvalidPercentage);
        }
        Ok(Self { basis_points })
    }

    /// The percentage in basis points.
    #[must_use]
    pub fn basis_points(self) -> u32 {
        self.basis_points
    }
}

impl Serialize for Percentage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.basis_points.is_multiple_of(100) {
            serializer.serialize_u32(self.basis_points / 100)
        } else {
            serializer.serialize_f64(f64::from(self.basis_points) / 100.0)
        }
    }
}

impl<'de> Deserialize<'de> for Percentage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let scaled = f64::deserialize(deserializer)? * 100.0;
        let basis_points = scaled.round();
        // The bound makes the cast exact; the distance refuses a third decimal.
        if !(0.0..=10_000.0).contains(&basis_points) || (scaled - basis_points).abs() > 1e-6 {
            return Err(de::Error::custom(InvalidPercentage));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number from 0 to 10,000, by the check above"
        )]
        let basis_points = basis_points as u32;
        Ok(Self { basis_points })
    }
}

/// The largest integer that JavaScript represents exactly: 2^53 - 1. A larger amount, quantity or count would reach
/// Churnkey as another number.
pub(crate) const MAX_SAFE_INTEGER: u64 = 9_007_199_254_740_991;

/// An amount of money in minor units: a part per unit of the quantity, a flat part, or both (contract, sections 3.4 and
/// 3.5).
///
/// # Example
/// ```
/// use churnkey_integrator::Amount;
///
/// let seat = Amount::per_unit(1000)?;
/// assert_eq!(serde_json::to_string(&seat)?, r#"{"unit":1000}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(!try_from, extend("anyOf" = [{ "required": ["unit"] }, { "required": ["flat"] }]))
)]
#[serde(try_from = "AmountFields")]
pub struct Amount {
    /// For each one, in the currency's minor units, such as cents.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<u64>,
    /// Once, however many there are, in the currency's minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    flat: Option<u64>,
}

#[derive(Deserialize)]
struct AmountFields {
    unit: Option<u64>,
    flat: Option<u64>,
}

/// The numbers are not a valid amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAmount {
    /// Both `unit` and `flat` are missing.
    #[error("an amount needs `unit`, `flat` or both")]
    Empty,
    /// A part is larger than 2^53 - 1, the largest integer that JavaScript represents exactly.
    #[error(
        "`unit` and `flat` must be at most {max} minor units, the largest integer that JavaScript represents exactly",
        max = MAX_SAFE_INTEGER
    )]
    TooLarge,
}

impl Amount {
    /// An amount per unit of the quantity.
    ///
    /// # Errors
    /// [`InvalidAmount::TooLarge`] above 2^53 - 1.
    pub fn per_unit(minor_units: u64) -> Result<Self, InvalidAmount> {
        Self::from_parts(Some(minor_units), None)
    }

    /// A flat amount, whatever the quantity.
    ///
    /// # Errors
    /// [`InvalidAmount::TooLarge`] above 2^53 - 1.
    pub fn flat(minor_units: u64) -> Result<Self, InvalidAmount> {
        Self::from_parts(None, Some(minor_units))
    }

    /// An amount per unit, and a flat amount.
    ///
    /// # Errors
    /// [`InvalidAmount::TooLarge`] if either is above 2^53 - 1.
    pub fn per_unit_and_flat(unit: u64, flat: u64) -> Result<Self, InvalidAmount> {
        Self::from_parts(Some(unit), Some(flat))
    }

    /// An amount of two optional parts, such as two nullable columns.
    ///
    /// # Errors
    /// [`InvalidAmount`] if both are `None`, or if one is above 2^53 - 1.
    pub fn from_parts(unit: Option<u64>, flat: Option<u64>) -> Result<Self, InvalidAmount> {
        let Some(largest) = unit.max(flat) else {
            return Err(InvalidAmount::Empty);
        };
        if largest > MAX_SAFE_INTEGER {
            return Err(InvalidAmount::TooLarge);
        }
        Ok(Self { unit, flat })
    }

    /// The part per unit, in minor units.
    #[must_use]
    pub fn unit_part(self) -> Option<u64> {
        self.unit
    }

    /// The flat part, in minor units.
    #[must_use]
    pub fn flat_part(self) -> Option<u64> {
        self.flat
    }
}

impl TryFrom<AmountFields> for Amount {
    type Error = InvalidAmount;

    fn try_from(fields: AmountFields) -> Result<Self, InvalidAmount> {
        Self::from_parts(fields.unit, fields.flat)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn currencies_are_read_in_any_case_and_written_in_lower_case() {
        for code in ["usd", "USD", "Usd"] {
            assert_eq!(to_value(Currency::new(code).unwrap()).unwrap(), "usd");
            assert_eq!(code.parse(), Currency::new(code));
            assert_eq!(Currency::try_from(code).unwrap().as_ref(), "usd");
        }
        assert!(Currency::new("aud").is_ok());
        for code in ["", "dollar", "us", "ud", "QQQ", "ſek"] {
            assert_eq!(Currency::new(code), Err(InvalidCurrency), "{code}");
        }
        let error = from_value::<Currency>(json!("usx")).unwrap_err();
        assert_eq!(error.to_string(), InvalidCurrency.to_string());
    }

    #[test]
    fn a_currency_has_the_minor_units_of_iso_4217() {
        for (code, decimals) in [
            ("usd", 2),
            ("jpy", 0),
            ("isk", 0),
            ("kwd", 3),
            ("clf", 4),
            ("mru", 2),
            ("xau", 0),
        ] {
            assert_eq!(
                Currency::new(code).unwrap().minor_units(),
                decimals,
                "{code}"
            );
        }
    }

    #[test]
    fn a_decimal_is_read_exactly_or_not_at_all() {
        use InvalidDecimal::{Exponent, Negative, NotDecimal, Separators, TooLarge};
        let too_fine = |code: &str, decimals| {
            let currency = Currency::new(code).unwrap();
            Err(InvalidDecimal::TooFine { currency, decimals })
        };
        for (code, text, read) in [
            ("usd", "12.34", Ok(1234)),
            ("usd", "12", Ok(1200)),
            ("usd", "12.3", Ok(1230)),
            ("usd", "0.07", Ok(7)),
            ("usd", "007.50", Ok(750)),
            ("usd", "12.3400", Ok(1234)),
            ("usd", "12.345", too_fine("usd", 2)),
            ("usd", "0.001", too_fine("usd", 2)),
            ("jpy", "660", Ok(660)),
            ("jpy", "660.00", Ok(660)),
            ("jpy", "6.60", too_fine("jpy", 0)),
            ("kwd", "1.234", Ok(1234)),
            ("kwd", "1.2345", too_fine("kwd", 3)),
            ("usd", "90071992547409.91", Ok(9_007_199_254_740_991)),
            ("usd", "90071992547409.92", Err(TooLarge)),
            ("usd", "99999999999999999999999999", Err(TooLarge)),
            ("usd", "-12.34", Err(Negative)),
            ("usd", "-0.00", Err(Negative)),
            ("usd", "1,234.50", Err(Separators)),
            ("usd", "1.234,50", Err(Separators)),
            ("usd", "12,34", Err(Separators)),
            ("usd", "1 234", Err(Separators)),
            ("usd", "1\u{202f}234", Err(Separators)),
            ("usd", "1'234.50", Err(Separators)),
            ("usd", "1_234", Err(Separators)),
            ("usd", "1.2.3", Err(Separators)),
            ("usd", "1e3", Err(Exponent)),
            ("usd", "-1.5E+2", Err(Exponent)),
            ("usd", "", Err(NotDecimal)),
            ("usd", " ", Err(NotDecimal)),
            ("usd", " 12.34", Err(NotDecimal)),
            ("usd", ".50", Err(NotDecimal)),
            ("usd", "12.", Err(NotDecimal)),
            ("usd", "+12", Err(NotDecimal)),
            ("usd", "--1", Err(NotDecimal)),
            ("usd", "$12.34", Err(NotDecimal)),
            ("usd", "NaN", Err(NotDecimal)),
            ("usd", "inf", Err(NotDecimal)),
            ("usd", "١٢", Err(NotDecimal)),
            ("usd", "0x10", Err(NotDecimal)),
        ] {
            let currency = Currency::new(code).unwrap();
            assert_eq!(currency.to_minor_units(text), read, "{text} {code}");
        }
        let usd = Currency::new("usd").unwrap();
        assert_eq!(
            usd.to_minor_units("0.001").unwrap_err().to_string(),
            "an amount in usd has at most 2 decimals: round it first, or check the currency"
        );
    }

    proptest! {
        #[test]
        fn what_minor_units_are_written_as_is_read_as_them(
            amount in 0..=MAX_SAFE_INTEGER,
            code in prop_oneof!["jpy", "usd", "kwd", "clf"],
            zeros in "0{0,6}",
        ) {
            let currency = Currency::new(&code).unwrap();
            let unit = 10_u64.pow(currency.minor_units());
            let width = currency.minor_units() as usize;
            let fraction = match width {
                0 => String::new(),
                _ => format!("{:0width$}", amount % unit),
            };
            let point = if fraction.is_empty() && zeros.is_empty() { "" } else { "." };
            let text = format!("{}{point}{fraction}{zeros}", amount / unit);
            prop_assert_eq!(currency.to_minor_units(&text), Ok(amount), "{}", text);
        }

        #[test]
        fn no_text_can_make_reading_a_decimal_panic(text in ".{0,40}") {
            let _ = Currency::new("usd").unwrap().to_minor_units(&text);
        }
    }

    #[test]
    fn a_percentage_outside_0_to_100_or_finer_than_basis_points_is_refused() {
        for good in [json!(0), json!(20), json!(12.5), json!(99.99), json!(100)] {
            let percentage: Percentage = from_value(good.clone()).unwrap();
            assert_eq!(to_value(percentage).unwrap(), good);
        }
        for bad in [json!(-1), json!(100.01), json!(12.345), json!(1e300)] {
            let error = from_value::<Percentage>(bad.clone()).unwrap_err();
            assert_eq!(error.to_string(), InvalidPercentage.to_string(), "{bad}");
        }
        let error = from_value::<Percentage>(json!("20")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid type: string \"20\", expected f64"
        );
        assert_eq!(Percentage::whole(u32::MAX), Err(InvalidPercentage));
    }

    /// JavaScript reads 2^53 + 1 as 2^53.
    #[test]
    fn an_amount_that_javascript_reads_wrong_is_refused() {
        let most = 9_007_199_254_740_991_u64;
        for (unit, flat, fits) in [
            (most, most, true),
            (most + 1, 0, false),
            (0, most + 1, false),
            (u64::MAX, u64::MAX, false),
        ] {
            let read = from_value::<Amount>(json!({"unit": unit, "flat": flat}));
            assert_eq!(read.is_ok(), fits, "{unit} {flat}");
            assert_eq!(Amount::from_parts(Some(unit), Some(flat)).is_ok(), fits);
        }
    }

    #[test]
    fn an_amount_has_at_least_one_part() {
        assert_eq!(
            to_value(Amount::flat(500).unwrap()).unwrap(),
            json!({"flat": 500})
        );
        assert_eq!(
            to_value(Amount::per_unit_and_flat(1, 2).unwrap()).unwrap(),
            json!({"unit": 1, "flat": 2})
        );
        let error = from_value::<Amount>(json!({})).unwrap_err();
        assert_eq!(error.to_string(), InvalidAmount::Empty.to_string());
        let error = from_value::<Amount>(json!({"unit": -1})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid value: integer `-1`, expected u64"
        );
    }
}
