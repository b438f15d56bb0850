//! Tests of a [`ReplayStore`]: each rule of the trait as a function that any store can be given to.
//!
//! A test of your store calls [`keeps_every_rule`] with two handles of the same storage, as two processes have them. A store
//! that has only one process is given twice:
//!
//! ```
//! use churnkey_conformance::replays::keeps_every_rule;
//! use churnkey_integrator::replays::InMemoryReplays;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // #[tokio::test]
//! // async fn the_store_keeps_every_rule() {
//! let store = InMemoryReplays::default();
//! keeps_every_rule(&store, &store).await;
//! # }
//! ```
//!
//! The reads of each run are new, so the storage may hold others. A rule that is broken panics with its name, which is the
//! name of the function here. What the rules can't see is whether a store forgets a read once it has expired, and that it
//! returns an error if it can't reach its storage.

use std::hash::{BuildHasher, RandomState};

use churnkey_integrator::{
    Timestamp,
    replays::{ReplayStore, SignedRead},
};
use futures_util::future::join_all;

/// In Unix seconds: 2026-01-15, at noon.
const NOON: i64 = 1_768_478_400;
/// For how long a read is kept, in seconds.
const KEPT: i64 = 600;

/// Holds a store against every rule here.
///
/// # Panics
/// If the store breaks a rule, or fails.
pub async fn keeps_every_rule(one: &dyn ReplayStore, other: &dyn ReplayStore) {
    a_read_is_the_first_only_once(one, other).await;
    reads_have_nothing_to_do_with_each_other(one, other).await;
    a_read_is_known_until_it_expires(one, other).await;
    of_a_thousand_copies_one_is_the_first(one, other).await;
}

/// A read that comes again is not the first, whoever is asked.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn a_read_is_the_first_only_once(one: &dyn ReplayStore, other: &dyn ReplayStore) {
    let run = Run::of("a_read_is_the_first_only_once");
    run.expect(one, "a", 0, true).await;
    run.expect(other, "a", 0, false).await;
    run.expect(one, "a", 0, false).await;
}

/// A read that is new stays the first, however many others have come.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn reads_have_nothing_to_do_with_each_other(
    one: &dyn ReplayStore,
    other: &dyn ReplayStore,
) {
    let run = Run::of("reads_have_nothing_to_do_with_each_other");
    run.expect(one, "a", 0, true).await;
    run.expect(one, "b", 0, true).await;
    run.expect(other, "c", 0, true).await;
    run.expect(other, "b", 0, false).await;
}

/// A read is known until [`SignedRead::kept_until`], which is counted from [`SignedRead::now`].
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn a_read_is_known_until_it_expires(one: &dyn ReplayStore, other: &dyn ReplayStore) {
    let run = Run::of("a_read_is_known_until_it_expires");
    run.expect(one, "a", 0, true).await;
    run.expect(one, "b", KEPT - 1, true).await;
    run.expect(other, "a", KEPT - 1, false).await;
}

/// Of copies that come in the same moment, one is the first.
///
/// # Panics
/// If the store breaks the rule, or fails.
pub async fn of_a_thousand_copies_one_is_the_first(one: &dyn ReplayStore, other: &dyn ReplayStore) {
    let run = Run::of("of_a_thousand_copies_one_is_the_first");
    let copies = (0..1000).map(|copy| {
        let store = if copy % 2 == 0 { one } else { other };
        run.is_first(store, "a", 0)
    });
    let copies = join_all(copies).await;
    let first = copies.into_iter().filter(|is_first| *is_first).count();
    if first != 1 {
        broken(
            run.rule,
            &format!("{first} of a thousand copies were the first"),
        );
    }
}

struct Run {
    rule: &'static str,
    number: u64,
}

impl Run {
    fn of(rule: &'static str) -> Self {
        let number = RandomState::new().hash_one(rule);
        Self { rule, number }
    }

    async fn is_first(&self, store: &dyn ReplayStore, read: &str, seconds: i64) -> bool {
        let now = at(seconds);
        let text = format!("{} {read}", self.number);
        let read_at = SignedRead::for_test(&text, now, at(seconds.saturating_add(KEPT)));
        match store.is_first(&read_at).await {
            Ok(is_first) => is_first,
            Err(error) => broken(
                self.rule,
                &format!("is_first of {read:?} failed: {error:?}"),
            ),
        }
    }

    async fn expect(&self, store: &dyn ReplayStore, read: &str, seconds: i64, expected: bool) {
        let is_first = self.is_first(store, read, seconds).await;
        if is_first != expected {
            broken(
                self.rule,
                &format!(
                    "is_first of {read:?} at {seconds} s must return {expected}, and returned {is_first}"
                ),
            );
        }
    }
}

#[expect(clippy::panic, reason = "for tests, where a panic is the result")]
fn broken(rule: &str, how: &str) -> ! {
    panic!("the store broke the rule `{rule}`:\n{how}")
}

#[expect(clippy::expect_used, reason = "for tests, where a panic is the result")]
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOON.saturating_add(seconds)).expect("a time of this century")
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::Mutex};

    use churnkey_integrator::{Result, async_trait, replays::InMemoryReplays};
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_store_in_memory_keeps_every_rule() {
        let store = InMemoryReplays::default();
        keeps_every_rule(&store, &store).await;
    }

    /// A store with one mistake.
    struct Wrong {
        mistake: Mistake,
        seen: Mutex<HashSet<String>>,
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Mistake {
        Forgets,
        KnowsAll,
        Fails,
    }

    #[async_trait]
    impl ReplayStore for Wrong {
        async fn is_first(&self, read: &SignedRead) -> Result<bool> {
            let is_new = self.seen.lock().unwrap().insert(read.digest().to_owned());
            match self.mistake {
                Mistake::Forgets => Ok(true),
                Mistake::KnowsAll => Ok(is_new && self.seen.lock().unwrap().len() == 1),
                Mistake::Fails => Err("away".into()),
            }
        }
    }

    #[tokio::test]
    async fn a_broken_rule_is_named() {
        for (mistake, rule) in [
            (Mistake::Forgets, "a_read_is_the_first_only_once"),
            (
                Mistake::KnowsAll,
                "reads_have_nothing_to_do_with_each_other",
            ),
            (Mistake::Fails, "a_read_is_the_first_only_once"),
        ] {
            let store = Wrong {
                mistake,
                seen: Mutex::default(),
            };
            let held = std::panic::AssertUnwindSafe(keeps_every_rule(&store, &store));
            let broken = held.catch_unwind().await.unwrap_err();
            let sentence = broken.downcast_ref::<String>().unwrap();
            assert!(sentence.contains(&format!("`{rule}`")), "{sentence}");
        }
    }

    /// Two processes that know nothing of each other.
    #[tokio::test]
    async fn two_memories_are_found_out() {
        let (one, other) = (InMemoryReplays::default(), InMemoryReplays::default());
        let held = std::panic::AssertUnwindSafe(keeps_every_rule(&one, &other));
        held.catch_unwind().await.unwrap_err();
    }
}
