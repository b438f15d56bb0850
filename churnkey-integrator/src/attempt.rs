//! An attempt to run an action, and the keys that identify its request.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use crate::time::Timestamp;

/// Identifies a request: a digest of 64 hexadecimal digits, from which neither the caller's key nor a signature can be read.
///
/// The digest covers the integration's [namespace](crate::IntegrationBuilder::namespace), the
/// [tenant](crate::RequestContext::tenant), the parameters of the path that the router is nested under, the mode, and either
/// the `Idempotency-Key` or what the signature covers. So two tenants never share a key, and neither do live and test
/// requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey(pub(crate) String);

impl IdempotencyKey {
    /// The digits, to be stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a request asks for: a digest of 64 hexadecimal digits over the operation and the body.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub(crate) String);

impl Fingerprint {
    /// The digits, to be stored and compared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An attempt to run an action whose request can be identified.
///
/// An action finds its own in [`RequestContext::attempt`](crate::RequestContext::attempt).
#[derive(Debug, Clone)]
pub struct Attempt {
    number: i64,
    signature_key: Option<IdempotencyKey>,
    header_key: Option<IdempotencyKey>,
    fingerprint: Fingerprint,
    now: Timestamp,
    lease: Duration,
    keep: Duration,
}

impl Attempt {
    /// `None` without any key: then the request can't be identified.
    pub(crate) fn new(
        signature_key: Option<IdempotencyKey>,
        header_key: Option<IdempotencyKey>,
        fingerprint: Fingerprint,
        now: Timestamp,
        lease: Duration,
        keep: Duration,
    ) -> Option<Self> {
        (signature_key.is_some() || header_key.is_some()).then(|| Self {
            number: random_number(),
            signature_key,
            header_key,
            fingerprint,
            now,
            lease,
            keep,
        })
    }

    /// Identifies this attempt, among those at the same request too: a random positive number. A record has the number of
    /// the attempt that it belongs to, so that an attempt that outlived its lease can't change the record of its successor.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.number
    }

    /// The keys that identify the request: one or two. The [signature's](Self::signature_key) comes first, and decides if
    /// there is a record under each.
    pub fn keys(&self) -> impl Iterator<Item = &IdempotencyKey> {
        self.signature_key.iter().chain(&self.header_key)
    }

    /// The key made of what the signature covers, if the request is signed.
    #[must_use]
    pub fn signature_key(&self) -> Option<&IdempotencyKey> {
        self.signature_key.as_ref()
    }

    /// The key that stands for the `Idempotency-Key`, if the request has one.
    #[must_use]
    pub fn header_key(&self) -> Option<&IdempotencyKey> {
        self.header_key.as_ref()
    }

    /// What the request asks for. If a key has a record with another fingerprint, it was used for another request.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The time by the integration's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// When the attempt's lease ends. It does not run longer than that. If its record is not done by then, its process has
    /// died, and another attempt at the same request may take over the record.
    #[must_use]
    pub fn runs_until(&self) -> Timestamp {
        self.now.saturating_add(self.lease)
    }

    /// When the record may be removed.
    #[must_use]
    pub fn kept_until(&self) -> Timestamp {
        self.now.saturating_add(self.keep)
    }

    /// The parameters of a statement that begins this attempt, in types that every database driver can bind.
    #[must_use]
    pub fn parameters(&self) -> Parameters<'_> {
        Parameters(self)
    }
}

/// The parameters of a statement that begins an [`Attempt`], such as
/// [`postgres::BEGIN`](crate::idempotency::postgres::BEGIN), in its order. Times are Unix milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Parameters<'a>(&'a Attempt);

impl<'a> Parameters<'a> {
    /// Parameter 1: [`Attempt::signature_key`].
    #[must_use]
    pub fn signature_key(self) -> Option<&'a str> {
        self.0.signature_key().map(IdempotencyKey::as_str)
    }

    /// Parameter 2: [`Attempt::header_key`].
    #[must_use]
    pub fn header_key(self) -> Option<&'a str> {
        self.0.header_key().map(IdempotencyKey::as_str)
    }

    /// Parameter 3: [`Attempt::number`].
    #[must_use]
    pub fn number(self) -> i64 {
        self.0.number()
    }

    /// Parameter 4: [`Attempt::fingerprint`].
    #[must_use]
    pub fn fingerprint(self) -> &'a str {
        self.0.fingerprint().as_str()
    }

    /// Parameter 5: [`Attempt::now`].
    #[must_use]
    pub fn now(self) -> i64 {
        self.0.now().unix_millis()
    }

    /// Parameter 6: [`Attempt::runs_until`].
    #[must_use]
    pub fn runs_until(self) -> i64 {
        self.0.runs_until().unix_millis()
    }

    /// Parameter 7: [`Attempt::kept_until`].
    #[must_use]
    pub fn kept_until(self) -> i64 {
        self.0.kept_until().unix_millis()
    }
}

/// The keys of the standard library's hasher are random, and differ each time within a process.
fn random_number() -> i64 {
    let number = RandomState::new().hash_one(0_u8) >> 1;
    i64::try_from(number).unwrap_or(i64::MAX).max(1)
}

#[cfg(feature = "testing")]
impl Attempt {
    /// An attempt at an unsigned request, to test a store or an action with. The same key and the same `request` make
    /// another attempt at the same request. Its lease is 60 seconds, and its record is kept for an hour.
    #[must_use]
    pub fn for_test(key: &str, request: &str, now: Timestamp) -> Self {
        Self {
            number: random_number(),
            signature_key: None,
            header_key: Some(IdempotencyKey(digest(key))),
            fingerprint: Fingerprint(digest(request)),
            now,
            lease: Duration::from_secs(60),
            keep: Duration::from_secs(60 * 60),
        }
    }

    /// The same attempt at a request that is signed as well. The same text stands for the same signature.
    #[must_use]
    pub fn with_signature(mut self, signature: &str) -> Self {
        self.signature_key = Some(IdempotencyKey(digest(&format!("signature {signature}"))));
        self
    }

    /// The same attempt at a request without an `Idempotency-Key`, which is recognized by its signature alone.
    #[must_use]
    pub fn without_header_key(mut self) -> Self {
        self.header_key = None;
        self
    }
}

/// Keys have their real form, so that a column that is made for them holds those of a test.
#[cfg(feature = "testing")]
fn digest(text: &str) -> String {
    use sha2::{Digest, Sha256};

    hex::encode(Sha256::digest(text))
}
