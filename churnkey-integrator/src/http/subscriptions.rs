//! The routes of a subscriptions controller, and the look-up that every action begins with.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};

use super::{
    customers::customer,
    extract::Call,
    prices::Prices,
    response::{self, paged},
    routes::Routes,
};
use crate::{
    context::RequestContext,
    controllers::{CustomersController, SubscriptionsController},
    error::{Fault, HandlerError, Result},
    id::{CustomerId, SubscriptionId},
    model::Subscription,
    operation::SubscriptionsOperation::{List, Retrieve},
};

/// The controller, and what its answers are checked against.
pub(crate) struct Subscriptions {
    pub(crate) controller: Arc<dyn SubscriptionsController>,
    pub(crate) customers: Arc<dyn CustomersController>,
    pub(crate) prices: Arc<Prices>,
}

/// Mounts what the controller serves.
pub(crate) fn mount(routes: &mut Routes, subscriptions: &Arc<Subscriptions>) {
    routes.serve(Retrieve.into(), subscriptions, retrieve);
    if subscriptions.controller.operations().contains(&List) {
        routes.serve(List.into(), subscriptions, list);
    }
}

impl Subscriptions {
    /// The customer's subscription. One of somebody else is not found, whatever the merchant returned.
    pub(super) async fn of(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Subscription> {
        let found = self.controller.retrieve(cx, customer_id, id).await?;
        let found = found.filter(|subscription| subscription.customer_id() == customer_id);
        let found = found.ok_or_else(|| HandlerError::not_found("Subscription not found"))?;
        if found.id() != id {
            return Err(Fault::AnotherRecord.into());
        }
        self.check_prices(&found)?;
        Ok(found)
    }

    fn check_prices(&self, subscription: &Subscription) -> Result<(), Fault> {
        let mut items = subscription.items().iter();
        items.try_for_each(|item| self.prices.check(item.price()))
    }
}

async fn retrieve(subscriptions: Arc<Subscriptions>, call: Call) -> Result<Response> {
    let customer_id: CustomerId = call.id("customerId")?;
    let id: SubscriptionId = call.id("id")?;
    let subscription = subscriptions.of(&call.context, &customer_id, &id).await?;
    Ok(response::json(StatusCode::OK, &subscription))
}

async fn list(subscriptions: Arc<Subscriptions>, call: Call) -> Result<Response> {
    let customer_id: CustomerId = call.id("customerId")?;
    let page = call.page()?;
    let controller = &subscriptions.controller;
    let found = controller.list(&call.context, &customer_id, &page).await?;
    for subscription in found.data() {
        if *subscription.customer_id() != customer_id {
            return Err(Fault::AnotherCustomersSubscription.into());
        }
        subscriptions.check_prices(subscription)?;
    }
    if found.data().is_empty() {
        customer(&subscriptions.customers, &call.context, &customer_id).await?;
    }
    paged(&call, page.limit(), &found)
}
