//! Read this first: the mapping of a customer to Churnkey's model, and the trait over the store.

use churnkey_integrator::{
    BuildError, CustomerId, CustomersController, Email, Integration, IntegrationToken, Mode, Page,
    PageRequest, Phone, RequestContext, Result, controller, model::Customer,
};
use example_app::{email_key, error_class, phone_key};

use crate::{
    record::{self, ContactKind},
    store::{self, Environment},
};

/// Serves these customers to Churnkey, in live and in test mode.
///
/// # Errors
/// [`BuildError`] if a setting is not valid.
pub fn integration(churnkey: Churnkey, token: IntegrationToken) -> Result<Integration, BuildError> {
    let max_id_bytes = match churnkey.key {
        Key::CustomerId => 255,
        // It may have 255 characters of any script.
        Key::ExternalId => 1020,
    };
    Integration::builder("Notihub example", token)
        .customers(churnkey)
        .max_id_bytes(max_id_bytes)
        .classify_errors(error_class)
        .build()
}

/// What may be chosen about [`customer`], besides the [`Key`].
pub type Mapping = example_app::Mapping<record::Customer>;

/// What Churnkey sees: one environment in live mode, another one in test mode. A mode without an environment has no customers.
#[derive(Debug, Clone)]
pub struct Churnkey {
    /// Real customers.
    pub live: Option<Environment>,
    /// Test customers.
    pub test: Option<Environment>,
    /// What Churnkey calls a customer.
    pub key: Key,
    /// How they are shown.
    pub mapping: Mapping,
}

/// What Churnkey calls a customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Key {
    /// Notihub's own id.
    #[default]
    CustomerId,
    /// The merchant's id, which may be missing: see [`Churnkey::invisible`].
    ExternalId,
}

/// A customer as Churnkey sees them. `None` if they lack an id of the chosen kind, or Churnkey could not hold it. Notihub
/// knows no names, addresses or discounts. Push tokens are not shown.
#[must_use]
pub fn customer(native: &record::Customer, key: Key, mapping: &Mapping) -> Option<Customer> {
    let id = match key {
        Key::CustomerId => &native.customer_id,
        Key::ExternalId => native.external_id.as_ref()?,
    };
    let (email, email_verified) = best(native, ContactKind::Email, Email::new);
    let (phone, phone_verified) = best(native, ContactKind::Phone, Phone::new);
    let metadata = [
        ("externalId", native.external_id.clone()),
        ("status", Some(native.status.as_str().to_owned())),
        ("language", native.language.clone()),
        ("metadata", Some(native.metadata.clone())),
        ("emailVerified", email_verified),
        ("phoneVerified", phone_verified),
    ];
    let mapped = Customer::new(CustomerId::new(id).ok()?)
        .with_email(email)
        .with_phone(phone)
        .with_metadata(mapping.limits.fit(&native.customer_id, metadata));
    Some(mapping.extra.add_to(mapped, native))
}

/// The primary contact of a kind, or else the oldest one, and whether it is verified. `None` if Churnkey could not hold it.
fn best<T, E>(
    native: &record::Customer,
    kind: ContactKind,
    read: impl Fn(String) -> Result<T, E>,
) -> (Option<T>, Option<String>) {
    let contacts = native.contacts.iter().filter(|one| one.kind == kind);
    let best = contacts.min_by_key(|one| (!one.primary, one.contact_id));
    best.and_then(|one| Some((read(one.value.clone()).ok()?, one.verified.to_string())))
        .unzip()
}

impl Churnkey {
    /// How many live customers Churnkey can't see, because they lack an id of the chosen kind. Reads them all.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn invisible(&self) -> Result<usize, store::Error> {
        let Some(live) = &self.live else {
            return Ok(0);
        };
        let mut count = 0;
        let mut customers = live.after(0, 500).await?;
        while let Some(last) = customers.last() {
            let hidden = |customer: &&_| self.mapped(customer).is_none();
            count += customers.iter().filter(hidden).count();
            customers = live.after(last.seq, 500).await?;
        }
        Ok(count)
    }

    fn mapped(&self, native: &record::Customer) -> Option<Customer> {
        customer(native, self.key, &self.mapping)
    }

    fn environment(&self, cx: &RequestContext) -> Option<&Environment> {
        match cx.mode() {
            Mode::Live => self.live.as_ref(),
            Mode::Test => self.test.as_ref(),
        }
    }

    /// The only owner of an address.
    async fn only(
        &self,
        cx: &RequestContext,
        by: ContactKind,
        key: &str,
        what: &'static str,
    ) -> Result<Option<Customer>> {
        let Some(environment) = self.environment(cx) else {
            return Ok(None);
        };
        let owners = environment.owners(by, key).await?;
        let owner = owners.only(what, self.mapping.hide_ambiguous)?;
        Ok(owner.and_then(|customer| self.mapped(&customer)))
    }
}

#[controller]
impl CustomersController for Churnkey {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        let Some(environment) = self.environment(cx) else {
            return Ok(None);
        };
        let found = match self.key {
            Key::CustomerId => environment.customer(id.as_str()).await,
            Key::ExternalId => environment.by_external_id(id.as_str()).await,
        };
        Ok(found?.and_then(|customer| self.mapped(&customer)))
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let after: i64 = page.after()?.unwrap_or(0);
        let Some(environment) = self.environment(cx) else {
            return Ok(Page::new(Vec::new(), None));
        };
        let rows = environment.after(after, page.fetch_limit());
        let page = Page::from_overfetch(rows.await?, page, |last| last.seq)?;
        let visible = page.data().iter();
        let visible = visible.filter_map(|customer| self.mapped(customer));
        Ok(Page::new(visible.collect(), page.next().cloned()))
    }

    async fn find_by_email(&self, cx: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        let key = email_key(email.as_str());
        self.only(cx, ContactKind::Email, &key, "email").await
    }

    async fn find_by_phone(&self, cx: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        match phone_key(phone.as_str()) {
            Some(key) => self.only(cx, ContactKind::Phone, &key, "phone").await,
            None => Ok(None),
        }
    }
}
