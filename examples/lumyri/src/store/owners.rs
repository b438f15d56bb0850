//! The owners of an address, looked up by its normalized form.

use example_app::Owners;

use super::{Error, Scope, customers::SELECT};
use crate::record::Customer;

/// How many owners are named at most.
const NAMED: i64 = 20;

/// The field by which a customer is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// The e-mail address.
    Email,
    /// The phone number.
    Phone,
}

impl Scope {
    /// The owners of this e-mail address or phone number. An address has at most one owner in each app.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn owners(
        &self,
        contact: Contact,
        lookup_key: &str,
    ) -> Result<Owners<Customer>, Error> {
        let column = match contact {
            Contact::Email => "c.email_key",
            Contact::Phone => "c.phone_key",
        };
        let sql = format!("{SELECT} WHERE {{scope}} AND {column} = ?3 ORDER BY c.seq LIMIT ?4");
        let owners: Vec<Customer> = sqlx::query_as(self.sql(&sql))
            .bind(&self.company)
            .bind(&self.app)
            .bind(lookup_key)
            .bind(NAMED)
            .fetch_all(self.store.database.pool())
            .await?;
        Ok(Owners::of(owners, |owner| owner.id.clone()))
    }
}
