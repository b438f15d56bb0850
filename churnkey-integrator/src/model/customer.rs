//! Customer and Address (contract, sections 3.1 and 3.2).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Discount, Metadata, OptionalText, null_is_empty};
use crate::{
    id::CustomerId,
    money::Currency,
    pii::{Email, Phone, Private},
};

/// A customer as Churnkey knows one (contract, section 3.1).
///
/// Give at least an e-mail address or a phone number: with neither, Churnkey's dunning and
/// reactivation campaigns send nothing. `Debug` shows no personal data.
///
/// # Example
/// ```
/// use churnkey_integrator::{Currency, CustomerId, Email, model::Customer};
///
/// let ada = Customer::new(CustomerId::new("cus_ada")?)
///     .with_name("Ada")
///     .with_email(Email::new("ada@example.com")?)
///     .with_phone(None)
///     .with_currency(Currency::new("USD")?);
/// assert_eq!(
///     serde_json::to_string(&ada)?,
///     r#"{"id":"cus_ada","name":"Ada","email":"ada@example.com","currency":"usd"}"#
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    id: CustomerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Private>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<Private>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Email>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Phone>,
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    addresses: Vec<Address>,
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    discounts: Vec<Discount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Metadata::is_empty"
    )]
    metadata: Metadata,
}

impl Customer {
    /// A customer of whom nothing but the id is known.
    #[must_use]
    pub fn new(id: CustomerId) -> Self {
        Self {
            id,
            name: None,
            last_name: None,
            email: None,
            phone: None,
            addresses: Vec::new(),
            discounts: Vec::new(),
            currency: None,
            metadata: Metadata::default(),
        }
    }

    /// The full name, or the first name when the last name is kept apart.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<OptionalText>) -> Self {
        self.name = name.into().into_private();
        self
    }

    /// The last name, only if the store keeps it apart.
    #[must_use]
    pub fn with_last_name(mut self, last_name: impl Into<OptionalText>) -> Self {
        self.last_name = last_name.into().into_private();
        self
    }

    /// The e-mail address, for messages and verification codes.
    #[must_use]
    pub fn with_email(mut self, email: impl Into<Option<Email>>) -> Self {
        self.email = email.into();
        self
    }

    /// The phone number, for text messages and verification codes.
    #[must_use]
    pub fn with_phone(mut self, phone: impl Into<Option<Phone>>) -> Self {
        self.phone = phone.into();
        self
    }

    /// All postal addresses, the primary one first.
    #[must_use]
    pub fn with_addresses(mut self, addresses: impl IntoIterator<Item = Address>) -> Self {
        self.addresses = addresses.into_iter().collect();
        self
    }

    /// All discounts that hold for the customer, whatever the subscription.
    #[must_use]
    pub fn with_discounts(mut self, discounts: impl IntoIterator<Item = Discount>) -> Self {
        self.discounts = discounts.into_iter().collect();
        self
    }

    /// The currency that the customer is bound to.
    #[must_use]
    pub fn with_currency(mut self, currency: impl Into<Option<Currency>>) -> Self {
        self.currency = currency.into();
        self
    }

    /// All free data, such as `[("plan", "pro")]` or a map.
    #[must_use]
    pub fn with_metadata<K: Into<String>, V: Into<String>>(
        mut self,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.metadata = Metadata::of(entries);
        self
    }

    /// The merchant's id of the customer.
    #[must_use]
    pub fn id(&self) -> &CustomerId {
        &self.id
    }

    /// See [`with_name`](Self::with_name).
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(Private::as_str)
    }

    /// See [`with_last_name`](Self::with_last_name).
    #[must_use]
    pub fn last_name(&self) -> Option<&str> {
        self.last_name.as_ref().map(Private::as_str)
    }

    /// See [`with_email`](Self::with_email).
    #[must_use]
    pub fn email(&self) -> Option<&Email> {
        self.email.as_ref()
    }

    /// See [`with_phone`](Self::with_phone).
    #[must_use]
    pub fn phone(&self) -> Option<&Phone> {
        self.phone.as_ref()
    }

    /// See [`with_addresses`](Self::with_addresses).
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// See [`with_discounts`](Self::with_discounts).
    #[must_use]
    pub fn discounts(&self) -> &[Discount] {
        &self.discounts
    }

    /// See [`with_currency`](Self::with_currency).
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.currency
    }

    /// See [`with_metadata`](Self::with_metadata).
    #[must_use]
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        self.metadata.entries()
    }
}

/// A postal address; all parts are optional (contract, section 3.2). `Debug` shows none of them.
///
/// ```
/// use churnkey_integrator::model::Address;
///
/// let address = Address::new()
///     .with_country("GB")
///     .with_postal_code("SW1Y 4JH");
/// assert_eq!(
///     serde_json::to_string(&address)?,
///     r#"{"country":"GB","postalCode":"SW1Y 4JH"}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Private>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Private>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<Private>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<Private>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line1: Option<Private>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line2: Option<Private>,
}

macro_rules! parts {
    ($($part:ident $with:ident $what:literal)*) => {
        $(
            #[doc = concat!("Sets ", $what, ".")]
            #[must_use]
            pub fn $with(mut self, $part: impl Into<OptionalText>) -> Self {
                self.$part = $part.into().into_private();
                self
            }

            #[doc = concat!("Reads ", $what, ".")]
            #[must_use]
            pub fn $part(&self) -> Option<&str> {
                self.$part.as_ref().map(Private::as_str)
            }
        )*
    };
}

impl Address {
    /// An address of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    parts! {
        country with_country "the country, as ISO 3166-1 alpha-2 code (`GB`)"
        state with_state "the state or region"
        city with_city "the city"
        postal_code with_postal_code "the postal code"
        line1 with_line1 "the first line"
        line2 with_line2 "the second line"
    }
}
