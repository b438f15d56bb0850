//! The records as such a merchant keeps them: texts that were checked when they were stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::customers::{CITY, COUNTRY, CURRENCY, Generated, METADATA};

/// A customer (contract, section 3.1).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Customer {
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) addresses: Vec<Address>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) discounts: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) currency: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) metadata: BTreeMap<String, String>,
}

/// An address (contract, section 3.2).
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line2: Option<String>,
}

impl From<Generated> for Customer {
    fn from(generated: Generated) -> Self {
        let address = Address {
            country: Some(COUNTRY.to_owned()),
            city: Some(CITY.to_owned()),
            postal_code: Some(generated.postal_code),
            line1: Some(generated.line1),
            ..Address::default()
        };
        let (key, value) = METADATA;
        Self {
            id: generated.id,
            name: Some(generated.name),
            last_name: None,
            email: Some(generated.email),
            phone: Some(generated.phone),
            addresses: vec![address],
            discounts: Vec::new(),
            currency: Some(CURRENCY.to_owned()),
            metadata: BTreeMap::from([(key.to_owned(), value.to_owned())]),
        }
    }
}
