//! Read this first: the mapping of a customer to Churnkey's model, and the trait over the store.
//!
//! Reportei knows neither e-mail addresses nor phone numbers, so `find_by_email` and `find_by_phone` are not implemented: their
//! routes answer 404 and are not in the manifest. A merchant who has addresses in another system adds
//! [`contacts`](crate::contacts).

use churnkey_integrator::{
    BuildError, CustomerId, CustomersController, Integration, IntegrationToken, Page, PageRequest,
    RequestContext, Result, Timestamp, controller, model::Customer,
};
use example_app::error_class;

use crate::{
    record,
    store::{Customers, Store},
};

/// Serves these customers to Churnkey. There are no test data, so test mode is refused.
///
/// # Errors
/// [`BuildError`] if a setting is not valid.
pub fn integration(
    customers: impl CustomersController,
    token: IntegrationToken,
) -> Result<Integration, BuildError> {
    Integration::builder("Reportei Connect example", token)
        .customers(customers)
        .live_only()
        .classify_errors(error_class)
        .build()
}

/// What may be chosen about [`customer`]. `hide_ambiguous` matters only with [`contacts`](crate::contacts).
pub type Mapping = example_app::Mapping<record::Customer>;

/// What Churnkey sees: one merchant's customers. Churnkey calls as the merchant, so the trials of customers don't matter.
#[derive(Debug, Clone)]
pub struct Churnkey {
    /// The store of all merchants.
    pub store: Store,
    /// The merchant's UUID.
    pub merchant: String,
    /// How customers are shown.
    pub mapping: Mapping,
}

/// A customer as Churnkey sees them. `None` if Churnkey could not hold the id, which every UUID fits. Customers whose trial is
/// over are shown, as they are the ones to win back. Tokens are not shown.
#[must_use]
pub fn customer(
    native: &record::Customer,
    merchant: &str,
    now: Timestamp,
    mapping: &Mapping,
) -> Option<Customer> {
    let trial_ends_at = native.trial_ends_at.timestamp();
    let metadata = [
        ("merchant", Some(merchant.to_owned())),
        ("isPaying", Some(native.is_paying.to_string())),
        ("trialEndsAt", Some(trial_ends_at.to_string())),
        ("trialExpired", Some(native.trial_is_over(now).to_string())),
        ("createdAt", Some(native.created_at.timestamp().to_string())),
    ];
    let mapped = Customer::new(CustomerId::new(&native.uuid).ok()?)
        .with_name(native.name.as_str())
        .with_metadata(mapping.limits.fit(&native.uuid, metadata));
    Some(mapping.extra.add_to(mapped, native))
}

impl Churnkey {
    async fn customers(&self) -> Result<Option<Customers>> {
        Ok(self.store.customers_of(&self.merchant).await?)
    }

    fn mapped(&self, native: &record::Customer, of: &Customers) -> Option<Customer> {
        let (merchant, now) = (&of.merchant().name, self.store.now());
        customer(native, merchant, now, &self.mapping)
    }
}

#[controller]
impl CustomersController for Churnkey {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        let Some(customers) = self.customers().await? else {
            return Ok(None);
        };
        let found = customers.customer(id.as_str()).await?;
        Ok(found.and_then(|customer| self.mapped(&customer, &customers)))
    }

    async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let Some(customers) = self.customers().await? else {
            return Ok(Page::new(Vec::new(), None));
        };
        let after: i64 = page.after()?.unwrap_or(0);
        let rows = customers.after(after, page.fetch_limit());
        let page = Page::from_overfetch(rows.await?, page, |last| last.seq)?;
        let visible = page.data().iter();
        let visible = visible.filter_map(|customer| self.mapped(customer, &customers));
        Ok(Page::new(visible.collect(), page.next().cloned()))
    }
}
