//! Actions that arrive twice: the first answer is remembered, and given again (contract, section 7.5).
//!
//! A request is told from another by its `Idempotency-Key` header. Without one, a signed request is told by what
//! its signature covers, so that the very same request twice is one; a caller who retries with a new signature should send
//! the header. A request with a plain token and no such header can't be told apart, and is not remembered.
//!
//! * The same request again gets the first answer, for a day. A 5xx is no answer: the next one is tried anew.
//! * The same key with another request is a 422.
//! * While the first one still runs, the second is a 409.
//!
//! The default, [`InMemoryIdempotency`], forgets with the process, and knows of one process only. With a database, implement
//! [`IdempotencyStore`] over it and write the record in the transaction of the change itself: an action finds the key in
//! [`RequestContext::idempotency_key`]. Then a crash between commit and answer neither loses
//! nor doubles anything. `examples/postgres` does that.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

pub use crate::context::IdempotencyKey;

use crate::{context::RequestContext, error::Result, time::Timestamp};

/// What was asked for: 64 hexadecimal digits over the operation and the body.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub(crate) String);

impl Fingerprint {
    /// The digits, to store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What was stored.
    #[must_use]
    pub fn from_stored(digits: impl Into<String>) -> Self {
        Self(digits.into())
    }
}

/// A request that is about to run.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub(crate) key: IdempotencyKey,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) now: Timestamp,
    pub(crate) lease: Duration,
    pub(crate) keep: Duration,
}

impl Attempt {
    /// Tells the request from every other one.
    #[must_use]
    pub fn key(&self) -> &IdempotencyKey {
        &self.key
    }

    /// What it asks for.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Until when the request may run. After that it has ended without an answer, as when the process died, and
    /// another attempt may take its place.
    #[must_use]
    pub fn runs_until(&self) -> Timestamp {
        after(self.now, self.lease)
    }

    /// Until when the answer is to be remembered.
    #[must_use]
    pub fn kept_until(&self) -> Timestamp {
        after(self.now, self.keep)
    }
}

fn after(moment: Timestamp, duration: Duration) -> Timestamp {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_unix_millis(moment.unix_millis().saturating_add(millis))
        .unwrap_or(Timestamp::LAST)
}

/// What an action was answered first: done, or a 4xx with its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstAnswer {
    status: u16,
    message: Option<String>,
}

impl FirstAnswer {
    /// The action was done: a 200 with an empty body.
    #[must_use]
    pub const fn done() -> Self {
        Self {
            status: 200,
            message: None,
        }
    }

    /// What was stored.
    #[must_use]
    pub fn from_stored(status: u16, message: Option<String>) -> Self {
        Self { status, message }
    }

    /// The HTTP status, to store.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The message of a 4xx, to store.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

/// What a store knows about an attempt's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing: the attempt is recorded now, and may run.
    New,
    /// A request with this fingerprint runs, or has run and died with its lease not yet over.
    Running(Fingerprint),
    /// A request with this fingerprint was answered so.
    Answered(Fingerprint, FirstAnswer),
}

/// Remembers the first answers of actions.
///
/// # A small implementation
/// ```
/// use std::{collections::HashMap, sync::Mutex};
///
/// use churnkey_integrator::{
///     RequestContext, Result, Timestamp, async_trait,
///     idempotency::{
///         Attempt, FirstAnswer, Fingerprint, IdempotencyKey, IdempotencyStore, Known,
///     },
/// };
///
/// struct Record {
///     fingerprint: Fingerprint,
///     answer: Option<FirstAnswer>,
///     runs_until: Timestamp,
/// }
///
/// /// Never forgets, which a real one should.
/// #[derive(Default)]
/// struct Records(Mutex<HashMap<IdempotencyKey, Record>>);
///
/// #[async_trait]
/// impl IdempotencyStore for Records {
///     async fn begin(&self, _: &RequestContext, attempt: &Attempt) -> Result<Known> {
///         let mut records = self.0.lock().map_err(|_| "poisoned")?;
///         if let Some(record) = records.get(attempt.key()) {
///             let fingerprint = record.fingerprint.clone();
///             if let Some(answer) = record.answer.clone() {
///                 return Ok(Known::Answered(fingerprint, answer));
///             }
///             if fingerprint != *attempt.fingerprint() || record.runs_until > attempt.now() {
///                 return Ok(Known::Running(fingerprint));
///             }
///         }
///         records.insert(
///             attempt.key().clone(),
///             Record {
///                 fingerprint: attempt.fingerprint().clone(),
///                 answer: None,
///                 runs_until: attempt.runs_until(),
///             },
///         );
///         Ok(Known::New)
///     }
///
///     async fn finish(
///         &self,
///         _: &RequestContext,
///         attempt: &Attempt,
///         answer: Option<&FirstAnswer>,
///     ) -> Result<()> {
///         let mut records = self.0.lock().map_err(|_| "poisoned")?;
///         match (answer, records.get_mut(attempt.key())) {
///             (Some(answer), Some(record)) => record.answer = Some(answer.clone()),
///             (None, Some(_)) => drop(records.remove(attempt.key())),
///             (_, None) => {}
///         }
///         Ok(())
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # use churnkey_integrator::{Integration, IntegrationToken, testing::{Client, demo}};
/// # let token = IntegrationToken::new("a-token-for-this-example")?;
/// # let records = std::sync::Arc::new(Records::default());
/// # let integration = demo::cancelling(Integration::builder("Shop", token)).idempotency(records.clone()).build()?;
/// # let client = Client::new(&integration);
/// # let cancel = r#"{"customerId":"cus_1","subscriptionId":"sub_1","scheduledAt":"immediate"}"#;
/// # for _ in 0..2 {
/// #     assert_eq!(client.post("/churnkey/actions/subscription/cancel", cancel).await.status, 200);
/// # }
/// # assert!(records.0.lock().unwrap().values().all(|r| r.answer == Some(FirstAnswer::done())));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait IdempotencyStore: Send + Sync + 'static {
    /// Records that a request is about to run, unless its key is known. Of two at the same moment, one is
    /// [`Known::New`]. A record whose request has not ended in time gives way to the same request.
    ///
    /// # Errors
    /// Whatever kept the store from answering; the action is not run then.
    async fn begin(&self, cx: &RequestContext, attempt: &Attempt) -> Result<Known>;

    /// Records how the request ended. No answer means that it failed and may be tried again: forget the key. An answer
    /// that the action has recorded itself is here once more, and stays as it is, whatever is given here.
    ///
    /// # Errors
    /// Whatever kept the store from doing it; it is logged, and the caller gets the answer nevertheless.
    async fn finish(
        &self,
        cx: &RequestContext,
        attempt: &Attempt,
        answer: Option<&FirstAnswer>,
    ) -> Result<()>;
}

#[async_trait]
impl<T: IdempotencyStore + ?Sized> IdempotencyStore for Arc<T> {
    async fn begin(&self, cx: &RequestContext, attempt: &Attempt) -> Result<Known> {
        (**self).begin(cx, attempt).await
    }

    async fn finish(
        &self,
        cx: &RequestContext,
        attempt: &Attempt,
        answer: Option<&FirstAnswer>,
    ) -> Result<()> {
        (**self).finish(cx, attempt, answer).await
    }
}

/// Remembers in this process only.
#[derive(Default)]
pub struct InMemoryIdempotency(Mutex<Records>);

#[derive(Default)]
struct Records {
    by_key: HashMap<IdempotencyKey, Record>,
    /// The order in which to forget.
    by_end: BTreeSet<(Timestamp, IdempotencyKey)>,
}

struct Record {
    fingerprint: Fingerprint,
    answer: Option<FirstAnswer>,
    runs_until: Timestamp,
    kept_until: Timestamp,
}

impl Records {
    fn insert(&mut self, attempt: &Attempt) {
        self.remove(&attempt.key);
        let kept_until = attempt.kept_until();
        self.by_end.insert((kept_until, attempt.key.clone()));
        self.by_key.insert(
            attempt.key.clone(),
            Record {
                fingerprint: attempt.fingerprint.clone(),
                answer: None,
                runs_until: attempt.runs_until(),
                kept_until,
            },
        );
    }

    fn remove(&mut self, key: &IdempotencyKey) {
        if let Some(record) = self.by_key.remove(key) {
            self.by_end.remove(&(record.kept_until, key.clone()));
        }
    }

    fn forget_until(&mut self, now: Timestamp) {
        while let Some((kept_until, key)) = self.by_end.pop_first() {
            if kept_until > now {
                self.by_end.insert((kept_until, key));
                return;
            }
            self.by_key.remove(&key);
        }
    }
}

#[async_trait]
impl IdempotencyStore for InMemoryIdempotency {
    async fn begin(&self, _: &RequestContext, attempt: &Attempt) -> Result<Known> {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.forget_until(attempt.now);
        if let Some(record) = records.by_key.get(&attempt.key) {
            let fingerprint = record.fingerprint.clone();
            if let Some(answer) = &record.answer {
                return Ok(Known::Answered(fingerprint, answer.clone()));
            }
            if fingerprint != attempt.fingerprint || record.runs_until > attempt.now {
                return Ok(Known::Running(fingerprint));
            }
        }
        records.insert(attempt);
        Ok(Known::New)
    }

    async fn finish(
        &self,
        _: &RequestContext,
        attempt: &Attempt,
        answer: Option<&FirstAnswer>,
    ) -> Result<()> {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (answer, records.by_key.get_mut(&attempt.key)) {
            (Some(answer), Some(record)) => record.answer = Some(answer.clone()),
            (None, Some(_)) => records.remove(&attempt.key),
            (_, None) => {}
        }
        Ok(())
    }
}

impl fmt::Debug for InMemoryIdempotency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("InMemoryIdempotency")
            .field("records", &records.by_key.len())
            .finish()
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests {
    use super::*;
    use crate::context::Mode;

    fn attempt(key: &str, body: &str, now: i64) -> Attempt {
        Attempt {
            key: IdempotencyKey(key.to_owned()),
            fingerprint: Fingerprint(body.to_owned()),
            now: Timestamp::from_unix_seconds(now).unwrap(),
            lease: Duration::from_secs(10),
            keep: Duration::from_secs(86_400),
        }
    }

    fn print(body: &str) -> Fingerprint {
        Fingerprint(body.to_owned())
    }

    #[tokio::test]
    async fn the_first_answer_is_remembered_for_a_day_and_no_longer() {
        let cx = RequestContext::for_test(Mode::Live);
        let store = InMemoryIdempotency::default();
        let first = attempt("k", "a", 0);
        assert_eq!(store.begin(&cx, &first).await.unwrap(), Known::New);
        store
            .finish(&cx, &first, Some(&FirstAnswer::done()))
            .await
            .unwrap();
        for now in [0, 86_399] {
            let known = store.begin(&cx, &attempt("k", "b", now)).await.unwrap();
            assert_eq!(known, Known::Answered(print("a"), FirstAnswer::done()));
        }
        let next_day = store.begin(&cx, &attempt("k", "b", 86_400)).await.unwrap();
        assert_eq!(next_day, Known::New);
        assert_eq!(format!("{store:?}"), "InMemoryIdempotency { records: 1 }");
    }

    #[tokio::test]
    async fn what_died_without_an_answer_gives_way_after_its_lease_to_the_same_request_only() {
        let cx = RequestContext::for_test(Mode::Live);
        let store = InMemoryIdempotency::default();
        assert_eq!(
            store.begin(&cx, &attempt("k", "a", 0)).await.unwrap(),
            Known::New
        );
        for (body, now) in [("a", 9), ("b", 9), ("b", 11)] {
            let known = store.begin(&cx, &attempt("k", body, now)).await.unwrap();
            assert_eq!(known, Known::Running(print("a")), "{body} {now}");
        }
        assert_eq!(
            store.begin(&cx, &attempt("k", "a", 10)).await.unwrap(),
            Known::New
        );
    }

    #[tokio::test]
    async fn a_failure_is_forgotten_at_once() {
        let cx = RequestContext::for_test(Mode::Live);
        let store = InMemoryIdempotency::default();
        let first = attempt("k", "a", 0);
        assert_eq!(store.begin(&cx, &first).await.unwrap(), Known::New);
        store.finish(&cx, &first, None).await.unwrap();
        assert_eq!(
            store.begin(&cx, &attempt("k", "b", 0)).await.unwrap(),
            Known::New
        );
    }
}
