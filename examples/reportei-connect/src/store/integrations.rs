//! A customer's integrations.

use churnkey_integrator::Timestamp;

use super::{CustomerData, Error, PageNumber, Paged};
use crate::record::{Customer, Integration, Merchant};

impl CustomerData {
    /// The customer.
    #[must_use]
    pub fn customer(&self) -> &Customer {
        &self.customer
    }

    /// The merchant of the customer.
    #[must_use]
    pub fn merchant(&self) -> &Merchant {
        &self.merchant
    }

    /// The time of the data.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.store.now()
    }

    /// A page of the integrations, and how many there are.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn integrations(&self, page: PageNumber) -> Result<Paged<Integration>, Error> {
        let mut tx = self.store.database.reading().await?;
        let total = sqlx::query_scalar("SELECT count(*) FROM integrations WHERE customer_seq = ?")
            .bind(self.customer.seq)
            .fetch_one(&mut *tx)
            .await?;
        let rows = sqlx::query_as(
            "SELECT integrations.*, slug, name FROM integrations JOIN networks ON slug = network
             WHERE customer_seq = ? ORDER BY seq LIMIT ? OFFSET ?",
        )
        .bind(self.customer.seq)
        .bind(page.per_page)
        .bind(page.offset())
        .fetch_all(&mut *tx)
        .await?;
        Ok(Paged { rows, total })
    }

    /// The integration with this UUID.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn integration(&self, uuid: &str) -> Result<Option<Integration>, Error> {
        let found = sqlx::query_as(
            "SELECT integrations.*, slug, name FROM integrations JOIN networks ON slug = network
             WHERE uuid = ? AND customer_seq = ?",
        )
        .bind(uuid)
        .bind(self.customer.seq)
        .fetch_optional(self.store.database.pool());
        Ok(found.await?)
    }

    /// Deletes an integration. The customer must have this session, and it must not have expired.
    ///
    /// # Errors
    /// [`Error::NoSuchSession`], [`Error::NoSuchRecord`], [`Error::Failed`].
    pub async fn disconnect(&self, uuid: &str, session: &str) -> Result<(), Error> {
        let mut tx = self.store.database.writing().await?;
        let live: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM sessions WHERE uuid = ? AND customer_seq = ? AND expires_at > ?",
        )
        .bind(session)
        .bind(self.customer.seq)
        .bind(self.now().unix_millis())
        .fetch_one(&mut *tx)
        .await?;
        if live == 0 {
            return Err(Error::NoSuchSession);
        }
        let deleted = sqlx::query("DELETE FROM integrations WHERE uuid = ? AND customer_seq = ?")
            .bind(uuid)
            .bind(self.customer.seq)
            .execute(&mut *tx)
            .await?;
        if deleted.rows_affected() == 0 {
            return Err(Error::NoSuchRecord);
        }
        tx.commit().await?;
        Ok(())
    }
}
