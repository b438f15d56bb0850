//! The rules of [`IdempotencyStore`], for any store.

#![expect(clippy::expect_used, reason = "a test that panics has done its work")]

use churnkey_integrator::{
    Mode, RequestContext, Timestamp,
    idempotency::{Attempt, IdempotencyStore, Known},
};
use futures_util::future::{join, join_all};

/// In Unix seconds: 2026-01-15, at noon.
const NOON: i64 = 1_768_478_400;
/// How long an attempt for a test runs at most, and for how long its record is kept, in seconds.
const LEASE: i64 = 60;
const KEPT: i64 = 60 * LEASE;

/// Holds a store against every rule of the trait.
///
/// It may hold other records before. It keeps those that are made here.
///
/// # Panics
/// If the store breaks a rule, or fails.
pub async fn keeps_every_rule(store: &dyn IdempotencyStore) {
    let mut store = Store::new(store, "done");
    what_was_done_is_remembered_for_its_time_and_no_longer(&store).await;
    store.name = "died";
    what_died_gives_way_after_its_lease_to_the_same_request_only(&store).await;
    store.name = "forgotten";
    a_failure_is_forgotten_at_once(&store).await;
    store.name = "lost";
    a_lost_attempt_can_not_touch_its_successors_record(&store).await;
    store.name = "signed";
    signed_bytes_are_the_same_request_whatever_their_key_says(&store).await;
    store.name = "anew";
    a_retry_that_is_signed_anew_is_known_by_that_signature_too(&store).await;
    store.name = "another";
    another_request_with_a_known_key_changes_nothing(&store).await;
    store.name = "both";
    the_signature_decides_if_both_keys_are_known(&store).await;
    store.name = "partly over";
    a_key_whose_time_is_over_is_free_for_a_record_that_lasts(&store).await;
    store.name = "at once";
    of_a_thousand_attempts_at_once_one_is_new(&store).await;
    store.name = "signed at once";
    of_many_signatures_with_one_key_at_once_one_is_new(&store).await;
    store.name = "keys at once";
    of_a_signature_with_many_keys_at_once_one_is_new(&store).await;
    store.name = "successors at once";
    one_successor_takes_the_record_over(&store).await;
    store.name = "completed meanwhile";
    a_key_that_comes_while_the_action_completes_is_known_as_done(&store).await;
    store.name = "forgotten meanwhile";
    an_attempt_that_comes_while_another_is_forgotten_is_new_or_waits(&store).await;
}

/// A store, and a name that keeps the keys of each rule apart.
#[derive(Clone)]
struct Store<'a> {
    store: &'a dyn IdempotencyStore,
    run: i64,
    name: &'static str,
}

impl<'a> Store<'a> {
    fn new(store: &'a dyn IdempotencyStore, name: &'static str) -> Self {
        // Any attempt's number is random, so that a second run finds nothing of the first.
        let run = Attempt::for_test("", "", at(0)).number();
        Self { store, run, name }
    }

    fn key(&self, key: &str) -> String {
        format!("{} {} {key}", self.run, self.name)
    }

    /// An attempt without a signature, some seconds after noon.
    fn keyed(&self, key: &str, fingerprint: &str, seconds: i64) -> Attempt {
        Attempt::for_test(&self.key(key), fingerprint, at(seconds))
    }

    fn signed(&self, signature: &str, key: Option<&str>, seconds: i64) -> Attempt {
        self.signed_for("a", signature, key, seconds)
    }

    fn signed_for(
        &self,
        fingerprint: &str,
        signature: &str,
        key: Option<&str>,
        seconds: i64,
    ) -> Attempt {
        let signature = self.key(signature);
        let attempt = self.keyed(key.unwrap_or_default(), fingerprint, seconds);
        let attempt = attempt.with_signature(&signature);
        match key {
            Some(_) => attempt,
            None => attempt.without_header_key(),
        }
    }

    async fn begin(&self, attempt: &Attempt) -> Known {
        self.store.begin(&cx(), attempt).await.expect(self.name)
    }

    async fn complete(&self, attempt: &Attempt) {
        let completed = self.store.complete(&cx(), attempt).await;
        completed.expect(self.name);
    }

    async fn forget(&self, attempt: &Attempt) {
        let forgotten = self.store.forget(&cx(), attempt).await;
        forgotten.expect(self.name);
    }

    /// Begins all of them at once, and says which one is new: it must be one, and the others must be told that it runs.
    async fn one_is_new(&self, mut attempts: Vec<Attempt>) -> (Attempt, Vec<Attempt>) {
        let known = join_all(attempts.iter().map(|attempt| self.begin(attempt))).await;
        let new = known.iter().filter(|known| **known == Known::New).count();
        assert_eq!(new, 1, "{}", self.name);
        let running = known.iter().filter(|known| **known == Known::Running);
        assert_eq!(running.count(), attempts.len() - 1, "{}", self.name);
        let new = known.iter().position(|known| *known == Known::New);
        let new = attempts.swap_remove(new.expect("one is new"));
        (new, attempts)
    }
}

fn cx() -> RequestContext {
    RequestContext::for_test(Mode::Live)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOON + seconds).expect("a time of this century")
}

async fn what_was_done_is_remembered_for_its_time_and_no_longer(store: &Store<'_>) {
    let first = store.keyed("k", "a", 0);
    assert_eq!(store.begin(&first).await, Known::New);
    store.complete(&first).await;
    for now in [0, KEPT - 1] {
        let same = store.begin(&store.keyed("k", "a", now)).await;
        assert_eq!(same, Known::Done, "{now}");
        let other = store.begin(&store.keyed("k", "b", now)).await;
        assert_eq!(other, Known::AnotherRequest, "{now}");
    }
    let next = store.begin(&store.keyed("k", "b", KEPT)).await;
    assert_eq!(next, Known::New);
}

async fn what_died_gives_way_after_its_lease_to_the_same_request_only(store: &Store<'_>) {
    let died = store.keyed("k", "a", 0);
    assert_eq!(store.begin(&died).await, Known::New);
    for (fingerprint, now, known) in [
        ("a", LEASE - 1, Known::Running),
        ("b", LEASE - 1, Known::AnotherRequest),
        ("b", LEASE + 1, Known::AnotherRequest),
        ("a", LEASE, Known::New),
        ("a", LEASE + 1, Known::Running),
        ("a", 2 * LEASE - 1, Known::Running),
        ("a", 2 * LEASE, Known::New),
    ] {
        let begun = store.begin(&store.keyed("k", fingerprint, now)).await;
        assert_eq!(begun, known, "{fingerprint} {now}");
    }
    // The successors are kept for a time of their own.
    let late = store.begin(&store.keyed("k", "b", KEPT + 1)).await;
    assert_eq!(late, Known::AnotherRequest);
}

async fn a_failure_is_forgotten_at_once(store: &Store<'_>) {
    let first = store.signed("s", Some("k"), 0);
    assert_eq!(store.begin(&first).await, Known::New);
    store.forget(&first).await;
    // What is forgotten can't be completed.
    store.complete(&first).await;
    let by_key = store.begin(&store.keyed("k", "b", 0)).await;
    assert_eq!(by_key, Known::New);
    let by_signature = store.begin(&store.signed("s", None, 0)).await;
    assert_eq!(by_signature, Known::New);
}

async fn a_lost_attempt_can_not_touch_its_successors_record(store: &Store<'_>) {
    let (slow, successor) = (store.keyed("k", "a", 0), store.keyed("k", "a", LEASE));
    assert_eq!(store.begin(&slow).await, Known::New);
    assert_eq!(store.begin(&successor).await, Known::New);
    store.forget(&slow).await;
    store.complete(&slow).await;
    let third = store.keyed("k", "a", LEASE + 1);
    assert_eq!(store.begin(&third).await, Known::Running);
    for _ in 0..2 {
        store.complete(&successor).await;
        store.forget(&slow).await;
        store.forget(&successor).await;
        assert_eq!(store.begin(&third).await, Known::Done);
    }
}

async fn signed_bytes_are_the_same_request_whatever_their_key_says(store: &Store<'_>) {
    let first = store.signed("s", Some("k"), 0);
    assert_eq!(store.begin(&first).await, Known::New);
    store.complete(&first).await;
    for key in [Some("k"), None, Some("another")] {
        let again = store.begin(&store.signed("s", key, 1)).await;
        assert_eq!(again, Known::Done, "{key:?}");
    }
    // A key that only a replay has claimed is still free.
    let begun = store.begin(&store.keyed("another", "b", 1)).await;
    assert_eq!(begun, Known::New);
}

async fn a_retry_that_is_signed_anew_is_known_by_that_signature_too(store: &Store<'_>) {
    let (first, retry) = (
        store.signed("1", Some("k"), 0),
        store.signed("2", Some("k"), 1),
    );
    let stripped = store.signed("2", None, 2);
    assert_eq!(store.begin(&first).await, Known::New);
    assert_eq!(store.begin(&retry).await, Known::Running);
    assert_eq!(store.begin(&stripped).await, Known::Running);
    // Who takes the place of one that died takes all its keys.
    let successor = store.signed("3", Some("k"), LEASE);
    assert_eq!(store.begin(&successor).await, Known::New);
    store.complete(&successor).await;
    // Also one that comes when it is done.
    let late = store.signed("4", Some("k"), LEASE + 1);
    assert_eq!(store.begin(&late).await, Known::Done);
    for signature in ["1", "2", "3", "4"] {
        let again = store.signed(signature, None, LEASE + 2);
        assert_eq!(store.begin(&again).await, Known::Done, "{signature}");
    }
}

async fn another_request_with_a_known_key_changes_nothing(store: &Store<'_>) {
    let first = store.signed("1", Some("k"), 0);
    assert_eq!(store.begin(&first).await, Known::New);
    let other = store.signed_for("b", "2", Some("k"), LEASE);
    assert_eq!(store.begin(&other).await, Known::AnotherRequest);
    let alone = store.signed_for("b", "2", None, LEASE);
    assert_eq!(store.begin(&alone).await, Known::New);
    // The first one still has its record.
    store.complete(&first).await;
    let again = store.signed("1", None, LEASE);
    assert_eq!(store.begin(&again).await, Known::Done);
}

async fn the_signature_decides_if_both_keys_are_known(store: &Store<'_>) {
    let by_signature = store.signed("s", None, 0);
    assert_eq!(store.begin(&by_signature).await, Known::New);
    store.complete(&by_signature).await;
    let by_key = store.keyed("k", "b", 0);
    assert_eq!(store.begin(&by_key).await, Known::New);
    let both = store.signed("s", Some("k"), 1);
    assert_eq!(store.begin(&both).await, Known::Done);
    // The key's record is still another one.
    let again = store.keyed("k", "b", 1);
    assert_eq!(store.begin(&again).await, Known::Running);
    let other = store.keyed("k", "a", 1);
    assert_eq!(store.begin(&other).await, Known::AnotherRequest);
}

async fn a_key_whose_time_is_over_is_free_for_a_record_that_lasts(store: &Store<'_>) {
    let old = store.signed("s", None, 0);
    assert_eq!(store.begin(&old).await, Known::New);
    let lasting = store.keyed("k", "a", KEPT - 1);
    assert_eq!(store.begin(&lasting).await, Known::New);
    store.complete(&lasting).await;
    let both = store.signed("s", Some("k"), KEPT);
    assert_eq!(store.begin(&both).await, Known::Done);
    let alone = store.signed("s", None, KEPT + 1);
    assert_eq!(store.begin(&alone).await, Known::Done);
}

async fn of_a_thousand_attempts_at_once_one_is_new(store: &Store<'_>) {
    let attempts = (0..1000).map(|_| store.signed("s", Some("k"), 0));
    let (new, _) = store.one_is_new(attempts.collect()).await;
    store.complete(&new).await;
    let again = store.signed("s", Some("k"), 1);
    assert_eq!(store.begin(&again).await, Known::Done);
}

async fn of_many_signatures_with_one_key_at_once_one_is_new(store: &Store<'_>) {
    let attempts = (0..200).map(|n| store.signed(&n.to_string(), Some("k"), 0));
    let (new, _) = store.one_is_new(attempts.collect()).await;
    store.complete(&new).await;
    for n in (0..200).step_by(10) {
        let again = store.signed(&n.to_string(), None, 1);
        assert_eq!(store.begin(&again).await, Known::Done, "{n}");
    }
}

async fn of_a_signature_with_many_keys_at_once_one_is_new(store: &Store<'_>) {
    for round in 0..10 {
        let key = |n: i32| format!("{round} {n}");
        let signature = round.to_string();
        let attempts = (0..20).map(|n| store.signed(&signature, Some(&key(n)), 0));
        let (new, _) = store.one_is_new(attempts.collect()).await;
        // The keys of the others are free.
        let mut free = 0;
        for n in 0..20 {
            let other = store.keyed(&key(n), "b", 0);
            if other.header_key() == new.header_key() {
                assert_eq!(store.begin(&other).await, Known::AnotherRequest);
            } else {
                assert_eq!(store.begin(&other).await, Known::New);
                free += 1;
            }
        }
        assert_eq!(free, 19);
    }
}

async fn one_successor_takes_the_record_over(store: &Store<'_>) {
    for round in 0..10 {
        let key = format!("k{round}");
        let signature = |n: i32| format!("{round} {n}");
        let died = store.signed(&signature(0), Some(&key), 0);
        assert_eq!(store.begin(&died).await, Known::New);
        for n in 1..10 {
            let retry = store.signed(&signature(n), Some(&key), 1);
            assert_eq!(store.begin(&retry).await, Known::Running);
        }
        // They share a record, and no key.
        let successors = (0..10).map(|n| store.signed(&signature(n), None, LEASE));
        let (new, others) = store.one_is_new(successors.collect()).await;
        for lost in &others {
            store.complete(lost).await;
        }
        let again = store.keyed(&key, "a", LEASE + 1);
        assert_eq!(store.begin(&again).await, Known::Running);
        store.complete(&new).await;
        assert_eq!(store.begin(&again).await, Known::Done);
    }
}

async fn a_key_that_comes_while_the_action_completes_is_known_as_done(store: &Store<'_>) {
    for round in 0..20 {
        let key = format!("k{round}");
        let first = store.keyed(&key, "a", 0);
        assert_eq!(store.begin(&first).await, Known::New);
        let retries = (0..10).map(|n| store.signed(&format!("{round} {n}"), Some(&key), 1));
        let retries: Vec<_> = retries.collect();
        let begun = join_all(retries.iter().map(|retry| store.begin(retry)));
        let (begun, ()) = join(begun, store.complete(&first)).await;
        assert!(
            begun
                .iter()
                .all(|known| matches!(known, Known::Running | Known::Done)),
            "{begun:?}"
        );
        for n in 0..10 {
            let alone = store.signed(&format!("{round} {n}"), None, LEASE);
            assert_eq!(store.begin(&alone).await, Known::Done, "{round} {n}");
        }
    }
}

async fn an_attempt_that_comes_while_another_is_forgotten_is_new_or_waits(store: &Store<'_>) {
    for round in 0..100 {
        let key = format!("k{round}");
        let first = store.keyed(&key, "a", 0);
        assert_eq!(store.begin(&first).await, Known::New);
        let retry = store.signed(&round.to_string(), Some(&key), 1);
        let (begun, ()) = join(store.begin(&retry), store.forget(&first)).await;
        // It has the record, or finds none now.
        let expected = match begun {
            Known::New => Known::Running,
            _ => Known::New,
        };
        assert!(matches!(begun, Known::New | Known::Running), "{begun:?}");
        let again = store.signed(&round.to_string(), Some(&key), 2);
        assert_eq!(store.begin(&again).await, expected, "{round}");
    }
}
