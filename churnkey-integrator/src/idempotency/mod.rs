//! Idempotency: a repeated request runs its action only once (contract, section 7.5).
//!
//! # How a request is identified
//! * A signed request, by what its signature covers.
//! * A request with an `Idempotency-Key` header, by that key too.
//! * A request with a plain token and no `Idempotency-Key` can't be identified. Its action runs each time.
//!
//! The `Idempotency-Key` is not signed, so it never replaces the signature: if the same signed bytes come again, they are
//! the same request, whatever their `Idempotency-Key` is. A caller who signs a retry anew must send the key of the first
//! attempt.
//!
//! # What a repeated request is answered
//! * The action was done: 200 again, for a day. It does not run.
//! * The action still runs: 409 with `Retry-After`.
//! * The action failed: nothing was recorded, so it runs again.
//! * The key was used for another request: 422.
//!
//! # Actions run to their end
//! An action that has begun runs to its end, even if its caller disconnects or the request's
//! [deadline](crate::IntegrationBuilder::deadline) passes. At the deadline the caller is answered 503, and may ask again.
//! Only the [action's own deadline](crate::IntegrationBuilder::action_deadline) ends it.
//! [`Integration::running_actions`](crate::Integration::running_actions) lets the app wait for running actions before it
//! exits.
//!
//! # Where records are kept
//! The default, [`InMemoryIdempotency`], keeps them in the memory of one process. With a database, implement
//! [`IdempotencyStore`] over it, and mark the record as done in the transaction of the change itself: an action finds its
//! attempt in [`RequestContext::attempt`]. Then a crash between commit and response neither loses an action nor runs it
//! twice.
//!
//! The statements for that are constants, for any driver: [`postgres`] and [`sqlite`].
//! [`guide::idempotency`](crate::guide::idempotency) shows whole stores.
//!
//! For actions that change no such database, the crate `churnkey-integrator-redis` has a store that several processes can
//! share: [`guide::redis`](crate::guide::redis).

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

pub mod postgres;
pub mod sqlite;

pub use crate::attempt::{Attempt, Fingerprint, IdempotencyKey, Parameters};

use crate::{context::RequestContext, controllers::forward, error::Result, time::Timestamp};

/// What a store knows about the request of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Known {
    /// It is new, or its last attempt has died. This attempt is recorded now, and may run.
    New,
    /// Another attempt runs, or has died and its lease has not expired yet.
    Running,
    /// Its action was done.
    Done,
    /// One of its keys was used for a request with another fingerprint.
    AnotherRequest,
}

/// What [`postgres::BEGIN`] and [`sqlite::BEGIN`] return: `new`, `running`, `done` or `another-request`.
impl FromStr for Known {
    type Err = InvalidKnown;

    fn from_str(text: &str) -> Result<Self, InvalidKnown> {
        match text {
            "new" => Ok(Self::New),
            "running" => Ok(Self::Running),
            "done" => Ok(Self::Done),
            "another-request" => Ok(Self::AnotherRequest),
            _ => Err(InvalidKnown(())),
        }
    }
}

/// A text that says nothing about an attempt's request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what is known of a request must be `new`, `running`, `done` or `another-request`")]
pub struct InvalidKnown(());

/// Records which actions run and which were done.
///
/// A record has the keys of a request, its fingerprint, the number of the attempt that it belongs to, the end of that
/// attempt's lease, and whether the action was done.
///
/// Over PostgreSQL or SQLite, each method is one statement that this crate has: [`postgres`], [`sqlite`].
/// [`guide::idempotency`](crate::guide::idempotency) has whole stores.
///
/// # A small implementation
/// ```
/// use std::sync::Mutex;
///
/// use churnkey_integrator::{
///     RequestContext, Result, Timestamp, async_trait,
///     idempotency::{Attempt, Fingerprint, IdempotencyKey, IdempotencyStore, Known},
/// };
///
/// struct Record {
///     keys: Vec<IdempotencyKey>,
///     fingerprint: Fingerprint,
///     attempt: i64,
///     runs_until: Timestamp,
///     is_done: bool,
/// }
///
/// /// Never removes a record. A real store should, at `kept_until`.
/// #[derive(Default)]
/// struct Records(Mutex<Vec<Record>>);
///
/// #[async_trait]
/// impl IdempotencyStore for Records {
///     async fn begin(&self, _: &RequestContext, attempt: &Attempt) -> Result<Known> {
///         let mut records = self.0.lock().map_err(|_| "poisoned")?;
///         let mut keys = attempt.keys();
///         let known = keys.find_map(|key| records.iter().position(|r| r.keys.contains(key)));
///         let Some(record) = known.and_then(|known| records.get_mut(known)) else {
///             records.push(Record {
///                 keys: attempt.keys().cloned().collect(),
///                 fingerprint: attempt.fingerprint().clone(),
///                 attempt: attempt.number(),
///                 runs_until: attempt.runs_until(),
///                 is_done: false,
///             });
///             return Ok(Known::New);
///         };
///         if record.fingerprint != *attempt.fingerprint() {
///             return Ok(Known::AnotherRequest);
///         }
///         // A retry that was signed anew is identified by its signature too from now on.
///         let signature_key = attempt.signature_key();
///         let new_key = signature_key.filter(|key| !record.keys.contains(key));
///         record.keys.extend(new_key.cloned());
///         if record.is_done {
///             return Ok(Known::Done);
///         }
///         if record.runs_until > attempt.now() {
///             return Ok(Known::Running);
///         }
///         record.attempt = attempt.number();
///         record.runs_until = attempt.runs_until();
///         Ok(Known::New)
///     }
///
///     async fn complete(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
///         let mut records = self.0.lock().map_err(|_| "poisoned")?;
///         // An attempt whose record another one has taken over finds none.
///         let own = records.iter_mut().find(|r| r.attempt == attempt.number());
///         if let Some(record) = own {
///             record.is_done = true;
///         }
///         Ok(())
///     }
///
///     async fn forget(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
///         let mut records = self.0.lock().map_err(|_| "poisoned")?;
///         records.retain(|r| r.is_done || r.attempt != attempt.number());
///         Ok(())
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # use churnkey_integrator::Mode;
/// # let (records, cx) = (Records::default(), RequestContext::for_test(Mode::Live));
/// # let attempt = |request| Attempt::for_test("key", request, Timestamp::now()).with_signature("1");
/// # let first = attempt("cancel");
/// # assert_eq!(records.begin(&cx, &first).await?, Known::New);
/// # assert_eq!(records.begin(&cx, &attempt("cancel")).await?, Known::Running);
/// # assert_eq!(records.begin(&cx, &attempt("pause")).await?, Known::AnotherRequest);
/// # records.forget(&cx, &attempt("cancel")).await?;
/// # records.complete(&cx, &first).await?;
/// # records.forget(&cx, &first).await?;
/// # assert_eq!(records.begin(&cx, &attempt("cancel")).await?, Known::Done);
/// # Ok::<(), churnkey_integrator::HandlerError>(()) })?;
/// # Ok::<(), churnkey_integrator::HandlerError>(())
/// ```
#[async_trait]
pub trait IdempotencyStore: Send + Sync + 'static {
    /// Looks for a record under the attempt's [keys](Attempt::keys), in their order, and records the attempt. Both are one
    /// atomic step: of two simultaneous attempts at the same request, only one is [`Known::New`].
    ///
    /// * Without a record, create one under all keys, and return [`Known::New`].
    /// * If the record has another fingerprint, change nothing, and return [`Known::AnotherRequest`].
    /// * If the record has this fingerprint, add the [signature's key](Attempt::signature_key) to it, if there is one, and
    ///   no other key. Return [`Known::Done`] if it is done, and [`Known::Running`] if its lease has not expired. Otherwise
    ///   give it to this attempt, and return [`Known::New`].
    ///
    /// # Errors
    /// Any error of the store. The action does not run then.
    async fn begin(&self, cx: &RequestContext, attempt: &Attempt) -> Result<Known>;

    /// Marks the attempt's record as done. If the action has done so itself, or if the record belongs to another attempt by
    /// now, nothing changes.
    ///
    /// # Errors
    /// Any error of the store. It is logged, and the caller is answered as if there were none.
    async fn complete(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()>;

    /// Removes the attempt's record, because the action failed or ran into its deadline. A record that is done stays, and
    /// so does one that belongs to another attempt by now.
    ///
    /// # Errors
    /// Any error of the store. It is logged.
    async fn forget(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()>;

    /// Whether the store can record an action now, for [`Integration::health`](crate::Integration::health). `Ok(())` unless
    /// implemented. Over a database, do what fails if it can't be written, and changes nothing: [`postgres::PURGE`] and
    /// [`sqlite::PURGE`] of no record.
    ///
    /// # Errors
    /// Any error says that it can't. Its text is logged at debug level only.
    async fn check(&self) -> Result<()> {
        Ok(())
    }
}

forward! {
    impl IdempotencyStore {
        async fn begin(&self, cx: &RequestContext, attempt: &Attempt) -> Result<Known>;
        async fn complete(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()>;
        async fn forget(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()>;
        async fn check(&self) -> Result<()>;
    }
}

/// Keeps records in the memory of this process, up to a number of keys.
///
/// Each request has one key or two. When the memory is full, the oldest records that are done are removed before their day
/// is over, and a warning is logged once. Records of running actions are never removed.
pub struct InMemoryIdempotency(Mutex<Records>);

impl InMemoryIdempotency {
    /// The default number of keys. They take 35 to 55 MB, less if most requests have two.
    pub const CAPACITY: usize = 100_000;

    /// A store of at most so many keys.
    #[must_use]
    pub fn with_capacity(keys: usize) -> Self {
        Self(Mutex::new(Records {
            capacity: keys,
            was_full: false,
            by_number: HashMap::new(),
            by_key: HashMap::new(),
            by_age: BTreeSet::new(),
        }))
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for InMemoryIdempotency {
    fn default() -> Self {
        Self::with_capacity(Self::CAPACITY)
    }
}

struct Records {
    capacity: usize,
    was_full: bool,
    by_number: HashMap<i64, Record>,
    /// The number of the attempt that the record belongs to, by key.
    by_key: HashMap<IdempotencyKey, i64>,
    /// The order in which records are removed.
    by_age: BTreeSet<(Timestamp, i64)>,
}

struct Record {
    keys: Vec<IdempotencyKey>,
    fingerprint: Fingerprint,
    is_done: bool,
    runs_until: Timestamp,
    kept_until: Timestamp,
}

impl Records {
    fn begin(&mut self, attempt: &Attempt) -> Known {
        self.forget_until(attempt.now());
        let known = attempt.keys().find_map(|key| self.by_key.get(key)).copied();
        let Some((number, record)) =
            known.and_then(|number| Some((number, self.by_number.get_mut(&number)?)))
        else {
            self.insert(attempt, attempt.keys().cloned().collect());
            return Known::New;
        };
        if record.fingerprint != *attempt.fingerprint() {
            return Known::AnotherRequest;
        }
        let (is_done, runs_until) = (record.is_done, record.runs_until);
        if let Some(key) = attempt.signature_key()
            && !record.keys.contains(key)
        {
            record.keys.push(key.clone());
            self.by_key.insert(key.clone(), number);
            self.make_room_for(0);
        }
        if is_done {
            return Known::Done;
        }
        if runs_until > attempt.now() {
            return Known::Running;
        }
        let keys = self.remove(number).map(|record| record.keys);
        self.insert(attempt, keys.unwrap_or_default());
        Known::New
    }

    fn insert(&mut self, attempt: &Attempt, keys: Vec<IdempotencyKey>) {
        let (number, kept_until) = (attempt.number(), attempt.kept_until());
        self.make_room_for(keys.len());
        let by_key = keys.iter().map(|key| (key.clone(), number));
        self.by_key.extend(by_key);
        self.by_age.insert((kept_until, number));
        let record = Record {
            keys,
            fingerprint: attempt.fingerprint().clone(),
            is_done: false,
            runs_until: attempt.runs_until(),
            kept_until,
        };
        self.by_number.insert(number, record);
    }

    fn remove(&mut self, number: i64) -> Option<Record> {
        let record = self.by_number.remove(&number)?;
        self.by_age.remove(&(record.kept_until, number));
        for key in &record.keys {
            self.by_key.remove(key);
        }
        Some(record)
    }

    fn forget_until(&mut self, now: Timestamp) {
        while let Some((kept_until, number)) = self.by_age.first().copied() {
            if kept_until > now {
                return;
            }
            self.remove(number);
        }
    }

    fn make_room_for(&mut self, keys: usize) {
        while self.by_key.len().saturating_add(keys) > self.capacity {
            let is_done = |number| self.by_number.get(number).is_some_and(|r| r.is_done);
            let oldest = self.by_age.iter().find(|(_, number)| is_done(number));
            let Some((_, oldest)) = oldest.copied() else {
                return;
            };
            self.remove(oldest);
            if !self.was_full {
                self.was_full = true;
                tracing::warn!(
                    capacity = self.capacity,
                    "the idempotency records are full, so the oldest are removed before their day is over, and a retry \
                     would run its action again: raise InMemoryIdempotency::with_capacity, or give .idempotency(..) a \
                     store over your database"
                );
            }
        }
    }
}

#[async_trait]
impl IdempotencyStore for InMemoryIdempotency {
    async fn begin(&self, _: &RequestContext, attempt: &Attempt) -> Result<Known> {
        Ok(self.records().begin(attempt))
    }

    async fn complete(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        if let Some(record) = self.records().by_number.get_mut(&attempt.number()) {
            record.is_done = true;
        }
        Ok(())
    }

    async fn forget(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        let mut records = self.records();
        let own = records.by_number.get(&attempt.number());
        if own.is_some_and(|record| !record.is_done) {
            records.remove(attempt.number());
        }
        Ok(())
    }
}

impl fmt::Debug for InMemoryIdempotency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryIdempotency")
            .field("records", &self.records().by_number.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
