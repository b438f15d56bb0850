//! Who has an address, an index look-up by its normalised form.

use super::{Error, Scope, customers::SELECT};
use crate::record::Customer;

/// How many ids of owners are named at most.
const NAMED: i64 = 20;

/// What a customer is looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// The e-mail address.
    Email,
    /// The phone number.
    Phone,
}

/// Who has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owners {
    /// Nobody.
    None,
    /// This customer.
    One(Box<Customer>),
    /// These customers, the first of them by id.
    Many(Vec<String>),
}

impl Scope {
    /// Who has this address or number. An address may have one owner an app, a number any number of them.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn owners(&self, contact: Contact, lookup_key: &str) -> Result<Owners, Error> {
        let column = match contact {
            Contact::Email => "c.email_key",
            Contact::Phone => "c.phone_key",
        };
        let sql = format!("{SELECT} WHERE {{scope}} AND {column} = ?3 ORDER BY c.seq LIMIT ?4");
        let mut owners: Vec<Customer> = sqlx::query_as(self.sql(&sql))
            .bind(&self.company)
            .bind(&self.app)
            .bind(lookup_key)
            .bind(NAMED)
            .fetch_all(&self.store.pool)
            .await?;
        Ok(match (owners.pop(), owners.is_empty()) {
            (None, _) => Owners::None,
            (Some(owner), true) => Owners::One(Box::new(owner)),
            (Some(last), false) => {
                owners.push(last);
                Owners::Many(owners.into_iter().map(|owner| owner.id).collect())
            }
        })
    }
}
