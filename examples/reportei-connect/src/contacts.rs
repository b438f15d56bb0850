//! Look-ups by e-mail address and phone number, for a merchant who has them in another system.

use std::collections::BTreeSet;

use churnkey_integrator::{
    CustomerId, CustomersController, Email, Page, PageRequest, Phone, RequestContext, Result,
    async_trait, controller, model::Customer,
};
use example_app::Owners;

use crate::churnkey::Churnkey;

/// Finds the owners of an address. Compare by [`email_key`](example_app::email_key) and [`phone_key`](example_app::phone_key).
#[async_trait]
pub trait ContactResolver: Send + Sync + 'static {
    /// The UUIDs of all customers with this e-mail address.
    ///
    /// # Errors
    /// If the other system fails.
    async fn by_email(&self, email: &Email) -> Result<Vec<String>>;

    /// The UUIDs of all customers with this phone number.
    ///
    /// # Errors
    /// If the other system fails.
    async fn by_phone(&self, phone: &Phone) -> Result<Vec<String>>;
}

/// The same customers, with look-ups by the addresses that the resolver knows. To show the addresses as well, use
/// [`Mapping::extra`](example_app::Mapping::extra).
#[derive(Debug, Clone)]
pub struct WithContacts<R> {
    /// The customers.
    pub churnkey: Churnkey,
    /// The system that knows their addresses.
    pub resolver: R,
}

impl<R: ContactResolver> WithContacts<R> {
    /// The only owner. Customers whom Reportei doesn't know, or who are another merchant's, don't count.
    async fn only(
        &self,
        cx: &RequestContext,
        owners: Vec<String>,
        what: &'static str,
    ) -> Result<Option<Customer>> {
        let mut found: Vec<Customer> = Vec::new();
        for owner in BTreeSet::from_iter(owners) {
            if let Ok(id) = CustomerId::new(owner) {
                found.extend(self.churnkey.retrieve(cx, &id).await?);
            }
        }
        Owners::of(found, |one| one.id().to_string())
            .only(what, self.churnkey.mapping.hide_ambiguous)
    }
}

#[controller]
impl<R: ContactResolver> CustomersController for WithContacts<R> {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        self.churnkey.retrieve(cx, id).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        self.churnkey.list(cx, page).await
    }

    async fn find_by_email(&self, cx: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        let owners = self.resolver.by_email(email).await?;
        self.only(cx, owners, "email").await
    }

    async fn find_by_phone(&self, cx: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        let owners = self.resolver.by_phone(phone).await?;
        self.only(cx, owners, "phone").await
    }
}
