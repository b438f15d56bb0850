//! When an action takes effect, and for how long (contract, sections 5.1 and 5.6).

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::time::{CalendarUnit, Timestamp};

/// When an action takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Now.
    Immediate,
    /// When the current period ends.
    EndOfPeriod,
}

impl Schedule {
    /// The word on the wire: `immediate` or `end-of-period`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::EndOfPeriod => "end-of-period",
        }
    }
}

/// The schedules that a merchant can serve: at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Schedules {
    /// Now only.
    Immediate,
    /// At the end of the period only.
    EndOfPeriod,
    /// Whichever the caller asks for.
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

    /// The schedule of a request that names none: there may be only one.
    pub(crate) fn only(self) -> Option<Schedule> {
        match self {
            Self::Immediate => Some(Schedule::Immediate),
            Self::EndOfPeriod => Some(Schedule::EndOfPeriod),
            Self::Both => None,
        }
    }
}

/// For how long a pause lasts, or by how much a trial grows (contract, section 5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActionDuration {
    /// For some days, weeks, months or years.
    Period {
        /// How many of them.
        amount: NonZeroU32,
        /// Days, weeks, months or years.
        unit: CalendarUnit,
    },
    /// Until then. It may lie in the past: only the merchant knows the time of their data.
    Date(Timestamp),
}

impl ActionDuration {
    /// When it ends, if it starts then. A date ends when it says, whatever the start.
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
    /// assert_eq!(two_months.end(start).to_string(), "2026-02-28T00:00:00.000Z");
    /// # Ok::<(), churnkey_integrator::InvalidTimestamp>(())
    /// ```
    #[must_use]
    pub fn end(self, start: Timestamp) -> Timestamp {
        match self {
            Self::Period { amount, unit } => start.plus(u64::from(amount.get()), unit),
            Self::Date(end) => end,
        }
    }
}

/// The kinds of duration that a merchant can serve: at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Durations {
    /// Some days, weeks, months or years only.
    Period,
    /// Until a date only.
    Date,
    /// Whichever the caller asks for.
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
