//! What customers can pay for: families, products, prices and coupons, which are all read alike.

use std::{fmt, marker::PhantomData};

use churnkey_integrator::{
    Result,
    model::{Coupon, Family, Price, Product},
};
use serde::de::DeserializeOwned;
use tokio_postgres::{Row, types::Json};

use super::{Shop, pool::Database, statements::Reads};

/// One of the catalogue's tables.
pub struct Table<'a, R> {
    database: &'a Database,
    reads: &'a Reads,
    record: PhantomData<fn() -> R>,
}

impl Shop {
    /// The families of products.
    #[must_use]
    pub fn families(&self) -> Table<'_, Family> {
        self.table(&self.statements.families)
    }

    /// The products.
    #[must_use]
    pub fn products(&self) -> Table<'_, Product> {
        self.table(&self.statements.products)
    }

    /// The prices.
    #[must_use]
    pub fn prices(&self) -> Table<'_, Price> {
        self.table(&self.statements.prices)
    }

    /// The coupons.
    #[must_use]
    pub fn coupons(&self) -> Table<'_, Coupon> {
        self.table(&self.statements.coupons)
    }

    fn table<'a, R>(&'a self, reads: &'a Reads) -> Table<'a, R> {
        Table {
            database: &self.database,
            reads,
            record: PhantomData,
        }
    }
}

impl<R: DeserializeOwned> Table<'_, R> {
    /// The record with this id.
    ///
    /// # Errors
    /// Whatever kept the database from answering.
    pub async fn by_id(&self, id: &str) -> Result<Option<R>> {
        let rows = self.database.query(&self.reads.by_id, &[&id]).await?;
        rows.first().map(record).transpose()
    }

    /// At most so many records after an insertion number, each with theirs.
    ///
    /// # Errors
    /// Whatever kept the database from answering.
    pub async fn after(&self, seq: i64, limit: i64) -> Result<Vec<(i64, R)>> {
        let rows = self
            .database
            .query(&self.reads.after, &[&seq, &limit])
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("seq")?, record(row)?)))
            .collect()
    }
}

/// A record that PostgreSQL has put together as Churnkey's JSON.
pub(super) fn record<R: DeserializeOwned>(row: &Row) -> Result<R> {
    let Json(record) = row.try_get("record")?;
    Ok(record)
}

impl<R> fmt::Debug for Table<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").finish_non_exhaustive()
    }
}
