//! From JSON to records. Each field is checked by its rule, and each rule has its message.

use serde_json::{Map, Value};

use super::error::{Error, invalid_value};
use crate::record::{
    ContactChanges, ContactKind, CustomerChanges, Mechanism, NewContact, NewCustomer, Preference,
    Status, is_language,
};

type Fields = Map<String, Value>;

/// The most contacts or preferences in one request (N23). Nobody else can write while they are stored.
const MAX_ENTRIES: usize = 1000;

/// The body must be an object. Unknown keys are ignored.
pub(super) fn object(body: Value) -> Result<Fields, Error> {
    match body {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::Invalid("The body must be a JSON object")),
    }
}

pub(super) fn new_customer(fields: &Fields) -> Result<NewCustomer, Error> {
    let changes = customer_changes(fields)?;
    // One page of the vendor's calls it `contact`, the others `contacts` (N7).
    let contacts = [fields.get("contacts"), fields.get("contact")];
    let contacts = contacts.into_iter().flatten().find(|sent| !sent.is_null());
    let contacts = match contacts {
        None => Vec::new(),
        Some(Value::Array(contacts)) if contacts.len() > MAX_ENTRIES => {
            return Err(Error::Invalid(
                "At most 1000 contacts in one request: add the others to the customer",
            ));
        }
        Some(Value::Array(contacts)) => contacts
            .iter()
            .map(|contact| match contact {
                Value::Object(fields) => new_contact(fields),
                _ => Err(Error::Invalid("Invalid contacts")),
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(Error::Invalid("Invalid contacts")),
    };
    Ok(NewCustomer {
        external_id: changes.external_id.flatten(),
        status: changes.status.unwrap_or(Status::Enabled),
        language: changes.language.flatten(),
        metadata: changes.metadata.unwrap_or_default(),
        contacts,
    })
}

pub(super) fn customer_changes(fields: &Fields) -> Result<CustomerChanges, Error> {
    Ok(CustomerChanges {
        external_id: nullable(fields, "externalId", "Invalid external id", |text| {
            let trimmed = text.trim();
            (1..=255)
                .contains(&trimmed.chars().count())
                .then(|| trimmed.to_owned())
        })?,
        status: word(fields, "status", "Invalid status")?,
        language: nullable(fields, "language", "Invalid language", |text| {
            is_language(text).then(|| text.to_owned())
        })?,
        metadata: nullable(fields, "metadata", "Metadata must be a string", |text| {
            Some(text.to_owned())
        })?
        .map(Option::unwrap_or_default),
    })
}

pub(super) fn new_contact(fields: &Fields) -> Result<NewContact, Error> {
    let changes = contact_changes(fields)?;
    let kind = changes.kind.ok_or(Error::Invalid(INVALID_KIND))?;
    let value = changes.value.filter(|value| kind.accepts(value));
    Ok(NewContact {
        kind,
        value: value.ok_or(Error::Invalid(invalid_value(kind)))?,
        primary: changes.primary.unwrap_or(false),
        // A device that sends its token is its owner's.
        verified: changes.verified.unwrap_or(kind == ContactKind::Push),
    })
}

const INVALID_KIND: &str = "Invalid contact type";

/// A value can be checked only when its kind is known, which may be the stored one.
pub(super) fn contact_changes(fields: &Fields) -> Result<ContactChanges, Error> {
    let kind = word(fields, "type", INVALID_KIND)?;
    let value = match fields.get("value") {
        None => None,
        Some(Value::String(value)) => Some(value.clone()),
        Some(_) => {
            let message = kind.map_or("Invalid contact value", invalid_value);
            return Err(Error::Invalid(message));
        }
    };
    Ok(ContactChanges {
        kind,
        value,
        primary: flag(fields, "primary", "Invalid primary")?,
        verified: flag(fields, "verified", "Invalid verified")?,
    })
}

/// An array of preferences, or a single one, as the SDK sends it (N20).
pub(super) fn preferences(body: Value) -> Result<Vec<Preference>, Error> {
    let all = match body {
        Value::Array(all) => all,
        one => vec![one],
    };
    if all.len() > MAX_ENTRIES {
        return Err(Error::Invalid(
            "At most 1000 preferences in one request: send the others in another one",
        ));
    }
    all.iter().map(preference).collect()
}

fn preference(body: &Value) -> Result<Preference, Error> {
    let group = body.get("templateGroupId").and_then(Value::as_str);
    let group = group.filter(|group| (1..=255).contains(&group.chars().count()));
    let group = group.ok_or(Error::Invalid("Invalid template group id"))?;
    let invalid = || Error::Invalid("Invalid mechanisms");
    let sent = body.get("mechanisms").and_then(Value::as_array);
    let mut mechanisms = Vec::new();
    for mechanism in sent.ok_or_else(invalid)? {
        let mechanism: Mechanism = read(mechanism).ok_or_else(invalid)?;
        if !mechanisms.contains(&mechanism) {
            mechanisms.push(mechanism);
        }
    }
    let alone = mechanisms.len() == 1;
    if mechanisms.is_empty() || (mechanisms.contains(&Mechanism::None) && !alone) {
        return Err(invalid());
    }
    Ok(Preference {
        template_group_id: group.to_owned(),
        mechanisms,
    })
}

/// A key that is absent, null, or a text that follows a rule.
fn nullable(
    fields: &Fields,
    key: &str,
    invalid: &'static str,
    check: impl FnOnce(&str) -> Option<String>,
) -> Result<Option<Option<String>>, Error> {
    match fields.get(key) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(Value::String(text)) => match check(text) {
            Some(text) => Ok(Some(Some(text))),
            None => Err(Error::Invalid(invalid)),
        },
        Some(_) => Err(Error::Invalid(invalid)),
    }
}

/// A key that is absent, or one of several words.
fn word<T: serde::de::DeserializeOwned>(
    fields: &Fields,
    key: &str,
    invalid: &'static str,
) -> Result<Option<T>, Error> {
    let Some(value) = fields.get(key) else {
        return Ok(None);
    };
    read(value).map(Some).ok_or(Error::Invalid(invalid))
}

fn read<T: serde::de::DeserializeOwned>(word: &Value) -> Option<T> {
    // Only a text: serde would also take `{"ENABLED": null}`.
    word.is_string()
        .then(|| serde_json::from_value(word.clone()).ok())?
}

/// A boolean. The documents call it a string, so that is taken too (N9).
fn flag(fields: &Fields, key: &str, invalid: &'static str) -> Result<Option<bool>, Error> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(text)) if text == "true" => Ok(Some(true)),
        Some(Value::String(text)) if text == "false" => Ok(Some(false)),
        Some(_) => Err(Error::Invalid(invalid)),
    }
}
