//! Sessions: links that give a customer access without a token, for a limited time.

use std::fmt;

use super::{CustomerData, Error, Store};
use crate::record::{Session, later};

const MILLIS_A_MINUTE: i64 = 60_000;

/// A session to be stored.
#[derive(Clone)]
pub struct NewSession {
    /// Where the customer goes afterwards; `None` is the merchant's own address.
    pub redirect_url: Option<String>,
    /// Other options of the page, as a JSON object.
    pub options: String,
    /// How long the link works.
    pub minutes: i64,
}

impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSession").finish_non_exhaustive()
    }
}

impl Store {
    /// The session with this UUID, also if it has expired. Sessions of deleted customers are deleted, and expired ones in time.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn session(&self, uuid: &str) -> Result<Option<Session>, Error> {
        let found = sqlx::query_as(
            "SELECT sessions.*, merchants.name AS merchant, customers.name AS customer
             FROM sessions JOIN customers ON customers.seq = customer_seq
             JOIN merchants ON merchants.id = merchant_id
             WHERE sessions.uuid = ?",
        )
        .bind(uuid)
        .fetch_optional(self.database.pool());
        Ok(found.await?)
    }
}

impl CustomerData {
    /// Begins a session, and deletes all expired ones (R13).
    ///
    /// # Errors
    /// [`Error::CustomerGone`], [`Error::Failed`].
    pub async fn begin_session(&self, new: NewSession) -> Result<Session, Error> {
        let millis = new.minutes.saturating_mul(MILLIS_A_MINUTE);
        let session = Session {
            uuid: self.store.generator.uuid()?,
            redirect_url: new.redirect_url.or(self.merchant.redirect_url.clone()),
            options: new.options,
            expires_at: later(self.now(), millis).unix_millis(),
            merchant: self.merchant.name.clone(),
            customer: self.customer.name.clone(),
        };
        let mut tx = self.store.database.writing().await?;
        sqlx::query("DELETE FROM sessions WHERE expires_at <= ?")
            .bind(self.now().unix_millis())
            .execute(&mut *tx)
            .await?;
        let inserted = sqlx::query(
            "INSERT INTO sessions (uuid, customer_seq, redirect_url, options, expires_at)
             SELECT ?, seq, ?, ?, ? FROM customers WHERE seq = ?",
        )
        .bind(&session.uuid)
        .bind(&session.redirect_url)
        .bind(&session.options)
        .bind(session.expires_at)
        .bind(self.customer.seq)
        .execute(&mut *tx)
        .await?;
        if inserted.rows_affected() == 0 {
            return Err(Error::CustomerGone);
        }
        tx.commit().await?;
        Ok(session)
    }
}
