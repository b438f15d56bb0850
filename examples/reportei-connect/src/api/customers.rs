//! `/customers`: the merchant's own customers.

use axum::{
    Json,
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    PathUuid, PublicUrl,
    authenticate::{Caller, OwnCustomer},
    error::Error,
    fields::Fields,
    integrations::IntegrationSummary,
    paging::{PageView, Sorting, page_number},
};
use crate::{
    record::{Customer, Merchant, Moment},
    store::{Created, Listing, PageNumber, SortBy},
};

const LONGEST_NAME: usize = 255;

/// A customer as every answer has them.
#[derive(Serialize)]
pub(super) struct CustomerView {
    uuid: String,
    name: String,
    created_at: Moment,
    updated_at: Moment,
    trial_ends_at: Moment,
    is_paying: bool,
    merchant: String,
}

impl CustomerView {
    fn new(customer: Customer, merchant: &Merchant) -> Self {
        Self {
            uuid: customer.uuid,
            name: customer.name,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
            trial_ends_at: customer.trial_ends_at,
            is_paying: customer.is_paying,
            merchant: merchant.name.clone(),
        }
    }
}

/// The envelope of a single customer.
#[derive(Serialize)]
pub(super) struct Envelope<T> {
    customer: T,
}

#[derive(Serialize)]
struct CreatedView {
    #[serde(flatten)]
    customer: CustomerView,
    api_token: String,
}

#[derive(Serialize)]
pub(super) struct SettingsView {
    #[serde(flatten)]
    customer: CustomerView,
    integrations: Vec<IntegrationSummary>,
}

pub(super) async fn list(
    Caller(customers): Caller,
    State(public_url): State<PublicUrl>,
    RawQuery(query): RawQuery,
) -> Result<Json<PageView<CustomerView>>, Error> {
    let listing = listing(Fields::of_query(query.as_deref()))?;
    let paged = customers.list(&listing).await?;
    let sorting = Sorting {
        sort_by: listing.sort_by.map(SortBy::name),
        descending: listing.descending,
    };
    let view = |customer| CustomerView::new(customer, customers.merchant());
    let (page, sorting) = (listing.page, Some(sorting));
    let page = PageView::new(paged, page, sorting, &public_url, "customers", view);
    Ok(Json(page))
}

fn listing(mut fields: Fields) -> Result<Listing, Error> {
    let page = page_number(&mut fields);
    let sort_by = sort_by(&mut fields);
    let descending = fields.flag("descending");
    let listing = page.zip(sort_by).zip(descending);
    fields.accept(listing.map(|((page, sort_by), descending)| Listing {
        page,
        sort_by,
        descending,
    }))
}

fn sort_by(fields: &mut Fields) -> Option<Option<SortBy>> {
    let Some(sent) = fields.take("sortBy") else {
        return Some(None);
    };
    match SortBy::ALL.into_iter().find(|sort| sent == sort.name()) {
        Some(sort) => Some(Some(sort)),
        None => fields.breaks("sortBy", "The selected sortBy is invalid.".to_owned()),
    }
}

pub(super) async fn show(
    Caller(customers): Caller,
    PathUuid(uuid): PathUuid,
) -> Result<Json<Envelope<CustomerView>>, Error> {
    let customer = customers.customer(&uuid).await?;
    let customer = customer.ok_or(Error::NoSuchRecord)?;
    let customer = CustomerView::new(customer, customers.merchant());
    Ok(Json(Envelope { customer }))
}

/// The customer of the token. It is served after the trial as well, so that customers see why other calls are refused (R5).
pub(super) async fn settings(
    OwnCustomer(data): OwnCustomer,
) -> Result<Json<Envelope<SettingsView>>, Error> {
    let all = PageNumber {
        page: 1,
        per_page: i64::MAX,
    };
    let integrations = data.integrations(all).await?.rows;
    let customer = SettingsView {
        customer: CustomerView::new(data.customer().clone(), data.merchant()),
        integrations: integrations.into_iter().map(Into::into).collect(),
    };
    Ok(Json(Envelope { customer }))
}

pub(super) async fn create(
    Caller(customers): Caller,
    mut fields: Fields,
) -> Result<impl IntoResponse, Error> {
    let name = fields.text("name", LONGEST_NAME);
    let name = fields.accept(name)?;
    let Created {
        customer,
        api_token,
    } = customers.create(&name).await?;
    let customer = CreatedView {
        customer: CustomerView::new(customer, customers.merchant()),
        api_token,
    };
    let not_stored = [(header::CACHE_CONTROL, "no-store")];
    let created = Json(Envelope { customer });
    Ok((StatusCode::CREATED, not_stored, created))
}

pub(super) async fn update(
    Caller(customers): Caller,
    PathUuid(uuid): PathUuid,
    mut fields: Fields,
) -> Result<Json<Envelope<CustomerView>>, Error> {
    let name = fields.text("name", LONGEST_NAME);
    let name = fields.accept(name)?;
    let customer = customers.rename(&uuid, &name).await?;
    let customer = CustomerView::new(customer, customers.merchant());
    Ok(Json(Envelope { customer }))
}

/// The vendor's sample sends a body, which is ignored.
pub(super) async fn delete(
    Caller(customers): Caller,
    PathUuid(uuid): PathUuid,
) -> Result<Json<Value>, Error> {
    customers.delete(&uuid).await?;
    Ok(done("Record successfully removed"))
}

pub(super) async fn update_payment_status(
    Caller(customers): Caller,
    PathUuid(uuid): PathUuid,
    mut fields: Fields,
) -> Result<Json<Value>, Error> {
    let is_paying = fields.boolean("is_paying");
    let is_paying = fields.accept(is_paying)?;
    customers.set_paying(&uuid, is_paying).await?;
    Ok(done(if is_paying {
        "Customer is now marked as a paying customer"
    } else {
        // The documents show only the other message (R6).
        "Customer is no longer marked as a paying customer"
    }))
}

/// The answer of calls that return no record.
pub(super) fn done(message: &str) -> Json<Value> {
    Json(json!({"success": true, "message": message}))
}
