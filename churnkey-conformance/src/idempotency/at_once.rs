//! The rules for attempts that come in the same moment, half of them by each handle.

use churnkey_integrator::idempotency::{IdempotencyStore, Known};
use futures_util::future::{join, join_all};

use super::run::{LEASE, Run};

/// Of a thousand attempts at one request in the same moment, one is [`Known::New`]. The others are [`Known::Running`].
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn of_a_thousand_attempts_one_is_new(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let run = Run::of("of_a_thousand_attempts_one_is_new", one, other);
    let attempts = (0..1000).map(|_| run.signed("s", Some("k"), 0));
    let (new, _) = run.one_is_new(attempts.collect()).await;
    new.complete().await;
    run.signed("s", Some("k"), 1).is(Known::Done).await;
}

/// Attempts in the same moment that share an `Idempotency-Key`, each with a signature of its own: one is new, and each
/// signature is known afterwards.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn of_many_signatures_with_one_key_one_is_new(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let run = Run::of("of_many_signatures_with_one_key_one_is_new", one, other);
    let attempts = (0..200).map(|n| run.signed(&n.to_string(), Some("k"), 0));
    let (new, _) = run.one_is_new(attempts.collect()).await;
    new.complete().await;
    for n in (0..200).step_by(10) {
        run.signed(&n.to_string(), None, 1).is(Known::Done).await;
    }
}

/// Attempts in the same moment that share a signature, each with an `Idempotency-Key` of its own: one is new, and the keys of
/// the others stay free.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn of_a_signature_with_many_keys_one_is_new(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let run = Run::of("of_a_signature_with_many_keys_one_is_new", one, other);
    for round in 0..10 {
        let key = |n: i32| format!("{round} {n}");
        let signature = round.to_string();
        let attempts = (0..20).map(|n| run.signed(&signature, Some(&key(n)), 0));
        let (new, _) = run.one_is_new(attempts.collect()).await;
        for n in 0..20 {
            let another = run.keyed(&key(n), "b", 0);
            let known = match another.has_key_of(&new) {
                true => Known::AnotherRequest,
                false => Known::New,
            };
            another.is(known).await;
        }
    }
}

/// Of the attempts that come in the same moment after the lease of one that died, one takes the record over. Those that share
/// the record may have no key in common.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn one_successor_takes_a_record_over(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let run = Run::of("one_successor_takes_a_record_over", one, other);
    for round in 0..10 {
        let key = format!("k{round}");
        let signature = |n: i32| format!("{round} {n}");
        let died = run.signed(&signature(0), Some(&key), 0);
        died.is(Known::New).await;
        for n in 1..10 {
            let retry = run.signed(&signature(n), Some(&key), 1);
            retry.is(Known::Running).await;
        }
        let successors = (0..10).map(|n| run.signed(&signature(n), None, LEASE));
        let (new, others) = run.one_is_new(successors.collect()).await;
        for lost in &others {
            lost.complete().await;
        }
        let again = run.keyed(&key, "a", LEASE + 1);
        again.is(Known::Running).await;
        new.complete().await;
        again.is(Known::Done).await;
    }
}

/// Retries in the moment in which the action completes are [`Known::Running`] or [`Known::Done`], and their signatures are
/// known as done afterwards.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn a_retry_while_the_action_completes_is_known_as_done(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let rule = "a_retry_while_the_action_completes_is_known_as_done";
    let run = Run::of(rule, one, other);
    for round in 0..20 {
        let key = format!("k{round}");
        let signature = |n: i32| format!("{round} {n}");
        let first = run.keyed(&key, "a", 0);
        first.is(Known::New).await;
        let retries = (0..10).map(|n| run.signed(&signature(n), Some(&key), 1));
        let retries: Vec<_> = retries.collect();
        let either = [Known::Running, Known::Done];
        let begun = join_all(retries.iter().map(|retry| retry.is_one_of(&either)));
        join(begun, first.complete()).await;
        for n in 0..10 {
            let alone = run.signed(&signature(n), None, LEASE);
            alone.is(Known::Done).await;
        }
    }
}

/// A retry in the moment in which an attempt is forgotten is [`Known::New`], or it is [`Known::Running`] and the next one is
/// new.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn a_retry_while_an_attempt_is_forgotten_is_new_or_waits(
    one: &dyn IdempotencyStore,
    other: &dyn IdempotencyStore,
) {
    let rule = "a_retry_while_an_attempt_is_forgotten_is_new_or_waits";
    let run = Run::of(rule, one, other);
    for round in 0..100 {
        let key = format!("k{round}");
        let first = run.keyed(&key, "a", 0);
        first.is(Known::New).await;
        let retry = run.signed(&round.to_string(), Some(&key), 1);
        let either = [Known::New, Known::Running];
        let (begun, ()) = join(retry.is_one_of(&either), first.forget()).await;
        let next = match begun {
            Known::New => Known::Running,
            _ => Known::New,
        };
        let again = run.signed(&round.to_string(), Some(&key), 2);
        again.is(next).await;
    }
}
