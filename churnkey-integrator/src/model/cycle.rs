//! Periods and billing cycles (contract, sections 3.6 and 3.8).

use serde::{Deserialize, Serialize};

use super::InvalidField;
use crate::{
    time::{CalendarUnit, Timestamp},
    variant::words,
};

/// The unit of a billing cycle. Churnkey has no days and weeks here (contract, section 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CycleUnit {
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

words!(CycleUnit, "cycle unit": Month = "month", Year = "year");

impl From<CycleUnit> for CalendarUnit {
    fn from(unit: CycleUnit) -> Self {
        match unit {
            CycleUnit::Month => Self::Month,
            CycleUnit::Year => Self::Year,
        }
    }
}

/// The billing cycle of a subscription or a price: a number of months or years (contract, section 3.6).
///
/// ```
/// use churnkey_integrator::model::{BillingDuration, CycleUnit};
///
/// let quarterly = BillingDuration::new(3, CycleUnit::Month)?;
/// assert_eq!(serde_json::to_string(&quarterly)?, r#"{"amount":3,"unit":"month"}"#);
/// assert_eq!(
///     BillingDuration::new(0, CycleUnit::Year).unwrap_err().to_string(),
///     "`duration.amount` must be at least 1"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "BillingDurationFields")]
pub struct BillingDuration {
    amount: u32,
    unit: CycleUnit,
}

#[derive(Deserialize)]
struct BillingDurationFields {
    amount: u32,
    unit: CycleUnit,
}

impl BillingDuration {
    /// Every month.
    pub const MONTHLY: Self = Self {
        amount: 1,
        unit: CycleUnit::Month,
    };
    /// Every year.
    pub const YEARLY: Self = Self {
        amount: 1,
        unit: CycleUnit::Year,
    };

    /// A cycle of a number of months or years.
    ///
    /// # Errors
    /// [`InvalidField`] if the amount is 0.
    pub fn new(amount: u32, unit: CycleUnit) -> Result<Self, InvalidField> {
        if amount == 0 {
            return Err(InvalidField::new("duration.amount", "must be at least 1"));
        }
        Ok(Self { amount, unit })
    }

    /// The number of months or years.
    #[must_use]
    pub fn amount(self) -> u32 {
        self.amount
    }

    /// The unit: months or years.
    #[must_use]
    pub fn unit(self) -> CycleUnit {
        self.unit
    }

    /// Whether it is annual for a pause: its unit is the year (contract, section 5.2). Twelve months are not.
    #[must_use]
    pub fn is_annual(self) -> bool {
        self.unit == CycleUnit::Year
    }

    /// The end of a period of so many cycles that starts at `start`. Count all cycles from the first start: if you add one
    /// month at a time, a subscription of the 31st drifts to the 28th.
    #[must_use]
    pub fn end_after(self, cycles: u32, start: Timestamp) -> Timestamp {
        let amount = u64::from(self.amount).saturating_mul(u64::from(cycles));
        start.plus(amount, self.unit.into())
    }
}

impl TryFrom<BillingDurationFields> for BillingDuration {
    type Error = InvalidField;

    fn try_from(fields: BillingDurationFields) -> Result<Self, InvalidField> {
        Self::new(fields.amount, fields.unit)
    }
}

/// The time from a start to an end (contract, section 3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "PeriodFields")]
pub struct Period {
    start: Timestamp,
    end: Timestamp,
}

#[derive(Deserialize)]
struct PeriodFields {
    start: Timestamp,
    end: Timestamp,
}

impl Period {
    /// A period from `start` to `end`.
    ///
    /// # Errors
    /// [`InvalidField`] if it ends before it starts.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, InvalidField> {
        if end < start {
            return Err(InvalidField::new("end", "must not be before `start`"));
        }
        Ok(Self { start, end })
    }

    /// When it starts.
    #[must_use]
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// When it ends.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.end
    }
}

impl TryFrom<PeriodFields> for Period {
    type Error = InvalidField;

    fn try_from(fields: PeriodFields) -> Result<Self, InvalidField> {
        Self::new(fields.start, fields.end)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_period_does_not_end_before_it_starts() {
        let [earlier, later]: [Timestamp; 2] =
            ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.001Z"].map(|t| t.parse().unwrap());
        assert!(Period::new(earlier, later).is_ok());
        assert!(Period::new(earlier, earlier).is_ok());
        let error = Period::new(later, earlier).unwrap_err();
        assert_eq!(error.field(), "end");
        assert_eq!(error.to_string(), "`end` must not be before `start`");
        let read = from_value::<Period>(json!({"start": later, "end": earlier}));
        assert_eq!(read.unwrap_err().to_string(), error.to_string());
    }

    #[test]
    fn a_cycle_has_at_least_one_month_or_year_and_nothing_shorter() {
        for (bad, why) in [
            (
                json!({"amount": 0, "unit": "month"}),
                "`duration.amount` must be at least 1",
            ),
            (
                json!({"amount": -1, "unit": "month"}),
                "invalid value: integer `-1`, expected u32",
            ),
            (
                json!({"amount": 1, "unit": "week"}),
                "unknown variant `week`, expected `month` or `year`",
            ),
            (json!({"unit": "month"}), "missing field `amount`"),
        ] {
            let error = from_value::<BillingDuration>(bad).unwrap_err();
            assert_eq!(error.to_string(), why);
        }
        assert!(BillingDuration::YEARLY.is_annual());
        assert!(
            !BillingDuration::new(12, CycleUnit::Month)
                .unwrap()
                .is_annual()
        );
    }

    #[test]
    fn cycles_counted_from_the_first_start_do_not_drift() {
        let start: Timestamp = "2026-01-31T00:00:00Z".parse().unwrap();
        let ends = [1, 2, 3].map(|n| BillingDuration::MONTHLY.end_after(n, start).to_string());
        assert_eq!(
            ends,
            [
                "2026-02-28T00:00:00.000Z",
                "2026-03-31T00:00:00.000Z",
                "2026-04-30T00:00:00.000Z"
            ]
        );
        let forever = BillingDuration::new(u32::MAX, CycleUnit::Year).unwrap();
        assert_eq!(forever.end_after(u32::MAX, start), Timestamp::LAST);
    }
}
