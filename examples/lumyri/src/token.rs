//! The access tokens of Lumyri's callers: JWTs, signed with a secret (HS256).

use std::fmt;

use churnkey_integrator::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    crypto::{CryptoProvider, JwtVerifier, KeyUtils},
    errors::ErrorKind,
    signature::{self, Verifier},
};
use serde::Deserialize;
use sha2::Sha256;

use crate::record::uuid;

/// The caller, as the token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The company.
    pub company: String,
    /// The user.
    pub user: String,
}

/// The secret that tokens are signed with.
#[derive(Clone)]
pub struct TokenKey(DecodingKey);

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey([redacted])")
    }
}

#[derive(Deserialize)]
struct Claims {
    company_id: String,
    user_id: String,
    /// Not compared with anything. A token without one is not Lumyri's.
    #[serde(rename = "iss")]
    _issuer: String,
    #[serde(rename = "exp")]
    expires: Option<f64>,
    #[serde(rename = "nbf")]
    not_before: Option<f64>,
}

impl TokenKey {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        // An error means that one is installed already.
        let _ = HMAC_SHA256_ALONE.install_default();
        Self(DecodingKey::from_secret(secret.as_bytes()))
    }

    /// The holder of a token, if it is valid (L3).
    #[must_use]
    pub fn holder(&self, token: &str, now: Timestamp) -> Option<Holder> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        validation.validate_aud = false;
        // By the clock of the data, not by the system's.
        validation.validate_exp = false;
        let token = jsonwebtoken::decode::<Claims>(token, &self.0, &validation).ok()?;
        let claims = token.claims;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a float holds the milliseconds of 285 000 years exactly"
        )]
        let seconds = now.unix_millis() as f64 / 1000.0;
        let in_time = claims.expires.is_none_or(|end| seconds < end)
            && claims.not_before.is_none_or(|start| start <= seconds);
        in_time.then_some(())?;
        Some(Holder {
            company: uuid(&claims.company_id)?,
            user: claims.user_id,
        })
    }
}

/// The only algorithm that is needed. The library's own provider would add RSA and elliptic curves.
static HMAC_SHA256_ALONE: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => {
            let mac = Hmac::new_from_slice(key.try_get_as_bytes()?);
            let mac = mac.map_err(|_| ErrorKind::InvalidKeyFormat)?;
            Ok(Box::new(Hs256(mac)))
        }
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(Hmac<Sha256>);

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], tag: &Vec<u8>) -> Result<(), signature::Error> {
        let mac = self.0.clone().chain_update(message);
        mac.verify_slice(tag).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}
