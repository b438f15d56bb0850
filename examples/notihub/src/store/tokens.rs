//! The keys of an environment, and the tokens that they are exchanged for.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Environment, Error, Store};

/// The vendor's page says "within an hour" in one place; its table says this (N1).
const LIFETIME_MILLIS: i64 = 6 * 60 * 60 * 1000;

/// The four keys of an account and one of its environments.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    /// The public key of the account.
    pub public_key: &'a str,
    /// Proves it.
    pub secret_key: &'a str,
    /// The client id of the environment.
    pub client_id: &'a str,
    /// Proves it.
    pub client_secret: &'a str,
}

/// A token that was just issued. Only its hash is stored.
#[derive(Clone)]
pub struct AccessToken {
    /// 64 hexadecimal digits.
    pub token: String,
    /// In milliseconds since 1970.
    pub expires_at: i64,
}

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

pub(super) fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

impl Store {
    /// Exchanges keys for a token. `None` if they are not valid. Earlier tokens stay valid.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn issue_token(&self, keys: Keys<'_>) -> Result<Option<AccessToken>, Error> {
        let mut tx = self.database.writing().await?;
        let found: Option<(i64, Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT environments.id, secret_hash, client_secret_hash
             FROM environments JOIN accounts ON accounts.id = account_id
             WHERE public_key = ? AND client_id = ?",
        )
        .bind(keys.public_key)
        .bind(keys.client_id)
        .fetch_optional(&mut *tx)
        .await?;
        let Some((environment, secret, client_secret)) = found else {
            return Ok(None);
        };
        let proven =
            hash(keys.secret_key).ct_eq(&secret) & hash(keys.client_secret).ct_eq(&client_secret);
        if !bool::from(proven) {
            return Ok(None);
        }

        let now = self.clock.now().unix_millis();
        let issued = AccessToken {
            token: self.generator.token()?,
            expires_at: now.saturating_add(LIFETIME_MILLIS),
        };
        sqlx::query("DELETE FROM tokens WHERE expires_at <= ?")
            .bind(now)
            .execute(&mut *tx)
            .await?;
        sqlx::query("INSERT INTO tokens (hash, environment_id, expires_at) VALUES (?, ?, ?)")
            .bind(hash(&issued.token))
            .bind(environment)
            .bind(issued.expires_at)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Some(issued))
    }

    /// The environment of a token. `None` if it is unknown or expired.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn opened_by(&self, token: &str) -> Result<Option<Environment>, Error> {
        let id = sqlx::query_scalar(
            "SELECT environment_id FROM tokens WHERE hash = ? AND expires_at > ?",
        )
        .bind(hash(token))
        .bind(self.clock.now().unix_millis())
        .fetch_optional(self.database.pool())
        .await?;
        Ok(id.map(|id| self.scoped(id)))
    }
}
