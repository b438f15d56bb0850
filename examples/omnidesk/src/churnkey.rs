//! Read this first: the mapping of a customer to Churnkey's model, and the trait over the store.

use churnkey_integrator::{
    BuildError, CustomerId, CustomersController, Email, Integration, IntegrationToken, Page,
    PageRequest, Phone, RequestContext, Result, controller, model::Customer,
};
use example_app::{Owners, email_key, error_class, phone_key};

use crate::{
    address::ChannelType,
    store::{self, Scope, Store, customers},
};

/// Serves these customers to Churnkey. There are no test customers, so calls in test mode are refused.
///
/// # Errors
/// [`BuildError`] if a setting is not valid.
pub fn integration(
    customers: impl CustomersController,
    token: IntegrationToken,
) -> Result<Integration, BuildError> {
    Integration::builder("Omnidesk example", token)
        .customers(customers)
        .live_only()
        .classify_errors(error_class)
        .build()
}

/// What may be chosen about [`customer`], besides the scope. `extra` may also make a postal address of custom fields.
pub type Mapping = example_app::Mapping<store::Customer>;

/// What Churnkey sees: the customers of all brands, or of one.
#[derive(Debug, Clone)]
pub struct Churnkey {
    /// The store with the customers.
    pub store: Store,
    /// Which customers Churnkey sees, and by which id.
    pub scope: Scope,
    /// How they are shown.
    pub mapping: Mapping,
}

/// A customer as Churnkey sees them. `None` if they lack an id of the scope's kind, or Churnkey could not hold it. Tickets and
/// the timeline are not shown.
#[must_use]
pub fn customer(native: &store::Customer, scope: Scope, mapping: &Mapping) -> Option<Customer> {
    let id = match scope {
        Scope::AllBrands | Scope::Brand(_) => native.id.to_string(),
        Scope::ExternalIdsOf(_) => native.external_primary_id.clone()?,
    };
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let email = native.first(ChannelType::Email).map(Email::new);
    let phone = native.first(ChannelType::Telephone).map(Phone::new);
    let own = [
        ("externalPrimaryId", native.external_primary_id.clone()),
        ("brandId", Some(native.brand_id.to_string())),
        ("brandName", Some(native.brand_name.clone())),
    ];
    let custom = native.custom.iter();
    let custom = custom.map(|(name, value)| (name.as_str(), Some(value.clone())));
    let metadata = own.into_iter().chain(custom);
    let mapped = Customer::new(CustomerId::new(id).ok()?)
        .with_name(text(&native.firstname))
        .with_last_name(text(&native.lastname))
        .with_email(email.and_then(Result::ok))
        .with_phone(phone.and_then(Result::ok))
        .with_metadata(mapping.limits.fit(native.id, metadata));
    Some(mapping.extra.add_to(mapped, native))
}

impl Churnkey {
    /// How many customers Churnkey can't see, because they lack an id of the scope's kind.
    /// With long ids, raise the builder's `max_id_bytes`.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn invisible(&self) -> store::Result<i64> {
        let Scope::ExternalIdsOf(brand) = self.scope else {
            return Ok(0);
        };
        customers::without_external_id(&mut *self.store.read().await?, brand).await
    }

    fn mapped(&self, native: &store::Customer) -> Option<Customer> {
        customer(native, self.scope, &self.mapping)
    }

    async fn native(&self, id: &str) -> store::Result<Option<store::Customer>> {
        let (mut db, brand) = (self.store.read().await?, self.scope.brand());
        if let Scope::ExternalIdsOf(_) = self.scope {
            return Ok(customers::by_external_id(&mut db, id, brand).await?.pop());
        }
        // Another spelling of a number, such as 01 or +1, is not an id.
        let number = id.parse::<i64>().ok();
        let Some(number) = number.filter(|number| number.to_string() == id) else {
            return Ok(None);
        };
        let found = customers::by_id(&mut db, number).await?;
        Ok(found.filter(|native| brand.is_none_or(|brand| brand == native.brand_id)))
    }

    /// The only owner of an address.
    async fn only(
        &self,
        by: ChannelType,
        key: &str,
        what: &'static str,
    ) -> Result<Option<Customer>> {
        let mut db = self.store.read().await?;
        let owners = customers::by_lookup_key(&mut db, self.scope.brand(), by, key).await;
        let owners = Owners::of(owners?, |native| native.id.to_string());
        let owner = owners.only(what, self.mapping.hide_ambiguous)?;
        Ok(owner.and_then(|native| self.mapped(&native)))
    }
}

#[controller]
impl CustomersController for Churnkey {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        let found = self.native(id.as_str()).await?;
        Ok(found.and_then(|native| self.mapped(&native)))
    }

    async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let (after, limit) = (page.after()?.unwrap_or(0), page.fetch_limit());
        let mut db = self.store.read().await?;
        let rows = customers::after(&mut db, self.scope.brand(), after, limit).await;
        let page = Page::from_overfetch(rows?, page, |last| last.id)?;
        let visible = page.data().iter().filter_map(|native| self.mapped(native));
        Ok(Page::new(visible.collect(), page.next().cloned()))
    }

    async fn find_by_email(&self, _: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        let key = email_key(email.as_str());
        self.only(ChannelType::Email, &key, "email").await
    }

    async fn find_by_phone(&self, _: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        match phone_key(phone.as_str()) {
            Some(key) => self.only(ChannelType::Telephone, &key, "phone").await,
            None => Ok(None),
        }
    }
}
