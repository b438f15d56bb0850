//! The routes of a subscriptions controller, and the look-up that every action begins with.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};

use super::{
    customers::Customers,
    extract::Call,
    part::{About, Part, Parts, Without},
    prices::Prices,
    record::{differ_in_letter_case, in_other_letter_case, with_id},
    response,
    routes::Routes,
};
use crate::{
    context::RequestContext,
    controllers::SubscriptionsController,
    error::{ContractViolation, Result},
    id::{CustomerId, SubscriptionId},
    model::Subscription,
    operation::{
        Operation,
        SubscriptionsOperation::{List, Retrieve},
    },
};

pub(crate) static ABOUT: About = About {
    method: "subscriptions",
    first: Operation::Subscriptions(Retrieve),
    needs: &["prices"],
    without: &[Without::Publication(
        Operation::Subscriptions(Retrieve),
        ".subscriptions(..)",
    )],
};

pub(crate) struct Subscriptions {
    controller: Arc<dyn SubscriptionsController>,
}

impl Subscriptions {
    pub(crate) fn new(controller: impl SubscriptionsController) -> Self {
        Self {
            controller: Arc::new(controller),
        }
    }
}

impl Part for Subscriptions {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn mount(self: Arc<Self>, parts: &Parts, routes: &mut Routes) -> Option<()> {
        let checked = CheckedSubscriptions::of_parts(parts)?;
        routes
            .of(&checked, self.controller.operations())
            .serve(Retrieve, retrieve)
            .serve(List, list);
        Some(())
    }
}

/// The controller, with the parts that its answers are checked against.
pub(super) struct CheckedSubscriptions {
    controller: Arc<dyn SubscriptionsController>,
    pub(super) customers: Arc<Customers>,
    prices: Arc<Prices>,
}

impl CheckedSubscriptions {
    /// `None` if one of them is not registered.
    pub(super) fn of_parts(parts: &Parts) -> Option<Arc<Self>> {
        Some(Arc::new(Self {
            controller: Arc::clone(&parts.get::<Subscriptions>()?.controller),
            customers: parts.get()?,
            prices: parts.get()?,
        }))
    }

    /// The customer's subscription. If the controller returns one of another customer, that is a 404, too.
    pub(super) async fn of(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        id: &SubscriptionId,
    ) -> Result<Subscription> {
        let found = self.controller.retrieve(cx, customer_id, id).await?;
        let found = found.filter(|subscription| subscription.customer_id() == customer_id);
        let found = with_id(found, id, Subscription::id, "Subscription not found")?;
        self.check_prices(&found)?;
        Ok(found)
    }

    fn check_prices(&self, subscription: &Subscription) -> Result<(), ContractViolation> {
        let mut items = subscription.items().iter();
        items.try_for_each(|item| self.prices.check(item.price()))
    }
}

async fn retrieve(subscriptions: Arc<CheckedSubscriptions>, call: Call) -> Result<Response> {
    let customer_id: CustomerId = call.id("customerId")?;
    let id: SubscriptionId = call.id("id")?;
    let subscription = subscriptions.of(&call.context, &customer_id, &id).await?;
    Ok(response::json(StatusCode::OK, &subscription))
}

async fn list(subscriptions: Arc<CheckedSubscriptions>, call: Call) -> Result<Response> {
    let customer_id: CustomerId = call.id("customerId")?;
    let page = call.page()?;
    let controller = &subscriptions.controller;
    let found = controller.list(&call.context, &customer_id, &page).await?;
    for subscription in found.data() {
        let owner = subscription.customer_id();
        if *owner != customer_id {
            return Err(if differ_in_letter_case(owner, &customer_id) {
                in_other_letter_case("Customer not found")
            } else {
                ContractViolation::AnotherCustomersSubscription.into()
            });
        }
        subscriptions.check_prices(subscription)?;
    }
    if found.data().is_empty() {
        subscriptions
            .customers
            .of(&call.context, &customer_id)
            .await?;
    }
    call.paged(&page, &found)
}
