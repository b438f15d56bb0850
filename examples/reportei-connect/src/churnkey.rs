//! The Churnkey side of this merchant: one trait over the store, and the integration that mounts it.
//!
//! Reportei knows neither e-mail addresses nor phone numbers, so nobody can be looked up by one: neither finder is here, so
//! that their routes answer 404 and the manifest leaves them out.

use churnkey_integrator::{
    BuildError, CustomerId, CustomersController, Integration, IntegrationToken, InvalidId, Page,
    PageRequest, RequestContext, Result, Timestamp, controller, model::Customer,
};
use example_app::MetadataLimits;

use crate::{
    record,
    store::{Customers, Store},
};

/// What Churnkey may call of the merchant with this UUID. There is no test data, so test mode is refused.
///
/// # Errors
/// [`BuildError`] if something doesn't fit together.
pub fn integration(
    store: Store,
    merchant: impl Into<String>,
    token: IntegrationToken,
) -> Result<Integration, BuildError> {
    Integration::builder("Reportei Connect example", token)
        .customers(OneMerchant {
            store,
            merchant: merchant.into(),
        })
        .live_only()
        .build()
}

/// The customers of one merchant. It is Churnkey's caller, not a customer, so no trial keeps it out.
#[derive(Debug, Clone)]
pub struct OneMerchant {
    store: Store,
    merchant: String,
}

impl OneMerchant {
    async fn customers(&self) -> Result<Option<Customers>> {
        Ok(self.store.customers_of(&self.merchant).await?)
    }
}

#[controller]
impl CustomersController for OneMerchant {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        let Some(customers) = self.customers().await? else {
            return Ok(None);
        };
        let found = customers.customer(id.as_str()).await?;
        let now = self.store.now();
        let merchant = &customers.merchant().name;
        Ok(found
            .map(|native| customer(native, merchant, now))
            .transpose()?)
    }

    async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let Some(customers) = self.customers().await? else {
            return Ok(Page::new(Vec::new(), None));
        };
        let after: i64 = page.after()?.unwrap_or(0);
        let rows = customers.after(after, page.fetch_limit()).await?;
        let now = self.store.now();
        let merchant = &customers.merchant().name;
        let page = Page::from_overfetch(rows, page, |last| last.seq)?;
        Ok(page.try_map(|native| customer(native, merchant, now))?)
    }
}

/// From this merchant's record to Churnkey's. A customer whose trial is over stays: those are the ones to win.
///
/// # Errors
/// [`InvalidId`] if the record has none, which no stored one is without.
pub fn customer(
    native: record::Customer,
    merchant: &str,
    now: Timestamp,
) -> Result<Customer, InvalidId> {
    let metadata = MetadataLimits::default().fit([
        ("merchant", Some(merchant.to_owned())),
        ("isPaying", Some(native.is_paying.to_string())),
        (
            "trialEndsAt",
            Some(native.trial_ends_at.timestamp().to_string()),
        ),
        ("trialExpired", Some(native.trial_is_over(now).to_string())),
        ("createdAt", Some(native.created_at.timestamp().to_string())),
    ]);
    if !metadata.left_out.is_empty() {
        tracing::warn!(id = native.uuid, keys = ?metadata.left_out, "metadata over the limits was left out");
    }
    Ok(Customer::new(CustomerId::new(native.uuid)?)
        .with_name(native.name)
        .with_metadata(metadata.kept))
}
