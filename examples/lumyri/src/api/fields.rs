//! The rules for what callers send.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer};

use super::error::Error;
use crate::{
    object::Object,
    record::{Address, CustomerChanges, NewCustomer, NewLabel, uuid},
};

/// The most ids that one call may delete (L17).
const MAX_DELETED: usize = 1000;

/// The longest address, in characters. Churnkey gets it as one line.
const MAX_PLACE: usize = 500;

/// A key of an object. A missing key and null are different.
#[derive(Default)]
enum Field<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::deserialize(deserializer)?;
        Ok(value.map_or(Self::Null, Self::Value))
    }
}

impl<T> Field<T> {
    /// The checked value, or the value that null stands for. `None` if the key is missing.
    fn or_null<U>(
        self,
        null: U,
        check: impl FnOnce(T) -> Result<U, Error>,
    ) -> Result<Option<U>, Error> {
        match self {
            Self::Absent => Ok(None),
            Self::Null => Ok(Some(null)),
            Self::Value(value) => check(value).map(Some),
        }
    }

    /// The checked value of a required field.
    fn never_null<U>(
        self,
        name: &str,
        check: impl FnOnce(T) -> Result<U, Error>,
    ) -> Result<Option<U>, Error> {
        match self {
            Self::Absent => Ok(None),
            Self::Null => Err(required(name)),
            Self::Value(value) => check(value).map(Some),
        }
    }
}

/// The fields of a customer in a body. Company and app are not read: they come from the token and the header (L2).
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CustomerFields {
    id: Option<String>,
    first_name: Field<String>,
    last_name: Field<String>,
    email: Field<String>,
    phone: Field<String>,
    address: Field<Vec<Object<Address>>>,
    avatar: Field<String>,
    label_ids: Field<Vec<String>>,
    labels: Field<Vec<String>>,
}

impl CustomerFields {
    pub(super) fn new_customer(self) -> Result<NewCustomer, Error> {
        let id = self.id()?;
        let changes = self.changes()?;
        Ok(NewCustomer {
            id,
            first_name: changes.first_name.ok_or_else(|| required("first_name"))?,
            last_name: changes.last_name.ok_or_else(|| required("last_name"))?,
            email: changes.email.ok_or_else(|| required("email"))?,
            phone: changes.phone.flatten(),
            address: changes.address.unwrap_or_default(),
            avatar: changes.avatar.unwrap_or_default(),
            labels: changes.labels.unwrap_or_else(|| Some(Vec::new())),
        })
    }

    /// The changes of the customer with this id (L16).
    pub(super) fn changes_of(self, id: &str) -> Result<CustomerChanges, Error> {
        if self.id()?.is_some_and(|sent| sent != id) {
            return Err(Error::invalid("id differs from the path's"));
        }
        self.changes()
    }

    fn id(&self) -> Result<Option<String>, Error> {
        let Some(id) = &self.id else {
            return Ok(None);
        };
        uuid(id)
            .map(Some)
            .ok_or(Error::invalid("id must be a UUID"))
    }

    fn changes(self) -> Result<CustomerChanges, Error> {
        // Two names of one field (L5).
        let labels = match self.label_ids {
            Field::Absent => self.labels,
            sent => sent,
        };
        Ok(CustomerChanges {
            first_name: self
                .first_name
                .never_null("first_name", |sent| name("first_name", &sent))?,
            last_name: self
                .last_name
                .never_null("last_name", |sent| name("last_name", &sent))?,
            email: self.email.never_null("email", email)?,
            phone: self.phone.or_null(None, |sent| phone(sent).map(Some))?,
            address: self.address.or_null(Vec::new(), addresses)?,
            avatar: self
                .avatar
                .or_null(String::new(), |sent| text("avatar", sent))?,
            labels: labels.or_null(None, |sent| label_ids(&sent).map(Some))?,
        })
    }
}

/// The fields of a label in a body, all of them required.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LabelFields {
    name: String,
    description: String,
    color: String,
    user_name: String,
}

impl LabelFields {
    pub(super) fn new_label(self, user_id: String) -> Result<NewLabel, Error> {
        if self.description.trim().is_empty() {
            return Err(required("description"));
        }
        Ok(NewLabel {
            name: name("name", &self.name)?,
            description: text("description", self.description)?,
            color: name("color", &self.color)?,
            user_id,
            user_name: name("userName", &self.user_name)?,
        })
    }
}

/// The ids to delete. All are checked before anything is deleted (L17).
pub(super) fn ids(field: &str, sent: &[String]) -> Result<Vec<String>, Error> {
    if !(1..=MAX_DELETED).contains(&sent.len()) {
        let rule = format!("{field} must hold 1 to {MAX_DELETED} ids");
        return Err(Error::invalid(rule));
    }
    let ids: Option<Vec<_>> = sent.iter().map(|id| uuid(id)).collect();
    ids.ok_or_else(|| Error::invalid(format!("{field} must hold UUIDs")))
}

/// Text without control characters. No name contains one, and NUL ends a text in some programs.
pub(super) fn text(field: &str, sent: String) -> Result<String, Error> {
    if sent.chars().any(char::is_control) {
        let rule = format!("{field} must not hold control characters");
        return Err(Error::invalid(rule));
    }
    Ok(sent)
}

fn required(field: &str) -> Error {
    Error::invalid(format!("{field} is required"))
}

/// A text of 1 to 255 characters, trimmed.
fn name(field: &str, sent: &str) -> Result<String, Error> {
    let name = text(field, sent.trim().to_owned())?;
    match name.chars().count() {
        1..=255 => Ok(name),
        _ => Err(Error::invalid(format!(
            "{field} must have 1 to 255 characters"
        ))),
    }
}

/// Not the crate `email_address`: it limits the mailbox to 64 bytes, while here only the whole address has a limit.
fn email(sent: String) -> Result<String, Error> {
    let has_gap = sent.chars().any(|c| c.is_whitespace() || c.is_control());
    let has_parts = sent.split_once('@').is_some_and(|(mailbox, domain)| {
        let labels = domain.split('.');
        !mailbox.is_empty()
            && !domain.contains('@')
            && domain.contains('.')
            && !labels.clone().any(str::is_empty)
    });
    if has_gap || !has_parts || sent.len() > 254 {
        return Err(Error::invalid("email must be a valid address"));
    }
    Ok(sent)
}

fn phone(sent: String) -> Result<String, Error> {
    if sent.chars().count() > 32 {
        return Err(Error::invalid("phone must have at most 32 characters"));
    }
    text("phone", sent)
}

fn label_ids(sent: &[String]) -> Result<Vec<String>, Error> {
    let ids: Option<Vec<_>> = sent.iter().map(|id| uuid(id)).collect();
    let mut ids = ids.ok_or(Error::invalid("labels must hold UUIDs"))?;
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok(ids)
}

fn addresses(sent: Vec<Object<Address>>) -> Result<Vec<Address>, Error> {
    sent.into_iter().map(|Object(sent)| address(sent)).collect()
}

fn address(sent: Address) -> Result<Address, Error> {
    let mut known = ["home", "office", "other"].iter();
    if !known.any(|known| sent.category.eq_ignore_ascii_case(known)) {
        return Err(Error::invalid(
            "address: category must be Home, Office or Other",
        ));
    }
    let [latitude, longitude] = &sent.location.geo;
    if !latitude.is_within(90.0) || !longitude.is_within(180.0) {
        return Err(Error::invalid(
            "address: geo must be a latitude and a longitude, in degrees",
        ));
    }
    let mut address = sent;
    if address.location.name.chars().count() > MAX_PLACE {
        return Err(Error::invalid(format!(
            "address: location.name must have at most {MAX_PLACE} characters"
        )));
    }
    address.location.name = text("address: location.name", address.location.name)?;
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule<T>(checked: Result<T, Error>) -> Option<String> {
        match checked {
            Err(Error::Invalid(rule)) => Some(rule.into_owned()),
            _ => None,
        }
    }

    #[test]
    fn an_email_has_one_at_and_a_domain_of_labels() {
        let longest = format!("{}@b.co", "a".repeat(249));
        for good in [
            "a@b.co",
            "zo\u{eb}+tag@b\u{fc}cher.example",
            "'--@x.y",
            &longest,
        ] {
            assert_eq!(rule(email(good.to_owned())), None, "{good}");
        }
        let too_long = format!("{}@b.co", "a".repeat(250));
        for bad in [
            "", "a", "@b.co", "a@", "a@b", "a@b.", "a@.co", "a@b..co", "a@b@c.co", " a@b.co",
            "a b@c.co", "a@b.co\0", &too_long,
        ] {
            let rule = rule(email(bad.to_owned()));
            assert_eq!(rule.as_deref(), Some("email must be a valid address"));
        }
    }

    #[test]
    fn a_name_is_counted_in_characters_without_the_space_around_it() {
        let longest = "\u{eb}".repeat(255);
        assert_eq!(name("n", &format!(" {longest} ")).unwrap(), longest);
        for wrong in ["", "  ", &"x".repeat(256)] {
            let rule = rule(name("n", wrong));
            assert_eq!(rule.as_deref(), Some("n must have 1 to 255 characters"));
        }
        let rule = rule(name("n", "a\0b"));
        assert_eq!(rule.as_deref(), Some("n must not hold control characters"));
    }

    #[test]
    fn a_phone_number_is_free_text_of_32_characters() {
        assert_eq!(phone("\u{eb}".repeat(32)).unwrap(), "\u{eb}".repeat(32));
        assert_eq!(phone(String::new()).unwrap(), "");
        let rule = rule(phone("1".repeat(33)));
        assert_eq!(
            rule.as_deref(),
            Some("phone must have at most 32 characters")
        );
    }

    #[test]
    fn repeated_labels_are_one() {
        let [a, b] = [
            "00000000-0000-4000-8000-00000000000a",
            "00000000-0000-4000-8000-00000000000b",
        ];
        let sent = [b, a, &b.to_uppercase()].map(str::to_owned);
        assert_eq!(label_ids(&sent).unwrap(), [b, a]);
    }
}
