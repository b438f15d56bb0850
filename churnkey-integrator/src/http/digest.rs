//! The digest that stands for a request in a merchant's store.

use sha2::{Digest, Sha256};

use super::Shared;
use crate::tenants::Merchant;

/// A digest over parts of which each has its length in front, so that no two lists of parts are alike.
pub(super) struct RequestDigest(Sha256);

impl RequestDigest {
    /// Begins with the integration and the tenant, who never share one.
    pub(super) fn new(shared: &Shared, merchant: &Merchant) -> Self {
        let digest = Self(Sha256::new()).part(shared.namespace.as_bytes());
        match merchant.id() {
            Some(tenant) => digest.part(b"tenant").part(tenant.as_str().as_bytes()),
            None => digest,
        }
    }

    pub(super) fn part(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// 64 hexadecimal digits.
    pub(super) fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }
}
