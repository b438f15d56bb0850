//! The rules for attempts that come one after the other.

use churnkey_integrator::idempotency::{IdempotencyStore, Known};

use super::run::{KEPT, LEASE, Run};

/// What was done is [`Known::Done`] until [`kept_until`], and new from then on. Until then its key with another request is
/// [`Known::AnotherRequest`].
///
/// [`kept_until`]: churnkey_integrator::idempotency::Attempt::kept_until
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn what_was_done_is_remembered_for_its_time(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let run = Run::of("what_was_done_is_remembered_for_its_time", one, other);
    let first = run.keyed("k", "a", 0);
    first.is(Known::New).await;
    first.complete().await;
    for now in [0, KEPT - 1] {
        run.keyed("k", "a", now).is(Known::Done).await;
        run.keyed("k", "b", now).is(Known::AnotherRequest).await;
    }
    run.keyed("k", "b", KEPT).is(Known::New).await;
}

/// An attempt that was never completed gives its record away once its lease is over, to an attempt at the same request. The
/// lease of that one begins then, and so does the time for which the record is kept.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn what_died_gives_way_after_its_lease(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let run = Run::of("what_died_gives_way_after_its_lease", one, other);
    run.keyed("k", "a", 0).is(Known::New).await;
    for (request, now, known) in [
        ("a", LEASE - 1, Known::Running),
        ("b", LEASE - 1, Known::AnotherRequest),
        ("b", LEASE + 1, Known::AnotherRequest),
        ("a", LEASE, Known::New),
        ("a", LEASE + 1, Known::Running),
        ("a", 2 * LEASE - 1, Known::Running),
        ("a", 2 * LEASE, Known::New),
    ] {
        run.keyed("k", request, now).is(known).await;
    }
    let late = run.keyed("k", "b", KEPT + 1);
    late.is(Known::AnotherRequest).await;
}

/// After [`forget`](IdempotencyStore::forget), both keys are free, and `complete` brings nothing back.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn a_failure_is_forgotten_at_once(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let run = Run::of("a_failure_is_forgotten_at_once", one, other);
    let first = run.signed("s", Some("k"), 0);
    first.is(Known::New).await;
    first.forget().await;
    first.complete().await;
    run.keyed("k", "b", 0).is(Known::New).await;
    run.signed("s", None, 0).is(Known::New).await;
}

/// An attempt whose record another one has taken over can neither complete nor forget it. And a record that is done is never
/// forgotten.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn a_lost_attempt_changes_nothing(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let run = Run::of("a_lost_attempt_changes_nothing", one, other);
    let (slow, successor) = (run.keyed("k", "a", 0), run.keyed("k", "a", LEASE));
    slow.is(Known::New).await;
    successor.is(Known::New).await;
    slow.forget().await;
    slow.complete().await;
    let third = run.keyed("k", "a", LEASE + 1);
    third.is(Known::Running).await;
    for _ in 0..2 {
        successor.complete().await;
        slow.forget().await;
        successor.forget().await;
        third.is(Known::Done).await;
    }
}

/// The same signature is the same request, with any `Idempotency-Key` or none. A key that only such a repetition has claimed
/// stays free.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn signed_bytes_are_one_request(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let run = Run::of("signed_bytes_are_one_request", one, other);
    let first = run.signed("s", Some("k"), 0);
    first.is(Known::New).await;
    first.complete().await;
    for key in [Some("k"), None, Some("another")] {
        run.signed("s", key, 1).is(Known::Done).await;
    }
    run.keyed("another", "b", 1).is(Known::New).await;
}

/// A retry that is known by its `Idempotency-Key` and has another signature is known by that one as well from then on,
/// whether the action runs, is taken over or was done.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn a_retry_signed_anew_is_known_by_its_signature(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let run = Run::of("a_retry_signed_anew_is_known_by_its_signature", one, other);
    run.signed("1", Some("k"), 0).is(Known::New).await;
    run.signed("2", Some("k"), 1).is(Known::Running).await;
    run.signed("2", None, 2).is(Known::Running).await;
    let successor = run.signed("3", Some("k"), LEASE);
    successor.is(Known::New).await;
    successor.complete().await;
    let late = run.signed("4", Some("k"), LEASE + 1);
    late.is(Known::Done).await;
    // What the successor has taken over is kept for its time, under every key.
    for now in [LEASE + 2, KEPT + LEASE - 1] {
        for signature in ["1", "2", "3", "4"] {
            run.signed(signature, None, now).is(Known::Done).await;
        }
    }
}

/// Another request under a known key is told so. Its signature is not added to the record, and the record stays as it is.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn another_request_with_a_known_key_changes_nothing(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let rule = "another_request_with_a_known_key_changes_nothing";
    let run = Run::of(rule, one, other);
    let first = run.signed("1", Some("k"), 0);
    first.is(Known::New).await;
    let another = run.signed_for("b", "2", Some("k"), LEASE);
    another.is(Known::AnotherRequest).await;
    let alone = run.signed_for("b", "2", None, LEASE);
    alone.is(Known::New).await;
    first.complete().await;
    run.signed("1", None, LEASE).is(Known::Done).await;
}

/// If there is a record under the signature and another one under the `Idempotency-Key`, that of the signature counts. The
/// other one stays as it is.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn the_signature_decides_between_two_records(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let run = Run::of("the_signature_decides_between_two_records", one, other);
    let by_signature = run.signed("s", None, 0);
    by_signature.is(Known::New).await;
    by_signature.complete().await;
    run.keyed("k", "b", 0).is(Known::New).await;
    run.signed("s", Some("k"), 1).is(Known::Done).await;
    run.keyed("k", "b", 1).is(Known::Running).await;
    run.keyed("k", "a", 1).is(Known::AnotherRequest).await;
}

/// A record that is past its time counts as none, also if another key of the attempt finds one that lasts. The attempt's
/// signature is added to that one then.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn an_expired_key_joins_a_record_that_lasts(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let run = Run::of("an_expired_key_joins_a_record_that_lasts", one, other);
    run.signed("s", None, 0).is(Known::New).await;
    let lasting = run.keyed("k", "a", KEPT - 1);
    lasting.is(Known::New).await;
    lasting.complete().await;
    run.signed("s", Some("k"), KEPT).is(Known::Done).await;
    run.signed("s", None, KEPT + 1).is(Known::Done).await;
}
