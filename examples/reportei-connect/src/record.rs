//! Reportei Connect's records.

use std::fmt;

use churnkey_integrator::{InvalidTimestamp, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How long a new customer may use everything without paying.
pub(crate) const TRIAL_SECONDS: i64 = 7 * 24 * 60 * 60;

/// A time in UTC, to the second, written `2024-10-08 17:15:12` (R3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Timestamp);

impl Moment {
    /// As seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.unix_seconds()
    }

    /// The same time in Churnkey's form.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        self.0
    }

    /// This many seconds later, at most the last valid time.
    #[must_use]
    pub fn later(self, seconds: i64) -> Self {
        Self(later(self.0, seconds.saturating_mul(1000)))
    }
}

/// This many milliseconds later, at most the last valid time.
pub(crate) fn later(moment: Timestamp, millis: i64) -> Timestamp {
    // The last whole second that a `Timestamp` can hold in every time zone.
    const LAST: i64 = 253_402_207_200_000;
    let millis = moment.unix_millis().saturating_add(millis).min(LAST);
    Timestamp::from_unix_millis(millis).unwrap_or(moment)
}

/// Rounds down to the second.
impl From<Timestamp> for Moment {
    fn from(time: Timestamp) -> Self {
        Self(Timestamp::from_unix_seconds(time.unix_seconds()).unwrap_or(time))
    }
}

impl TryFrom<i64> for Moment {
    type Error = InvalidTimestamp;

    fn try_from(seconds: i64) -> Result<Self, InvalidTimestamp> {
        Timestamp::from_unix_seconds(seconds).map(Self)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let (day, time) = text.split_once('T').unwrap_or_default();
        let (time, _) = time.split_once('.').unwrap_or_default();
        write!(f, "{day} {time}")
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let text = format!("{}Z", text.replace(' ', "T"));
        text.parse().map(Self).map_err(de::Error::custom)
    }
}

/// A merchant, who resells Reportei's metrics to customers of their own.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Merchant {
    pub(crate) id: i64,
    /// A UUID.
    pub uuid: String,
    /// The name.
    pub name: String,
    /// The address of their app.
    pub app_url: Option<String>,
    /// Where a session sends customers unless it names another address.
    pub redirect_url: Option<String>,
    /// The limit of requests in a minute.
    pub requests_per_minute: u32,
    /// The limit of requests in a second.
    pub requests_per_second: u32,
    /// When they signed up.
    #[sqlx(try_from = "i64")]
    pub created_at: Moment,
    /// When they last changed something.
    #[sqlx(try_from = "i64")]
    pub updated_at: Moment,
}

/// A merchant's customer.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Customer {
    /// The insertion number. It never changes.
    pub seq: i64,
    /// A UUID.
    pub uuid: String,
    /// The whole name.
    pub name: String,
    /// When they were created.
    #[sqlx(try_from = "i64")]
    pub created_at: Moment,
    /// When the name or the payment status was last set.
    #[sqlx(try_from = "i64")]
    pub updated_at: Moment,
    /// It never changes.
    #[sqlx(try_from = "i64")]
    pub trial_ends_at: Moment,
    /// Set by the merchant, who bills them.
    pub is_paying: bool,
}

impl Customer {
    /// Whether the trial is over, whether they pay or not. At the second of its end it is over (R10).
    #[must_use]
    pub fn trial_is_over(&self, now: Timestamp) -> bool {
        now >= self.trial_ends_at.timestamp()
    }

    /// Whether they have access to integrations and metrics.
    #[must_use]
    pub fn is_admitted(&self, now: Timestamp) -> bool {
        self.is_paying || !self.trial_is_over(now)
    }
}

/// A network that a customer has connected.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Integration {
    pub(crate) seq: i64,
    /// A UUID.
    pub uuid: String,
    /// The name of the account there.
    pub source_name: String,
    /// Whether it still works.
    pub status: IntegrationStatus,
    /// When it was connected.
    #[sqlx(try_from = "i64")]
    pub created_at: Moment,
    /// When its status was last set.
    #[sqlx(try_from = "i64")]
    pub updated_at: Moment,
    /// Which network.
    #[sqlx(flatten)]
    pub network: Network,
}

/// Whether an integration still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(rename_all = "lowercase")]
pub enum IntegrationStatus {
    /// It works.
    Active,
    /// Its permission has expired.
    Expired,
    /// The customer took the permission back.
    Revoked,
}

/// The networks that can be connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct Network {
    /// The name for people.
    pub name: String,
    /// The name for programs.
    pub slug: String,
}

/// A customer's visit to the page on which networks are connected.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Session {
    /// A UUID, which is the credential of the link.
    pub uuid: String,
    /// Where the customer goes afterwards.
    pub redirect_url: Option<String>,
    /// Other options of the page, as a JSON object.
    pub options: String,
    /// In milliseconds since 1970.
    pub expires_at: i64,
    /// The merchant's name.
    pub merchant: String,
    /// The customer's name.
    pub customer: String,
}

impl Session {
    /// Whether the link still works. At the time of its end it does not.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now.unix_millis() < self.expires_at
    }
}

/// No `Debug` output contains personal data or a session's id, which is a secret.
macro_rules! shows_nothing_but {
    ($($record:ident { $($shown:ident)* })*) => {
        $(impl fmt::Debug for $record {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($record))
                    $(.field(stringify!($shown), &self.$shown))*
                    .finish_non_exhaustive()
            }
        })*
    };
}

shows_nothing_but!(Merchant { uuid } Customer { uuid } Integration { uuid } Session {});

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn customer(is_paying: bool) -> Customer {
        Customer {
            seq: 1,
            uuid: "u".to_owned(),
            name: "Ada".to_owned(),
            created_at: at("2024-10-01T00:00:00Z").into(),
            updated_at: at("2024-10-01T00:00:00Z").into(),
            trial_ends_at: at("2024-10-08T00:00:00Z").into(),
            is_paying,
        }
    }

    #[test]
    fn the_gate_closes_at_the_very_second_unless_they_pay() {
        for (now, over) in [
            ("2024-10-07T23:59:59.999Z", false),
            ("2024-10-08T00:00:00Z", true),
            ("2024-10-09T00:00:00Z", true),
        ] {
            assert_eq!(customer(false).trial_is_over(at(now)), over);
            assert_eq!(customer(false).is_admitted(at(now)), !over);
            assert_eq!(customer(true).trial_is_over(at(now)), over);
            assert!(customer(true).is_admitted(at(now)));
        }
    }

    #[test]
    fn a_moment_is_written_without_zone_or_fraction() {
        let moment = Moment::from(at("2024-10-08T19:15:12.999+02:00"));
        assert_eq!(moment.to_string(), "2024-10-08 17:15:12");
        assert_eq!(
            serde_json::from_str::<Moment>("\"2024-10-08 17:15:12\"").unwrap(),
            moment
        );
        let error = serde_json::from_str::<Moment>("\"yesterday\"").unwrap_err();
        let no_time = "yesterdayZ".parse::<Timestamp>().unwrap_err();
        assert_eq!(error.to_string(), no_time.to_string());
    }

    #[test]
    fn time_ends_where_it_can_no_longer_be_written() {
        let now = Moment::from(at("2024-10-10T12:00:00Z"));
        assert_eq!(now.later(60).to_string(), "2024-10-10 12:01:00");
        assert_eq!(now.later(i64::MAX).to_string(), "9999-12-30 22:00:00");
        assert_eq!(now.later(i64::MIN), now);
    }

    #[test]
    fn nothing_of_a_person_is_printed_for_debugging() {
        assert_eq!(
            format!("{:?}", customer(true)),
            "Customer { uuid: \"u\", .. }"
        );
    }
}
