//! Each rule finds the store that breaks it, and that one only.

use std::{
    panic::AssertUnwindSafe,
    sync::{Mutex, MutexGuard},
};

use churnkey_integrator::{
    HandlerError, RequestContext, Result, Timestamp, async_trait,
    idempotency::{
        Attempt, Fingerprint, IdempotencyKey, IdempotencyStore, InMemoryIdempotency, Known,
    },
};
use futures_util::FutureExt;
use tokio::task::yield_now;

use super::keeps_every_rule;

/// What a store gets wrong, in the order of the rules that find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    NothingExpires,
    NothingGivesWay,
    KeepsFailures,
    CompletesForOthers,
    AddsHeaderKeys,
    AddsNoSignature,
    AddsTheSignatureOfAnotherRequest,
    HeaderKeyDecides,
    ExpiredKeyIsNew,
    NoLock,
    LocksTheSignature,
    LocksTheHeaderKey,
    TakesOverWithoutALock,
    CompletesWithoutALock,
    ForgetsWithoutALock,
}

use Fault::*;

#[derive(Clone)]
struct Record {
    keys: Vec<IdempotencyKey>,
    fingerprint: Fingerprint,
    attempt: i64,
    runs_until: Timestamp,
    kept_until: Timestamp,
    is_done: bool,
}

#[derive(Default)]
struct Store {
    records: Mutex<Vec<Record>>,
    fault: Option<Fault>,
}

impl Store {
    fn with(fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..Self::default()
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap()
    }

    /// The place of the record that the attempt belongs to.
    fn find(&self, records: &[Record], attempt: &Attempt) -> Option<usize> {
        let mut keys: Vec<_> = attempt.keys().collect();
        if self.has(HeaderKeyDecides) {
            keys.reverse();
        }
        keys.into_iter().find_map(|key| holder(records, key))
    }

    fn begin_with(&self, records: &mut Vec<Record>, attempt: &Attempt) -> Known {
        let now = attempt.now();
        let first = attempt.keys().next().unwrap();
        let is_over = holder(records, first).is_some_and(|place| records[place].kept_until <= now);
        if !self.has(NothingExpires) {
            records.retain(|record| record.kept_until > now);
        }
        let place = self.find(records, attempt);
        let Some(place) = place.filter(|_| !(is_over && self.has(ExpiredKeyIsNew))) else {
            insert(records, attempt);
            return Known::New;
        };
        let record = &mut records[place];
        let is_another = record.fingerprint != *attempt.fingerprint();
        if !self.has(AddsNoSignature) && (!is_another || self.has(AddsTheSignatureOfAnotherRequest))
        {
            record.keys.extend(attempt.signature_key().cloned());
        }
        if is_another {
            return Known::AnotherRequest;
        }
        if self.has(AddsHeaderKeys) {
            record.keys.extend(attempt.header_key().cloned());
        }
        if record.is_done {
            return Known::Done;
        }
        if record.runs_until > now || self.has(NothingGivesWay) {
            return Known::Running;
        }
        take_over(record, attempt);
        Known::New
    }

    /// The keys under which a record is looked for once more before a new one is made.
    fn locked<'a>(&self, attempt: &'a Attempt) -> Vec<&'a IdempotencyKey> {
        match self.fault {
            Some(NoLock) => Vec::new(),
            Some(LocksTheSignature) => attempt.signature_key().into_iter().collect(),
            Some(LocksTheHeaderKey) => attempt.header_key().into_iter().collect(),
            _ => attempt.keys().collect(),
        }
    }
}

fn holder(records: &[Record], key: &IdempotencyKey) -> Option<usize> {
    records.iter().position(|record| record.keys.contains(key))
}

fn insert(records: &mut Vec<Record>, attempt: &Attempt) {
    records.push(Record {
        keys: attempt.keys().cloned().collect(),
        fingerprint: attempt.fingerprint().clone(),
        attempt: attempt.number(),
        runs_until: attempt.runs_until(),
        kept_until: attempt.kept_until(),
        is_done: false,
    });
}

fn take_over(record: &mut Record, attempt: &Attempt) {
    record.keys.extend(attempt.signature_key().cloned());
    record.attempt = attempt.number();
    record.runs_until = attempt.runs_until();
    record.kept_until = attempt.kept_until();
}

#[async_trait]
impl IdempotencyStore for Store {
    async fn begin(&self, _: &RequestContext, attempt: &Attempt) -> Result<Known> {
        let seen = {
            let records = self.records();
            let place = self.find(&records, attempt);
            place.map(|place| records[place].clone())
        };
        // The others come in between.
        yield_now().await;
        let mut records = self.records();
        let Some(seen) = seen else {
            // Whatever has come meanwhile is found under the keys that are locked.
            let mut locked = self.locked(attempt).into_iter();
            if locked.all(|key| holder(&records, key).is_none()) {
                insert(&mut records, attempt);
                return Ok(Known::New);
            }
            return Ok(self.begin_with(&mut records, attempt));
        };
        let was_dead = !seen.is_done
            && seen.runs_until <= attempt.now()
            && attempt.now() < seen.kept_until
            && seen.fingerprint == *attempt.fingerprint();
        if self.has(TakesOverWithoutALock) && was_dead {
            let place = self.find(&records, attempt).unwrap();
            take_over(&mut records[place], attempt);
            return Ok(Known::New);
        }
        Ok(self.begin_with(&mut records, attempt))
    }

    async fn complete(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        let is_own = |record: &Record| {
            record.attempt == attempt.number()
                || self.has(CompletesForOthers)
                    && attempt.keys().any(|key| record.keys.contains(key))
        };
        let place = self.records().iter().position(is_own);
        let Some(place) = place else { return Ok(()) };
        let seen = self.records()[place].clone();
        if self.has(CompletesWithoutALock) {
            yield_now().await;
            self.records()[place] = seen;
        }
        self.records()[place].is_done = true;
        Ok(())
    }

    async fn forget(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        if self.has(KeepsFailures) {
            return Ok(());
        }
        let is_own = |record: &Record| record.attempt == attempt.number() && !record.is_done;
        if self.has(ForgetsWithoutALock) {
            let seen = self.records().iter().find(|record| is_own(record)).cloned();
            yield_now().await;
            for record in self.records().iter_mut().filter(|record| is_own(record)) {
                let keys = seen.as_ref().map_or(&[][..], |seen| &seen.keys);
                record.keys.retain(|key| !keys.contains(key));
            }
            self.records().retain(|record| !record.keys.is_empty());
        } else {
            self.records().retain(|record| !is_own(record));
        }
        Ok(())
    }
}

/// The message of the panic, if there is one.
async fn broken(one: &dyn IdempotencyStore, other: &dyn IdempotencyStore) -> Option<String> {
    let rules = AssertUnwindSafe(keeps_every_rule(one, other)).catch_unwind();
    let panic = rules.await.err()?;
    Some(panic.downcast_ref::<String>().unwrap().clone())
}

#[tokio::test]
async fn a_store_that_keeps_the_rules_passes() {
    let store = Store::default();
    assert_eq!(broken(&store, &store).await, None);
}

#[tokio::test]
async fn each_rule_finds_what_breaks_it() {
    for (fault, rule) in [
        (NothingExpires, "what_was_done_is_remembered_for_its_time"),
        (NothingGivesWay, "what_died_gives_way_after_its_lease"),
        (KeepsFailures, "a_failure_is_forgotten_at_once"),
        (CompletesForOthers, "a_lost_attempt_changes_nothing"),
        (AddsHeaderKeys, "signed_bytes_are_one_request"),
        (
            AddsNoSignature,
            "a_retry_signed_anew_is_known_by_its_signature",
        ),
        (
            AddsTheSignatureOfAnotherRequest,
            "another_request_with_a_known_key_changes_nothing",
        ),
        (
            HeaderKeyDecides,
            "the_signature_decides_between_two_records",
        ),
        (ExpiredKeyIsNew, "an_expired_key_joins_a_record_that_lasts"),
        (NoLock, "of_a_thousand_attempts_one_is_new"),
        (
            LocksTheSignature,
            "of_many_signatures_with_one_key_one_is_new",
        ),
        (
            LocksTheHeaderKey,
            "of_a_signature_with_many_keys_one_is_new",
        ),
        (TakesOverWithoutALock, "one_successor_takes_a_record_over"),
        (
            CompletesWithoutALock,
            "a_retry_while_the_action_completes_is_known_as_done",
        ),
        (
            ForgetsWithoutALock,
            "a_retry_while_an_attempt_is_forgotten_is_new_or_waits",
        ),
    ] {
        let store = Store::with(fault);
        let message = broken(&store, &store).await;
        let message = message.unwrap_or_else(|| panic!("{fault:?} was not found"));
        let named = format!("the store broke the rule `{rule}` (contract, section 7.5):\n");
        assert!(message.starts_with(&named), "{fault:?}: {message}");
    }
}

#[tokio::test]
async fn a_store_of_two_processes_has_to_share_its_records() {
    let (one, other) = (
        InMemoryIdempotency::default(),
        InMemoryIdempotency::default(),
    );
    let message = broken(&one, &other).await.unwrap();
    assert_eq!(
        message,
        "the store broke the rule `what_was_done_is_remembered_for_its_time` (contract, section 7.5):\n\
         begin of (key \"k\", request \"a\", at 0 s) must return Done, and returned New"
    );
}

struct Failing;

#[async_trait]
impl IdempotencyStore for Failing {
    async fn begin(&self, _: &RequestContext, _: &Attempt) -> Result<Known> {
        Err(HandlerError::from("no connection"))
    }

    async fn complete(&self, _: &RequestContext, _: &Attempt) -> Result<()> {
        Ok(())
    }

    async fn forget(&self, _: &RequestContext, _: &Attempt) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_store_that_fails_is_told_apart_from_one_that_breaks_a_rule() {
    let message = broken(&Failing, &Failing).await.unwrap();
    let expected = "the store failed during the rule `what_was_done_is_remembered_for_its_time`:\n\
        begin of (key \"k\", request \"a\", at 0 s) returned HandlerError { status: 500";
    assert!(message.starts_with(expected), "{message}");
}
