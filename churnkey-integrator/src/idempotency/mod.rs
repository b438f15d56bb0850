//! Actions that arrive twice are done once (contract, section 7.5).
//!
//! # How a request is told from another one
//! * A signed request is known by what its signature covers.
//! * A request with an `Idempotency-Key` header is known by that key, too.
//! * A request with a plain token and no such header can't be told from others. It is done each time.
//!
//! The key is not part of what is signed, so it never stands in for the signature: signed bytes that come again are the
//! same request, whatever their `Idempotency-Key` says by then. A caller who retries with a new signature sends the key of
//! the first attempt.
//!
//! # What the second request gets
//! * The action was done: 200 again, for a day. Nothing is done.
//! * It still runs: 409 with `Retry-After`.
//! * It was refused or failed: nothing was done and nothing is remembered, so it is tried anew.
//! * The key was used for another request: 422.
//!
//! # To the end
//! An action that has begun runs to its end, also if its caller hangs up or the request's
//! [deadline](crate::IntegrationBuilder::deadline) passes: then the caller is answered 503, and asks again later.
//! Only the [action's own deadline](crate::IntegrationBuilder::action_deadline) ends it.
//! [`Integration::running_actions`](crate::Integration::running_actions) lets the app wait for what still runs before it exits.
//!
//! # Where it is remembered
//! The default, [`InMemoryIdempotency`], forgets with the process, and knows of one process only. With a database, implement
//! [`IdempotencyStore`] over it and mark the record as done in the transaction of the change itself: an action finds its
//! attempt in [`RequestContext::attempt`]. Then a crash between commit and answer neither loses nor doubles anything.
//! `examples/postgres` does that.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

pub use crate::attempt::{Attempt, Fingerprint, IdempotencyKey};

use crate::{context::RequestContext, controllers::forward, error::Result, time::Timestamp};

/// What a store knows about an attempt's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Known {
    /// Nothing, or that it died: the attempt is recorded now, and may run.
    New,
    /// It runs, or has died with its lease not yet over.
    Running,
    /// It was done.
    Done,
    /// One of its keys was used for a request with another fingerprint.
    AnotherRequest,
}

/// Remembers which actions run and which were done.
///
/// A record has the keys of a request, its fingerprint, the number of the attempt that it belongs to, until when that runs,
/// and whether it was done.
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
/// /// Never forgets, which a real one should.
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
///         // A retry that was signed anew is from now on known by this signature, too.
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
///         // An attempt that has lost its record to another one finds none.
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
/// # use churnkey_integrator::{Integration, IntegrationToken, testing::{Client, demo}};
/// # let token = IntegrationToken::new("a-token-for-this-example")?;
/// # let records = std::sync::Arc::new(Records::default());
/// # let integration = demo::cancelling(Integration::builder("Shop", token)).idempotency(records.clone()).build()?;
/// # let client = Client::new(&integration);
/// # let cancel = r#"{"customerId":"cus_1","subscriptionId":"sub_1","scheduledAt":"immediate"}"#;
/// # for _ in 0..2 {
/// #     assert_eq!(client.post("/churnkey/actions/subscription/cancel", cancel).await.status, 200);
/// # }
/// # assert!(records.0.lock().unwrap().iter().all(|r| r.is_done));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait IdempotencyStore: Send + Sync + 'static {
    /// Looks for a record under the attempt's [keys](Attempt::keys), the first one first, and records the attempt, all in
    /// one step: of two attempts at the same request at the same moment, one is [`Known::New`].
    ///
    /// * No record: one is made under all keys. [`Known::New`].
    /// * A record with another fingerprint: nothing changes. [`Known::AnotherRequest`].
    /// * A record with this fingerprint: it is known by the [signature's key](Attempt::signature_key) from now on, if there
    ///   is one, and by no other new key. If it is done, [`Known::Done`]. If it runs and its time is not over,
    ///   [`Known::Running`]. Otherwise it belongs to this attempt now: [`Known::New`].
    ///
    /// # Errors
    /// Whatever kept the store from answering; the action is not run then.
    async fn begin(&self, cx: &RequestContext, attempt: &Attempt) -> Result<Known>;

    /// Marks the attempt's record as done. If the action has done so itself, nothing changes. If the record belongs to
    /// another attempt by now, it stays as it is.
    ///
    /// # Errors
    /// Whatever kept the store from doing it; it is logged, and the caller is answered nevertheless.
    async fn complete(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()>;

    /// Removes the attempt's record, because the action was refused, failed or ran into its deadline. A record that
    /// is done stays, and so does one that belongs to another attempt by now.
    ///
    /// # Errors
    /// Whatever kept the store from doing it; it is logged.
    async fn forget(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()>;
}

forward! {
    impl IdempotencyStore {
        async fn begin(&self, cx: &RequestContext, attempt: &Attempt) -> Result<Known>;
        async fn complete(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()>;
        async fn forget(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()>;
    }
}

/// Remembers in this process only, up to a number of keys.
///
/// Each request has one key or two. When the memory is full, the oldest actions that have ended are forgotten before their
/// day is over, and one warning is logged. Those that run are never forgotten.
pub struct InMemoryIdempotency(Mutex<Records>);

impl InMemoryIdempotency {
    /// How many keys are remembered unless told otherwise. They take 35 to 55 MB, less if most requests have both.
    pub const CAPACITY: usize = 100_000;

    /// Remembers at most so many keys.
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
    /// To the number of the attempt that the record belongs to.
    by_key: HashMap<IdempotencyKey, i64>,
    /// The order in which to forget.
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
                    "the memory of actions is full, so the oldest are forgotten before their day is over, and a retry of one \
                     would be done again: raise InMemoryIdempotency::with_capacity, or give .idempotency(..) a store over \
                     your database"
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
