//! The Churnkey side of this merchant: one trait over the store, and the integration that mounts it.

use churnkey_integrator::{
    BuildError, CustomerId, CustomersController, Email, HandlerError, Integration,
    IntegrationToken, Page, PageRequest, Phone, RequestContext, Result, controller,
    model::Customer,
};

use crate::store::{Customers, Store};

/// What Churnkey may call of this merchant.
///
/// # Errors
/// [`BuildError`] if something doesn't fit together.
pub fn integration(
    customers: impl CustomersController,
    token: IntegrationToken,
) -> Result<Integration, BuildError> {
    Integration::builder("Postgres example", token)
        .customers(customers)
        .build()
}

impl Store {
    fn customers(&self, cx: &RequestContext) -> &Customers {
        self.in_mode(cx.mode())
    }
}

#[controller]
impl CustomersController for Store {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        self.customers(cx).by_id(id).await
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let after: i64 = page.after()?.unwrap_or(0);
        let rows = self.customers(cx).after(after, page.fetch_limit()).await?;
        Ok(Page::from_overfetch(rows, page, |(seq, _)| *seq)?.map(|(_, customer)| customer))
    }

    async fn find_by_email(&self, cx: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        only(self.customers(cx).by_email(email).await?, "email")
    }

    async fn find_by_phone(&self, cx: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        only(self.customers(cx).by_phone(phone).await?, "phone")
    }
}

fn only(owners: Vec<Customer>, what: &'static str) -> Result<Option<Customer>> {
    let mut owners = owners.into_iter();
    match (owners.next(), owners.next()) {
        (_, Some(_)) => Err(HandlerError::ambiguous(what)),
        (owner, None) => Ok(owner),
    }
}
