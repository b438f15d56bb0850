//! The routes of a coupons controller.

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
    controllers::CouponsController,
    error::Result,
    id::CouponId,
    model::Coupon,
    operation::{
        CouponsOperation::{List, Retrieve},
        Operation,
    },
};

pub(crate) static ABOUT: About = About {
    method: "coupons",
    first: Operation::Coupons(Retrieve),
    needs: &[],
    without: &[Without::Offer(
        Operation::Coupons(Retrieve),
        "no discounts without .coupons(..)",
    )],
};

pub(crate) struct Coupons {
    controller: Box<dyn CouponsController>,
}

impl Coupons {
    pub(crate) fn new(controller: impl CouponsController) -> Self {
        Self {
            controller: Box::new(controller),
        }
    }

    pub(super) async fn of(&self, cx: &RequestContext, id: &CouponId) -> Result<Coupon> {
        let coupon = self.controller.retrieve(cx, id).await?;
        with_id(coupon, id, Coupon::id, "Coupon not found")
    }
}

impl Part for Coupons {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn mount(self: Arc<Self>, _: &Parts, routes: &mut Routes) -> Option<()> {
        routes
            .of(&self, self.controller.operations())
            .serve(Retrieve, retrieve)
            .serve(List, list);
        Some(())
    }
}

async fn retrieve(coupons: Arc<Coupons>, call: Call) -> Result<Response> {
    let id: CouponId = call.id("id")?;
    let coupon = coupons.of(&call.context, &id).await?;
    Ok(response::json(StatusCode::OK, &coupon))
}

async fn list(coupons: Arc<Coupons>, call: Call) -> Result<Response> {
    let page = call.page()?;
    let found = coupons.controller.list(&call.context, &page).await?;
    call.paged(&page, &found)
}
