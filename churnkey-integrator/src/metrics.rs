//! The figures of an integration. The facade [`metrics`](https://docs.rs/metrics) takes them to the recorder of the app, such
//! as `metrics-exporter-prometheus`. Without a recorder nothing is counted.
//!
//! The names follow Prometheus's rules. No label has a text that a caller can choose. An `operation` is a
//! [name of the operation table](crate::Operation::name), and `none` for a path that is not served. Tenants are not told
//! apart. [The guide](crate::guide::metrics) shows how to turn the figures on, and which alerts are worth having.

use ::metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};

/// A counter of the answers, by `operation` and `status`. A request whose caller left before the answer has none.
pub const REQUESTS: &str = "churnkey_requests_total";

/// A counter of the requests that were refused before they reached an operation, by `cause`.
///
/// * Authentication: `no_credential`, `repeated_header`, `invalid_timestamp`, `outside_tolerance`, `malformed_signature`,
///   `too_many_signatures`, `wrong_signature`, `replayed`, `wrong_token`, `signature_required`, `unknown_tenant`.
/// * The body: `body_too_large`, `body_too_slow`, `body_interrupted`. The mode: `invalid_mode`.
/// * What the integration depends on: `tenant_resolver_failed`, `replay_store_failed`.
/// * [`max_in_flight`](crate::IntegrationBuilder::max_in_flight): `over_capacity`.
pub const REFUSALS: &str = "churnkey_refusals_total";

/// A histogram of the seconds from a request's head to its answer, by `operation`.
pub const REQUEST_DURATION: &str = "churnkey_request_duration_seconds";

/// A gauge of the requests that are not answered yet.
pub const REQUESTS_IN_FLIGHT: &str = "churnkey_requests_in_flight";

/// A gauge of the running actions. An action runs to its end even if its caller has left.
pub const ACTIONS_RUNNING: &str = "churnkey_actions_running";

/// A counter of the repeated actions that were not run again, because they had succeeded before, by `operation`.
pub const ACTIONS_REPEATED: &str = "churnkey_actions_repeated_total";

/// A counter of the rows that [`Page::fill_valid`](crate::Page::fill_valid) left out because they don't fit. The log has
/// a warning about each.
pub const ROWS_LEFT_OUT: &str = "churnkey_rows_left_out_total";

/// All names, in the order of the guide.
pub const ALL: &[&str] = &[
    REQUESTS,
    REFUSALS,
    REQUEST_DURATION,
    REQUESTS_IN_FLIGHT,
    ACTIONS_RUNNING,
    ACTIONS_REPEATED,
    ROWS_LEFT_OUT,
];

/// Tells the recorder what each figure is, with its unit, and starts those without labels at zero, so that the first
/// increase of a counter is seen as one. Call it once, after the recorder is installed.
pub fn describe() {
    describe_counter!(REQUESTS, Unit::Count, "Answers, by operation and status.");
    describe_counter!(
        REFUSALS,
        Unit::Count,
        "Requests that were refused before they reached an operation, by cause."
    );
    describe_histogram!(
        REQUEST_DURATION,
        Unit::Seconds,
        "Seconds from a request's head to its answer, by operation."
    );
    describe_gauge!(
        REQUESTS_IN_FLIGHT,
        Unit::Count,
        "Requests that are not answered yet."
    );
    describe_gauge!(ACTIONS_RUNNING, Unit::Count, "Running actions.");
    describe_counter!(
        ACTIONS_REPEATED,
        Unit::Count,
        "Repeated actions that were not run again, by operation."
    );
    describe_counter!(
        ROWS_LEFT_OUT,
        Unit::Count,
        "Rows that were left out of a page because they don't fit."
    );
    counter!(ROWS_LEFT_OUT).increment(0);
    for name in [REQUESTS_IN_FLIGHT, ACTIONS_RUNNING] {
        gauge!(name).increment(0);
    }
}
