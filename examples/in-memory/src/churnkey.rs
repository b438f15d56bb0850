//! The Churnkey side of this merchant: one trait over the store, and the integration that mounts it.

use churnkey_integrator::{
    BuildError, CustomerId, CustomersController, Email, HandlerError, Integration,
    IntegrationToken, Mode, Page, PageRequest, Phone, RequestContext, Result, controller,
    model::Customer,
};

use crate::store::{Customers, Match, Store};

/// What Churnkey may call of this merchant.
///
/// # Errors
/// [`BuildError`] if something doesn't fit together.
pub fn integration(
    customers: impl CustomersController,
    token: IntegrationToken,
) -> Result<Integration, BuildError> {
    Integration::builder("In-memory example", token)
        .customers(customers)
        .build()
}

impl Store {
    fn customers(&self, cx: &RequestContext) -> &Customers {
        match cx.mode() {
            Mode::Live => &self.live,
            Mode::Test => &self.test,
        }
    }
}

#[controller]
impl CustomersController for Store {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        Ok(self.customers(cx).by_id(id))
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let after: u64 = page.after()?.unwrap_or(0);
        let rows = self.customers(cx).after(after, page.limit() + 1);
        Ok(Page::from_overfetch(rows, page, |(seq, _)| *seq)?.map(|(_, customer)| customer))
    }

    async fn find_by_email(&self, cx: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        only(self.customers(cx).by_email(email), "email")
    }

    async fn find_by_phone(&self, cx: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        only(self.customers(cx).by_phone(phone), "phone")
    }
}

fn only(owners: Match, what: &'static str) -> Result<Option<Customer>> {
    match owners {
        Match::None => Ok(None),
        Match::One(customer) => Ok(Some(*customer)),
        Match::Many => Err(HandlerError::ambiguous(what)),
    }
}
