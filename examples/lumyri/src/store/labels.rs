//! Creating, deleting and listing labels. They belong to the whole company, whatever the app.

use churnkey_integrator::Timestamp;
use sqlx::{AssertSqlSafe, FromRow, Row, SqliteConnection, sqlite::SqliteRow};

use super::{Error, Scope, customers::skipped, json};
use crate::record::{Label, NewLabel};

/// The order of a list of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelSort {
    /// The name.
    Name,
    /// The description.
    Description,
    /// When it was created.
    CreatedAt,
}

/// The parameters of a list of labels.
#[derive(Debug, Clone)]
pub struct LabelListing {
    /// How many labels at most.
    pub limit: u16,
    /// The number of the page, from 1 on.
    pub page: u64,
    /// Part of a name; empty finds all.
    pub name: String,
    /// The order.
    pub sort: LabelSort,
    /// Whether the order is reversed.
    pub descending: bool,
}

impl Scope {
    /// Stores a new label.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn create_label(&self, new: &NewLabel) -> Result<Label, Error> {
        let now = self.store.clock.now();
        let label = Label {
            id: self.store.generator.uuid()?,
            company_id: self.company.clone(),
            user_id: Some(new.user_id.clone()),
            created_by: new.user_name.clone(),
            updated_by: new.user_name.clone(),
            created_at: now,
            updated_at: now,
            name: new.name.clone(),
            description: new.description.clone(),
            color: new.color.clone(),
        };
        let mut tx = self.store.database.writing().await?;
        insert(&mut tx, &label).await?;
        tx.commit().await?;
        Ok(label)
    }

    /// Deletes these labels, also from the customers that have them. Ids that don't exist are ignored (L18).
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn delete_labels(&self, ids: &[String]) -> Result<(), Error> {
        let mut tx = self.store.database.writing().await?;
        sqlx::query(
            "DELETE FROM labels WHERE company = ? AND id IN (SELECT value FROM json_each(?))",
        )
        .bind(&self.company)
        .bind(json(ids)?)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// One page of labels, and how many all its pages hold.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn labels(&self, listing: &LabelListing) -> Result<(u64, Vec<Label>), Error> {
        let matching = "company = ?1 AND instr(folded, ?2) > 0";
        let order = match (listing.sort, listing.descending) {
            (LabelSort::Name, false) => "name, id",
            (LabelSort::Name, true) => "name DESC, id DESC",
            (LabelSort::Description, false) => "description, id",
            (LabelSort::Description, true) => "description DESC, id DESC",
            (LabelSort::CreatedAt, false) => "created_at, seq",
            (LabelSort::CreatedAt, true) => "created_at DESC, seq DESC",
        };
        let count = format!("SELECT count(*) FROM labels WHERE {matching}");
        let rows =
            format!("SELECT * FROM labels WHERE {matching} ORDER BY {order} LIMIT ?3 OFFSET ?4");
        let term = listing.name.to_lowercase();
        let mut tx = self.store.database.reading().await?;
        let total: i64 = sqlx::query_scalar(AssertSqlSafe(count))
            .bind(&self.company)
            .bind(&term)
            .fetch_one(&mut *tx)
            .await?;
        let labels = sqlx::query_as(AssertSqlSafe(rows))
            .bind(&self.company)
            .bind(&term)
            .bind(listing.limit)
            .bind(skipped(listing.page, listing.limit))
            .fetch_all(&mut *tx)
            .await?;
        Ok((total.unsigned_abs(), labels))
    }
}

pub(super) async fn insert(connection: &mut SqliteConnection, label: &Label) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO labels (id, company, user_id, created_by, updated_by, created_at, updated_at,
                             name, folded, description, color)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
    Ok(())
}

impl FromRow<'_, SqliteRow> for Label {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let moment = |column| {
            let moment = Timestamp::from_unix_millis(row.try_get(column)?);
            moment.map_err(|error| sqlx::Error::Decode(error.into()))
        };
        Ok(Self {
            id: row.try_get("id")?,
            company_id: row.try_get("company")?,
            user_id: row.try_get("user_id")?,
            created_by: row.try_get("created_by")?,
            updated_by: row.try_get("updated_by")?,
            created_at: moment("created_at")?,
            updated_at: moment("updated_at")?,
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            color: row.try_get("color")?,
        })
    }
}
