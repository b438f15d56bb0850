//! Creating, reading, changing, deleting and listing customers.

use example_app::{email_key, phone_key};
use serde::de::DeserializeOwned;
use sqlx::{FromRow, Row, SqliteConnection, sqlite::SqliteRow};

use super::{Error, Scope, json};
use crate::record::{Customer, CustomerChanges, NewCustomer};

/// A customer with their labels; what follows begins with `WHERE`.
pub(super) const SELECT: &str = "
    SELECT c.*, (
        SELECT json_group_array(json_object('id', l.id, 'name', l.name, 'color', l.color) ORDER BY t.position)
        FROM customer_labels t JOIN labels l ON l.seq = t.label_seq WHERE t.customer_seq = c.seq
    ) AS labels
    FROM customers c ";

/// The order of a list. Equal rows are ordered by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The first name, then the last one, then the id.
    Name,
    /// The e-mail address.
    Email,
    /// When the customer was created.
    CreatedAt,
}

/// The parameters of a list.
#[derive(Clone)]
pub struct Listing {
    /// How many customers at most.
    pub limit: u16,
    /// The number of the page, from 1 on.
    pub page: u64,
    /// Part of a name, an e-mail address or a phone number; empty finds everybody.
    pub search: String,
    /// The order.
    pub sort: Sort,
    /// Whether the order is reversed.
    pub descending: bool,
}

impl std::fmt::Debug for Listing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listing").finish_non_exhaustive()
    }
}

impl Scope {
    /// Stores a new customer of an app.
    ///
    /// # Errors
    /// [`Error::IdTaken`], [`Error::EmailTaken`], [`Error::NoSuchLabel`], or [`Error::Failed`].
    pub async fn create(&self, app: &str, new: &NewCustomer) -> Result<Customer, Error> {
        let mut tx = self.store.database.writing().await?;
        let id = self.insert(&mut tx, app, new).await?;
        let customer = self.by_id(&mut tx, &id).await?;
        tx.commit().await?;
        customer.ok_or(Error::NoSuchCustomer)
    }

    /// The customer with this id.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn customer(&self, id: &str) -> Result<Option<Customer>, Error> {
        let mut connection = self.store.database.reading().await?;
        self.by_id(&mut connection, id).await
    }

    /// Changes the given fields and leaves the others as they are.
    ///
    /// # Errors
    /// [`Error::NoSuchCustomer`], [`Error::EmailTaken`], [`Error::NoSuchLabel`], or [`Error::Failed`].
    pub async fn update(&self, id: &str, changes: &CustomerChanges) -> Result<Customer, Error> {
        let mut tx = self.store.database.writing().await?;
        let found = self.by_id(&mut tx, id).await?;
        let mut customer = found.ok_or(Error::NoSuchCustomer)?;
        let changes = changes.clone();
        customer.first_name = changes.first_name.unwrap_or(customer.first_name);
        customer.last_name = changes.last_name.unwrap_or(customer.last_name);
        customer.email = changes.email.unwrap_or(customer.email);
        customer.phone = changes.phone.unwrap_or(customer.phone);
        customer.address = changes.address.unwrap_or(customer.address);
        customer.avatar = changes.avatar.unwrap_or(customer.avatar);
        let phone = customer.phone.as_deref();
        sqlx::query(
            "UPDATE customers
             SET first_name = ?, last_name = ?, email = ?, email_key = ?, phone = ?, phone_key = ?,
                 address = ?, avatar = ?, folded = ?
             WHERE seq = ?",
        )
        .bind(&customer.first_name)
        .bind(&customer.last_name)
        .bind(&customer.email)
        .bind(email_key(&customer.email))
        .bind(phone)
        .bind(phone.and_then(phone_key))
        .bind(json(&customer.address)?)
        .bind(&customer.avatar)
        .bind(folded(
            &customer.first_name,
            &customer.last_name,
            &customer.email,
            phone,
        ))
        .bind(customer.seq)
        .execute(&mut *tx)
        .await
        .map_err(or_taken)?;
        if let Some(labels) = &changes.labels {
            self.set_labels(&mut tx, customer.seq, labels.as_deref())
                .await?;
        }
        let customer = self.by_id(&mut tx, id).await?;
        tx.commit().await?;
        customer.ok_or(Error::NoSuchCustomer)
    }

    /// Deletes these customers. Ids that don't exist are ignored (L17).
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn delete(&self, ids: &[String]) -> Result<(), Error> {
        let sql = "DELETE FROM customers AS c
                   WHERE {scope} AND c.id IN (SELECT value FROM json_each(?3))";
        let mut tx = self.store.database.writing().await?;
        sqlx::query(self.sql(sql))
            .bind(&self.company)
            .bind(&self.app)
            .bind(json(ids)?)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// One page of the merchant's own list, and how many customers all its pages hold. It uses a count and an OFFSET, as its
    /// documented form needs them.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn list(&self, listing: &Listing) -> Result<(u64, Vec<Customer>), Error> {
        let matching = "{scope} AND instr(c.folded, ?3) > 0";
        let order = match (listing.sort, listing.descending) {
            (Sort::Name, false) => "c.first_name, c.last_name, c.id",
            (Sort::Name, true) => "c.first_name DESC, c.last_name DESC, c.id DESC",
            (Sort::Email, false) => "c.email, c.id",
            (Sort::Email, true) => "c.email DESC, c.id DESC",
            (Sort::CreatedAt, false) => "c.created_at, c.seq",
            (Sort::CreatedAt, true) => "c.created_at DESC, c.seq DESC",
        };
        let count = format!("SELECT count(*) FROM customers c WHERE {matching}");
        let rows = format!("{SELECT} WHERE {matching} ORDER BY {order} LIMIT ?4 OFFSET ?5");
        let term = listing.search.to_lowercase();
        let mut tx = self.store.database.reading().await?;
        let total: i64 = sqlx::query_scalar(self.sql(&count))
            .bind(&self.company)
            .bind(&self.app)
            .bind(&term)
            .fetch_one(&mut *tx)
            .await?;
        let customers = sqlx::query_as(self.sql(&rows))
            .bind(&self.company)
            .bind(&self.app)
            .bind(&term)
            .bind(listing.limit)
            .bind(skipped(listing.page, listing.limit))
            .fetch_all(&mut *tx)
            .await?;
        Ok((total.unsigned_abs(), customers))
    }

    /// At most this many customers after an insertion number, in the order of insertion.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn after(&self, seq: i64, limit: i64) -> Result<Vec<Customer>, Error> {
        let sql = format!("{SELECT} WHERE {{scope}} AND c.seq > ?3 ORDER BY c.seq LIMIT ?4");
        let customers = sqlx::query_as(self.sql(&sql))
            .bind(&self.company)
            .bind(&self.app)
            .bind(seq)
            .bind(limit)
            .fetch_all(self.store.database.pool())
            .await?;
        Ok(customers)
    }

    pub(super) async fn insert(
        &self,
        connection: &mut SqliteConnection,
        app: &str,
        new: &NewCustomer,
    ) -> Result<String, Error> {
        let id = match &new.id {
            Some(id) => id.clone(),
            None => self.store.generator.uuid()?,
        };
        let phone = new.phone.as_deref();
        let seq = sqlx::query_scalar(
            "INSERT INTO customers (id, company, app, first_name, last_name, email, email_key, phone, phone_key,
                                    address, avatar, has_labels, folded, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?) RETURNING seq",
        )
        .bind(&id)
        .bind(&self.company)
        .bind(app)
        .bind(&new.first_name)
        .bind(&new.last_name)
        .bind(&new.email)
        .bind(email_key(&new.email))
        .bind(phone)
        .bind(phone.and_then(phone_key))
        .bind(json(&new.address)?)
        .bind(&new.avatar)
        .bind(folded(&new.first_name, &new.last_name, &new.email, phone))
        .bind(self.store.clock.now().unix_millis())
        .fetch_one(&mut *connection)
        .await
        .map_err(or_taken)?;
        self.set_labels(connection, seq, new.labels.as_deref())
            .await?;
        Ok(id)
    }

    async fn by_id(
        &self,
        connection: &mut SqliteConnection,
        id: &str,
    ) -> Result<Option<Customer>, Error> {
        let sql = format!("{SELECT} WHERE {{scope}} AND c.id = ?3");
        let customer = sqlx::query_as(self.sql(&sql))
            .bind(&self.company)
            .bind(&self.app)
            .bind(id)
            .fetch_optional(connection)
            .await?;
        Ok(customer)
    }

    async fn set_labels(
        &self,
        connection: &mut SqliteConnection,
        customer: i64,
        labels: Option<&[String]>,
    ) -> Result<(), Error> {
        sqlx::query("UPDATE customers SET has_labels = ? WHERE seq = ?")
            .bind(labels.is_some())
            .bind(customer)
            .execute(&mut *connection)
            .await?;
        sqlx::query("DELETE FROM customer_labels WHERE customer_seq = ?")
            .bind(customer)
            .execute(&mut *connection)
            .await?;
        let ids = labels.unwrap_or_default();
        let set = sqlx::query(
            "INSERT INTO customer_labels (customer_seq, label_seq, position)
             SELECT ?, l.seq, i.key FROM json_each(?) i JOIN labels l ON l.id = i.value AND l.company = ?",
        )
        .bind(customer)
        .bind(json(ids)?)
        .bind(&self.company)
        .execute(connection)
        .await?;
        match usize::try_from(set.rows_affected()) {
            Ok(number) if number == ids.len() => Ok(()),
            _ => Err(Error::NoSuchLabel),
        }
    }
}

/// How many rows come before a page.
pub(super) fn skipped(page: u64, limit: u16) -> i64 {
    let pages = i64::try_from(page.saturating_sub(1)).unwrap_or(i64::MAX);
    pages.saturating_mul(i64::from(limit))
}

/// The text that is searched (L13). Neither a field nor a term contains a line feed, so no term matches across two fields.
fn folded(first_name: &str, last_name: &str, email: &str, phone: Option<&str>) -> String {
    [first_name, last_name, email, phone.unwrap_or_default()]
        .join("\n")
        .to_lowercase()
}

/// A caller chooses two unique keys of a customer. SQLite names the columns of the violated one.
fn or_taken(error: sqlx::Error) -> Error {
    match error.as_database_error() {
        Some(found) if found.is_unique_violation() => {
            if found.message().contains("customers.email_key") {
                Error::EmailTaken
            } else {
                Error::IdTaken
            }
        }
        _ => error.into(),
    }
}

impl FromRow<'_, SqliteRow> for Customer {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let labels = from_json(row.try_get("labels")?)?;
        Ok(Self {
            seq: row.try_get("seq")?,
            id: row.try_get("id")?,
            company: row.try_get("company")?,
            app: row.try_get("app")?,
            first_name: row.try_get("first_name")?,
            last_name: row.try_get("last_name")?,
            email: row.try_get("email")?,
            phone: row.try_get("phone")?,
            address: from_json(row.try_get("address")?)?,
            avatar: row.try_get("avatar")?,
            labels: row.try_get::<bool, _>("has_labels")?.then_some(labels),
        })
    }
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, sqlx::Error> {
    // The parser's error would quote the text.
    let value = serde_json::from_str(text);
    value.map_err(|_| sqlx::Error::Decode("a column is not the JSON that was stored".into()))
}
