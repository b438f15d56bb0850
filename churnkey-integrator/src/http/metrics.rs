//! Counts requests and actions, as [`crate::metrics`] names the figures. Without the feature `metrics` the functions here
//! are empty.

#[cfg(feature = "metrics")]
pub(super) use self::counted::*;
#[cfg(not(feature = "metrics"))]
pub(super) use self::uncounted::*;

use super::payload::Unread;
use crate::auth::AuthenticationError;

/// Why a request was refused before it reached its operation.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(feature = "metrics"),
    expect(dead_code, reason = "only a figure says the cause")
)]
pub(super) enum Refusal {
    Unauthenticated(AuthenticationError),
    Unread(Unread),
    InvalidMode,
    TenantResolverFailed,
    ReplayStoreFailed,
    OverCapacity,
}

#[cfg(feature = "metrics")]
impl Refusal {
    fn cause(self) -> &'static str {
        match self {
            Self::Unauthenticated(error) => error.word(),
            Self::Unread(Unread::TooLarge) => "body_too_large",
            Self::Unread(Unread::TimedOut) => "body_too_slow",
            Self::Unread(Unread::Interrupted) => "body_interrupted",
            Self::InvalidMode => "invalid_mode",
            Self::TenantResolverFailed => "tenant_resolver_failed",
            Self::ReplayStoreFailed => "replay_store_failed",
            Self::OverCapacity => "over_capacity",
        }
    }
}

#[cfg(feature = "metrics")]
mod counted {
    use std::time::Instant;

    use axum::http::StatusCode;
    use metrics::{counter, gauge, histogram};

    use super::Refusal;
    use crate::{
        metrics::{
            ACTIONS_REPEATED, ACTIONS_RUNNING, REFUSALS, REQUEST_DURATION, REQUESTS,
            REQUESTS_IN_FLIGHT,
        },
        operation::Operation,
    };

    pub(in crate::http) fn answered(
        operation: Option<Operation>,
        status: StatusCode,
        started: Instant,
    ) {
        let operation = operation.map_or("none", Operation::name);
        let status = status.as_str().to_owned();
        counter!(REQUESTS, "operation" => operation, "status" => status).increment(1);
        histogram!(REQUEST_DURATION, "operation" => operation).record(started.elapsed());
    }

    pub(in crate::http) fn refused(refusal: Refusal) {
        counter!(REFUSALS, "cause" => refusal.cause()).increment(1);
    }

    pub(in crate::http) fn repeated(operation: Operation) {
        counter!(ACTIONS_REPEATED, "operation" => operation.name()).increment(1);
    }

    /// Counts in a gauge until it is dropped: also if the caller leaves, and after a panic.
    pub(in crate::http) struct InProgress(&'static str);

    impl InProgress {
        pub(in crate::http) fn request() -> Self {
            Self::of(REQUESTS_IN_FLIGHT)
        }

        pub(in crate::http) fn action() -> Self {
            Self::of(ACTIONS_RUNNING)
        }

        fn of(gauge: &'static str) -> Self {
            gauge!(gauge).increment(1);
            Self(gauge)
        }
    }

    impl Drop for InProgress {
        fn drop(&mut self) {
            gauge!(self.0).decrement(1);
        }
    }
}

#[cfg(not(feature = "metrics"))]
mod uncounted {
    use std::time::Instant;

    use axum::http::StatusCode;

    use super::Refusal;
    use crate::operation::Operation;

    pub(in crate::http) fn answered(_: Option<Operation>, _: StatusCode, _: Instant) {}

    pub(in crate::http) fn refused(_: Refusal) {}

    pub(in crate::http) fn repeated(_: Operation) {}

    pub(in crate::http) struct InProgress;

    impl InProgress {
        pub(in crate::http) fn request() -> Self {
            Self
        }

        pub(in crate::http) fn action() -> Self {
            Self
        }
    }
}
