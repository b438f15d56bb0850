//! The clock of a merchant's data. The clock of a signature is another one and always real.

use std::str::FromStr;

use churnkey_integrator::Timestamp;

/// The time that the merchant's data lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A moment that does not pass.
    Frozen(Timestamp),
}

/// The text names no clock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected RFC 3339, such as 2026-01-15T12:00:00Z, or `system`")]
pub struct InvalidClock;

impl Clock {
    /// What time it is.
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
