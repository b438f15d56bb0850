//! The Churnkey side of this merchant: one trait over the store, and the integration that mounts it.

use std::fmt;

use churnkey_integrator::{
    BuildError, CustomerId, CustomersController, Email, HandlerError, Integration,
    IntegrationToken, Page, PageRequest, Phone, RequestContext, Result, controller,
    model::Customer,
};
use example_app::{MetadataLimits, email_key};

use crate::{
    address::ChannelType,
    store::{self, Store, customers},
};

/// What Churnkey may call of this merchant. There are no test data, so calls in test mode are refused.
///
/// # Errors
/// [`BuildError`] if something doesn't fit together.
pub fn integration(
    customers: Customers,
    token: IntegrationToken,
) -> Result<Integration, BuildError> {
    Integration::builder("Omnidesk example", token)
        .customers(customers)
        .live_only()
        .build()
}

/// What Churnkey sees of the store.
#[derive(Clone)]
pub struct Customers {
    store: Store,
    brand: Option<i64>,
    metadata: MetadataLimits,
}

impl Customers {
    /// The customers of all brands. Somebody who is a customer of two is two customers: a look-up of an address that both have
    /// is ambiguous.
    #[must_use]
    pub fn of_all_brands(store: Store) -> Self {
        Self {
            store,
            brand: None,
            metadata: MetadataLimits::default(),
        }
    }

    /// The customers of one brand and no others.
    #[must_use]
    pub fn of_brand(store: Store, brand: i64) -> Self {
        Self {
            brand: Some(brand),
            ..Self::of_all_brands(store)
        }
    }

    fn is_visible(&self, customer: &store::Customer) -> bool {
        self.brand.is_none_or(|brand| brand == customer.brand_id)
    }

    /// From a row to Churnkey's model. Tickets and the timeline stay where they are.
    ///
    /// # Errors
    /// If an address is none for Churnkey, which no address that the API took is.
    pub fn customer(&self, customer: &store::Customer) -> Result<Customer> {
        let id = customer.id.to_string();
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let email = customer.first(ChannelType::Email).map(Email::new);
        let phone = customer.first(ChannelType::Telephone).map(Phone::new);
        let own = [
            ("externalPrimaryId", customer.external_primary_id.clone()),
            ("brandId", Some(customer.brand_id.to_string())),
            ("brandName", Some(customer.brand_name.clone())),
        ];
        let custom = customer.custom.iter();
        let custom = custom.map(|(name, value)| (name.as_str(), Some(value.clone())));
        let metadata = self.metadata.fit(own.into_iter().chain(custom));
        if !metadata.left_out.is_empty() {
            tracing::warn!(id, left_out = ?metadata.left_out, "metadata beyond the limits");
        }
        Ok(Customer::new(CustomerId::new(id)?)
            .with_name(text(&customer.firstname))
            .with_last_name(text(&customer.lastname))
            .with_email(email.transpose()?)
            .with_phone(phone.transpose()?)
            .with_metadata(metadata.kept))
    }

    async fn only_owner(
        &self,
        kind: ChannelType,
        key: &str,
        what: &'static str,
    ) -> Result<Option<Customer>> {
        let mut db = self.store.read().await?;
        let owners = customers::by_lookup_key(&mut db, self.brand, kind, key).await?;
        if let [one, another, ..] = owners.as_slice() {
            tracing::warn!(ids = ?[one.id, another.id], "several customers have this {what}");
            return Err(HandlerError::ambiguous(what));
        }
        owners.first().map(|owner| self.customer(owner)).transpose()
    }
}

#[controller]
impl CustomersController for Customers {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        // Another spelling of a number, such as 01 or +1, is nobody's id.
        let number = id.as_str().parse::<i64>().ok();
        let Some(number) = number.filter(|number| number.to_string() == id.as_str()) else {
            return Ok(None);
        };
        let found = customers::by_id(&mut *self.store.read().await?, number).await?;
        let found = found.filter(|customer| self.is_visible(customer));
        found.map(|customer| self.customer(&customer)).transpose()
    }

    async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let after: i64 = page.after()?.unwrap_or(0);
        let mut db = self.store.read().await?;
        let rows = customers::after(&mut db, self.brand, after, page.fetch_limit()).await?;
        Page::from_overfetch(rows, page, |last| last.id)?.try_map(|row| self.customer(&row))
    }

    async fn find_by_email(&self, _: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        let key = email_key(email.as_str());
        self.only_owner(ChannelType::Email, &key, "email").await
    }

    async fn find_by_phone(&self, _: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        match phone.lookup_key() {
            Some(key) => self.only_owner(ChannelType::Telephone, &key, "phone").await,
            None => Ok(None),
        }
    }
}

impl fmt::Debug for Customers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customers")
            .field("brand", &self.brand)
            .finish_non_exhaustive()
    }
}
