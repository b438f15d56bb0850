//! When an action takes effect, and for how long (contract, sections 5.1 and 5.6).

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::{
    error::{HandlerError, Result},
    time::{CalendarUnit, Timestamp},
    variant::words,
};

/// When an action takes effect.
///
/// Exhaustive on purpose: an action has to carry out every schedule. If a schedule is ever added, a `match` without it
/// must not compile, as a catch-all arm could cancel at the wrong time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Immediately.
    Immediate,
    /// When the current period ends.
    EndOfPeriod,
}

words!(Schedule, "schedule": Immediate = "immediate", EndOfPeriod = "end-of-period");

/// The schedules that an action supports: at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Schedules {
    /// Immediately only.
    Immediate,
    /// At the end of the period only.
    EndOfPeriod,
    /// Both, as the caller asks.
    Both,
}

impl Schedules {
    pub(crate) fn has_immediate(self) -> bool {
        self != Self::EndOfPeriod
    }

    pub(crate) fn has_end_of_period(self) -> bool {
        self != Self::Immediate
    }

    pub(crate) fn has(self, schedule: Schedule) -> bool {
        match schedule {
            Schedule::Immediate => self.has_immediate(),
            Schedule::EndOfPeriod => self.has_end_of_period(),
        }
    }

    /// The schedule of a request that names none, if only one is supported.
    pub(crate) fn only(self) -> Option<Schedule> {
        match self {
            Self::Immediate => Some(Schedule::Immediate),
            Self::EndOfPeriod => Some(Schedule::EndOfPeriod),
            Self::Both => None,
        }
    }
}

/// How long a pause lasts, or by how much a trial is extended (contract, section 5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActionDuration {
    /// A number of days, weeks, months or years. A caller may ask for ten years at most: 3,660 days, 523 weeks, 120 months
    /// or 10 years.
    Period {
        /// The number of units.
        amount: NonZeroU32,
        /// Days, weeks, months or years.
        unit: CalendarUnit,
    },
    /// Until this moment. It may be in the past: the action has to compare it with the merchant's clock.
    Date(Timestamp),
}

impl ActionDuration {
    /// When the duration ends if it starts at `start`. A date does not depend on the start.
    ///
    /// # Errors
    /// A 400 that names `duration.amount` if a period is longer than ten years, or ends after the year 9999.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    ///
    /// use churnkey_integrator::{CalendarUnit, Timestamp, actions::ActionDuration};
    ///
    /// let two_months = ActionDuration::Period {
    ///     amount: NonZeroU32::MIN.saturating_add(1),
    ///     unit: CalendarUnit::Month,
    /// };
    /// let start: Timestamp = "2025-12-31T00:00:00Z".parse()?;
    /// assert_eq!(two_months.end(start)?.to_string(), "2026-02-28T00:00:00.000Z");
    /// # Ok::<(), churnkey_integrator::HandlerError>(())
    /// ```
    pub fn end(self, start: Timestamp) -> Result<Timestamp> {
        match self {
            Self::Period { amount, unit } => {
                Self::period(amount, unit)?;
                let end = start.checked_plus(u64::from(amount.get()), unit);
                end.ok_or_else(|| {
                    HandlerError::bad_request("duration.amount must not lead beyond the year 9999")
                })
            }
            Self::Date(end) => Ok(end),
        }
    }

    /// A period, if a caller may ask for one of this length.
    pub(crate) fn period(amount: NonZeroU32, unit: CalendarUnit) -> Result<Self> {
        let (most, word) = longest(unit);
        if amount.get() > most {
            return Err(HandlerError::bad_request(format!(
                "duration.amount must be at most {most} if the unit is {word}"
            )));
        }
        Ok(Self::Period { amount, unit })
    }
}

/// The longest period, about ten years, and the unit's name. A caller who asks for more has probably mistaken the unit.
pub(crate) fn longest(unit: CalendarUnit) -> (u32, &'static str) {
    match unit {
        CalendarUnit::Day => (3660, "day"),
        CalendarUnit::Week => (523, "week"),
        CalendarUnit::Month => (120, "month"),
        CalendarUnit::Year => (10, "year"),
    }
}

/// The kinds of duration that an action supports: at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durations {
    /// A number of days, weeks, months or years only.
    Period,
    /// Until a date only.
    Date,
    /// Both, as the caller asks.
    Both,
}

impl Durations {
    pub(crate) fn has_period(self) -> bool {
        self != Self::Date
    }

    pub(crate) fn has_date(self) -> bool {
        self != Self::Period
    }

    pub(crate) fn has(self, duration: ActionDuration) -> bool {
        match duration {
            ActionDuration::Period { .. } => self.has_period(),
            ActionDuration::Date(_) => self.has_date(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_ends_within_the_calendar_or_is_a_400() {
        let end = |amount, unit, start: &str| {
            let amount = NonZeroU32::new(amount).unwrap();
            let period = ActionDuration::Period { amount, unit };
            let end = period.end(start.parse().unwrap());
            end.map_err(|error| (error.status(), error.message().to_owned()))
        };
        let beyond = "duration.amount must not lead beyond the year 9999";
        let too_long = "duration.amount must be at most 10 if the unit is year";
        for (amount, start, expected) in [
            (
                10,
                "9989-12-30T22:00:00.000Z",
                Ok("9999-12-30T22:00:00.000Z"),
            ),
            (10, "9989-12-30T22:00:00.001Z", Err(beyond)),
            (1, "9999-12-30T22:00:00.000Z", Err(beyond)),
            (11, "2026-01-01T00:00:00.000Z", Err(too_long)),
            (u32::MAX, "2026-01-01T00:00:00.000Z", Err(too_long)),
        ] {
            let end = end(amount, CalendarUnit::Year, start);
            let end = end.map(|end| end.to_string());
            let expected = expected.map(str::to_owned);
            assert_eq!(end, expected.map_err(|error| (400, error.to_owned())));
        }
    }
}
