//! The routes of a customers controller.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use serde::Serialize;

use super::{extract::Call, response, routes::Routes};
use crate::{
    controllers::CustomersController,
    error::{Fault, HandlerError, Result},
    id::CustomerId,
    model::Customer,
    operation::{
        CustomersOperation::{self, FindByEmail, FindByPhone, List, Retrieve},
        Operation,
    },
    page::Page,
    pii::{Email, InvalidContact, Phone},
};

type Controller = Arc<dyn CustomersController>;

/// Mounts what the controller serves.
pub(crate) fn mount(routes: &mut Routes, controller: &Controller) {
    let served = controller.operations();
    let is_served = |operation: CustomersOperation| {
        Operation::from(operation).is_required() || served.contains(&operation)
    };
    if is_served(Retrieve) {
        routes.serve(Retrieve.into(), controller, retrieve);
    }
    if is_served(List) {
        routes.serve(List.into(), controller, list);
    }
    if is_served(FindByEmail) {
        routes.serve(FindByEmail.into(), controller, find_by_email);
    }
    if is_served(FindByPhone) {
        routes.serve(FindByPhone.into(), controller, find_by_phone);
    }
}

async fn retrieve(controller: Controller, call: Call) -> Result<Response> {
    let id: CustomerId = call.id("id")?;
    let customer = controller.retrieve(&call.context, &id).await?;
    if customer.as_ref().is_some_and(|found| *found.id() != id) {
        return Err(Fault::AnotherRecord.into());
    }
    found(customer)
}

async fn list(controller: Controller, call: Call) -> Result<Response> {
    let page = call.page()?;
    let customers = controller.list(&call.context, &page).await?;
    paged(&call, page.limit(), &customers)
}

async fn find_by_email(controller: Controller, call: Call) -> Result<Response> {
    let email = Email::new(call.parameter("email")?).map_err(|e| invalid(&e))?;
    found(controller.find_by_email(&call.context, &email).await?)
}

async fn find_by_phone(controller: Controller, call: Call) -> Result<Response> {
    let phone = Phone::new(call.parameter("phone")?).map_err(|e| invalid(&e))?;
    found(controller.find_by_phone(&call.context, &phone).await?)
}

fn found(customer: Option<Customer>) -> Result<Response> {
    let customer = customer.ok_or_else(|| HandlerError::not_found("Customer not found"))?;
    Ok(response::json(StatusCode::OK, &customer))
}

fn invalid(error: &InvalidContact) -> HandlerError {
    HandlerError::bad_request(error.to_string())
}

#[derive(Serialize)]
struct PageBody<'a, T> {
    data: &'a [T],
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

fn paged<T: Serialize>(call: &Call, limit: usize, page: &Page<T>) -> Result<Response> {
    let held = page.data().len();
    if held > limit {
        return Err(Fault::PageOverLimit { held, limit }.into());
    }
    let seal = |cursor| call.with_binding(|to| call.shared.seal.close(cursor, to));
    let next = page.next().map(seal).transpose()?;
    let body = PageBody {
        data: page.data(),
        next,
    };
    Ok(response::sized(StatusCode::OK, &body, 512 * (held + 1)))
}
