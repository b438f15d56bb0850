//! The routes of a prices controller.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use serde_json::Value;

use super::{
    extract::Call,
    part::{About, Part, Parts, Without},
    record::with_id,
    response,
    routes::Routes,
};
use crate::{
    context::RequestContext,
    controllers::PricesController,
    error::{ContractViolation, Result},
    id::PriceId,
    model::{Price, PriceType},
    operation::{
        Operation,
        PricesOperation::{List, Retrieve},
    },
};

pub(crate) static ABOUT: About = About {
    method: "prices",
    first: Operation::Prices(Retrieve),
    needs: &[],
    without: &[Without::Publication(
        Operation::Prices(Retrieve),
        ".prices(..)",
    )],
};

/// The controller and its declared type.
pub(crate) struct Prices {
    controller: Box<dyn PricesController>,
    declared: PriceType,
}

impl Prices {
    pub(crate) fn new(controller: impl PricesController) -> Self {
        Self {
            declared: controller.price_type(),
            controller: Box::new(controller),
        }
    }

    pub(super) async fn of(&self, cx: &RequestContext, id: &PriceId) -> Result<Price> {
        let price = self.controller.retrieve(cx, id).await?;
        let price = with_id(price, id, Price::id, "Price not found")?;
        self.check(&price)?;
        Ok(price)
    }

    /// An error if the price is not of the declared type: Churnkey would misread it.
    pub(super) fn check(&self, price: &Price) -> Result<(), ContractViolation> {
        if price.price_type() == self.declared {
            Ok(())
        } else {
            Err(ContractViolation::OtherPriceType)
        }
    }
}

impl Part for Prices {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// Prices of type `Product` need products, and where there are products, no other type makes sense.
    fn problems(&self, parts: &Parts) -> Vec<String> {
        let problem = match (self.declared, parts.has("products")) {
            (PriceType::Product, false) => {
                "price_type() is Product, which needs .products(..): add it, or declare Standalone"
            }
            (PriceType::Standalone, true) => {
                ".products(..) is registered, so prices must belong to products: declare Product in price_type(), or \
                 remove .products(..)"
            }
            _ => return Vec::new(),
        };
        vec![problem.to_owned()]
    }

    fn declares(&self) -> Vec<(&'static str, Value)> {
        vec![("type", self.declared.as_str().into())]
    }

    fn mount(self: Arc<Self>, _: &Parts, routes: &mut Routes) -> Option<()> {
        routes
            .of(&self, self.controller.operations())
            .serve(Retrieve, retrieve)
            .serve(List, list);
        Some(())
    }
}

async fn retrieve(prices: Arc<Prices>, call: Call) -> Result<Response> {
    let id: PriceId = call.id("id")?;
    let price = prices.of(&call.context, &id).await?;
    Ok(response::json(StatusCode::OK, &price))
}

async fn list(prices: Arc<Prices>, call: Call) -> Result<Response> {
    let page = call.page()?;
    let found = prices.controller.list(&call.context, &page).await?;
    for price in found.data() {
        prices.check(price)?;
    }
    call.paged(&page, &found)
}
