//! The owners of an address, looked up by its normalized form.

use example_app::Owners;

use super::{Environment, Error};
use crate::record::{ContactKind, Customer};

/// How many owners are named at most.
const NAMED: i64 = 20;

impl Environment {
    /// The owners of this address or number.
    ///
    /// Several customers may have it. They are ranked: enabled with a verified contact, enabled, disabled with a verified contact,
    /// the others. The owners of the first rank that has any are returned. Whether the contact is primary does not matter, because
    /// a second address is the customer's as well.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn owners(
        &self,
        kind: ContactKind,
        lookup_key: &str,
    ) -> Result<Owners<Customer>, Error> {
        let mut tx = self.store.database.reading().await?;
        let rows: Vec<(i64, i64, String)> = sqlx::query_as(
            "SELECT min((status = 'DISABLED') * 2 + NOT is_verified) AS tier, seq, customer_id
             FROM contacts JOIN customers ON seq = customer_seq
             WHERE contacts.environment_id = ? AND type = ? AND lookup_key = ?
             GROUP BY seq ORDER BY tier, seq LIMIT ?",
        )
        .bind(self.id)
        .bind(kind)
        .bind(lookup_key)
        .bind(NAMED)
        .fetch_all(&mut *tx)
        .await?;
        let Some(&(best, first, _)) = rows.first() else {
            return Ok(Owners::None);
        };
        let tied: Vec<_> = rows
            .into_iter()
            .filter(|(tier, ..)| *tier == best)
            .collect();
        if tied.len() > 1 {
            return Ok(Owners::Many(tied.into_iter().map(|(.., id)| id).collect()));
        }
        Ok(Owners::One(Box::new(self.by_seq(&mut tx, first).await?)))
    }

    /// The customer with this external id.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn by_external_id(&self, external_id: &str) -> Result<Option<Customer>, Error> {
        let mut tx = self.store.database.reading().await?;
        let seq = sqlx::query_scalar(
            "SELECT seq FROM customers WHERE environment_id = ? AND external_id = ?",
        )
        .bind(self.id)
        .bind(external_id)
        .fetch_optional(&mut *tx)
        .await?;
        match seq {
            Some(seq) => Ok(Some(self.by_seq(&mut tx, seq).await?)),
            None => Ok(None),
        }
    }
}
