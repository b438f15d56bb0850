//! Refuses a signed read that comes a second time (contract, section 2.2).
//!
//! A signature stays valid for as long as its timestamp is within the tolerance. So whoever gets hold of a signed request,
//! for example from a log of a proxy, can send it again for some minutes, and read what it reads. With
//! [`refuse_replays`](crate::IntegrationBuilder::refuse_replays) it is answered only once, and 401 afterwards. Actions need
//! no such store: a repeated one is recognized by [`crate::idempotency`], and changes nothing.
//!
//! It is off unless set, because it refuses more than attacks. A timestamp is in whole seconds, so **two equal reads that
//! were signed in the same second are one signed request**, and the second is refused. A caller has to sign each retry anew,
//! and must not ask for the same thing twice in a second. Confirm with Churnkey that its servers do so before you turn this
//! on. A caller can always tell two reads apart by a query parameter that the integration does not know: the signature
//! covers it.
//!
//! Requests with a plain token or another scheme have no signature to be recognized by, so they are not refused. Require
//! signatures as well ([`require_signature`](crate::IntegrationBuilder::require_signature)).

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
#[cfg(feature = "testing")]
use sha2::{Digest, Sha256};

use crate::{
    controllers::forward,
    error::{HandlerError, Result},
    time::Timestamp,
};

/// A read whose signature is valid, as a [`ReplayStore`] sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRead {
    digest: String,
    now: Timestamp,
    kept_until: Timestamp,
}

impl SignedRead {
    pub(crate) fn new(digest: String, now: Timestamp, kept_until: Timestamp) -> Self {
        Self {
            digest,
            now,
            kept_until,
        }
    }

    /// A read for a test of a store (feature `testing`). Reads of other texts have other digests.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn for_test(text: &str, now: Timestamp, kept_until: Timestamp) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        Self::new(hex::encode(digest), now, kept_until)
    }

    /// Identifies what was signed: 64 hexadecimal digits, from which nothing of it can be read. They differ between the
    /// [namespaces](crate::IntegrationBuilder::namespace) of integrations, and between tenants.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The time by the integration's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// When the signature is certainly too old, so that the digest need not be known any more.
    #[must_use]
    pub fn kept_until(&self) -> Timestamp {
        self.kept_until
    }
}

/// Remembers which signed reads have come.
///
/// All processes that serve the same tokens have to share one, or a replay is answered once by each of them. The crate
/// `churnkey-integrator-redis` has one. [`InMemoryReplays`] is for a single process.
///
/// # A small implementation
/// ```
/// use std::{collections::HashSet, sync::Mutex};
///
/// use churnkey_integrator::{Result, async_trait, replays::{ReplayStore, SignedRead}};
///
/// /// Never forgets. A real store should, at `kept_until`.
/// #[derive(Default)]
/// struct Digests(Mutex<HashSet<String>>);
///
/// #[async_trait]
/// impl ReplayStore for Digests {
///     async fn is_first(&self, read: &SignedRead) -> Result<bool> {
///         let mut digests = self.0.lock().map_err(|_| "poisoned")?;
///         Ok(digests.insert(read.digest().to_owned()))
///     }
/// }
/// ```
///
/// Over PostgreSQL it is one statement, and the read is the first if it inserts a row:
/// ```sql
/// INSERT INTO signed_reads (digest, kept_until) VALUES ($1, $2) ON CONFLICT DO NOTHING
/// ```
#[async_trait]
pub trait ReplayStore: Send + Sync + 'static {
    /// Records a read. Returns whether it was not there yet: of copies that come in the same moment, only one is the first.
    ///
    /// # Errors
    /// The read is not answered if the store can't tell: any error is a 503 for the caller.
    async fn is_first(&self, read: &SignedRead) -> Result<bool>;

    /// Whether the store can record something now, for [`Integration::health`](crate::Integration::health). `Ok(())` unless
    /// implemented.
    ///
    /// # Errors
    /// Any error says that it can't. Its text is logged at debug level only.
    async fn check(&self) -> Result<()> {
        Ok(())
    }
}

forward! {
    impl ReplayStore {
        async fn is_first(&self, read: &SignedRead) -> Result<bool>;
        async fn check(&self) -> Result<()>;
    }
}

/// Remembers signed reads in the memory of one process, 100,000 unless set.
///
/// If it is full, further reads are answered 503 until the oldest expire, because one that is forgotten early could be
/// replayed. A read is kept for twice the [tolerance](crate::IntegrationBuilder::tolerance): with 300 seconds,
/// 100,000 are enough for 166 reads a second.
pub struct InMemoryReplays {
    seen: Mutex<Seen>,
    capacity: usize,
}

#[derive(Default)]
struct Seen {
    digests: HashSet<String>,
    by_end: BTreeSet<(Timestamp, String)>,
}

impl InMemoryReplays {
    /// A store that remembers this many reads. Each takes about 300 bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            seen: Mutex::default(),
            capacity,
        }
    }

    /// `None` if there is no room.
    fn is_first(&self, read: &SignedRead) -> Option<bool> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((end, _)) = seen.by_end.first()
            && *end <= read.now
            && let Some((_, digest)) = seen.by_end.pop_first()
        {
            seen.digests.remove(&digest);
        }
        if seen.digests.contains(&read.digest) {
            return Some(false);
        }
        if seen.digests.len() >= self.capacity {
            return None;
        }
        seen.digests.insert(read.digest.clone());
        seen.by_end.insert((read.kept_until, read.digest.clone()));
        Some(true)
    }
}

impl Default for InMemoryReplays {
    fn default() -> Self {
        Self::with_capacity(100_000)
    }
}

#[async_trait]
impl ReplayStore for InMemoryReplays {
    async fn is_first(&self, read: &SignedRead) -> Result<bool> {
        self.is_first(read).ok_or_else(|| {
            HandlerError::unavailable(
                Duration::from_secs(1),
                "the store of signed reads is full: raise InMemoryReplays::with_capacity, or shorten the tolerance",
            )
        })
    }
}

impl fmt::Debug for InMemoryReplays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryReplays")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
