//! The routes of a customers controller.

use std::sync::Arc;

use super::{
    extract::Call,
    response::{self, paged},
    routes::Routes,
};
use crate::{
    context::RequestContext,
    controllers::CustomersController,
    error::{Fault, HandlerError, Result},
    id::CustomerId,
    model::Customer,
    operation::{
        CustomersOperation::{self, FindByEmail, FindByPhone, List, Retrieve},
        Operation,
    },
    pii::{Email, InvalidContact, Phone},
};
use axum::{http::StatusCode, response::Response};

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

/// The customer with this id.
pub(super) async fn customer(
    customers: &Controller,
    cx: &RequestContext,
    id: &CustomerId,
) -> Result<Customer> {
    let customer = customers.retrieve(cx, id).await?;
    let customer = customer.ok_or_else(not_found)?;
    if customer.id() != id {
        return Err(Fault::AnotherRecord.into());
    }
    Ok(customer)
}

async fn retrieve(controller: Controller, call: Call) -> Result<Response> {
    let id: CustomerId = call.id("id")?;
    let customer = customer(&controller, &call.context, &id).await?;
    Ok(response::json(StatusCode::OK, &customer))
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
    let customer = customer.ok_or_else(not_found)?;
    Ok(response::json(StatusCode::OK, &customer))
}

fn not_found() -> HandlerError {
    HandlerError::not_found("Customer not found")
}

fn invalid(error: &InvalidContact) -> HandlerError {
    HandlerError::bad_request(error.to_string())
}
