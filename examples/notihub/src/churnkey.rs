//! The Churnkey side of this merchant: how one of its customers becomes one of Churnkey's, and the trait over the store.

use std::{fmt, sync::Arc, time::Duration};

use churnkey_integrator::{
    CustomerId, CustomersController, Email, HandlerError, Mode, Page, PageRequest, Phone,
    RequestContext, Result, controller, model::Customer,
};
use example_app::{MetadataLimits, email_key, phone_key};

use crate::{
    record::{self, ContactKind},
    store::{Environment, Error, Owners},
};

/// What Churnkey gets to see: one environment in live mode, another one in test mode.
#[derive(Debug, Clone)]
pub struct Churnkey {
    /// Real customers.
    pub live: Environment,
    /// Test customers.
    pub test: Environment,
    /// How they are shown.
    pub mapping: Mapping,
}

/// What a merchant may choose about the mapping.
#[derive(Clone)]
pub struct Mapping {
    /// What Churnkey calls a customer.
    pub key: Key,
    /// Whether an address that several customers have is nobody's, a 404, instead of a 409. Never is one of them chosen: it
    /// could be another's subscription.
    pub hide_ambiguous: bool,
    /// How much metadata a customer gets.
    pub limits: MetadataLimits,
    /// Adds what Notihub doesn't know, such as discounts and currency from the billing side.
    pub extra: Extra,
}

/// What Churnkey calls a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Notihub's own id.
    CustomerId,
    /// The merchant's id. It may be missing: see [`Churnkey::invisible`]. With long ones, raise the builder's `max_id_bytes`.
    ExternalId,
}

/// Adds to a customer what another system knows.
pub type Extra = Arc<dyn Fn(&record::Customer, Customer) -> Customer + Send + Sync>;

impl Default for Mapping {
    fn default() -> Self {
        Self {
            key: Key::CustomerId,
            hide_ambiguous: false,
            limits: MetadataLimits::default(),
            extra: Arc::new(|_, mapped| mapped),
        }
    }
}

impl Mapping {
    /// A customer as Churnkey sees them; `None` if they have no id of the chosen kind that Churnkey could hold. Notihub
    /// knows no names, addresses or discounts. Push tokens stay here.
    #[must_use]
    pub fn customer(&self, native: &record::Customer) -> Option<Customer> {
        let id = match self.key {
            Key::CustomerId => &native.customer_id,
            Key::ExternalId => native.external_id.as_ref()?,
        };
        let (email, email_verified) = best(native, ContactKind::Email, Email::new);
        let (phone, phone_verified) = best(native, ContactKind::Phone, Phone::new);
        let metadata = self.limits.fit([
            ("externalId", native.external_id.clone()),
            ("status", Some(native.status.as_str().to_owned())),
            ("language", native.language.clone()),
            ("metadata", Some(native.metadata.clone())),
            ("emailVerified", email_verified),
            ("phoneVerified", phone_verified),
        ]);
        if !metadata.left_out.is_empty() {
            let (customer, keys) = (&native.customer_id, &metadata.left_out);
            tracing::warn!(%customer, ?keys, "too much metadata for Churnkey");
        }
        let mapped = Customer::new(CustomerId::new(id).ok()?)
            .with_email(email)
            .with_phone(phone)
            .with_metadata(metadata.kept);
        Some((self.extra)(native, mapped))
    }
}

/// The primary contact of a kind, or else the oldest one, and whether it is verified. Nothing if Churnkey can't hold it.
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
    /// The store's own.
    pub async fn invisible(&self) -> Result<usize, Error> {
        let mut count = 0;
        let mut customers = self.live.after(0, 500).await?;
        while let Some(last) = customers.last() {
            let hidden = |customer: &&_| self.mapping.customer(customer).is_none();
            count += customers.iter().filter(hidden).count();
            customers = self.live.after(last.seq, 500).await?;
        }
        Ok(count)
    }

    fn environment(&self, cx: &RequestContext) -> &Environment {
        match cx.mode() {
            Mode::Live => &self.live,
            Mode::Test => &self.test,
        }
    }

    fn only(&self, owners: Owners, what: &'static str) -> Result<Option<Customer>> {
        match owners {
            Owners::None => Ok(None),
            Owners::One(customer) => Ok(self.mapping.customer(&customer)),
            Owners::Many(customers) => {
                tracing::warn!(?customers, "these customers share one {what}");
                match self.mapping.hide_ambiguous {
                    true => Ok(None),
                    false => Err(HandlerError::ambiguous(what)),
                }
            }
        }
    }
}

#[controller]
impl CustomersController for Churnkey {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        let environment = self.environment(cx);
        let found = match self.mapping.key {
            Key::CustomerId => environment.customer(id.as_str()).await,
            Key::ExternalId => environment.by_external_id(id.as_str()).await,
        };
        let found = found.map_err(failed)?;
        Ok(found.and_then(|customer| self.mapping.customer(&customer)))
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let after: i64 = page.after()?.unwrap_or(0);
        let rows = self.environment(cx).after(after, page.fetch_limit());
        let page = Page::from_overfetch(rows.await.map_err(failed)?, page, |last| last.seq)?;
        let visible = page.data().iter();
        let visible = visible.filter_map(|customer| self.mapping.customer(customer));
        Ok(Page::new(visible.collect(), page.next().cloned()))
    }

    async fn find_by_email(&self, cx: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        let key = email_key(email.as_str());
        let owners = self.environment(cx).owners(ContactKind::Email, &key).await;
        self.only(owners.map_err(failed)?, "email")
    }

    async fn find_by_phone(&self, cx: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        let Some(key) = phone_key(phone.as_str()) else {
            return Ok(None);
        };
        let owners = self.environment(cx).owners(ContactKind::Phone, &key).await;
        self.only(owners.map_err(failed)?, "phone")
    }
}

/// A store that is busy is a 503, everything else a 500 that tells nothing.
fn failed(error: Error) -> HandlerError {
    if error.is_temporary() {
        HandlerError::unavailable(Duration::from_secs(1), error)
    } else {
        error.into()
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mapping(..)")
    }
}
