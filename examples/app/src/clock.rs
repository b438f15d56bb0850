//! The clock of a merchant's data. Signatures are always checked against the system's clock.

use std::{
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

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

/// A clock that all clones of a store have in common, so that it can be set while they are in use.
#[derive(Debug, Clone)]
pub struct SharedClock(Arc<Mutex<Clock>>);

impl SharedClock {
    /// A clock that starts as this one.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(Mutex::new(clock)))
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.lock().now()
    }

    /// Sets it for everybody who has it.
    pub fn set(&self, clock: Clock) {
        *self.lock() = clock;
    }

    fn lock(&self) -> MutexGuard<'_, Clock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
