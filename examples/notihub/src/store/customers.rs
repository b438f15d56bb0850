//! Creating, reading, changing, deleting and listing customers.

use sqlx::SqliteConnection;

use super::{Environment, Error, contacts};
use crate::record::{Contact, Customer, CustomerChanges, NewCustomer, is_identified};

/// The parameters of a list.
#[derive(Clone, Default)]
pub struct Listing {
    /// How many customers at most.
    pub limit: u16,
    /// The number of the page, from 0.
    pub page: u64,
    /// The text to search for. Empty finds everybody.
    pub search: String,
    /// Whether disabled customers are left out.
    pub enabled_only: bool,
}

impl std::fmt::Debug for Listing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listing").finish_non_exhaustive()
    }
}

impl Environment {
    /// Stores a new customer with their contacts.
    ///
    /// # Errors
    /// [`Error::NothingToIdentify`], [`Error::ExternalIdTaken`], or [`Error::Failed`].
    pub async fn create(&self, new: &NewCustomer) -> Result<Customer, Error> {
        let kinds = new.contacts.iter().map(|contact| contact.kind);
        if !is_identified(new.external_id.as_deref(), kinds) {
            return Err(Error::NothingToIdentify);
        }
        let id = self.store.generator.uuid()?;
        let mut tx = self.store.database.writing().await?;
        let seq = self.insert(&mut tx, &id, new).await?;
        self.insert_contacts(&mut tx, seq, &new.contacts).await?;
        let customer = self.by_seq(&mut tx, seq).await?;
        tx.commit().await?;
        Ok(customer)
    }

    /// The customer with this id.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn customer(&self, id: &str) -> Result<Option<Customer>, Error> {
        let mut tx = self.store.database.reading().await?;
        match self.seq_of(&mut tx, id).await? {
            Some(seq) => Ok(Some(self.by_seq(&mut tx, seq).await?)),
            None => Ok(None),
        }
    }

    /// Changes the given fields and leaves the others as they are.
    ///
    /// # Errors
    /// [`Error::NoSuchCustomer`], [`Error::NothingToIdentify`], [`Error::ExternalIdTaken`], or [`Error::Failed`].
    pub async fn update(&self, id: &str, changes: &CustomerChanges) -> Result<Customer, Error> {
        let mut tx = self.store.database.writing().await?;
        let seq = self.known(&mut tx, id).await?;
        let mut customer = self.by_seq(&mut tx, seq).await?;
        let changes = changes.clone();
        customer.external_id = changes.external_id.unwrap_or(customer.external_id);
        customer.status = changes.status.unwrap_or(customer.status);
        customer.language = changes.language.unwrap_or(customer.language);
        customer.metadata = changes.metadata.unwrap_or(customer.metadata);
        let kinds = customer.contacts.iter().map(|contact| contact.kind);
        if !is_identified(customer.external_id.as_deref(), kinds) {
            return Err(Error::NothingToIdentify);
        }
        sqlx::query(
            "UPDATE customers
             SET external_id = ?, external_id_folded = ?, status = ?, language = ?, metadata = ?
             WHERE seq = ?",
        )
        .bind(&customer.external_id)
        .bind(customer.external_id.as_deref().map(str::to_lowercase))
        .bind(customer.status)
        .bind(&customer.language)
        .bind(&customer.metadata)
        .bind(seq)
        .execute(&mut *tx)
        .await
        .map_err(or_taken)?;
        tx.commit().await?;
        Ok(customer)
    }

    /// Deletes a customer and everything that belongs to them.
    ///
    /// # Errors
    /// [`Error::NoSuchCustomer`], or [`Error::Failed`].
    pub async fn delete(&self, id: &str) -> Result<(), Error> {
        let mut tx = self.store.database.writing().await?;
        let deleted =
            sqlx::query("DELETE FROM customers WHERE environment_id = ? AND customer_id = ?")
                .bind(self.id)
                .bind(id)
                .execute(&mut *tx)
                .await?;
        if deleted.rows_affected() == 0 {
            return Err(Error::NoSuchCustomer);
        }
        tx.commit().await?;
        Ok(())
    }

    /// One page of the merchant's own list, oldest first. It uses a count and an OFFSET, as its documented form needs them.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn list(&self, listing: &Listing) -> Result<Vec<Customer>, Error> {
        let term = listing.search.trim().to_lowercase();
        let skip = i64::try_from(listing.page)
            .unwrap_or(i64::MAX)
            .saturating_mul(i64::from(listing.limit));
        let mut tx = self.store.database.reading().await?;
        let customers = sqlx::query_as(
            "SELECT * FROM customers
             WHERE environment_id = ?1 AND (status = 'ENABLED' OR NOT ?2)
               AND (?3 = '' OR instr(external_id_folded, ?3) > 0 OR EXISTS (
                 SELECT 1 FROM contacts
                 WHERE customer_seq = seq
                   AND (instr(folded, ?3) > 0 OR (?4 <> '' AND instr(digits, ?4) > 0))))
             ORDER BY created_at, seq LIMIT ?5 OFFSET ?6",
        )
        .bind(self.id)
        .bind(listing.enabled_only)
        .bind(&term)
        .bind(digits_of_number(&term))
        .bind(listing.limit)
        .bind(skip)
        .fetch_all(&mut *tx)
        .await?;
        with_contacts(&mut tx, customers).await
    }

    /// At most this many customers after an insertion number, in the order of insertion.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn after(&self, seq: i64, limit: i64) -> Result<Vec<Customer>, Error> {
        let mut tx = self.store.database.reading().await?;
        let customers = sqlx::query_as(
            "SELECT * FROM customers WHERE environment_id = ? AND seq > ? ORDER BY seq LIMIT ?",
        )
        .bind(self.id)
        .bind(seq)
        .bind(limit)
        .fetch_all(&mut *tx)
        .await?;
        with_contacts(&mut tx, customers).await
    }

    pub(super) async fn insert(
        &self,
        connection: &mut SqliteConnection,
        id: &str,
        new: &NewCustomer,
    ) -> Result<i64, Error> {
        sqlx::query_scalar(
            "INSERT INTO customers (customer_id, environment_id, external_id, external_id_folded,
                                    status, language, metadata, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq",
        )
        .bind(id)
        .bind(self.id)
        .bind(&new.external_id)
        .bind(new.external_id.as_deref().map(str::to_lowercase))
        .bind(new.status)
        .bind(&new.language)
        .bind(&new.metadata)
        .bind(self.store.clock.now().unix_millis())
        .fetch_one(connection)
        .await
        .map_err(or_taken)
    }

    pub(super) async fn by_seq(
        &self,
        connection: &mut SqliteConnection,
        seq: i64,
    ) -> Result<Customer, Error> {
        let mut customer: Customer =
            sqlx::query_as("SELECT * FROM customers WHERE environment_id = ? AND seq = ?")
                .bind(self.id)
                .bind(seq)
                .fetch_one(&mut *connection)
                .await?;
        customer.contacts = contacts::of(connection, seq).await?;
        Ok(customer)
    }

    /// The insertion number of a customer, who must exist.
    pub(super) async fn known(
        &self,
        connection: &mut SqliteConnection,
        id: &str,
    ) -> Result<i64, Error> {
        let seq = self.seq_of(connection, id).await?;
        seq.ok_or(Error::NoSuchCustomer)
    }

    async fn seq_of(
        &self,
        connection: &mut SqliteConnection,
        id: &str,
    ) -> Result<Option<i64>, Error> {
        let found = sqlx::query_scalar(
            "SELECT seq FROM customers WHERE environment_id = ? AND customer_id = ?",
        )
        .bind(self.id)
        .bind(id)
        .fetch_optional(connection)
        .await?;
        Ok(found)
    }
}

/// Adds their contacts to these customers, with one statement.
async fn with_contacts(
    connection: &mut SqliteConnection,
    mut customers: Vec<Customer>,
) -> Result<Vec<Customer>, Error> {
    let all: Vec<_> = customers.iter().map(|customer| customer.seq).collect();
    let rows: Vec<OwnedContact> = sqlx::query_as(
        "SELECT * FROM contacts
         WHERE customer_seq IN (SELECT value FROM json_each(?))
         ORDER BY customer_seq, contact_id",
    )
    .bind(format!("{all:?}"))
    .fetch_all(connection)
    .await?;
    let mut by_owner = std::collections::HashMap::<i64, Vec<Contact>>::new();
    for row in rows {
        by_owner
            .entry(row.customer_seq)
            .or_default()
            .push(row.contact);
    }
    for customer in &mut customers {
        customer.contacts = by_owner.remove(&customer.seq).unwrap_or_default();
    }
    Ok(customers)
}

#[derive(sqlx::FromRow)]
struct OwnedContact {
    customer_seq: i64,
    #[sqlx(flatten)]
    contact: Contact,
}

/// The digits of a term that is a phone number or part of one. A leading plus that was not percent-encoded arrives as a space, so
/// such a term is compared by its digits as well (N18).
fn digits_of_number(term: &str) -> String {
    if term
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+().- ".contains(&byte))
    {
        contacts::digits(term)
    } else {
        String::new()
    }
}

/// A caller chooses only one unique key of a customer, the external id.
fn or_taken(error: sqlx::Error) -> Error {
    match error.as_database_error() {
        Some(found) if found.is_unique_violation() => Error::ExternalIdTaken,
        _ => error.into(),
    }
}
