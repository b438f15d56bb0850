//! `/customers/{id}/contacts`.

use axum::{Json, http::StatusCode};
use serde_json::{Map, Value, json};

use super::{Ids, authenticate::Caller, body::Sent, error::Error, fields};
use crate::{record::Contact, store::Environment};

/// A `contactId` in the body is ignored. The SDK always sends one.
pub(super) async fn create(
    Caller(environment): Caller,
    ids: Ids,
    Sent(body): Sent,
) -> Result<(StatusCode, Json<Contact>), Error> {
    let new = fields::new_contact(&fields::object(body)?)?;
    let contact = environment.add_contact(&ids.customer, &new).await?;
    Ok((StatusCode::CREATED, Json(contact)))
}

pub(super) async fn update(
    Caller(environment): Caller,
    ids: Ids,
    Sent(body): Sent,
) -> Result<Json<Contact>, Error> {
    let body = fields::object(body)?;
    if body.contains_key("contactId") && named_in(&body)? != ids.contact() {
        return Err(Error::Invalid("Contact id differs from the path's"));
    }
    change(&environment, &ids.customer, ids.contact(), &body).await
}

/// The SDK leaves the contact's id out of the path (N22).
pub(super) async fn update_named_in_body(
    Caller(environment): Caller,
    ids: Ids,
    Sent(body): Sent,
) -> Result<Json<Contact>, Error> {
    let body = fields::object(body)?;
    let contact = named_in(&body)?;
    change(&environment, &ids.customer, contact, &body).await
}

pub(super) async fn delete(Caller(environment): Caller, ids: Ids) -> Result<Json<Value>, Error> {
    // A value that is not a number is not a contact. An unknown customer is reported first.
    let contact = ids.contact().unwrap_or(NOBODYS);
    environment.delete_contact(&ids.customer, contact).await?;
    Ok(Json(json!({})))
}

/// Ids begin at 1.
const NOBODYS: i64 = 0;

async fn change(
    environment: &Environment,
    customer: &str,
    contact: Option<i64>,
    body: &Map<String, Value>,
) -> Result<Json<Contact>, Error> {
    let changes = fields::contact_changes(body)?;
    let contact = contact.unwrap_or(NOBODYS);
    let changed = environment.update_contact(customer, contact, &changes);
    Ok(Json(changed.await?))
}

/// The contact id in a body, as a number or its digits. `None` if the number is too large to be an id.
fn named_in(body: &Map<String, Value>) -> Result<Option<i64>, Error> {
    let digits = match body.get("contactId") {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(digits)) => digits.clone(),
        _ => String::new(),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        Ok(digits.parse().ok())
    } else {
        Err(Error::Invalid("Invalid contact id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_named_by_a_number_or_its_digits() {
        let named = |id: Value| named_in(&Map::from_iter([("contactId".to_owned(), id)])).ok();
        assert_eq!(named(json!(17)), Some(Some(17)));
        assert_eq!(named(json!("17")), Some(Some(17)));
        assert_eq!(named(json!("99999999999999999999")), Some(None));
        for bad in [
            json!(null),
            json!(-1),
            json!(1.5),
            json!(""),
            json!("1e3"),
            json!([1]),
        ] {
            assert_eq!(named(bad), None);
        }
    }
}
