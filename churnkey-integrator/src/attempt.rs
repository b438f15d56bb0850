//! One attempt to carry out an action, and how it is told from every other one.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use crate::time::Timestamp;

/// Identifies a request: 64 hexadecimal digits, which hold neither the caller's key nor a signature.
///
/// It is a digest over the integration's [namespace](crate::IntegrationBuilder::namespace), the parameters of the path
/// that the router is nested under, the mode, and either the `Idempotency-Key` or what the signature covers. So two
/// tenants never share one, and neither do live and test requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey(pub(crate) String);

impl IdempotencyKey {
    /// The digits, to store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a request asks for: 64 hexadecimal digits over the operation and the body.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub(crate) String);

impl Fingerprint {
    /// The digits, to store and to compare.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One attempt to carry out an action that can be told from other requests.
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
    /// None if there is no key: then nothing tells the request from another one.
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

    /// Tells this attempt from every other one, those at the same request among them: a random number from 1 to
    /// 2<sup>63</sup> - 1. A record notes the number of the attempt that it belongs to, so that an attempt that outlived
    /// its lease can't change the record of its successor.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.number
    }

    /// What the request is known by: one key or two. The [signature's](Self::signature_key) comes first, and decides
    /// if both are known.
    pub fn keys(&self) -> impl Iterator<Item = &IdempotencyKey> {
        self.signature_key.iter().chain(&self.header_key)
    }

    /// The key that stands for what the signature covers, if the request is signed.
    #[must_use]
    pub fn signature_key(&self) -> Option<&IdempotencyKey> {
        self.signature_key.as_ref()
    }

    /// What the request asks for. A key that is known with another fingerprint was used for another request.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The time by the integration's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// When the attempt's lease ends: it does not run longer than that. If its record still says that it runs, its
    /// process has died, and another attempt at the same request may take the record over.
    #[must_use]
    pub fn runs_until(&self) -> Timestamp {
        after(self.now, self.lease)
    }

    /// Until when the record is to be kept.
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

/// The standard library's hash keys are random, and no two of a process are alike.
fn random_number() -> i64 {
    let number = RandomState::new().hash_one(0_u8) >> 1;
    i64::try_from(number).unwrap_or(i64::MAX).max(1)
}

#[cfg(test)]
impl Attempt {
    pub(crate) fn for_test(keys: [Option<&str>; 2], body: &str, now_seconds: i64) -> Self {
        let [signature_key, header_key] =
            keys.map(|key| key.map(|key| IdempotencyKey(key.to_owned())));
        let now = Timestamp::from_unix_seconds(now_seconds).unwrap();
        let (lease, day) = (Duration::from_secs(10), Duration::from_secs(86_400));
        let fingerprint = Fingerprint(body.to_owned());
        Self::new(signature_key, header_key, fingerprint, now, lease, day).unwrap()
    }
}
