//! The routes of a prices controller.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};

use super::{
    extract::Call,
    response::{self, paged},
    routes::Routes,
};
use crate::{
    context::RequestContext,
    controllers::PricesController,
    error::{Fault, HandlerError, Result},
    id::PriceId,
    model::{Price, PriceType},
    operation::PricesOperation::{List, Retrieve},
};

/// The controller, and the type that it has declared.
pub(crate) struct Prices {
    pub(crate) controller: Arc<dyn PricesController>,
    pub(crate) declared: PriceType,
}

impl Prices {
    pub(super) async fn of(&self, cx: &RequestContext, id: &PriceId) -> Result<Price> {
        let price = self.controller.retrieve(cx, id).await?;
        let price = price.ok_or_else(|| HandlerError::not_found("Price not found"))?;
        if price.id() != id {
            return Err(Fault::AnotherRecord.into());
        }
        self.check(&price)?;
        Ok(price)
    }

    /// A price of the other type would be read wrongly.
    pub(super) fn check(&self, price: &Price) -> Result<(), Fault> {
        if price.price_type() == self.declared {
            Ok(())
        } else {
            Err(Fault::OtherPriceType)
        }
    }
}

/// Mounts both operations.
pub(crate) fn mount(routes: &mut Routes, prices: &Arc<Prices>) {
    routes.serve(Retrieve.into(), prices, retrieve);
    routes.serve(List.into(), prices, list);
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
    paged(&call, page.limit(), &found)
}
