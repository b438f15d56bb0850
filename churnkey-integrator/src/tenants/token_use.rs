//! When an accepted token was last used.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::time::Timestamp;

const NEVER: i64 = i64::MIN;
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// The last use of a token in this process, in whole seconds.
pub(super) struct TokenUse {
    last: AtomicI64,
    said: AtomicI64,
}

impl TokenUse {
    pub(super) fn never() -> Self {
        Self {
            last: AtomicI64::new(NEVER),
            said: AtomicI64::new(NEVER),
        }
    }

    pub(super) fn note(&self, now: Timestamp) {
        let now = now.unix_seconds();
        // Written once a second at most, so that requests on several cores don't take the line from each other.
        if self.last.load(Ordering::Relaxed) != now {
            self.last.store(now, Ordering::Relaxed);
        }
    }

    /// Whether the use is to be logged: once a day.
    pub(super) fn is_to_be_said(&self, now: Timestamp) -> bool {
        let (now, said) = (now.unix_seconds(), self.said.load(Ordering::Relaxed));
        now.abs_diff(said) >= DAY_SECONDS
            && self
                .said
                .compare_exchange(said, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    pub(super) fn last(&self) -> Option<Timestamp> {
        let seconds = self.last.load(Ordering::Relaxed);
        Timestamp::from_unix_seconds(seconds).ok()
    }
}
