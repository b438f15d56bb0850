//! The routes of a customers controller.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};

use super::{
    extract::Call,
    part::{About, Part, Parts, Without},
    record::with_id,
    response,
    routes::Routes,
};
use crate::{
    context::RequestContext,
    controllers::CustomersController,
    error::{HandlerError, Result},
    id::CustomerId,
    model::Customer,
    operation::{
        CustomersOperation::{FindByEmail, FindByPhone, List, Retrieve},
        Operation,
    },
    pii::{Email, InvalidContact, Phone},
};

pub(crate) static ABOUT: About = About {
    method: "customers",
    first: Operation::Customers(Retrieve),
    needs: &[],
    without: &[
        Without::Offer(
            Operation::Customers(FindByEmail),
            "no managed flow by e-mail without find_by_email",
        ),
        Without::Offer(
            Operation::Customers(FindByPhone),
            "no managed flow by phone without find_by_phone",
        ),
    ],
};

const NOT_FOUND: &str = "Customer not found";

pub(crate) struct Customers {
    controller: Box<dyn CustomersController>,
}

impl Customers {
    pub(crate) fn new(controller: impl CustomersController) -> Self {
        Self {
            controller: Box::new(controller),
        }
    }

    /// The customer with this id.
    pub(super) async fn of(&self, cx: &RequestContext, id: &CustomerId) -> Result<Customer> {
        let customer = self.controller.retrieve(cx, id).await?;
        with_id(customer, id, Customer::id, NOT_FOUND)
    }
}

impl Part for Customers {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn mount(self: Arc<Self>, _: &Parts, routes: &mut Routes) -> Option<()> {
        routes
            .of(&self, self.controller.operations())
            .serve(Retrieve, retrieve)
            .serve(List, list)
            .serve(FindByEmail, find_by_email)
            .serve(FindByPhone, find_by_phone);
        Some(())
    }
}

async fn retrieve(customers: Arc<Customers>, call: Call) -> Result<Response> {
    let id: CustomerId = call.id("id")?;
    let customer = customers.of(&call.context, &id).await?;
    Ok(response::json(StatusCode::OK, &customer))
}

async fn list(customers: Arc<Customers>, call: Call) -> Result<Response> {
    let page = call.page()?;
    let found = customers.controller.list(&call.context, &page).await?;
    call.paged(&page, &found)
}

async fn find_by_email(customers: Arc<Customers>, call: Call) -> Result<Response> {
    let email = Email::new(call.parameter("email")?).map_err(|e| invalid(&e))?;
    found(
        customers
            .controller
            .find_by_email(&call.context, &email)
            .await?,
    )
}

async fn find_by_phone(customers: Arc<Customers>, call: Call) -> Result<Response> {
    let phone = Phone::new(call.parameter("phone")?).map_err(|e| invalid(&e))?;
    found(
        customers
            .controller
            .find_by_phone(&call.context, &phone)
            .await?,
    )
}

fn found(customer: Option<Customer>) -> Result<Response> {
    let customer = customer.ok_or_else(|| HandlerError::not_found(NOT_FOUND))?;
    Ok(response::json(StatusCode::OK, &customer))
}

fn invalid(error: &InvalidContact) -> HandlerError {
    HandlerError::bad_request(error.to_string())
}
