//! Points in time, and arithmetic by the calendar.

use std::{fmt, str::FromStr, time::Duration};

use jiff::{Span, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::variant::words;

/// A point in time in UTC, to the millisecond, in the years 0000 to 9999.
///
/// It is written as `2026-01-01T00:00:00.000Z` (contract, section 2.7), and read from RFC 3339 with any offset.
///
/// # Example
/// ```
/// use churnkey_integrator::Timestamp;
///
/// let start: Timestamp = "2026-01-01T01:00:00+01:00".parse()?;
/// assert_eq!(start.to_string(), "2026-01-01T00:00:00.000Z");
/// # Ok::<(), churnkey_integrator::InvalidTimestamp>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(with = "String", extend("format" = "date-time"))
)]
pub struct Timestamp(jiff::Timestamp);

/// The text is not an RFC 3339 time, or the time is outside of the years 0000 to 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid time: use RFC 3339, such as 2026-01-01T00:00:00Z, in the years 0000 to 9999")]
#[non_exhaustive]
pub struct InvalidTimestamp;

/// The first millisecond of the year 0000: RFC 3339 has no earlier one.
const FIRST_MILLISECOND: i64 = -62_167_219_200_000;

impl Timestamp {
    /// The time by the system's clock.
    #[must_use]
    pub fn now() -> Self {
        let now = jiff::Timestamp::now();
        Self::from_unix_millis(now.as_millisecond()).unwrap_or(Self(now))
    }

    /// The time so many milliseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`InvalidTimestamp`] outside of the years 0000 to 9999.
    pub fn from_unix_millis(millis: i64) -> Result<Self, InvalidTimestamp> {
        if millis < FIRST_MILLISECOND {
            return Err(InvalidTimestamp);
        }
        jiff::Timestamp::from_millisecond(millis)
            .map(Self)
            .map_err(|_| InvalidTimestamp)
    }

    /// The time so many seconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`InvalidTimestamp`] outside of the years 0000 to 9999.
    pub fn from_unix_seconds(seconds: i64) -> Result<Self, InvalidTimestamp> {
        Self::from_unix_millis(seconds.saturating_mul(1000))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.unix_millis().div_euclid(1000)
    }

    /// The time after this duration, and at most the last one.
    pub(crate) fn saturating_add(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_millis(self.unix_millis().saturating_add(millis)).unwrap_or(Self::LAST)
    }
}

/// A unit of the calendar, in which durations are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CalendarUnit {
    /// 24 hours: UTC has no clock changes.
    Day,
    /// Seven days.
    Week,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

words!(CalendarUnit, "calendar unit": Day = "day", Week = "week", Month = "month", Year = "year");

impl Timestamp {
    /// The last time that there is, in the year 9999: a later one could not be parsed again once it is written.
    pub(crate) const LAST: Self = Self(jiff::Timestamp::constant(253_402_207_200, 0));

    /// The time so many days, weeks, months or years later, by the calendar in UTC. A day that the month does not have
    /// becomes the last day of the month. A time after the year 9999 becomes the last time of that year.
    ///
    /// ```
    /// use churnkey_integrator::{CalendarUnit, Timestamp};
    ///
    /// let january: Timestamp = "2026-01-31T12:00:00Z".parse()?;
    /// assert_eq!(january.plus(1, CalendarUnit::Month).to_string(), "2026-02-28T12:00:00.000Z");
    /// assert_eq!(january.plus(2, CalendarUnit::Month).to_string(), "2026-03-31T12:00:00.000Z");
    /// # Ok::<(), churnkey_integrator::InvalidTimestamp>(())
    /// ```
    #[must_use]
    pub fn plus(self, amount: u64, unit: CalendarUnit) -> Self {
        self.checked_plus(amount, unit).unwrap_or(Self::LAST)
    }

    /// The same, or `None` if it is after the year 9999.
    pub(crate) fn checked_plus(self, amount: u64, unit: CalendarUnit) -> Option<Self> {
        let amount = i64::try_from(amount).ok()?;
        let span = Span::new();
        let span = match unit {
            CalendarUnit::Day => span.try_days(amount),
            CalendarUnit::Week => span.try_weeks(amount),
            CalendarUnit::Month => span.try_months(amount),
            CalendarUnit::Year => span.try_years(amount),
        };
        let later = TimeZone::UTC
            .to_datetime(self.0)
            .checked_add(span.ok()?)
            .ok()?;
        let later = TimeZone::UTC.to_timestamp(later).ok().map(Self);
        later.filter(|later| *later <= Self::LAST)
    }
}

impl Timestamp {
    /// The first moment that there is.
    const FIRST: Self = Self(jiff::Timestamp::constant(-62_167_219_200, 0));

    /// The moment so many months later, or earlier if it is negative. It stays within the years 0000 and 9999.
    pub(crate) fn plus_months(self, months: i64) -> Self {
        let span = Span::new().try_months(months).ok();
        let moved = span.and_then(|span| TimeZone::UTC.to_datetime(self.0).checked_add(span).ok());
        match moved.and_then(|moved| TimeZone::UTC.to_timestamp(moved).ok()) {
            Some(moved) => Self(moved).clamp(Self::FIRST, Self::LAST),
            None if months < 0 => Self::FIRST,
            None => Self::LAST,
        }
    }

    /// How many calendar months lie between the month of `earlier` and this one's, whatever the days.
    pub(crate) fn months_since(self, earlier: Self) -> i64 {
        let month = |time: Self| {
            let date = TimeZone::UTC.to_datetime(time.0);
            i64::from(date.year()) * 12 + i64::from(date.month())
        };
        month(self) - month(earlier)
    }

    /// The last millisecond before this moment.
    pub(crate) fn just_before(self) -> Self {
        Self::from_unix_millis(self.unix_millis() - 1).unwrap_or(Self::FIRST)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let time: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp)?;
        Self::from_unix_millis(time.as_millisecond())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "jiff")]
mod with_jiff {
    use jiff::tz::TimeZone;

    use super::{InvalidTimestamp, Timestamp};

    impl TryFrom<jiff::Timestamp> for Timestamp {
        type Error = InvalidTimestamp;

        /// Rounds to the millisecond, towards 1970.
        fn try_from(time: jiff::Timestamp) -> Result<Self, InvalidTimestamp> {
            Self::from_unix_millis(time.as_millisecond())
        }
    }

    impl Timestamp {
        /// A date and time without a zone, taken as UTC. If the column holds local times, convert it in the zone first.
        ///
        /// # Errors
        /// [`InvalidTimestamp`] outside of the years 0000 to 9999.
        pub fn from_jiff_assuming_utc(
            time: jiff::civil::DateTime,
        ) -> Result<Self, InvalidTimestamp> {
            let time = TimeZone::UTC.to_timestamp(time);
            time.map_err(|_| InvalidTimestamp)?.try_into()
        }
    }

    impl From<Timestamp> for jiff::Timestamp {
        fn from(time: Timestamp) -> Self {
            time.0
        }
    }
}

#[cfg(feature = "chrono")]
mod with_chrono {
    use super::{InvalidTimestamp, Timestamp};

    impl TryFrom<chrono::DateTime<chrono::Utc>> for Timestamp {
        type Error = InvalidTimestamp;

        /// Rounds down to the millisecond.
        fn try_from(time: chrono::DateTime<chrono::Utc>) -> Result<Self, InvalidTimestamp> {
            Self::from_unix_millis(time.timestamp_millis())
        }
    }

    impl Timestamp {
        /// A date and time without a zone, taken as UTC. If the column holds local times, convert it in the zone first.
        ///
        /// # Errors
        /// [`InvalidTimestamp`] outside of the years 0000 to 9999.
        pub fn from_chrono_assuming_utc(
            time: chrono::NaiveDateTime,
        ) -> Result<Self, InvalidTimestamp> {
            time.and_utc().try_into()
        }
    }

    impl From<Timestamp> for chrono::DateTime<chrono::Utc> {
        fn from(time: Timestamp) -> Self {
            // chrono has every time of the years 0000 to 9999.
            Self::from_timestamp_millis(time.unix_millis()).unwrap_or_default()
        }
    }
}

#[cfg(feature = "time")]
mod with_time {
    use super::{InvalidTimestamp, Timestamp};

    impl TryFrom<time::OffsetDateTime> for Timestamp {
        type Error = InvalidTimestamp;

        /// Rounds down to the millisecond.
        fn try_from(time: time::OffsetDateTime) -> Result<Self, InvalidTimestamp> {
            let millis = time.unix_timestamp_nanos().div_euclid(1_000_000);
            Self::from_unix_millis(i64::try_from(millis).map_err(|_| InvalidTimestamp)?)
        }
    }

    impl Timestamp {
        /// A date and time without a zone, taken as UTC. If the column holds local times, convert it in the zone first.
        ///
        /// # Errors
        /// [`InvalidTimestamp`] outside of the years 0000 to 9999.
        pub fn from_time_assuming_utc(
            time: time::PrimitiveDateTime,
        ) -> Result<Self, InvalidTimestamp> {
            time.assume_utc().try_into()
        }
    }

    impl From<Timestamp> for time::OffsetDateTime {
        fn from(moment: Timestamp) -> Self {
            // The crate has every time of the years 0000 to 9999.
            Self::from_unix_timestamp_nanos(i128::from(moment.unix_millis()) * 1_000_000)
                .unwrap_or(Self::UNIX_EPOCH)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_has_milliseconds_and_is_utc() {
        for (text, wire) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
            ("2026-01-01T00:00:00.1234567Z", "2026-01-01T00:00:00.123Z"),
            ("2026-03-01T02:30:00+02:30", "2026-03-01T00:00:00.000Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"),
            ("9999-12-30T21:59:59.999Z", "9999-12-30T21:59:59.999Z"),
        ] {
            let time: Timestamp = text.parse().unwrap();
            assert_eq!(serde_json::to_value(time).unwrap(), wire);
            assert_eq!(
                serde_json::from_value::<Timestamp>(wire.into()).unwrap(),
                time
            );
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "yesterday",
            "-000001-01-01T00:00:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp), "{text}");
        }
        for millis in [i64::MIN, FIRST_MILLISECOND - 1, i64::MAX] {
            assert_eq!(Timestamp::from_unix_millis(millis), Err(InvalidTimestamp));
        }
        assert_eq!(
            Timestamp::from_unix_seconds(i64::MAX),
            Err(InvalidTimestamp)
        );
        assert_eq!(
            Timestamp::from_unix_seconds(i64::MIN),
            Err(InvalidTimestamp)
        );
    }

    #[test]
    fn adding_months_keeps_the_day_where_there_is_one_and_never_leaves_the_calendar() {
        let from = |text: &str| text.parse::<Timestamp>().unwrap();
        for (start, amount, unit, end) in [
            (
                "2026-01-15T12:00:00Z",
                1,
                CalendarUnit::Day,
                "2026-01-16T12:00:00.000Z",
            ),
            (
                "2026-01-15T12:00:00Z",
                2,
                CalendarUnit::Week,
                "2026-01-29T12:00:00.000Z",
            ),
            (
                "2028-01-31T00:00:00Z",
                1,
                CalendarUnit::Month,
                "2028-02-29T00:00:00.000Z",
            ),
            (
                "2028-02-29T00:00:00Z",
                1,
                CalendarUnit::Year,
                "2029-02-28T00:00:00.000Z",
            ),
            (
                "2026-12-31T23:59:59.999Z",
                2,
                CalendarUnit::Month,
                "2027-02-28T23:59:59.999Z",
            ),
        ] {
            assert_eq!(from(start).plus(amount, unit).to_string(), end, "{start}");
        }
        let units = [
            CalendarUnit::Day,
            CalendarUnit::Week,
            CalendarUnit::Month,
            CalendarUnit::Year,
        ];
        for unit in units {
            for amount in [9_000_000_000, u64::MAX] {
                let last = from("2026-01-15T12:00:00Z").plus(amount, unit);
                assert_eq!(last, Timestamp::LAST);
                assert_eq!(last.plus(1, unit), last);
            }
        }
        let last = Timestamp::LAST;
        assert_eq!(last.to_string(), "9999-12-30T22:00:00.000Z");
        assert_eq!(last.to_string().parse(), Ok(last));
        let in_the_last_second = from("9998-12-30T22:00:00.500Z");
        assert_eq!(in_the_last_second.plus(1, CalendarUnit::Year), last);
        let millis = last.unix_millis();
        assert_eq!(Timestamp::from_unix_millis(millis), Ok(last));
        let beyond = Timestamp::from_unix_millis(millis + 1);
        assert_eq!(beyond, Err(InvalidTimestamp));
    }

    #[test]
    fn seconds_round_down_also_before_1970() {
        let millis = |n| Timestamp::from_unix_millis(n).unwrap().unix_seconds();
        assert_eq!((millis(1999), millis(0), millis(-1)), (1, 0, -1));
    }

    #[cfg(all(feature = "jiff", feature = "chrono", feature = "time"))]
    #[test]
    fn conversions_keep_the_moment() {
        let moment: Timestamp = "2026-01-01T00:00:00.123Z".parse().unwrap();
        let jiff = jiff::Timestamp::from(moment);
        let chrono = chrono::DateTime::<chrono::Utc>::from(moment);
        let time = ::time::OffsetDateTime::from(moment);
        assert_eq!(Timestamp::try_from(jiff), Ok(moment));
        assert_eq!(Timestamp::try_from(chrono), Ok(moment));
        assert_eq!(Timestamp::try_from(time), Ok(moment));
    }

    #[cfg(all(feature = "jiff", feature = "chrono", feature = "time"))]
    #[test]
    fn what_has_no_zone_is_taken_as_utc_where_the_name_says_so() {
        let moment: Timestamp = "2026-01-01T23:30:00.123Z".parse().unwrap();
        let jiff = jiff::civil::date(2026, 1, 1).at(23, 30, 0, 123_456_789);
        let chrono = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let chrono = chrono.and_hms_micro_opt(23, 30, 0, 123_456).unwrap();
        let time = ::time::Date::from_calendar_date(2026, ::time::Month::January, 1).unwrap();
        let time = time.with_hms_micro(23, 30, 0, 123_456).unwrap();
        assert_eq!(Timestamp::from_jiff_assuming_utc(jiff), Ok(moment));
        assert_eq!(Timestamp::from_chrono_assuming_utc(chrono), Ok(moment));
        assert_eq!(Timestamp::from_time_assuming_utc(time), Ok(moment));

        let jiff = jiff::civil::DateTime::MAX;
        assert_eq!(
            Timestamp::from_jiff_assuming_utc(jiff),
            Err(InvalidTimestamp)
        );
        let chrono = chrono::NaiveDateTime::MIN;
        assert_eq!(
            Timestamp::from_chrono_assuming_utc(chrono),
            Err(InvalidTimestamp)
        );
        let time = ::time::PrimitiveDateTime::MIN;
        assert_eq!(
            Timestamp::from_time_assuming_utc(time),
            Err(InvalidTimestamp)
        );
    }
}
