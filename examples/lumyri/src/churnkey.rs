//! The Churnkey side of this merchant: what Churnkey sees of a customer, and the integration that shows it.

use std::{fmt, sync::Arc};

use churnkey_integrator::{
    BuildError, Currency, CustomerId, CustomersController, Email, HandlerError, Integration,
    IntegrationToken, Page, PageRequest, Phone, RequestContext, Result, controller,
    model::{Address, Customer, Discount},
};
use example_app::{MetadataLimits, email_key, phone_key};

use crate::{
    customer::Customer as Native,
    store::{Scope, Store},
};

/// What Churnkey may call of this merchant. There are no test customers here: Lumyri keeps those on a host of their own.
///
/// # Errors
/// [`BuildError`] if something doesn't fit together.
pub fn integration(
    customers: impl CustomersController,
    token: IntegrationToken,
) -> Result<Integration, BuildError> {
    Integration::builder("Lumyri", token)
        .customers(customers)
        .live_only()
        .build()
}

/// What Lumyri doesn't know of a customer, but the merchant's billing does.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    /// All discounts that hold for the customer.
    pub discounts: Vec<Discount>,
    /// The currency that the customer is bound to.
    pub currency: Option<Currency>,
}

/// The customers of a company, or only those of one of its apps.
#[derive(Clone)]
pub struct Customers {
    store: Store,
    scope: Scope,
    limits: MetadataLimits,
    several_are_nobody: bool,
    extra: Arc<dyn Fn(&Native) -> Extra + Send + Sync>,
}

impl Customers {
    /// The customers within a scope.
    #[must_use]
    pub fn new(store: Store, scope: Scope) -> Self {
        Self {
            store,
            scope,
            limits: MetadataLimits::default(),
            several_are_nobody: false,
            extra: Arc::new(|_| Extra::default()),
        }
    }

    /// How much metadata a customer gets.
    #[must_use]
    pub fn metadata_limits(mut self, limits: MetadataLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Answers a look-up that fits several customers with 404, in the place of 409.
    #[must_use]
    pub fn several_are_nobody(mut self) -> Self {
        self.several_are_nobody = true;
        self
    }

    /// Adds what is known elsewhere.
    #[must_use]
    pub fn extra(mut self, extra: impl Fn(&Native) -> Extra + Send + Sync + 'static) -> Self {
        self.extra = Arc::new(extra);
        self
    }

    fn customer(&self, native: &Native) -> Result<Customer> {
        let extra = (self.extra)(native);
        let fitted = self.limits.fit(metadata(native));
        if !fitted.left_out.is_empty() {
            let keys = fitted.left_out;
            tracing::warn!(
                customer = native.id,
                ?keys,
                "metadata over the limit is left out"
            );
        }
        // Nothing is parsed out of the free text.
        let addresses = native.address.iter();
        let addresses = addresses.map(|a| Address::new().with_line1(a.location.name.clone()));
        Ok(Customer::new(CustomerId::new(&native.id)?)
            .with_name(native.first_name.clone())
            .with_last_name(native.last_name.clone())
            .with_email(Email::new(&native.email)?)
            .with_phone(phone(native))
            .with_addresses(addresses)
            .with_discounts(extra.discounts)
            .with_currency(extra.currency)
            .with_metadata(fitted.kept))
    }

    fn only(&self, owners: &[Native], what: &'static str) -> Result<Option<Customer>> {
        match owners {
            [] => Ok(None),
            [owner] => self.customer(owner).map(Some),
            several => {
                let ids: Vec<_> = several.iter().map(|owner| &owner.id).collect();
                tracing::warn!(?ids, what, "a look-up fits several customers");
                if self.several_are_nobody {
                    return Ok(None);
                }
                Err(HandlerError::ambiguous(what))
            }
        }
    }
}

/// A phone number is free text here, so not each is one for Churnkey.
fn phone(native: &Native) -> Option<Phone> {
    let number = native.phone.as_ref().filter(|number| !number.is_empty())?;
    let phone = Phone::new(number).ok();
    if phone.is_none() {
        tracing::warn!(
            customer = native.id,
            "a phone number that is none is left out"
        );
    }
    phone
}

/// The keys in their order of importance: what goes over the limit is left out from the end.
fn metadata(native: &Native) -> Vec<(String, Option<String>)> {
    let labels = native.labels.as_deref().unwrap_or_default();
    let ids: Vec<_> = labels.iter().map(|label| label.id.as_str()).collect();
    let names: Vec<_> = labels.iter().map(|label| label.name.as_str()).collect();
    let mut entries = vec![
        ("companyId".to_owned(), Some(native.company.clone())),
        ("appId".to_owned(), Some(native.app.clone())),
        ("labelIds".to_owned(), Some(ids.join(","))),
        ("labels".to_owned(), Some(names.join(","))),
        ("avatar".to_owned(), Some(native.avatar.clone())),
    ];
    for (i, address) in native.address.iter().enumerate() {
        let [latitude, longitude] = &address.location.geo;
        let geo = format!("{},{}", latitude.digits(), longitude.digits());
        let category = address.category.clone();
        entries.push((format!("address.{i}.category"), Some(category)));
        entries.push((format!("address.{i}.geo"), Some(geo)));
    }
    entries
}

#[controller]
impl CustomersController for Customers {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        let native = self.store.by_id(&self.scope, id.as_str()).await?;
        native.map(|native| self.customer(&native)).transpose()
    }

    async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let (after, limit) = (page.after()?.unwrap_or(0), page.fetch_limit());
        let rows = self.store.after(&self.scope, after, limit).await?;
        Page::from_overfetch(rows, page, |last| last.seq)?.try_map(|native| self.customer(&native))
    }

    async fn find_by_email(&self, _: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        let key = email_key(email.as_str());
        self.only(&self.store.by_email(&self.scope, &key).await?, "email")
    }

    async fn find_by_phone(&self, _: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        let Some(key) = phone_key(phone.as_str()) else {
            return Ok(None);
        };
        self.only(&self.store.by_phone(&self.scope, &key).await?, "phone")
    }
}

impl fmt::Debug for Customers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut customers = f.debug_struct("Customers");
        customers
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
