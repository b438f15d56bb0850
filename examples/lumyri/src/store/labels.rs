//! Labels.

use churnkey_integrator::Timestamp;
use sqlx::{AssertSqlSafe, FromRow, Row, SqliteConnection, sqlite::SqliteRow};

use super::{Store, StoreError, json};
use crate::label::Label;

/// What a page of labels is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelSort {
    /// The name.
    Name,
    /// The description.
    Description,
    /// When it was made.
    CreatedAt,
}

/// A page of labels.
#[derive(Debug, Clone)]
pub struct LabelListing {
    /// Part of a name; empty finds all.
    pub name: String,
    /// The order.
    pub sort: LabelSort,
    /// The other way round.
    pub descending: bool,
    /// How many at most.
    pub limit: i64,
    /// How many come before.
    pub offset: i64,
}

impl Store {
    /// Stores a new label.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] if there is one with this id.
    pub async fn create_label(&self, label: &Label) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        insert(&mut transaction, label).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A page of a company's labels, and how many all pages hold.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn labels(
        &self,
        company: &str,
        listing: &LabelListing,
    ) -> Result<(i64, Vec<Label>), StoreError> {
        let term = listing.name.to_lowercase();
        let mut transaction = self.pool.begin().await?;
        let total = sqlx::query_scalar(
            "SELECT count(*) FROM labels WHERE company = ?1 AND instr(searched, ?2) > 0",
        )
        .bind(company)
        .bind(&term)
        .fetch_one(&mut *transaction)
        .await?;
        let order = match (listing.sort, listing.descending) {
            (LabelSort::Name, false) => "name, id",
            (LabelSort::Name, true) => "name DESC, id DESC",
            (LabelSort::Description, false) => "description, id",
            (LabelSort::Description, true) => "description DESC, id DESC",
            (LabelSort::CreatedAt, false) => "created_at, seq",
            (LabelSort::CreatedAt, true) => "created_at DESC, seq DESC",
        };
        let sql = format!(
            "SELECT * FROM labels WHERE company = ?1 AND instr(searched, ?2) > 0 ORDER BY {order} LIMIT ?3 OFFSET ?4"
        );
        let rows = sqlx::query_as(AssertSqlSafe(sql))
            .bind(company)
            .bind(&term)
            .bind(listing.limit)
            .bind(listing.offset)
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok((total, rows))
    }

    /// Deletes those of the labels that are there, also from the customers that have them (L18).
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn delete_labels(&self, company: &str, ids: &[String]) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "DELETE FROM labels WHERE company = ?1 AND id IN (SELECT value FROM json_each(?2))",
        )
        .bind(company)
        .bind(json(ids)?)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Stores a new label, within a transaction that writes.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    label: &Label,
) -> Result<(), StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO labels (id, company, user_id, created_by, updated_by, created_at, updated_at, name, searched, description, color)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&label.id)
    .bind(&label.company_id)
    .bind(&label.user_id)
    .bind(&label.created_by)
    .bind(&label.updated_by)
    .bind(label.created_at.unix_millis())
    .bind(label.updated_at.unix_millis())
    .bind(&label.name)
    .bind(label.name.to_lowercase())
    .bind(&label.description)
    .bind(&label.color)
    .execute(connection)
    .await?;
    match inserted.rows_affected() {
        0 => Err(StoreError::IdTaken),
        _ => Ok(()),
    }
}

impl FromRow<'_, SqliteRow> for Label {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let moment = |column| {
            Timestamp::from_unix_millis(row.try_get(column)?)
                .map_err(|error| sqlx::Error::Decode(error.into()))
        };
        Ok(Self {
            id: row.try_get("id")?,
            company_id: row.try_get("company")?,
            user_id: row.try_get("user_id")?,
            created_at: moment("created_at")?,
            updated_at: moment("updated_at")?,
            created_by: row.try_get("created_by")?,
            updated_by: row.try_get("updated_by")?,
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            color: row.try_get("color")?,
        })
    }
}
