//! Finding merchants and customers by their tokens. Only hashes of tokens are stored.

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

    /// The part that is looked up in an index. The time of that look-up reveals nothing about the other bytes.
    fn beginning(&self) -> &[u8] {
        self.0.first_chunk::<8>().map_or(&[], |bytes| bytes)
    }

    /// The row with this hash, compared in constant time (R4).
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
    /// The customers of the merchant with this token.
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
    /// The records of the customer with this token, if it is this merchant's customer (R1).
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
