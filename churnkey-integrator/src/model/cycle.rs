//! Periods and billing cycles (contract, sections 3.6 and 3.8).

use serde::{Deserialize, Serialize};

use super::InvalidField;
use crate::{
    time::{CalendarUnit, Timestamp},
    variant::words,
};

/// The unit of a billing cycle. Churnkey has no days and weeks here (contract, section 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(!try_from)
)]
#[serde(try_from = "BillingDurationFields")]
pub struct BillingDuration {
    /// How many of the unit.
    #[cfg_attr(feature = "openapi", schemars(range(min = 1)))]
    amount: u32,
    /// What is counted.
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

    /// The billing period that holds `now`, for a schema that stores the day billing is counted from and no periods.
    /// `anchor` is any moment at which a period starts, such as the first one; it may be later than `now`.
    ///
    /// A period includes its start and not its end. Each is counted from the anchor, so that nothing drifts: a day that a
    /// month doesn't have becomes its last one, in that month only. No period leaves the years 0000 to 9999.
    ///
    /// ```
    /// use churnkey_integrator::{Timestamp, model::BillingDuration};
    ///
    /// let anchor: Timestamp = "2026-01-31T00:00:00Z".parse()?;
    /// let now: Timestamp = "2026-03-15T00:00:00Z".parse()?;
    /// let period = BillingDuration::MONTHLY.period_at(anchor, now);
    /// assert_eq!(period.start().to_string(), "2026-02-28T00:00:00.000Z");
    /// assert_eq!(period.end().to_string(), "2026-03-31T00:00:00.000Z");
    /// # Ok::<(), churnkey_integrator::InvalidTimestamp>(())
    /// ```
    #[must_use]
    pub fn period_at(self, anchor: Timestamp, now: Timestamp) -> Period {
        let months = self.months();
        let mut cycle = now.months_since(anchor).div_euclid(months);
        // In the month of `now`, but on a later day.
        if anchor.plus_months(cycle * months) > now {
            cycle -= 1;
        }
        Period {
            start: anchor.plus_months(cycle * months),
            end: anchor.plus_months((cycle + 1) * months),
        }
    }

    /// The start of the billing period that ends then, for a schema that stores the end alone, such as the next renewal.
    /// `anchor` is as for [`period_at`](Self::period_at): only with it is the start before an end on the 28th of February
    /// known to be the 31st of January. If you don't store it, pass the end as the anchor too, and the start is on the
    /// same day of an earlier month.
    ///
    /// ```
    /// use churnkey_integrator::{Timestamp, model::BillingDuration};
    ///
    /// let anchor: Timestamp = "2025-12-31T00:00:00Z".parse()?;
    /// let end: Timestamp = "2026-02-28T00:00:00Z".parse()?;
    /// let monthly = BillingDuration::MONTHLY;
    /// assert_eq!(monthly.start_before(anchor, end).to_string(), "2026-01-31T00:00:00.000Z");
    /// assert_eq!(monthly.start_before(end, end).to_string(), "2026-01-28T00:00:00.000Z");
    /// # Ok::<(), churnkey_integrator::InvalidTimestamp>(())
    /// ```
    #[must_use]
    pub fn start_before(self, anchor: Timestamp, end: Timestamp) -> Timestamp {
        self.period_at(anchor, end.just_before()).start
    }

    fn months(self) -> i64 {
        let amount = i64::from(self.amount);
        match self.unit {
            CycleUnit::Month => amount,
            CycleUnit::Year => 12 * amount,
        }
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
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(!try_from)
)]
#[serde(try_from = "PeriodFields")]
pub struct Period {
    /// When it begins.
    start: Timestamp,
    /// When it ends; never before its beginning.
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
    use proptest::prelude::*;
    use serde_json::{from_value, json};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A moment between 1900 and 2200.
    fn moment() -> impl Strategy<Value = Timestamp> {
        let millis = -2_208_988_800_000..7_258_118_400_000_i64;
        millis.prop_map(|millis| Timestamp::from_unix_millis(millis).unwrap())
    }

    /// A moment of the last days of a month, where months differ.
    fn month_end() -> impl Strategy<Value = Timestamp> {
        (1990..2100, 1..=12, 28..=31, 0..24).prop_filter_map("no such day", |(y, m, d, h)| {
            format!("{y}-{m:02}-{d:02}T{h:02}:00:00Z").parse().ok()
        })
    }

    fn anchor() -> impl Strategy<Value = Timestamp> {
        prop_oneof![moment(), month_end()]
    }

    fn cycle() -> impl Strategy<Value = BillingDuration> {
        let unit = prop_oneof![Just(CycleUnit::Month), Just(CycleUnit::Year)];
        (1..=18_u32, unit).prop_map(|(amount, unit)| BillingDuration::new(amount, unit).unwrap())
    }

    proptest! {
        #[test]
        fn a_period_holds_now_and_the_next_one_begins_where_it_ends(
            cycle in cycle(),
            anchor in anchor(),
            now in anchor(),
        ) {
            let period = cycle.period_at(anchor, now);
            prop_assert!(period.start() <= now && now < period.end(), "{:?}", period);
            prop_assert_eq!(cycle.period_at(anchor, period.start()), period);
            prop_assert_eq!(cycle.period_at(anchor, period.end()).start(), period.end());
            prop_assert_eq!(cycle.period_at(anchor, period.start().just_before()).end(), period.start());
            prop_assert_eq!(cycle.start_before(anchor, period.end()), period.start());
        }

        #[test]
        fn a_period_starts_so_many_cycles_after_the_anchor(
            cycle in cycle(),
            anchor in anchor(),
            later in 0..50_u64 * 366 * 24,
        ) {
            let now = anchor.unix_millis() + i64::try_from(later).unwrap() * 3_600_000;
            let now = Timestamp::from_unix_millis(now).unwrap();
            let begun = (0..).take_while(|n| cycle.end_after(*n, anchor) <= now).last().unwrap();
            let period = cycle.period_at(anchor, now);
            prop_assert_eq!(period.start(), cycle.end_after(begun, anchor));
            prop_assert_eq!(period.end(), cycle.end_after(begun + 1, anchor));
        }
    }

    #[test]
    fn a_period_from_the_31st_ends_with_each_month() {
        let anchor = at("2027-12-31T10:00:00Z");
        for (now, start, end) in [
            (
                "2027-12-31T10:00:00Z",
                "2027-12-31T10:00:00Z",
                "2028-01-31T10:00:00Z",
            ),
            (
                "2028-02-29T09:59:59.999Z",
                "2028-01-31T10:00:00Z",
                "2028-02-29T10:00:00Z",
            ),
            (
                "2028-02-29T10:00:00Z",
                "2028-02-29T10:00:00Z",
                "2028-03-31T10:00:00Z",
            ),
            (
                "2027-12-31T09:00:00Z",
                "2027-11-30T10:00:00Z",
                "2027-12-31T10:00:00Z",
            ),
            (
                "2027-02-15T00:00:00Z",
                "2027-01-31T10:00:00Z",
                "2027-02-28T10:00:00Z",
            ),
        ] {
            let period = BillingDuration::MONTHLY.period_at(anchor, at(now));
            assert_eq!(period, Period::new(at(start), at(end)).unwrap(), "{now}");
        }
        let leap_day = at("2024-02-29T00:00:00Z");
        let period = BillingDuration::YEARLY.period_at(leap_day, at("2028-02-28T12:00:00Z"));
        assert_eq!(
            period,
            Period::new(at("2027-02-28T00:00:00Z"), at("2028-02-29T00:00:00Z")).unwrap()
        );
    }

    #[test]
    fn a_period_never_leaves_the_calendar() {
        let (first, last) = (at("0000-01-01T00:00:00Z"), Timestamp::LAST);
        let anchor = at("2026-01-31T00:00:00Z");
        for (amount, unit) in [(1, CycleUnit::Month), (u32::MAX, CycleUnit::Year)] {
            let cycle = BillingDuration::new(amount, unit).unwrap();
            assert_eq!(cycle.period_at(anchor, last.just_before()).end(), last);
            assert_eq!(cycle.period_at(last, first).start(), first);
            assert!(cycle.period_at(first, last).end() <= last);
        }
        assert_eq!(BillingDuration::MONTHLY.start_before(first, first), first);
    }

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
