//! The clock of a merchant's data. Signatures are always checked against the system's clock.

use std::str::FromStr;

use churnkey_integrator::Timestamp;

/// The time in which the merchant's data are served and changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Always this time.
    Frozen(Timestamp),
}

/// The text is not a valid clock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected RFC 3339, such as 2026-01-15T12:00:00Z, or `system`")]
pub struct InvalidClock;

impl Clock {
    /// The current time.
    #[must_use]
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Frozen(moment) => moment,
        }
    }
}

impl FromStr for Clock {
    type Err = InvalidClock;

    fn from_str(text: &str) -> Result<Self, InvalidClock> {
        if text == "system" {
            return Ok(Self::System);
        }
        text.parse().map(Self::Frozen).map_err(|_| InvalidClock)
    }
}
