//! Read this first: the mapping of a customer to Churnkey's model, and the trait over the store.

use churnkey_integrator::{
    BuildError, CustomerId, CustomersController, Email, Integration, IntegrationToken, Page,
    PageRequest, Phone, RequestContext, Result, controller,
    model::{Address, Customer},
};
use example_app::{email_key, error_class, phone_key};

use crate::{
    record,
    store::{Contact, Scope},
};

/// Serves these customers to Churnkey. Lumyri's test customers are on another host, so this integration is live only.
///
/// # Errors
/// [`BuildError`] if a setting is not valid.
pub fn integration(
    customers: impl CustomersController,
    token: IntegrationToken,
) -> Result<Integration, BuildError> {
    Integration::builder("Lumyri example", token)
        .customers(customers)
        .live_only()
        .classify_errors(error_class)
        .build()
}

/// What may be chosen about [`customer`].
pub type Mapping = example_app::Mapping<record::Customer>;

/// What Churnkey sees: the customers of a company, or of one of its apps.
#[derive(Debug, Clone)]
pub struct Churnkey {
    /// Whose customers. An address may have an owner in each app. With one app it has at most one.
    pub scope: Scope,
    /// How they are shown.
    pub mapping: Mapping,
}

/// A customer as Churnkey sees them.
///
/// # Errors
/// If the store has an id or an e-mail address that is not valid.
pub fn customer(native: &record::Customer, mapping: &Mapping) -> Result<Customer> {
    let id = &native.id;
    // A phone number is free text here. Churnkey gets none that it could not hold.
    let phone = native.phone.as_ref().filter(|phone| !phone.is_empty());
    let phone = phone.and_then(|phone| Phone::new(phone).ok());
    // An address is free text, too. Nothing is parsed out of it.
    let addresses = native.address.iter();
    let line = |name: &String| Some(name.clone()).filter(|name| !name.is_empty());
    let addresses = addresses.map(|one| Address::new().with_line1(line(&one.location.name)));
    let mapped = Customer::new(CustomerId::new(id)?)
        .with_name(native.first_name.clone())
        .with_last_name(native.last_name.clone())
        .with_email(Email::new(&native.email)?)
        .with_phone(phone)
        .with_addresses(addresses)
        .with_metadata(mapping.limits.fit(id, metadata(native)));
    Ok(mapping.extra.add_to(mapped, native))
}

/// In order of importance: the last ones are the first to exceed the limit.
fn metadata(native: &record::Customer) -> Vec<(String, Option<String>)> {
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
    for (index, address) in native.address.iter().enumerate() {
        let [latitude, longitude] = &address.location.geo;
        let geo = format!("{},{}", latitude.digits(), longitude.digits());
        let category = address.category.clone();
        entries.push((format!("address.{index}.category"), Some(category)));
        entries.push((format!("address.{index}.geo"), Some(geo)));
    }
    entries
}

impl Churnkey {
    /// The only owner of an address.
    async fn only(&self, by: Contact, key: &str, what: &'static str) -> Result<Option<Customer>> {
        let owners = self.scope.owners(by, key).await?;
        let owner = owners.only(what, self.mapping.hide_ambiguous)?;
        let mapped = owner.map(|customer| self::customer(&customer, &self.mapping));
        mapped.transpose()
    }
}

#[controller]
impl CustomersController for Churnkey {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        let found = self.scope.customer(id.as_str()).await?;
        let mapped = found.map(|customer| self::customer(&customer, &self.mapping));
        mapped.transpose()
    }

    async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let after: i64 = page.after()?.unwrap_or(0);
        let rows = self.scope.after(after, page.fetch_limit());
        let page = Page::from_overfetch(rows.await?, page, |last| last.seq)?;
        page.try_map(|customer| self::customer(&customer, &self.mapping))
    }

    async fn find_by_email(&self, _: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        let key = email_key(email.as_str());
        self.only(Contact::Email, &key, "email").await
    }

    async fn find_by_phone(&self, _: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        match phone_key(phone.as_str()) {
            Some(key) => self.only(Contact::Phone, &key, "phone").await,
            None => Ok(None),
        }
    }
}
