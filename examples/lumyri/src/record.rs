//! Lumyri's records.

use std::fmt;

use churnkey_integrator::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::object;

/// A stored customer.
#[derive(Clone, PartialEq, Eq)]
pub struct Customer {
    /// The insertion number, which never changes.
    pub seq: i64,
    /// A UUID.
    pub id: String,
    /// The company that the customer belongs to.
    pub company: String,
    /// The company's app that the customer belongs to.
    pub app: String,
    /// Never empty.
    pub first_name: String,
    /// Never empty.
    pub last_name: String,
    /// Unique in the company's app (L11).
    pub email: String,
    /// Free text. Several customers may have the same.
    pub phone: Option<String>,
    /// In the order in which they were sent.
    pub address: Vec<Address>,
    /// Empty if there is none.
    pub avatar: String,
    /// In the order in which they were sent. Null is kept apart from an empty list (L8).
    pub labels: Option<Vec<Tag>>,
}

/// One of a customer's addresses.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// `Home`, `Office` or `Other`, in the letter case that was sent (L6).
    pub category: String,
    /// The place.
    #[serde(deserialize_with = "object::only")]
    pub location: Location,
}

/// The place of an address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Free text of at most 500 characters.
    pub name: String,
    /// Latitude and longitude (L10).
    pub geo: [Coordinate; 2],
}

/// A number with exactly the digits that were sent. A float might round it (L10).
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Coordinate(Box<RawValue>);

/// A label as a customer has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The label's id.
    pub id: String,
    /// The label's name.
    pub name: String,
    /// The label's color.
    pub color: String,
}

/// A label, by which a company groups its customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Label {
    /// A UUID.
    pub id: String,
    /// The company that it belongs to.
    pub company_id: String,
    /// The id of the user who created it.
    pub user_id: Option<String>,
    /// The name of the user who created it.
    pub created_by: String,
    /// The name of the user who last changed it.
    pub updated_by: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its color; any text.
    pub color: String,
}

/// A customer to be stored.
#[derive(Clone, Deserialize)]
pub struct NewCustomer {
    /// Without one, the store chooses it (L7).
    pub id: Option<String>,
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

/// Changes of a customer. `None` leaves a field as it is.
#[derive(Clone, Default)]
pub struct CustomerChanges {
    /// Not empty.
    pub first_name: Option<String>,
    /// Not empty.
    pub last_name: Option<String>,
    /// Valid.
    pub email: Option<String>,
    /// `Some(None)` clears it.
    pub phone: Option<Option<String>>,
    /// Replaces all of them.
    pub address: Option<Vec<Address>>,
    /// Empty clears it.
    pub avatar: Option<String>,
    /// Ids without repetition; `Some(None)` makes them null.
    pub labels: Option<Option<Vec<String>>>,
}

/// A label to be stored.
#[derive(Debug, Clone)]
pub struct NewLabel {
    /// Not empty.
    pub name: String,
    /// Not empty.
    pub description: String,
    /// Not empty.
    pub color: String,
    /// The id of the user who creates it.
    pub user_id: String,
    /// The name of the user who creates it.
    pub user_name: String,
}

/// A UUID in the form in which it is stored: with hyphens, in lower case. `None` if the text is not a UUID with hyphens.
#[must_use]
pub fn uuid(text: &str) -> Option<String> {
    // The parser takes braces, URNs and plain digits as well.
    let has_hyphens = text.len() == 36;
    let uuid = has_hyphens.then(|| Uuid::try_parse(text).ok()).flatten();
    uuid.map(|uuid| uuid.to_string())
}

impl Coordinate {
    /// The number as it was written.
    #[must_use]
    pub fn digits(&self) -> &str {
        self.0.get()
    }

    /// Whether the number is an angle of at most this many degrees, positive or negative.
    #[must_use]
    pub fn is_within(&self, degrees: f64) -> bool {
        let number: Result<f64, _> = serde_json::from_str(self.digits());
        number.is_ok_and(|number| number.abs() <= degrees)
    }
}

impl<'de> Deserialize<'de> for Coordinate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match serde_json::from_str::<f64>(raw.get()) {
            Ok(_) => Ok(Self(raw)),
            Err(_) => Err(de::Error::custom("expected a finite number")),
        }
    }
}

impl PartialEq for Coordinate {
    fn eq(&self, other: &Self) -> bool {
        self.digits() == other.digits()
    }
}

impl Eq for Coordinate {}

/// No `Debug` output contains personal data, so that none is logged by accident.
macro_rules! redacted {
    ($($record:ident)*) => {
        $(impl fmt::Debug for $record {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($record)).finish_non_exhaustive()
            }
        })*
    };
}

redacted!(Address Location Coordinate NewCustomer CustomerChanges);

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut customer = f.debug_struct("Customer");
        customer.field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_hyphens_and_is_kept_in_lower_case() {
        let id = "346dd239-cbe4-44fe-b9ee-be88fd2fa853";
        assert_eq!(uuid(id).as_deref(), Some(id));
        assert_eq!(uuid(&id.to_uppercase()).as_deref(), Some(id));
        for text in [
            "",
            "x",
            "346dd239cbe444feb9eebe88fd2fa853",
            "{346dd239-cbe4-44fe-b9ee-be88fd2fa853}",
            "346dd239-cbe4-44fe-b9ee-be88fd2fa85g",
            "\u{e9}46dd239-cbe4-44fe-b9ee-be88fd2fa85",
        ] {
            assert_eq!(uuid(text), None, "{text}");
        }
    }

    #[test]
    fn a_coordinate_keeps_its_digits_and_is_a_number() {
        for digits in ["46.80776431887119", "-71.28464827789534000", "1E1", "-0"] {
            let coordinate: Coordinate = serde_json::from_str(digits).unwrap();
            assert_eq!(serde_json::to_string(&coordinate).unwrap(), digits);
            assert!(coordinate.is_within(90.0));
        }
        let infinite = "expected a finite number";
        for (text, reason) in [
            ("\"1\"", infinite),
            ("null", infinite),
            ("[1]", infinite),
            ("1e999", infinite),
            ("NaN", "expected value at line 1 column 1"),
        ] {
            let error = serde_json::from_str::<Coordinate>(text).unwrap_err();
            assert_eq!(error.to_string(), reason, "{text}");
        }
        let over: Coordinate = serde_json::from_str("-90.0000000001").unwrap();
        assert!(!over.is_within(90.0));
    }

    #[test]
    fn no_record_prints_personal_data() {
        let place = r#"{"category": "home", "location": {"name": "Elm St", "geo": [1, 2]}}"#;
        let place: Address = serde_json::from_str(place).unwrap();
        let customer = Customer {
            seq: 1,
            id: "an-id".to_owned(),
            company: "A".to_owned(),
            app: "main".to_owned(),
            first_name: "Ada".to_owned(),
            last_name: "Lovelace".to_owned(),
            email: "ada@example.com".to_owned(),
            phone: None,
            address: vec![place.clone()],
            avatar: String::new(),
            labels: None,
        };
        assert_eq!(
            format!("{place:?} {:?}", place.location),
            "Address { .. } Location { .. }"
        );
        assert_eq!(format!("{customer:?}"), "Customer { id: \"an-id\", .. }");
    }
}
