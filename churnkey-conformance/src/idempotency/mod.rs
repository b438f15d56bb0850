//! Tests of an [`IdempotencyStore`]: each rule of the trait as a function that any store can be given to.
//!
//! A test of your store calls [`keeps_every_rule`]. It takes two handles of the same storage, as two processes have them,
//! so that a store that keeps something to itself is found out. A store that has only one process is given twice:
//!
//! ```
//! use churnkey_conformance::idempotency::keeps_every_rule;
//! use churnkey_integrator::idempotency::InMemoryIdempotency;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // #[tokio::test]
//! // async fn the_store_keeps_every_rule() {
//! let store = InMemoryIdempotency::default();
//! keeps_every_rule(&store, &store).await;
//! # }
//! ```
//!
//! Over a database, give each handle a pool of its own. Run the test on a runtime with several threads
//! (`#[tokio::test(flavor = "multi_thread")]`): half of the rules are about attempts in the same moment, of which there are
//! up to a thousand. So a pool must let them wait for a connection.
//!
//! The keys of each run are new, so the storage may hold other records, and a second run may use the same one. Nothing is
//! removed afterwards. The attempts are in January 2026, their lease is a minute, and their records are kept for an hour:
//! a store has to compare these times with [`Attempt::now`], and not with a clock of its own.
//!
//! A store that breaks a rule panics with the rule's name, which is the name of the function here:
//!
//! ```text
//! the store broke the rule `a_failure_is_forgotten_at_once` (contract, section 7.5):
//! begin of (key "k", request "b", at 0 s) must return New, and returned AnotherRequest
//! ```
//!
//! To look into that one, call its function alone. What the rules can't see is whether the storage outlives a crash, whether
//! old records are removed in the end, and what a store does that can't reach its database: it must return an error then,
//! because an action must not run if nobody knows whether it was done.
//!
//! [`Attempt::now`]: churnkey_integrator::idempotency::Attempt::now

mod at_once;
mod in_turn;
mod run;

use churnkey_integrator::idempotency::IdempotencyStore;

pub use at_once::{
    a_retry_while_an_attempt_is_forgotten_is_new_or_waits,
    a_retry_while_the_action_completes_is_known_as_done, of_a_signature_with_many_keys_one_is_new,
    of_a_thousand_attempts_one_is_new, of_many_signatures_with_one_key_one_is_new,
    one_successor_takes_a_record_over,
};
pub use in_turn::{
    a_failure_is_forgotten_at_once, a_lost_attempt_changes_nothing,
    a_retry_signed_anew_is_known_by_its_signature, an_expired_key_joins_a_record_that_lasts,
    another_request_with_a_known_key_changes_nothing, signed_bytes_are_one_request,
    the_signature_decides_between_two_records, what_died_gives_way_after_its_lease,
    what_was_done_is_remembered_for_its_time,
};

/// Holds a store against every rule here.
///
/// # Panics
/// If the store breaks a rule, or fails.
pub async fn keeps_every_rule(one: &dyn IdempotencyStore, other: &dyn IdempotencyStore) {
    what_was_done_is_remembered_for_its_time(one, other).await;
    what_died_gives_way_after_its_lease(one, other).await;
    a_failure_is_forgotten_at_once(one, other).await;
    a_lost_attempt_changes_nothing(one, other).await;
    signed_bytes_are_one_request(one, other).await;
    a_retry_signed_anew_is_known_by_its_signature(one, other).await;
    another_request_with_a_known_key_changes_nothing(one, other).await;
    the_signature_decides_between_two_records(one, other).await;
    an_expired_key_joins_a_record_that_lasts(one, other).await;
    of_a_thousand_attempts_one_is_new(one, other).await;
    of_many_signatures_with_one_key_one_is_new(one, other).await;
    of_a_signature_with_many_keys_one_is_new(one, other).await;
    one_successor_takes_a_record_over(one, other).await;
    a_retry_while_the_action_completes_is_known_as_done(one, other).await;
    a_retry_while_an_attempt_is_forgotten_is_new_or_waits(one, other).await;
}

#[cfg(test)]
mod tests;
