//! A customer as Lumyri keeps one, and the rules for what callers send of them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

use crate::{
    label::Tag,
    rules::{self, Invalid, Sent},
};

/// A stored customer.
#[derive(Clone, PartialEq, Eq)]
pub struct Customer {
    /// The insertion number, which never changes.
    pub seq: i64,
    /// A UUID in lower case.
    pub id: String,
    /// The company that the customer belongs to.
    pub company: String,
    /// The app, of those that the company has.
    pub app: String,
    /// Never empty.
    pub first_name: String,
    /// Never empty.
    pub last_name: String,
    /// As it was sent. Its key is unique in company and app.
    pub email: String,
    /// Free text, of which several customers may have the same.
    pub phone: Option<String>,
    /// In the order in which they were sent.
    pub address: Vec<Address>,
    /// The address of a picture, or empty.
    pub avatar: String,
    /// The labels in their order. Null is kept apart from an empty list (L8).
    pub labels: Option<Vec<Tag>>,
}

/// One of a customer's addresses.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// `Home`, `Office` or `Other`, in the letters that were sent (L6).
    pub category: String,
    /// Where it is.
    pub location: Location,
}

/// Where an address is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Free text.
    pub name: String,
    /// Latitude and longitude (L10).
    pub geo: [Coordinate; 2],
}

/// A number with the digits that were sent, which a float might round.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Coordinate(Box<RawValue>);

impl Coordinate {
    /// The number as it was written.
    #[must_use]
    pub fn digits(&self) -> &str {
        self.0.get()
    }

    fn is_within(&self, bound: f64) -> bool {
        let number: Result<f64, _> = serde_json::from_str(self.digits());
        number.is_ok_and(|number| number.abs() <= bound)
    }
}

impl PartialEq for Coordinate {
    fn eq(&self, other: &Self) -> bool {
        self.digits() == other.digits()
    }
}

impl Eq for Coordinate {}

impl<'de> Deserialize<'de> for Coordinate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match serde_json::from_str::<f64>(raw.get()) {
            Ok(_) => Ok(Self(raw)),
            Err(_) => Err(de::Error::custom("expected a finite number")),
        }
    }
}

/// What a caller sends of a customer. Tenancy in a body is ignored (L2).
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Input {
    pub(crate) id: Option<String>,
    first_name: Sent<String>,
    last_name: Sent<String>,
    email: Sent<String>,
    phone: Sent<String>,
    address: Sent<Vec<Address>>,
    avatar: Sent<String>,
    label_ids: Sent<Vec<String>>,
    labels: Sent<Vec<String>>,
}

/// Checked values for some of a customer's fields. `None` leaves a field as it is.
#[derive(Clone, Default)]
pub struct Change {
    /// Not empty.
    pub first_name: Option<String>,
    /// Not empty.
    pub last_name: Option<String>,
    /// Valid.
    pub email: Option<String>,
    /// `Some(None)` clears it.
    pub phone: Option<Option<String>>,
    /// Empty if it is cleared.
    pub address: Option<Vec<Address>>,
    /// Empty if it is cleared.
    pub avatar: Option<String>,
    /// Ids without repetition; `Some(None)` makes them null.
    pub labels: Option<Option<Vec<String>>>,
}

/// A customer to be stored.
#[derive(Clone)]
pub struct NewCustomer {
    /// A UUID in lower case.
    pub id: String,
    /// The company.
    pub company: String,
    /// The app.
    pub app: String,
    /// Not empty.
    pub first_name: String,
    /// Not empty.
    pub last_name: String,
    /// Valid.
    pub email: String,
    /// Free text.
    pub phone: Option<String>,
    /// Any number of them.
    pub address: Vec<Address>,
    /// May be empty.
    pub avatar: String,
    /// Ids without repetition.
    pub labels: Option<Vec<String>>,
}

impl Input {
    /// The id, if one was sent (L7).
    pub(crate) fn id(&self) -> Result<Option<String>, Invalid> {
        let valid =
            |id: &String| rules::uuid(id).ok_or_else(|| Invalid("id must be a UUID".to_owned()));
        self.id.as_ref().map(valid).transpose()
    }

    pub(crate) fn check(self) -> Result<Change, Invalid> {
        // L5: two names for one thing.
        let labels = match self.label_ids {
            Sent::Absent => self.labels,
            sent => sent,
        };
        let optional = |phone| rules::phone(phone).map(Some);
        let listed = |ids| label_ids(ids).map(Some);
        Ok(Change {
            first_name: named("first_name", self.first_name)?,
            last_name: named("last_name", self.last_name)?,
            email: never_null("email", self.email.try_map(rules::email)?)?,
            phone: self.phone.try_map(optional)?.or_null(None),
            address: self.address.try_map(addresses)?.or_null(Vec::new()),
            avatar: self
                .avatar
                .try_map(|avatar| rules::text("avatar", avatar))?
                .or_null(String::new()),
            labels: labels.try_map(listed)?.or_null(None),
        })
    }
}

impl Change {
    /// What a customer is who has nothing but this.
    pub(crate) fn into_new(
        self,
        id: String,
        company: String,
        app: String,
    ) -> Result<NewCustomer, Invalid> {
        let required = |field: &str| Invalid(format!("{field} is required"));
        Ok(NewCustomer {
            id,
            company,
            app,
            first_name: self.first_name.ok_or_else(|| required("first_name"))?,
            last_name: self.last_name.ok_or_else(|| required("last_name"))?,
            email: self.email.ok_or_else(|| required("email"))?,
            phone: self.phone.flatten(),
            address: self.address.unwrap_or_default(),
            avatar: self.avatar.unwrap_or_default(),
            labels: self.labels.unwrap_or_else(|| Some(Vec::new())),
        })
    }
}

fn never_null(field: &str, sent: Sent<String>) -> Result<Option<String>, Invalid> {
    match sent {
        Sent::Absent => Ok(None),
        Sent::Null => Err(Invalid(format!("{field} is required"))),
        Sent::Value(value) => Ok(Some(value)),
    }
}

fn named(field: &str, sent: Sent<String>) -> Result<Option<String>, Invalid> {
    never_null(field, sent.try_map(|name| rules::name(field, &name))?)
}

fn label_ids(ids: Vec<String>) -> Result<Vec<String>, Invalid> {
    let mut unique = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for id in ids {
        let id = rules::uuid(&id).ok_or_else(|| Invalid("a label id must be a UUID".to_owned()))?;
        if seen.insert(id.clone()) {
            unique.push(id);
        }
    }
    Ok(unique)
}

fn addresses(addresses: Vec<Address>) -> Result<Vec<Address>, Invalid> {
    addresses.into_iter().map(address).collect()
}

fn address(mut address: Address) -> Result<Address, Invalid> {
    let known = ["home", "office", "other"];
    if !known
        .iter()
        .any(|known| address.category.eq_ignore_ascii_case(known))
    {
        let message = "address: category must be Home, Office or Other";
        return Err(Invalid(message.to_owned()));
    }
    let location = &mut address.location;
    let name = std::mem::take(&mut location.name);
    location.name = rules::text("address: location.name", name)?;
    let [latitude, longitude] = &location.geo;
    if !latitude.is_within(90.0) || !longitude.is_within(180.0) {
        let message = "address: location.geo must be a latitude and a longitude in degrees";
        return Err(Invalid(message.to_owned()));
    }
    Ok(address)
}

/// Personal data stay out of logs, also by accident.
macro_rules! redacted {
    ($($name:ident)*) => {
        $(
            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(concat!(stringify!($name), "([redacted])"))
                }
            }
        )*
    };
}

redacted!(Address Location Coordinate Change);

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut customer = f.debug_struct("Customer");
        customer.field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for NewCustomer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut customer = f.debug_struct("NewCustomer");
        customer.field("id", &self.id).finish_non_exhaustive()
    }
}
