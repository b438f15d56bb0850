//! The Churnkey side of this merchant: how one of its customers becomes one of Churnkey's, and the trait over the store.

use std::{fmt, sync::Arc, time::Duration};

use churnkey_integrator::{
    CustomerId, CustomersController, Email, HandlerError, InvalidId, Mode, Page, PageRequest,
    Phone, RequestContext, Result, controller, model,
};
use example_app::{MetadataLimits, email_key, phone_key};

use crate::{
    record::{Contact, ContactKind, Customer, Status},
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
    /// What is answered when several customers have one address.
    pub ambiguous: Ambiguous,
    /// How much metadata a customer gets.
    pub limits: MetadataLimits,
    /// Adds what Notihub doesn't know, such as the billing side's discounts and currency.
    pub extra: Extra,
}

/// Adds to a customer what another system knows.
pub type Extra = Arc<dyn Fn(&Customer, model::Customer) -> model::Customer + Send + Sync>;

/// What Churnkey calls a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Notihub's own id.
    CustomerId,
    /// The merchant's id. Customers who have none can't be seen by Churnkey: see [`Churnkey::invisible`].
    ExternalId,
}

/// What is answered when several customers have one address. Never one of them: it could be another's subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ambiguous {
    /// A 409.
    Conflict,
    /// A 404.
    NotFound,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            key: Key::CustomerId,
            ambiguous: Ambiguous::Conflict,
            limits: MetadataLimits::default(),
            extra: Arc::new(|_, mapped| mapped),
        }
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl Mapping {
    /// A customer as Churnkey sees them. Notihub has no names, addresses or discounts; push tokens stay here.
    ///
    /// # Errors
    /// [`InvalidId`] if the customer has no id of the chosen kind, or one that can't be Churnkey's.
    pub fn customer(&self, native: &Customer) -> Result<model::Customer, InvalidId> {
        let id = match self.key {
            Key::CustomerId => CustomerId::new(&native.customer_id)?,
            Key::ExternalId => CustomerId::new(native.external_id.as_deref().unwrap_or_default())?,
        };
        let email = best(native, ContactKind::Email)
            .and_then(|contact| Some((Email::new(&contact.value).ok()?, contact.verified)));
        let phone = best(native, ContactKind::Phone)
            .and_then(|contact| Some((Phone::new(&contact.value).ok()?, contact.verified)));
        let status = match native.status {
            Status::Enabled => "ENABLED",
            Status::Disabled => "DISABLED",
        };
        let verified = |verified: bool| verified.to_string();
        let metadata = self.limits.fit([
            ("externalId", native.external_id.clone()),
            ("status", Some(status.to_owned())),
            ("language", native.language.clone()),
            ("metadata", Some(native.metadata.clone())),
            ("emailVerified", email.as_ref().map(|(_, v)| verified(*v))),
            ("phoneVerified", phone.as_ref().map(|(_, v)| verified(*v))),
        ]);
        if !metadata.left_out.is_empty() {
            let (customer, keys) = (&native.customer_id, &metadata.left_out);
            tracing::warn!(%customer, ?keys, "too much metadata for Churnkey");
        }
        let mapped = model::Customer::new(id)
            .with_email(email.map(|(email, _)| email))
            .with_phone(phone.map(|(phone, _)| phone))
            .with_metadata(metadata.kept);
        Ok((self.extra)(native, mapped))
    }
}

/// The primary contact of a kind, or else the oldest one.
fn best(native: &Customer, kind: ContactKind) -> Option<&Contact> {
    let contacts = native
        .contacts
        .iter()
        .filter(|contact| contact.kind == kind);
    contacts.min_by_key(|contact| (!contact.primary, contact.contact_id))
}

impl Churnkey {
    fn environment(&self, cx: &RequestContext) -> &Environment {
        match cx.mode() {
            Mode::Live => &self.live,
            Mode::Test => &self.test,
        }
    }

    /// How many live customers Churnkey can't see, because they lack the id that was chosen.
    ///
    /// # Errors
    /// The store's own.
    pub async fn invisible(&self) -> Result<i64, Error> {
        match self.mapping.key {
            Key::CustomerId => Ok(0),
            Key::ExternalId => self.live.without_external_id().await,
        }
    }

    async fn owner(
        &self,
        environment: &Environment,
        (kind, key): (ContactKind, &str),
        what: &'static str,
    ) -> Result<Option<model::Customer>> {
        match environment.owners(kind, key).await.map_err(failed)? {
            Owners::None => Ok(None),
            Owners::One(customer) => Ok(self.mapping.customer(&customer).ok()),
            Owners::Many(customers) => {
                tracing::warn!(?customers, "several customers have the same {what}");
                match self.mapping.ambiguous {
                    Ambiguous::Conflict => Err(HandlerError::ambiguous(what)),
                    Ambiguous::NotFound => Ok(None),
                }
            }
        }
    }
}

#[controller]
impl CustomersController for Churnkey {
    async fn retrieve(
        &self,
        cx: &RequestContext,
        id: &CustomerId,
    ) -> Result<Option<model::Customer>> {
        let environment = self.environment(cx);
        let found = match self.mapping.key {
            Key::CustomerId => environment.customer(id.as_str()).await,
            Key::ExternalId => environment.by_external_id(id.as_str()).await,
        };
        let found = found.map_err(failed)?;
        Ok(found
            .map(|customer| self.mapping.customer(&customer))
            .transpose()?)
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<model::Customer>> {
        let after: i64 = page.after()?.unwrap_or(0);
        let rows = self.environment(cx).after(after, page.fetch_limit());
        let page = Page::from_overfetch(rows.await.map_err(failed)?, page, |last| last.seq)?;
        let next = page.next().cloned();
        let visible = page
            .data()
            .iter()
            .filter_map(|native| self.mapping.customer(native).ok());
        Ok(Page::new(visible.collect(), next))
    }

    async fn find_by_email(
        &self,
        cx: &RequestContext,
        email: &Email,
    ) -> Result<Option<model::Customer>> {
        let key = email_key(email.as_str());
        self.owner(self.environment(cx), (ContactKind::Email, &key), "email")
            .await
    }

    async fn find_by_phone(
        &self,
        cx: &RequestContext,
        phone: &Phone,
    ) -> Result<Option<model::Customer>> {
        let Some(key) = phone_key(phone.as_str()) else {
            return Ok(None);
        };
        self.owner(self.environment(cx), (ContactKind::Phone, &key), "phone")
            .await
    }
}

/// A store that is busy for the moment is a 503, everything else a 500 that says nothing.
fn failed(error: Error) -> HandlerError {
    if error.is_temporary() {
        HandlerError::unavailable(Duration::from_secs(1), error)
    } else {
        error.into()
    }
}
