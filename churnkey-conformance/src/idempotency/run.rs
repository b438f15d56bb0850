//! One run of a rule: attempts with keys of their own, each by one of the two handles.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "for tests, where a panic is the result"
)]

use std::sync::atomic::{AtomicBool, Ordering};

use churnkey_integrator::{
    Mode, RequestContext, Timestamp,
    idempotency::{Attempt, IdempotencyStore, Known},
};
use futures_util::future::join_all;

/// In Unix seconds: 2026-01-15, at noon.
const NOON: i64 = 1_768_478_400;
/// How long an attempt for a test runs at most, and for how long its record is kept, in seconds.
pub(super) const LEASE: i64 = 60;
pub(super) const KEPT: i64 = 60 * LEASE;

pub(super) struct Run<'a> {
    handles: [&'a dyn IdempotencyStore; 2],
    is_others_turn: AtomicBool,
    rule: &'static str,
    number: i64,
}

/// An attempt of the process that one of the handles stands for.
pub(super) struct Tried<'a> {
    store: &'a dyn IdempotencyStore,
    rule: &'static str,
    attempt: Attempt,
    /// Its keys, request and time, as the rule names them.
    name: String,
}

impl<'a> Run<'a> {
    pub(super) fn of(
        rule: &'static str,
        one: &'a dyn IdempotencyStore,
        other: &'a dyn IdempotencyStore,
    ) -> Self {
        Self {
            handles: [one, other],
            is_others_turn: AtomicBool::new(false),
            rule,
            // Any attempt's number is random, so that a second run finds nothing of the first.
            number: Attempt::for_test("", "", at(0)).number(),
        }
    }

    /// An attempt without a signature, some seconds after noon. Attempts are by the two handles in turn.
    pub(super) fn keyed(&self, key: &str, request: &str, seconds: i64) -> Tried<'a> {
        let attempt = Attempt::for_test(&self.own(key), request, at(seconds));
        self.tried(
            attempt,
            format!("key {key:?}, request {request:?}, at {seconds} s"),
        )
    }

    /// A signed attempt at the request `a`.
    pub(super) fn signed(&self, signature: &str, key: Option<&str>, seconds: i64) -> Tried<'a> {
        self.signed_for("a", signature, key, seconds)
    }

    pub(super) fn signed_for(
        &self,
        request: &str,
        signature: &str,
        key: Option<&str>,
        seconds: i64,
    ) -> Tried<'a> {
        let attempt = Attempt::for_test(&self.own(key.unwrap_or_default()), request, at(seconds));
        let attempt = attempt.with_signature(&self.own(signature));
        let (attempt, key) = match key {
            Some(key) => (attempt, format!("key {key:?}")),
            None => (attempt.without_header_key(), "no key".to_owned()),
        };
        self.tried(
            attempt,
            format!("signature {signature:?}, {key}, request {request:?}, at {seconds} s"),
        )
    }

    fn tried(&self, attempt: Attempt, name: String) -> Tried<'a> {
        let [one, other] = self.handles;
        let is_others = self.is_others_turn.fetch_xor(true, Ordering::Relaxed);
        Tried {
            store: if is_others { other } else { one },
            rule: self.rule,
            attempt,
            name,
        }
    }

    fn own(&self, key: &str) -> String {
        format!("{} {} {key}", self.number, self.rule)
    }

    /// Begins all of them at once: one must be new, and the others must be told that it runs. The new one comes first.
    pub(super) async fn one_is_new(
        &self,
        mut attempts: Vec<Tried<'a>>,
    ) -> (Tried<'a>, Vec<Tried<'a>>) {
        let known = join_all(attempts.iter().map(Tried::begin)).await;
        let count = |wanted| known.iter().filter(|known| **known == wanted).count();
        let (new, running) = (count(Known::New), count(Known::Running));
        if (new, running) != (1, attempts.len() - 1) {
            let (all, rest) = (attempts.len(), attempts.len() - new - running);
            self.broken(&format!(
                "of {all} attempts at once one must be New and the others Running; {new} were New, {running} Running, and \
                 {rest} something else"
            ));
        }
        let new = known.iter().position(|known| *known == Known::New);
        let new = attempts.swap_remove(new.expect("one is new"));
        (new, attempts)
    }

    fn broken(&self, how: &str) -> ! {
        broken(self.rule, how)
    }
}

impl Tried<'_> {
    pub(super) fn has_key_of(&self, other: &Self) -> bool {
        self.attempt.header_key() == other.attempt.header_key()
    }

    pub(super) async fn begin(&self) -> Known {
        match self.store.begin(&cx(), &self.attempt).await {
            Ok(known) => known,
            Err(error) => self.failed("begin", &error),
        }
    }

    /// Begins it, and the store must know this of it.
    pub(super) async fn is(&self, known: Known) {
        self.is_one_of(&[known]).await;
    }

    /// Begins it, and the store must know one of these of it.
    pub(super) async fn is_one_of(&self, expected: &[Known]) -> Known {
        let known = self.begin().await;
        if !expected.contains(&known) {
            let expected: Vec<_> = expected.iter().map(|known| format!("{known:?}")).collect();
            let (name, expected) = (&self.name, expected.join(" or "));
            broken(
                self.rule,
                &format!("begin of ({name}) must return {expected}, and returned {known:?}"),
            );
        }
        known
    }

    pub(super) async fn complete(&self) {
        if let Err(error) = self.store.complete(&cx(), &self.attempt).await {
            self.failed("complete", &error);
        }
    }

    pub(super) async fn forget(&self) {
        if let Err(error) = self.store.forget(&cx(), &self.attempt).await {
            self.failed("forget", &error);
        }
    }

    fn failed(&self, what: &str, error: &churnkey_integrator::HandlerError) -> ! {
        let (rule, name) = (self.rule, &self.name);
        panic!("the store failed during the rule `{rule}`:\n{what} of ({name}) returned {error:?}")
    }
}

fn broken(rule: &str, how: &str) -> ! {
    panic!("the store broke the rule `{rule}` (contract, section 7.5):\n{how}")
}

fn cx() -> RequestContext {
    RequestContext::for_test(Mode::Live)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOON + seconds).expect("a time of this century")
}
