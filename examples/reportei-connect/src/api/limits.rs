//! Rate limits of merchants. They use the system's clock, even if the clock of the data is frozen.
//!
//! Not `governor`: it refills its quota continuously. `X-RateLimit-Remaining` counts down by one with each request, and starts again
//! with the next minute (R8).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, HeaderName};

use crate::record::Merchant;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// The requests of each merchant in the current minute and second.
#[derive(Default)]
pub(super) struct Limits(Mutex<HashMap<i64, (Window, Window)>>);

/// A window of time that begins with its first request.
struct Window {
    began: Instant,
    used: u32,
}

/// The rest of a merchant's limit for the minute (R8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    limit: u32,
    remaining: u32,
    /// In how many seconds the next request is accepted, if this one is not.
    pub(super) retry_after: Option<u64>,
}

impl Window {
    fn new(now: Instant) -> Self {
        Self {
            began: now,
            used: 0,
        }
    }

    fn renew(&mut self, length: Duration, now: Instant) {
        if now.duration_since(self.began) >= length {
            *self = Self::new(now);
        }
    }

    /// The seconds until the end of a window whose limit is reached.
    fn wait(&self, limit: u32, length: Duration, now: Instant) -> Option<u64> {
        let left = length.saturating_sub(now.duration_since(self.began));
        (self.used >= limit).then(|| left.as_millis().div_ceil(1000).try_into().unwrap_or(1))
    }
}

impl Limits {
    /// Counts a request, unless there are too many already.
    pub(super) fn take(&self, merchant: &Merchant, now: Instant) -> Allowance {
        // A poisoned lock is used on: nothing panics while it is held, so nothing is half changed.
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (minute, second) = windows
            .entry(merchant.id)
            .or_insert_with(|| (Window::new(now), Window::new(now)));
        minute.renew(MINUTE, now);
        second.renew(SECOND, now);
        let retry_after = minute
            .wait(merchant.requests_per_minute, MINUTE, now)
            .or(second.wait(merchant.requests_per_second, SECOND, now));
        if retry_after.is_none() {
            minute.used = minute.used.saturating_add(1);
            second.used = second.used.saturating_add(1);
        }
        Allowance {
            limit: merchant.requests_per_minute,
            remaining: merchant.requests_per_minute.saturating_sub(minute.used),
            retry_after,
        }
    }
}

impl Allowance {
    /// For a request without a valid token. It is not counted, so that strangers can't use up a merchant's limit.
    pub(super) const UNCOUNTED: Self = Self {
        limit: 999,
        remaining: 999,
        retry_after: None,
    };

    pub(super) fn write(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, self.limit.into());
        headers.insert(REMAINING, self.remaining.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merchant(id: i64, per_minute: u32, per_second: u32) -> Merchant {
        let created_at = 0.try_into().unwrap();
        Merchant {
            id,
            uuid: id.to_string(),
            name: id.to_string(),
            app_url: None,
            redirect_url: None,
            requests_per_minute: per_minute,
            requests_per_second: per_second,
            created_at,
            updated_at: created_at,
        }
    }

    #[test]
    fn a_minute_holds_so_many_requests_and_the_next_one_as_many() {
        let (limits, start) = (Limits::default(), Instant::now());
        let three = merchant(1, 3, 9);
        let left = |seconds| {
            let allowance = limits.take(&three, start + Duration::from_millis(seconds));
            (allowance.remaining, allowance.retry_after)
        };
        assert_eq!(left(0), (2, None));
        assert_eq!(left(10_000), (1, None));
        assert_eq!(left(20_000), (0, None));
        assert_eq!(left(20_001), (0, Some(40)));
        assert_eq!(left(59_999), (0, Some(1)));
        assert_eq!(left(60_000), (2, None));
    }

    #[test]
    fn a_second_has_a_limit_of_its_own_and_refusals_are_not_counted() {
        let (limits, start) = (Limits::default(), Instant::now());
        let one = merchant(1, 3, 1);
        assert_eq!(limits.take(&one, start).retry_after, None);
        let refused = limits.take(&one, start);
        assert_eq!((refused.remaining, refused.retry_after), (2, Some(1)));
        let later = limits.take(&one, start + SECOND);
        assert_eq!((later.remaining, later.retry_after), (1, None));
    }

    #[test]
    fn merchants_do_not_use_up_each_others_requests() {
        let (limits, start) = (Limits::default(), Instant::now());
        assert_eq!(limits.take(&merchant(1, 1, 1), start).retry_after, None);
        assert_eq!(limits.take(&merchant(2, 1, 1), start).retry_after, None);
        assert_eq!(limits.take(&merchant(1, 1, 1), start).retry_after, Some(60));
    }
}
