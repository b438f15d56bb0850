//! Customers.

use churnkey_integrator::Timestamp;
use example_app::{email_key, phone_key};
use sqlx::{AssertSqlSafe, FromRow, Row, SqliteConnection, sqlite::SqliteRow};

use super::{Scope, Store, StoreError, json};
use crate::customer::{Address, Change, Customer, NewCustomer};

const SELECT: &str = "SELECT c.seq, c.id, c.company, c.app, c.first_name, c.last_name, c.email, c.phone, c.address, c.avatar,
    c.has_labels,
    (SELECT json_group_array(json_object('id', l.id, 'name', l.name, 'color', l.color) ORDER BY t.position)
        FROM customer_labels t JOIN labels l ON l.seq = t.label WHERE t.customer = c.seq) AS labels
    FROM customers c";

/// How many owners of one address are named in a log.
const NAMED_OWNERS: i64 = 10;

/// What a page of the native list is sorted by. Ties are broken by what never is the same for two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The first name, then the last one.
    Name,
    /// The e-mail address.
    Email,
    /// When the customer came.
    CreatedAt,
}

/// A page of the native list.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Part of a name, an address or a number; empty finds everybody.
    pub search: String,
    /// The order.
    pub sort: Sort,
    /// The other way round.
    pub descending: bool,
    /// How many at most.
    pub limit: i64,
    /// How many come before.
    pub offset: i64,
}

impl Store {
    /// The customer with this id.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn by_id(&self, scope: &Scope, id: &str) -> Result<Option<Customer>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        Ok(one(&mut connection, scope, id).await?)
    }

    /// At most so many customers after an insertion number, in its order.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn after(
        &self,
        scope: &Scope,
        seq: i64,
        limit: i64,
    ) -> Result<Vec<Customer>, StoreError> {
        let within = scope.condition();
        let sql = format!("{SELECT} WHERE {within} AND c.seq > ?3 ORDER BY c.seq LIMIT ?4");
        let rows = sqlx::query_as(AssertSqlSafe(sql))
            .bind(&scope.company)
            .bind(&scope.app)
            .bind(seq)
            .bind(limit);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// Who has an e-mail address with this key: some of them if there are many.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn by_email(&self, scope: &Scope, key: &str) -> Result<Vec<Customer>, StoreError> {
        self.owners(scope, "c.email_key", key).await
    }

    /// Who has a phone number with this key: some of them if there are many.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn by_phone(&self, scope: &Scope, key: &str) -> Result<Vec<Customer>, StoreError> {
        self.owners(scope, "c.phone_key", key).await
    }

    async fn owners(
        &self,
        scope: &Scope,
        column: &'static str,
        key: &str,
    ) -> Result<Vec<Customer>, StoreError> {
        let within = scope.condition();
        let sql = format!("{SELECT} WHERE {within} AND {column} = ?3 ORDER BY c.seq LIMIT ?4");
        let rows = sqlx::query_as(AssertSqlSafe(sql))
            .bind(&scope.company)
            .bind(&scope.app)
            .bind(key)
            .bind(NAMED_OWNERS);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// A page of the native list, and how many customers all pages hold.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn page(
        &self,
        scope: &Scope,
        listing: &Listing,
    ) -> Result<(i64, Vec<Customer>), StoreError> {
        let within = scope.condition();
        let term = listing.search.to_lowercase();
        // One transaction, so that the count is that of the rows.
        let mut transaction = self.pool.begin().await?;
        let sql = format!(
            "SELECT count(*) FROM customers c WHERE {within} AND instr(c.searched, ?3) > 0"
        );
        let total = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(&scope.company)
            .bind(&scope.app)
            .bind(&term)
            .fetch_one(&mut *transaction)
            .await?;
        let order = match (listing.sort, listing.descending) {
            (Sort::Name, false) => "c.first_name, c.last_name, c.id",
            (Sort::Name, true) => "c.first_name DESC, c.last_name DESC, c.id DESC",
            (Sort::Email, false) => "c.email, c.id",
            (Sort::Email, true) => "c.email DESC, c.id DESC",
            (Sort::CreatedAt, false) => "c.created_at, c.seq",
            (Sort::CreatedAt, true) => "c.created_at DESC, c.seq DESC",
        };
        let sql = format!(
            "{SELECT} WHERE {within} AND instr(c.searched, ?3) > 0 ORDER BY {order} LIMIT ?4 OFFSET ?5"
        );
        let rows = sqlx::query_as(AssertSqlSafe(sql))
            .bind(&scope.company)
            .bind(&scope.app)
            .bind(&term)
            .bind(listing.limit)
            .bind(listing.offset)
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok((total, rows))
    }

    /// Stores a new customer.
    ///
    /// # Errors
    /// [`StoreError`] if the id or the address is taken, or a label unknown.
    pub async fn create(&self, new: &NewCustomer, now: Timestamp) -> Result<Customer, StoreError> {
        let mut transaction = self.write().await?;
        insert(&mut transaction, new, now).await?;
        let scope = Scope {
            company: new.company.clone(),
            app: Some(new.app.clone()),
        };
        let created = one(&mut transaction, &scope, &new.id).await?;
        let created = created.ok_or(sqlx::Error::RowNotFound)?;
        transaction.commit().await?;
        Ok(created)
    }

    /// Changes a customer, and returns what they are then; `None` if there is none with this id.
    ///
    /// # Errors
    /// [`StoreError`] if the address is taken, or a label unknown.
    pub async fn update(
        &self,
        scope: &Scope,
        id: &str,
        change: Change,
    ) -> Result<Option<Customer>, StoreError> {
        let mut transaction = self.write().await?;
        let Some(mut customer) = one(&mut transaction, scope, id).await? else {
            return Ok(None);
        };
        if let Some(email) = &change.email {
            email_is_free(
                &mut transaction,
                &customer.company,
                &customer.app,
                id,
                email,
            )
            .await?;
        }
        let labels = change.labels.clone();
        apply(change, &mut customer);
        sqlx::query(
            "UPDATE customers SET first_name = ?2, last_name = ?3, email = ?4, email_key = ?5, phone = ?6, phone_key = ?7,
            address = ?8, avatar = ?9, searched = ?10 WHERE seq = ?1",
        )
        .bind(customer.seq)
        .bind(&customer.first_name)
        .bind(&customer.last_name)
        .bind(&customer.email)
        .bind(email_key(&customer.email))
        .bind(&customer.phone)
        .bind(customer.phone.as_deref().and_then(phone_key))
        .bind(json(&customer.address)?)
        .bind(&customer.avatar)
        .bind(searched(
            &customer.first_name,
            &customer.last_name,
            &customer.email,
            customer.phone.as_deref(),
        ))
        .execute(&mut *transaction)
        .await?;
        if let Some(labels) = labels {
            set_labels(
                &mut transaction,
                customer.seq,
                &customer.company,
                labels.as_deref(),
            )
            .await?;
        }
        let changed = one(&mut transaction, scope, id).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// Deletes those of the customers that are there (L17).
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn delete(&self, scope: &Scope, ids: &[String]) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let within = scope.condition();
        let sql = format!(
            "DELETE FROM customers AS c WHERE {within} AND c.id IN (SELECT value FROM json_each(?3))"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(&scope.company)
            .bind(&scope.app)
            .bind(json(ids)?)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Stores a new customer, within a transaction that writes.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    new: &NewCustomer,
    now: Timestamp,
) -> Result<(), StoreError> {
    // L7: whoever has it, of whatever company.
    let taken: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM customers WHERE id = ?1)")
        .bind(&new.id)
        .fetch_one(&mut *connection)
        .await?;
    if taken {
        return Err(StoreError::IdTaken);
    }
    email_is_free(connection, &new.company, &new.app, &new.id, &new.email).await?;
    let seq = sqlx::query_scalar(
        "INSERT INTO customers (id, company, app, first_name, last_name, email, email_key, phone, phone_key, address, avatar,
        has_labels, searched, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12, ?13) RETURNING seq",
    )
    .bind(&new.id)
    .bind(&new.company)
    .bind(&new.app)
    .bind(&new.first_name)
    .bind(&new.last_name)
    .bind(&new.email)
    .bind(email_key(&new.email))
    .bind(&new.phone)
    .bind(new.phone.as_deref().and_then(phone_key))
    .bind(json(&new.address)?)
    .bind(&new.avatar)
    .bind(searched(
        &new.first_name,
        &new.last_name,
        &new.email,
        new.phone.as_deref(),
    ))
    .bind(now.unix_millis())
    .fetch_one(&mut *connection)
    .await?;
    set_labels(connection, seq, &new.company, new.labels.as_deref()).await
}

async fn one(
    connection: &mut SqliteConnection,
    scope: &Scope,
    id: &str,
) -> Result<Option<Customer>, sqlx::Error> {
    let within = scope.condition();
    let sql = format!("{SELECT} WHERE {within} AND c.id = ?3");
    sqlx::query_as(AssertSqlSafe(sql))
        .bind(&scope.company)
        .bind(&scope.app)
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// L11: one address in a company's app, however it is spelled.
async fn email_is_free(
    connection: &mut SqliteConnection,
    company: &str,
    app: &str,
    but_for: &str,
    email: &str,
) -> Result<(), StoreError> {
    let taken: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM customers WHERE company = ?1 AND email_key = ?2 AND app = ?3 AND id <> ?4)",
    )
    .bind(company)
    .bind(email_key(email))
    .bind(app)
    .bind(but_for)
    .fetch_one(connection)
    .await?;
    if taken {
        Err(StoreError::EmailTaken)
    } else {
        Ok(())
    }
}

async fn set_labels(
    connection: &mut SqliteConnection,
    customer: i64,
    company: &str,
    labels: Option<&[String]>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE customers SET has_labels = ?2 WHERE seq = ?1")
        .bind(customer)
        .bind(labels.is_some())
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM customer_labels WHERE customer = ?1")
        .bind(customer)
        .execute(&mut *connection)
        .await?;
    let ids = labels.unwrap_or_default();
    let set = sqlx::query(
        "INSERT INTO customer_labels (customer, label, position)
        SELECT ?1, l.seq, i.key FROM json_each(?2) i JOIN labels l ON l.id = i.value AND l.company = ?3",
    )
    .bind(customer)
    .bind(json(ids)?)
    .bind(company)
    .execute(connection)
    .await?;
    if usize::try_from(set.rows_affected()) == Ok(ids.len()) {
        Ok(())
    } else {
        Err(StoreError::UnknownLabel)
    }
}

fn apply(change: Change, customer: &mut Customer) {
    fn set<T>(field: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *field = value;
        }
    }
    set(&mut customer.first_name, change.first_name);
    set(&mut customer.last_name, change.last_name);
    set(&mut customer.email, change.email);
    set(&mut customer.phone, change.phone);
    set(&mut customer.address, change.address);
    set(&mut customer.avatar, change.avatar);
}

/// L13. No field holds a line feed, so none is found across two of them.
fn searched(first_name: &str, last_name: &str, email: &str, phone: Option<&str>) -> String {
    [first_name, last_name, email, phone.unwrap_or_default()]
        .join("\n")
        .to_lowercase()
}

impl FromRow<'_, SqliteRow> for Customer {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let address: Vec<Address> = from_json(row.try_get("address")?)?;
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
            address,
            avatar: row.try_get("avatar")?,
            labels: row.try_get::<bool, _>("has_labels")?.then_some(labels),
        })
    }
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, sqlx::Error> {
    // The error of the parser would repeat the text.
    serde_json::from_str(text)
        .map_err(|_| sqlx::Error::Decode("a column is not the JSON that was stored".into()))
}
