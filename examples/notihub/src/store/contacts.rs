//! A customer's contacts.

use example_app::{email_key, phone_key};
use sqlx::{QueryBuilder, SqliteConnection};

use super::{Environment, Error};
use crate::record::{Contact, ContactChanges, ContactKind, NewContact, is_identified};

/// How many contacts one statement stores. SQLite takes at most 32,766 parameters, and a contact has nine.
const A_STATEMENT: usize = 1000;

impl Environment {
    /// Adds a contact. If it is primary, the former primary one of its kind no longer is.
    ///
    /// # Errors
    /// [`Error::NoSuchCustomer`], or [`Error::Failed`].
    pub async fn add_contact(&self, customer: &str, new: &NewContact) -> Result<Contact, Error> {
        let mut tx = self.store.database.writing().await?;
        let seq = self.known(&mut tx, customer).await?;
        let id = self.insert_contact(&mut tx, seq, None, new).await?;
        tx.commit().await?;
        Ok(stored(id, new))
    }

    /// Changes the given fields of a contact and leaves the others as they are.
    ///
    /// # Errors
    /// [`Error::NoSuchCustomer`], [`Error::NoSuchContact`], [`Error::InvalidValue`] if the value is not valid for the
    /// new kind, [`Error::NothingToIdentify`], or [`Error::Failed`].
    pub async fn update_contact(
        &self,
        customer: &str,
        contact: i64,
        changes: &ContactChanges,
    ) -> Result<Contact, Error> {
        let mut tx = self.store.database.writing().await?;
        let seq = self.known(&mut tx, customer).await?;
        let mut all = of(&mut tx, seq).await?;
        let found = all.iter_mut().find(|one| one.contact_id == contact);
        let found = found.ok_or(Error::NoSuchContact)?;
        found.kind = changes.kind.unwrap_or(found.kind);
        found.value = changes.value.as_ref().unwrap_or(&found.value).clone();
        found.primary = changes.primary.unwrap_or(found.primary);
        found.verified = changes.verified.unwrap_or(found.verified);
        let changed = found.clone();
        if !changed.kind.accepts(&changed.value) {
            return Err(Error::InvalidValue(changed.kind));
        }
        self.check_identified(&mut tx, seq, &all).await?;

        let derived = Derived::from(changed.kind, &changed.value);
        sqlx::query(
            "UPDATE contacts
             SET type = ?, value = ?, is_primary = ?, is_verified = ?, lookup_key = ?, folded = ?, digits = ?
             WHERE contact_id = ?",
        )
        .bind(changed.kind)
        .bind(&changed.value)
        .bind(changed.primary)
        .bind(changed.verified)
        .bind(derived.lookup_key)
        .bind(derived.folded)
        .bind(derived.digits)
        .bind(contact)
        .execute(&mut *tx)
        .await?;
        if changed.primary {
            demote_others(&mut tx, seq, changed.kind, contact).await?;
        }
        tx.commit().await?;
        Ok(changed)
    }

    /// Deletes a contact, unless the customer could not be identified without it (N21).
    ///
    /// # Errors
    /// [`Error::NoSuchCustomer`], [`Error::NoSuchContact`], [`Error::NothingToIdentify`], or [`Error::Failed`].
    pub async fn delete_contact(&self, customer: &str, contact: i64) -> Result<(), Error> {
        let mut tx = self.store.database.writing().await?;
        let seq = self.known(&mut tx, customer).await?;
        let mut all = of(&mut tx, seq).await?;
        let before = all.len();
        all.retain(|one| one.contact_id != contact);
        if all.len() == before {
            return Err(Error::NoSuchContact);
        }
        self.check_identified(&mut tx, seq, &all).await?;
        sqlx::query("DELETE FROM contacts WHERE contact_id = ?")
            .bind(contact)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn check_identified(
        &self,
        connection: &mut SqliteConnection,
        seq: i64,
        contacts: &[Contact],
    ) -> Result<(), Error> {
        let external_id: Option<String> = sqlx::query_scalar(
            "SELECT external_id FROM customers WHERE environment_id = ? AND seq = ?",
        )
        .bind(self.id)
        .bind(seq)
        .fetch_one(connection)
        .await?;
        let kinds = contacts.iter().map(|contact| contact.kind);
        if is_identified(external_id.as_deref(), kinds) {
            Ok(())
        } else {
            Err(Error::NothingToIdentify)
        }
    }

    /// Stores the contacts of a customer who has none yet. Of several primary ones of a kind the last one is (N10).
    pub(super) async fn insert_contacts(
        &self,
        connection: &mut SqliteConnection,
        seq: i64,
        new: &[NewContact],
    ) -> Result<(), Error> {
        let last_primary = |kind| new.iter().rposition(|one| one.primary && one.kind == kind);
        let primary = [ContactKind::Email, ContactKind::Phone, ContactKind::Push].map(last_primary);
        let numbered: Vec<_> = new.iter().enumerate().collect();
        for some in numbered.chunks(A_STATEMENT) {
            let mut insert = QueryBuilder::new(
                "INSERT INTO contacts (customer_seq, environment_id, type, value,
                                       is_primary, is_verified, lookup_key, folded, digits) ",
            );
            insert.push_values(some, |mut row, (index, contact)| {
                let derived = Derived::from(contact.kind, &contact.value);
                row.push_bind(seq)
                    .push_bind(self.id)
                    .push_bind(contact.kind)
                    .push_bind(&contact.value)
                    .push_bind(primary.contains(&Some(*index)))
                    .push_bind(contact.verified)
                    .push_bind(derived.lookup_key)
                    .push_bind(derived.folded)
                    .push_bind(derived.digits);
            });
            // The same number of contacts is rare, so the statement is not cached.
            let insert = insert.build().persistent(false);
            insert.execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Stores a contact, under an id of its own or a given one. A former primary one of its kind no longer is (N10).
    pub(super) async fn insert_contact(
        &self,
        connection: &mut SqliteConnection,
        seq: i64,
        id: Option<i64>,
        new: &NewContact,
    ) -> Result<i64, Error> {
        let derived = Derived::from(new.kind, &new.value);
        let id = sqlx::query_scalar(
            "INSERT INTO contacts (contact_id, customer_seq, environment_id, type, value,
                                   is_primary, is_verified, lookup_key, folded, digits)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING contact_id",
        )
        .bind(id)
        .bind(seq)
        .bind(self.id)
        .bind(new.kind)
        .bind(&new.value)
        .bind(new.primary)
        .bind(new.verified)
        .bind(derived.lookup_key)
        .bind(derived.folded)
        .bind(derived.digits)
        .fetch_one(&mut *connection)
        .await?;
        if new.primary {
            demote_others(connection, seq, new.kind, id).await?;
        }
        Ok(id)
    }
}

/// The columns for look-ups and the search. They are null for a push token, so that nothing can find one.
struct Derived {
    lookup_key: Option<String>,
    folded: Option<String>,
    digits: Option<String>,
}

impl Derived {
    fn from(kind: ContactKind, value: &str) -> Self {
        let folded = kind.identifies().then(|| value.to_lowercase());
        match kind {
            ContactKind::Email => Self {
                lookup_key: Some(email_key(value)),
                folded,
                digits: None,
            },
            ContactKind::Phone => Self {
                lookup_key: phone_key(value),
                folded,
                digits: Some(digits(value)),
            },
            ContactKind::Push => Self {
                lookup_key: None,
                folded,
                digits: None,
            },
        }
    }
}

pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

pub(super) async fn of(connection: &mut SqliteConnection, seq: i64) -> Result<Vec<Contact>, Error> {
    let contacts =
        sqlx::query_as("SELECT * FROM contacts WHERE customer_seq = ? ORDER BY contact_id")
            .bind(seq)
            .fetch_all(connection)
            .await?;
    Ok(contacts)
}

async fn demote_others(
    connection: &mut SqliteConnection,
    seq: i64,
    kind: ContactKind,
    primary: i64,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE contacts SET is_primary = 0
         WHERE customer_seq = ? AND type = ? AND contact_id <> ? AND is_primary",
    )
    .bind(seq)
    .bind(kind)
    .bind(primary)
    .execute(connection)
    .await?;
    Ok(())
}

fn stored(contact_id: i64, new: &NewContact) -> Contact {
    Contact {
        contact_id,
        kind: new.kind,
        value: new.value.clone(),
        primary: new.primary,
        verified: new.verified,
    }
}
