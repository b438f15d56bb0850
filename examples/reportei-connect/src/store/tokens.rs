//! What the tokens of merchants and customers open. Only their hashes are stored.

use sha2::{Digest, Sha256};
use sqlx::{FromRow, Row, sqlite::SqliteRow};
use subtle::ConstantTimeEq;

use super::{CustomerData, Customers, Error, Store};
use crate::record::{Customer, Merchant};

/// A token's SHA-256.
pub(super) struct Hash([u8; 32]);

impl Hash {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What it is looked up by. That an index compares these bytes faster or slower tells nothing about the others.
    fn beginning(&self) -> &[u8] {
        self.0.first_chunk::<8>().map_or(&[], |bytes| bytes)
    }

    /// The row whose whole hash is this one, compared in constant time (R4).
    fn find<T>(&self, rows: &[SqliteRow]) -> Result<Option<T>, sqlx::Error>
    where
        T: for<'r> FromRow<'r, SqliteRow>,
    {
        for row in rows {
            let stored: &[u8] = row.try_get("token_hash")?;
            if bool::from(stored.ct_eq(&self.0)) {
                return T::from_row(row).map(Some);
            }
        }
        Ok(None)
    }
}

impl Store {
    /// The customers of the merchant whose token this is.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn opened_by(&self, token: &str) -> Result<Option<Customers>, Error> {
        let hash = Hash::of(token);
        let rows = sqlx::query("SELECT * FROM merchants WHERE substr(token_hash, 1, 8) = ?")
            .bind(hash.beginning())
            .fetch_all(self.database.pool())
            .await?;
        let merchant: Option<Merchant> = hash.find(&rows)?;
        Ok(merchant.map(|merchant| self.scoped(merchant)))
    }
}

impl Customers {
    /// The data of the customer whose token this is. Another merchant's customer is none (R1).
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn opened_by(&self, token: &str) -> Result<Option<CustomerData>, Error> {
        let hash = Hash::of(token);
        let rows = sqlx::query(
            "SELECT * FROM customers WHERE merchant_id = ? AND substr(token_hash, 1, 8) = ?",
        )
        .bind(self.merchant.id)
        .bind(hash.beginning())
        .fetch_all(self.store.database.pool())
        .await?;
        let customer: Option<Customer> = hash.find(&rows)?;
        Ok(customer.map(|customer| CustomerData {
            store: self.store.clone(),
            merchant: self.merchant.clone(),
            customer,
        }))
    }
}
