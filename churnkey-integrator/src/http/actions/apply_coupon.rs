//! Apply a coupon (contract, section 5.3).

use std::sync::Arc;

use axum::response::Response;

use super::{Action, Subject};
use crate::{
    actions::{ApplyCouponAction, ApplyCouponRequest},
    error::Result,
    http::{
        body::Fields,
        coupons::Coupons,
        extract::Call,
        part::{About, Part, Parts, Without},
        routes::Routes,
    },
    id::CouponId,
    operation::{ApplyCouponOperation, Operation},
};

pub(crate) static ABOUT: About = About {
    method: "apply_coupon",
    first: Operation::ApplyCoupon(ApplyCouponOperation::ApplyCoupon),
    needs: &["subscriptions", "coupons", "cancel"],
    without: &[Without::Offer(
        Operation::ApplyCoupon(ApplyCouponOperation::ApplyCoupon),
        "no discount offers without .apply_coupon(..)",
    )],
};

pub(crate) struct ApplyCoupon {
    action: Box<dyn ApplyCouponAction>,
}

impl ApplyCoupon {
    pub(crate) fn new(action: impl ApplyCouponAction) -> Self {
        Self {
            action: Box::new(action),
        }
    }
}

impl Part for ApplyCoupon {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn mount(self: Arc<Self>, parts: &Parts, routes: &mut Routes) -> Option<()> {
        let action = Action::new(&self, parts, parts.get()?)?;
        routes
            .of(&action, self.action.operations())
            .serve(ApplyCouponOperation::ApplyCoupon, apply_coupon);
        Some(())
    }
}

async fn apply_coupon(
    apply_coupon: Arc<Action<ApplyCoupon, Arc<Coupons>>>,
    call: Call,
) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let subject = Subject::of(&fields)?;
    let coupon_id: CouponId = fields.id(&["coupon", "couponId"])?;
    apply_coupon
        .once(call, |apply_coupon, cx| async move {
            let cx = &*cx;
            let subscription = subject.among(&apply_coupon.subscriptions, cx).await?;
            let request = ApplyCouponRequest {
                subscription,
                coupon: apply_coupon.needs.of(cx, &coupon_id).await?,
            };
            apply_coupon.part.action.apply_coupon(cx, &request).await
        })
        .await
}
