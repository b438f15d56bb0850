//! Creating, reading, changing, deleting and listing customers.
//!
//! Every change is a single statement, so none needs a transaction.

use std::fmt;

use sqlx::AssertSqlSafe;

use super::{Customers, Error, PageNumber, Paged, tokens::Hash};
use crate::record::{Customer, Merchant, Moment, TRIAL_SECONDS};

/// The parameters of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// Which page.
    pub page: PageNumber,
    /// The column to sort by. `None` is the order of creation.
    pub sort_by: Option<SortBy>,
    /// Whether the order is descending.
    pub descending: bool,
}

/// The columns that a list may be sorted by (R9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// By name, in order of code points.
    Name,
    /// By creation.
    CreatedAt,
    /// By the last change.
    UpdatedAt,
    /// By the trial's end.
    TrialEndsAt,
    /// Who does not pay first.
    IsPaying,
}

impl SortBy {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Name,
        Self::CreatedAt,
        Self::UpdatedAt,
        Self::TrialEndsAt,
        Self::IsPaying,
    ];

    /// Its name in the API and in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::TrialEndsAt => "trial_ends_at",
            Self::IsPaying => "is_paying",
        }
    }
}

/// A customer who was just created, with their token. Only its hash is stored.
#[derive(Clone)]
pub struct Created {
    /// The customer.
    pub customer: Customer,
    /// 64 hexadecimal digits.
    pub api_token: String,
}

impl fmt::Debug for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Created")
            .field("customer", &self.customer)
            .finish_non_exhaustive()
    }
}

impl Customers {
    /// The merchant of these customers.
    #[must_use]
    pub fn merchant(&self) -> &Merchant {
        &self.merchant
    }

    /// Creates a customer, whose trial begins now.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn create(&self, name: &str) -> Result<Created, Error> {
        let uuid = self.store.generator.uuid()?;
        let api_token = self.store.generator.token()?;
        let now = Moment::from(self.store.now());
        let customer = sqlx::query_as(
            "INSERT INTO customers
             (uuid, merchant_id, name, token_hash, trial_ends_at, is_paying, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?6) RETURNING *",
        )
        .bind(uuid)
        .bind(self.merchant.id)
        .bind(name)
        .bind(Hash::of(&api_token).bytes())
        .bind(now.later(TRIAL_SECONDS).seconds())
        .bind(now.seconds())
        .fetch_one(self.store.database.pool())
        .await?;
        Ok(Created {
            customer,
            api_token,
        })
    }

    /// The customer with this UUID.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn customer(&self, uuid: &str) -> Result<Option<Customer>, Error> {
        let found = sqlx::query_as("SELECT * FROM customers WHERE uuid = ? AND merchant_id = ?")
            .bind(uuid)
            .bind(self.merchant.id)
            .fetch_optional(self.store.database.pool());
        Ok(found.await?)
    }

    /// Changes the name of a customer.
    ///
    /// # Errors
    /// [`Error::NoSuchRecord`], [`Error::Failed`].
    pub async fn rename(&self, uuid: &str, name: &str) -> Result<Customer, Error> {
        sqlx::query_as(
            "UPDATE customers SET name = ?, updated_at = ?
             WHERE uuid = ? AND merchant_id = ? RETURNING *",
        )
        .bind(name)
        .bind(Moment::from(self.store.now()).seconds())
        .bind(uuid)
        .bind(self.merchant.id)
        .fetch_optional(self.store.database.pool())
        .await?
        .ok_or(Error::NoSuchRecord)
    }

    /// Sets whether a customer pays. The end of the trial does not change.
    ///
    /// # Errors
    /// [`Error::NoSuchRecord`], [`Error::Failed`].
    pub async fn set_paying(&self, uuid: &str, is_paying: bool) -> Result<(), Error> {
        let updated = sqlx::query(
            "UPDATE customers SET is_paying = ?, updated_at = ? WHERE uuid = ? AND merchant_id = ?",
        )
        .bind(is_paying)
        .bind(Moment::from(self.store.now()).seconds())
        .bind(uuid)
        .bind(self.merchant.id)
        .execute(self.store.database.pool())
        .await?;
        one(updated.rows_affected())
    }

    /// Deletes a customer, with the integrations, sessions and metrics. The token is no longer valid.
    ///
    /// # Errors
    /// [`Error::NoSuchRecord`], [`Error::Failed`].
    pub async fn delete(&self, uuid: &str) -> Result<(), Error> {
        let deleted = sqlx::query("DELETE FROM customers WHERE uuid = ? AND merchant_id = ?")
            .bind(uuid)
            .bind(self.merchant.id)
            .execute(self.store.database.pool())
            .await?;
        one(deleted.rows_affected())
    }

    /// A page of the customers, and how many there are.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn list(&self, listing: &Listing) -> Result<Paged<Customer>, Error> {
        let column = listing.sort_by.unwrap_or(SortBy::CreatedAt).name();
        let direction = if listing.descending { "DESC" } else { "ASC" };
        // The statement contains nothing of the caller's. Equal values are in the order of creation.
        let page = AssertSqlSafe(format!(
            "SELECT * FROM customers WHERE merchant_id = ?
             ORDER BY {column} {direction}, created_at, uuid LIMIT ? OFFSET ?"
        ));
        let mut tx = self.store.database.reading().await?;
        let total = sqlx::query_scalar("SELECT count(*) FROM customers WHERE merchant_id = ?")
            .bind(self.merchant.id)
            .fetch_one(&mut *tx)
            .await?;
        let rows = sqlx::query_as(page)
            .bind(self.merchant.id)
            .bind(listing.page.per_page)
            .bind(listing.page.offset())
            .fetch_all(&mut *tx)
            .await?;
        Ok(Paged { rows, total })
    }

    /// At most this many customers after an insertion number, in the order of insertion.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn after(&self, seq: i64, limit: i64) -> Result<Vec<Customer>, Error> {
        let rows = sqlx::query_as(
            "SELECT * FROM customers WHERE merchant_id = ? AND seq > ? ORDER BY seq LIMIT ?",
        )
        .bind(self.merchant.id)
        .bind(seq)
        .bind(limit)
        .fetch_all(self.store.database.pool());
        Ok(rows.await?)
    }

    /// How many customers there are.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn count(&self) -> Result<i64, Error> {
        let count = sqlx::query_scalar("SELECT count(*) FROM customers WHERE merchant_id = ?")
            .bind(self.merchant.id)
            .fetch_one(self.store.database.pool());
        Ok(count.await?)
    }
}

fn one(rows: u64) -> Result<(), Error> {
    if rows == 0 {
        return Err(Error::NoSuchRecord);
    }
    Ok(())
}
