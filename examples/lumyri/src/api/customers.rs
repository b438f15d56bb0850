//! `/users/customers`.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Api,
    answer::{PageOf, Refusal, Result, bare, enveloped},
    body::Json,
    caller::{Caller, CustomerPath},
    parameters::{Parameters, descending, offset},
};
use crate::{
    customer::{Address, Customer, Input},
    label::Tag,
    rules,
    store::{Listing, Sort},
};

/// The most ids that one call may name (L17).
const MAX_DELETED: usize = 1000;

/// A customer with the ids of their labels.
#[derive(Serialize)]
struct Summary<'a> {
    id: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    phone: Option<&'a str>,
    email: &'a str,
    address: &'a [Address],
    avatar: &'a str,
    labels: Option<Vec<&'a str>>,
    company_id: &'a str,
    app_id: &'a str,
}

impl<'a> From<&'a Customer> for Summary<'a> {
    fn from(customer: &'a Customer) -> Self {
        let labels = customer.labels.as_ref();
        Self {
            id: &customer.id,
            first_name: &customer.first_name,
            last_name: &customer.last_name,
            phone: customer.phone.as_deref(),
            email: &customer.email,
            address: &customer.address,
            avatar: &customer.avatar,
            labels: labels.map(|labels| labels.iter().map(|label| label.id.as_str()).collect()),
            company_id: &customer.company,
            app_id: &customer.app,
        }
    }
}

/// A customer with their labels, under the documented name as well as the right one (L12).
#[derive(Serialize)]
struct Detail<'a> {
    id: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    phone: Option<&'a str>,
    email: &'a str,
    address: &'a [Address],
    avatar: &'a str,
    company_id: &'a str,
    app_id: &'a str,
    lables: &'a [Tag],
    labels: &'a [Tag],
}

impl<'a> From<&'a Customer> for Detail<'a> {
    fn from(customer: &'a Customer) -> Self {
        let labels = customer.labels.as_deref().unwrap_or_default();
        Self {
            id: &customer.id,
            first_name: &customer.first_name,
            last_name: &customer.last_name,
            phone: customer.phone.as_deref(),
            email: &customer.email,
            address: &customer.address,
            avatar: &customer.avatar,
            company_id: &customer.company,
            app_id: &customer.app,
            lables: labels,
            labels,
        }
    }
}

/// `POST /users/customers`
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    Json(input): Json<Input>,
) -> Result<Response> {
    let app = caller.app()?.to_owned();
    let id = match input.id()? {
        Some(id) => id,
        None => api.0.ids.uuid()?,
    };
    let new = input.check()?.into_new(id, caller.company, app)?;
    let created = api.0.store.create(&new, api.0.clock.now()).await?;
    Ok(enveloped(StatusCode::CREATED, &Summary::from(&created)))
}

/// `GET /users/customers`
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    parameters: Parameters,
) -> Result<Response> {
    caller.app()?;
    let sort = match parameters.one("sort_by")? {
        // L13: customers have no description.
        None | Some("name" | "description") => Sort::Name,
        Some("email") => Sort::Email,
        Some("created_at") => Sort::CreatedAt,
        Some(_) => {
            let message = "sort_by must be name, email, created_at or description";
            return Err(Refusal::invalid(message));
        }
    };
    let order = parameters.one("order_by")?.unwrap_or("asc");
    let descending =
        descending(order).ok_or_else(|| Refusal::invalid("order_by must be asc or desc"))?;
    let (limit, page) = (parameters.limit("limit")?, parameters.page("page")?);
    let listing = Listing {
        search: parameters.term("search")?,
        sort,
        descending,
        limit,
        offset: offset(page, limit),
    };
    let (total, customers) = api.0.store.page(&caller.scope(), &listing).await?;
    let customers = customers.iter().map(Summary::from).collect();
    let page = PageOf::new(total, limit, page, customers);
    Ok(enveloped(StatusCode::OK, &page))
}

/// `GET /users/customers/{id}`
pub(super) async fn retrieve(
    State(api): State<Api>,
    caller: Caller,
    CustomerPath(id): CustomerPath,
) -> Result<Response> {
    caller.app()?;
    let customer = api.0.store.by_id(&caller.scope(), &id).await?;
    let customer = customer.ok_or_else(Refusal::no_such_customer)?;
    Ok(bare(StatusCode::OK, &Detail::from(&customer)))
}

/// `PUT /users/customers/{id}`
pub(super) async fn update(
    State(api): State<Api>,
    caller: Caller,
    CustomerPath(id): CustomerPath,
    Json(input): Json<Input>,
) -> Result<Response> {
    if input.id()?.is_some_and(|given| given != id) {
        return Err(Refusal::invalid("id must be that of the path"));
    }
    let change = input.check()?;
    let changed = api.0.store.update(&caller.scope(), &id, change).await?;
    let changed = changed.ok_or_else(Refusal::no_such_customer)?;
    Ok(enveloped(StatusCode::OK, &Summary::from(&changed)))
}

#[derive(Deserialize)]
pub(super) struct Deletion {
    customer_ids: Vec<String>,
}

/// `DELETE /users/customers`
pub(super) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Json(deletion): Json<Deletion>,
) -> Result<Response> {
    let ids = ids("customer_ids", &deletion.customer_ids)?;
    api.0.store.delete(&caller.scope(), &ids).await?;
    Ok(deleted())
}

/// The ids of records to be deleted. All are checked before any is gone (L17).
pub(super) fn ids(field: &str, ids: &[String]) -> Result<Vec<String>> {
    if !(1..=MAX_DELETED).contains(&ids.len()) {
        let message = format!("{field} must hold 1 to {MAX_DELETED} ids");
        return Err(Refusal::invalid(message));
    }
    let ids: Option<Vec<_>> = ids.iter().map(|id| rules::uuid(id)).collect();
    ids.ok_or_else(|| Refusal::invalid(format!("{field} must hold UUIDs")))
}

pub(super) fn deleted() -> Response {
    enveloped(StatusCode::OK, &json!({"message": "OK"}))
}
