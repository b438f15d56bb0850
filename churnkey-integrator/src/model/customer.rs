//! Customer and Address (contract, sections 3.1 and 3.2).

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tinystr::TinyAsciiStr;

use super::{Discount, Metadata, OptionalText, null_is_empty};
use crate::{
    id::CustomerId,
    iso_codes::TwoLetters,
    money::Currency,
    pii::{Email, Phone, Private},
};

/// A customer as Churnkey knows one (contract, section 3.1).
///
/// Give at least an e-mail address or a phone number. With neither, Churnkey's dunning and reactivation campaigns send
/// nothing. `Debug` shows no personal data.
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
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(!from)
)]
#[serde(from = "CustomerFields")]
pub struct Customer(Arc<CustomerFields>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename = "Customer", rename_all = "camelCase")]
struct CustomerFields {
    /// The merchant's own id of the customer.
    id: CustomerId,
    /// The full name; or the first name, if the last name is a field of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Private>,
    /// The last name, if it is not part of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<Private>,
    /// Where messages and verification codes are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Email>,
    /// Where text messages and verification codes are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Phone>,
    /// All postal addresses, the primary one first.
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    addresses: Vec<Address>,
    /// The discounts of the customer as a whole; those of one subscription are in the subscription.
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    discounts: Vec<Discount>,
    /// The currency in which the customer is always charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    /// The merchant's own keys and values.
    #[serde(
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Metadata::is_empty"
    )]
    metadata: Metadata,
}

impl Customer {
    /// A customer with an id, and nothing else.
    #[must_use]
    pub fn new(id: CustomerId) -> Self {
        Self(Arc::new(CustomerFields {
            id,
            name: None,
            last_name: None,
            email: None,
            phone: None,
            addresses: Vec::new(),
            discounts: Vec::new(),
            currency: None,
            metadata: Metadata::default(),
        }))
    }

    /// The full name; or the first name, if the last name is a field of its own.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<OptionalText>) -> Self {
        self.change().name = name.into().into_private();
        self
    }

    /// The last name, if it is not part of the name.
    #[must_use]
    pub fn with_last_name(mut self, last_name: impl Into<OptionalText>) -> Self {
        self.change().last_name = last_name.into().into_private();
        self
    }

    /// The e-mail address, for messages and verification codes.
    #[must_use]
    pub fn with_email(mut self, email: impl Into<Option<Email>>) -> Self {
        self.change().email = email.into();
        self
    }

    /// The phone number, for text messages and verification codes.
    #[must_use]
    pub fn with_phone(mut self, phone: impl Into<Option<Phone>>) -> Self {
        self.change().phone = phone.into();
        self
    }

    /// All postal addresses, the primary one first.
    #[must_use]
    pub fn with_addresses(mut self, addresses: impl IntoIterator<Item = Address>) -> Self {
        self.change().addresses = addresses.into_iter().collect();
        self
    }

    /// All discounts of the customer as a whole. Those of one subscription belong to the
    /// [`Subscription`](super::Subscription).
    #[must_use]
    pub fn with_discounts(mut self, discounts: impl IntoIterator<Item = Discount>) -> Self {
        self.change().discounts = discounts.into_iter().collect();
        self
    }

    /// The currency in which the customer is always charged.
    #[must_use]
    pub fn with_currency(mut self, currency: impl Into<Option<Currency>>) -> Self {
        self.change().currency = currency.into();
        self
    }

    /// All metadata: the merchant's own keys and values, such as `[("plan", "pro")]` or a map.
    #[must_use]
    pub fn with_metadata(mut self, metadata: impl Into<Metadata>) -> Self {
        self.change().metadata = metadata.into();
        self
    }

    /// The merchant's id of the customer.
    #[must_use]
    pub fn id(&self) -> &CustomerId {
        &self.0.id
    }

    /// See [`with_name`](Self::with_name).
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_ref().map(Private::as_str)
    }

    /// See [`with_last_name`](Self::with_last_name).
    #[must_use]
    pub fn last_name(&self) -> Option<&str> {
        self.0.last_name.as_ref().map(Private::as_str)
    }

    /// See [`with_email`](Self::with_email).
    #[must_use]
    pub fn email(&self) -> Option<&Email> {
        self.0.email.as_ref()
    }

    /// See [`with_phone`](Self::with_phone).
    #[must_use]
    pub fn phone(&self) -> Option<&Phone> {
        self.0.phone.as_ref()
    }

    /// See [`with_addresses`](Self::with_addresses).
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.0.addresses
    }

    /// See [`with_discounts`](Self::with_discounts).
    #[must_use]
    pub fn discounts(&self) -> &[Discount] {
        &self.0.discounts
    }

    /// See [`with_currency`](Self::with_currency).
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.0.currency
    }

    /// See [`with_metadata`](Self::with_metadata).
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    fn change(&mut self) -> &mut CustomerFields {
        Arc::make_mut(&mut self.0)
    }
}

impl From<CustomerFields> for Customer {
    fn from(fields: CustomerFields) -> Self {
        Self(Arc::new(fields))
    }
}

/// A postal address (contract, section 3.2). All parts are optional. `Debug` shows none of them.
///
/// ```
/// use churnkey_integrator::model::{Address, Country};
///
/// let address = Address::new()
///     .with_country(Country::new("GB")?)
///     .with_postal_code("SW1Y 4JH");
/// assert_eq!(
///     serde_json::to_string(&address)?,
///     r#"{"country":"GB","postalCode":"SW1Y 4JH"}"#
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// The country, by its code of two letters (ISO 3166-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Country>,
    /// The state, province or region.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Private>,
    /// The city.
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<Private>,
    /// The postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<Private>,
    /// The first line: street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    line1: Option<Private>,
    /// The second line, such as a floor.
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
    /// An address without any part.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the country. If your data has names of countries or mistakes, leave out what [`Country::new`] refuses: an address
    /// without a country is better than a page of customers that is a 500.
    #[must_use]
    pub fn with_country(mut self, country: impl Into<Option<Country>>) -> Self {
        self.country = country.into();
        self
    }

    /// Reads the country.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        self.country
    }

    parts! {
        state with_state "the state or region"
        city with_city "the city"
        postal_code with_postal_code "the postal code"
        line1 with_line1 "the first line"
        line2 with_line2 "the second line"
    }
}

/// An ISO 3166-1 alpha-2 country. Its code is read in any letter case and written in upper case.
///
/// It is part of a person's address, so [`code`](Self::code) is the only way to it: `Debug` does not show it, and there is
/// no `Display` or `AsRef<str>`.
///
/// ```
/// use churnkey_integrator::model::{Country, InvalidCountry};
///
/// assert_eq!(Country::new("gb")?.code(), "GB");
/// assert!(Country::new("United States of America").is_err());
/// # Ok::<(), InvalidCountry>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(with = "String", extend("pattern" = "^[A-Z]{2}$"))
)]
pub struct Country {
    /// In upper case.
    code: TinyAsciiStr<2>,
}

static FOUND: TwoLetters = TwoLetters::empty();

/// The text is not an ISO 3166-1 alpha-2 country code. The rejected text is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`country` is not a valid ISO 3166-1 alpha-2 code: use one like GB")]
#[non_exhaustive]
pub struct InvalidCountry;

impl Country {
    /// Looks up a code of two letters, in any letter case.
    ///
    /// # Errors
    /// [`InvalidCountry`] if ISO 3166-1 has no such code.
    pub fn new(code: &str) -> Result<Self, InvalidCountry> {
        let code: TinyAsciiStr<2> = code.parse().map_err(|_| InvalidCountry)?;
        let code = code.to_ascii_uppercase();
        // The crate also knows an unspecified country, whose code is the empty text. That has no two letters.
        let exists = FOUND.exists(&code, || code.parse::<iso_currency::Country>().is_ok());
        exists.then_some(Self { code }).ok_or(InvalidCountry)
    }

    /// The code in upper case.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl std::str::FromStr for Country {
    type Err = InvalidCountry;

    fn from_str(code: &str) -> Result<Self, InvalidCountry> {
        Self::new(code)
    }
}

impl TryFrom<&str> for Country {
    type Error = InvalidCountry;

    fn try_from(code: &str) -> Result<Self, InvalidCountry> {
        Self::new(code)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Country([redacted])")
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::new(&code).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_country_is_one_of_the_249_codes_of_iso_3166() {
        let letters = || 'A'..='Z';
        let pairs = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
        let known = pairs.filter(|code| from_value::<Address>(json!({"country": code})).is_ok());
        let known: Vec<String> = known.collect();
        assert_eq!(known.join(" "), ALL);
        for bad in [
            "",
            " ",
            "United States of America",
            "GBR",
            "UK",
            "XK",
            "826",
            "G",
            "Ä",
            "ſe",
        ] {
            let read = from_value::<Address>(json!({"country": bad}));
            let error = read.unwrap_err().to_string();
            assert_eq!(error, InvalidCountry.to_string(), "{bad}");
        }
        let spoken = Address::new().with_country(Country::new("GB").unwrap());
        assert!(!format!("{spoken:?}").contains("GB"));
        for code in ["GB", "gb", "Gb"] {
            assert_eq!(code.parse(), Country::new(code));
            assert_eq!(Country::try_from(code).unwrap().code(), "GB");
            let read: Address = from_value(json!({"country": code})).unwrap();
            assert_eq!(
                serde_json::to_value(read).unwrap(),
                json!({"country": "GB"})
            );
        }
    }

    /// `iso3166.tab` of the time zone database, release 2025b.
    const ALL: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
        BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE \
        EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM \
        HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC \
        LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
        NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
        SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO \
        TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";
}
