//! `/customers` and `/customers/{id}`.

use axum::{Json, extract::RawQuery, http::StatusCode};
use serde_json::{Value, json};

use super::{Ids, authenticate::Caller, body::Sent, error::Error, fields};
use crate::{
    record::Customer,
    store::{self, Listing},
};

const DEFAULT_LIMIT: u16 = 25;
const MAX_LIMIT: u16 = 200;

pub(super) async fn create(
    Caller(environment): Caller,
    Sent(body): Sent,
) -> Result<(StatusCode, Json<Customer>), Error> {
    let new = fields::new_customer(&fields::object(body)?)?;
    let customer = environment.create(&new).await?;
    Ok((StatusCode::CREATED, Json(customer)))
}

pub(super) async fn retrieve(
    Caller(environment): Caller,
    ids: Ids,
) -> Result<Json<Customer>, Error> {
    let customer = environment.customer(&ids.customer).await?;
    Ok(Json(customer.ok_or(store::Error::NoSuchCustomer)?))
}

/// Answers 200: the vendor's page is headed 201, but nothing is created (N11). Contacts in the body are ignored (N14).
pub(super) async fn update(
    Caller(environment): Caller,
    ids: Ids,
    Sent(body): Sent,
) -> Result<Json<Customer>, Error> {
    let body = fields::object(body)?;
    let same = body.get("customerId").is_none_or(|id| *id == ids.customer);
    let changes = fields::customer_changes(&body)?;
    if !same {
        return Err(Error::Invalid("Customer id differs from the path's"));
    }
    Ok(Json(environment.update(&ids.customer, &changes).await?))
}

/// Answers with the id: the vendor documents `{}`, but its SDK's sample reads the id (N12).
pub(super) async fn delete(Caller(environment): Caller, ids: Ids) -> Result<Json<Value>, Error> {
    environment.delete(&ids.customer).await?;
    Ok(Json(json!({"customerId": ids.customer})))
}

pub(super) async fn list(
    Caller(environment): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<Customer>>, Error> {
    let listing = listing(query.as_deref().unwrap_or_default())?;
    Ok(Json(environment.list(&listing).await?))
}

/// If a key is repeated, the last value counts.
fn listing(query: &str) -> Result<Listing, Error> {
    let mut listing = Listing {
        limit: DEFAULT_LIMIT,
        ..Listing::default()
    };
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*key {
            "limit" => {
                let limit = number(&value).filter(|limit| *limit >= 1);
                let limit = limit.ok_or(Error::Invalid("Invalid limit"))?;
                // A larger limit is reduced, and not an error (N16).
                listing.limit = u16::try_from(limit).map_or(MAX_LIMIT, |n| n.min(MAX_LIMIT));
            }
            "page" => listing.page = number(&value).ok_or(Error::Invalid("Invalid page"))?,
            "search" => listing.search = value.into_owned(),
            "actives" => {
                listing.enabled_only = match &*value {
                    "true" => true,
                    "false" | "" => false,
                    _ => return Err(Error::Invalid("Invalid actives")),
                }
            }
            _ => {}
        }
    }
    Ok(listing)
}

/// A number in decimal digits. A larger one than the type holds is read as the largest.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}
