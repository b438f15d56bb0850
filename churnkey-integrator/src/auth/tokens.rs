//! The accepted tokens, and the proof that a caller has one of them.

use std::{fmt, marker::PhantomData};

use hmac::{Hmac, KeyInit, Mac};
use secrecy::zeroize::Zeroizing;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::error::AuthenticationError;
use crate::secret::IntegrationToken;

/// An accepted token, ready for use: the HMAC keyed once, and a digest to compare plain tokens with.
#[derive(Clone)]
pub(crate) struct Key {
    mac: Hmac<Sha256>,
    digest: Zeroizing<[u8; 32]>,
}

impl From<IntegrationToken> for Key {
    fn from(token: IntegrationToken) -> Self {
        Self::of(token.expose())
    }
}

impl Key {
    /// Takes the place of a tenant's keys if there is no tenant.
    pub(crate) fn decoy() -> Self {
        Self::of(b"decoy")
    }

    pub(crate) fn of(token: &[u8]) -> Self {
        Self {
            mac: keyed(token),
            digest: Zeroizing::new(Sha256::digest(token).into()),
        }
    }
}

/// HMAC-SHA256 under a key of any length.
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    #[expect(
        clippy::expect_used,
        reason = "HMAC hashes keys that are longer than a block"
    )]
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// The tokens that authenticate a request, for an [`AuthenticationScheme`](crate::AuthenticationScheme).
///
/// A scheme can check whether a caller has one of them. It can't read them, and it can't keep them.
#[derive(Clone, Copy)]
pub struct AcceptedTokens<'t> {
    keys: &'t [Key],
}

/// The proof that a caller has an accepted token.
///
/// Only [`AcceptedTokens`] creates one, and it can't outlive the request. So no
/// [`AuthenticationScheme`](crate::AuthenticationScheme) can let in a request without a token, neither by creating one:
///
/// ```compile_fail,E0451
/// # use churnkey_integrator::Authenticated;
/// let authenticated = Authenticated { position: 0, keys: std::marker::PhantomData };
/// ```
///
/// nor by keeping that of an earlier request:
///
/// ```compile_fail,E0521
/// # use std::sync::Mutex;
/// # use churnkey_integrator::{AcceptedTokens, Authenticated, AuthenticationError};
/// static KEPT: Mutex<Option<Authenticated<'static>>> = Mutex::new(None);
///
/// fn keep(tokens: AcceptedTokens<'_>, sent: &[u8]) -> Result<(), AuthenticationError> {
///     *KEPT.lock().unwrap() = Some(tokens.verify_token(sent)?);
///     Ok(())
/// }
/// ```
#[must_use]
pub struct Authenticated<'t> {
    position: u64,
    keys: PhantomData<&'t [Key]>,
}

impl Authenticated<'_> {
    /// Which of the tokens it was, counted from zero.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }
}

impl<'t> AcceptedTokens<'t> {
    pub(crate) fn new(keys: &'t [Key]) -> Self {
        Self { keys }
    }

    /// Checks that a signature is the HMAC-SHA256 of the parts, one after the other, keyed with an accepted token. The
    /// comparison takes constant time.
    ///
    /// # Errors
    /// [`AuthenticationError::WrongSignature`] if it is not.
    pub fn verify_hmac_sha256(
        self,
        parts: &[&[u8]],
        signature: &[u8],
    ) -> Result<Authenticated<'t>, AuthenticationError> {
        self.verify_with(parts, |expected| expected.as_slice().ct_eq(signature))
    }

    /// The same, with a comparison of one's own: it gets the HMAC, and has to take constant time.
    pub(super) fn verify_with(
        self,
        parts: &[&[u8]],
        is_signature: impl Fn(&[u8; 32]) -> Choice,
    ) -> Result<Authenticated<'t>, AuthenticationError> {
        let mut found = Found::none();
        for (position, key) in (0..).zip(self.keys) {
            let mut mac = key.mac.clone();
            for part in parts {
                mac.update(part);
            }
            found.add(position, is_signature(&mac.finalize().into_bytes().into()));
        }
        found
            .authenticated()
            .ok_or(AuthenticationError::WrongSignature)
    }

    /// Checks that this is an accepted token. The comparison takes constant time.
    ///
    /// # Errors
    /// [`AuthenticationError::WrongToken`] if it is not.
    pub fn verify_token(self, token: &[u8]) -> Result<Authenticated<'t>, AuthenticationError> {
        self.verify_any_token([token].into_iter())
    }

    pub(super) fn verify_any_token<'a>(
        self,
        tokens: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Authenticated<'t>, AuthenticationError> {
        // All digests have one length, so that the comparison does not reveal the token's.
        let mut found = Found::none();
        for token in tokens {
            let digest: [u8; 32] = Sha256::digest(token).into();
            for (position, key) in (0..).zip(self.keys) {
                found.add(position, key.digest.ct_eq(&digest));
            }
        }
        found.authenticated().ok_or(AuthenticationError::WrongToken)
    }
}

/// Whether a token was the right one so far, and which. Adding takes the same time either way.
struct Found {
    any: Choice,
    position: u64,
}

impl Found {
    fn none() -> Self {
        Self {
            any: Choice::from(0),
            position: 0,
        }
    }

    fn add(&mut self, position: u64, is_this: Choice) {
        self.position.conditional_assign(&position, is_this);
        self.any |= is_this;
    }

    fn authenticated<'t>(self) -> Option<Authenticated<'t>> {
        bool::from(self.any).then_some(Authenticated {
            position: self.position,
            keys: PhantomData,
        })
    }
}

/// Shows how many there are.
impl fmt::Debug for AcceptedTokens<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptedTokens")
            .field("count", &self.keys.len())
            .finish()
    }
}

impl fmt::Debug for Authenticated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticated")
    }
}
