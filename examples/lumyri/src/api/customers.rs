//! `/users/customers` and `/users/customers/{id}`.

use axum::{
    Json,
    extract::{FromRequestParts, Path},
    http::{StatusCode, request::Parts},
};
use serde::{Deserialize, Serialize};

use super::{
    DELETED, Deleted, Envelope,
    authenticate::{Caller, CallerOfApp},
    body::Sent,
    error::Error,
    fields::{CustomerFields, ids},
    lists::{Page, Query, is_descending},
};
use crate::{
    record::{Address, Customer, Tag, uuid},
    store::{self, Listing, Sort},
};

pub(super) async fn create(
    CallerOfApp { scope, app }: CallerOfApp,
    Sent(fields): Sent<CustomerFields>,
) -> Result<(StatusCode, Json<Envelope<WithLabelIds>>), Error> {
    let customer = scope.create(&app, &fields.new_customer()?).await?;
    Ok((StatusCode::CREATED, Json(Envelope::of(customer.into()))))
}

/// Answers without an envelope (L12).
pub(super) async fn retrieve(
    CallerOfApp { scope, .. }: CallerOfApp,
    CustomerId(id): CustomerId,
) -> Result<Json<WithLabels>, Error> {
    let customer = scope.customer(&id).await?;
    Ok(Json(customer.ok_or(store::Error::NoSuchCustomer)?.into()))
}

pub(super) async fn update(
    Caller { scope, .. }: Caller,
    CustomerId(id): CustomerId,
    Sent(fields): Sent<CustomerFields>,
) -> Result<Json<Envelope<WithLabelIds>>, Error> {
    let changes = fields.changes_of(&id)?;
    let customer = scope.update(&id, &changes).await?;
    Ok(Json(Envelope::of(customer.into())))
}

#[derive(Deserialize)]
pub(super) struct Deletion {
    customer_ids: Vec<String>,
}

/// The answer is the same whether or not the customers existed (L17).
pub(super) async fn delete(
    Caller { scope, .. }: Caller,
    Sent(deletion): Sent<Deletion>,
) -> Result<Json<Envelope<Deleted>>, Error> {
    let ids = ids("customer_ids", &deletion.customer_ids)?;
    scope.delete(&ids).await?;
    Ok(Json(DELETED))
}

pub(super) async fn list(
    CallerOfApp { scope, .. }: CallerOfApp,
    query: Query,
) -> Result<Json<Envelope<Page<WithLabelIds>>>, Error> {
    let listing = listing(&query)?;
    let (total, customers) = scope.list(&listing).await?;
    Ok(Json(Page::of(
        total,
        listing.limit,
        listing.page,
        customers,
    )))
}

fn listing(query: &Query) -> Result<Listing, Error> {
    let sort = match query.one("sort_by")? {
        // The documents name `description`, which customers don't have (L13).
        None | Some("name" | "description") => Some(Sort::Name),
        Some("email") => Some(Sort::Email),
        Some("created_at") => Some(Sort::CreatedAt),
        Some(_) => None,
    };
    let wrong_sort = "sort_by must be name, email, created_at or description";
    let descending = is_descending(query.one("order_by")?.unwrap_or("asc"));
    Ok(Listing {
        limit: query.limit("limit")?,
        page: query.page("page")?,
        search: query.term("search")?,
        sort: sort.ok_or(Error::invalid(wrong_sort))?,
        descending: descending.ok_or(Error::invalid("order_by must be asc or desc"))?,
    })
}

/// The id in a path. A value that can't be an id is unknown.
pub(super) struct CustomerId(String);

impl<S: Send + Sync> FromRequestParts<S> for CustomerId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(id)| uuid(&id));
        Ok(Self(id.ok_or(store::Error::NoSuchCustomer)?))
    }
}

/// A customer as most answers have them.
#[derive(Serialize)]
pub(super) struct WithLabelIds {
    id: String,
    first_name: String,
    last_name: String,
    phone: Option<String>,
    email: String,
    address: Vec<Address>,
    avatar: String,
    labels: Option<Vec<String>>,
    company_id: String,
    app_id: String,
}

impl From<Customer> for WithLabelIds {
    fn from(customer: Customer) -> Self {
        let ids = |labels: Vec<Tag>| labels.into_iter().map(|label| label.id).collect();
        Self {
            id: customer.id,
            first_name: customer.first_name,
            last_name: customer.last_name,
            phone: customer.phone,
            email: customer.email,
            address: customer.address,
            avatar: customer.avatar,
            labels: customer.labels.map(ids),
            company_id: customer.company,
            app_id: customer.app,
        }
    }
}

/// A single customer, with whole labels under the documented key and under the one that was meant (L12).
#[derive(Serialize)]
pub(super) struct WithLabels {
    id: String,
    first_name: String,
    last_name: String,
    phone: Option<String>,
    email: String,
    address: Vec<Address>,
    avatar: String,
    company_id: String,
    app_id: String,
    lables: Vec<Tag>,
    labels: Vec<Tag>,
}

impl From<Customer> for WithLabels {
    fn from(customer: Customer) -> Self {
        let labels = customer.labels.unwrap_or_default();
        Self {
            id: customer.id,
            first_name: customer.first_name,
            last_name: customer.last_name,
            phone: customer.phone,
            email: customer.email,
            address: customer.address,
            avatar: customer.avatar,
            company_id: customer.company,
            app_id: customer.app,
            lables: labels.clone(),
            labels,
        }
    }
}
