//! The routes of a coupons controller.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};

use super::{
    extract::Call,
    response::{self, paged},
    routes::Routes,
};
use crate::{
    context::RequestContext,
    controllers::CouponsController,
    error::{Fault, HandlerError, Result},
    id::CouponId,
    model::Coupon,
    operation::CouponsOperation::{List, Retrieve},
};

type Controller = Arc<dyn CouponsController>;

/// Mounts both operations.
pub(crate) fn mount(routes: &mut Routes, coupons: &Controller) {
    routes.serve(Retrieve.into(), coupons, retrieve);
    routes.serve(List.into(), coupons, list);
}

pub(super) async fn coupon(
    coupons: &Controller,
    cx: &RequestContext,
    id: &CouponId,
) -> Result<Coupon> {
    let coupon = coupons.retrieve(cx, id).await?;
    let coupon = coupon.ok_or_else(|| HandlerError::not_found("Coupon not found"))?;
    if coupon.id() != id {
        return Err(Fault::AnotherRecord.into());
    }
    Ok(coupon)
}

async fn retrieve(coupons: Controller, call: Call) -> Result<Response> {
    let id: CouponId = call.id("id")?;
    let coupon = coupon(&coupons, &call.context, &id).await?;
    Ok(response::json(StatusCode::OK, &coupon))
}

async fn list(coupons: Controller, call: Call) -> Result<Response> {
    let page = call.page()?;
    let found = coupons.list(&call.context, &page).await?;
    paged(&call, page.limit(), &found)
}
