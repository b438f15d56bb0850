//! The routes of the actions. Each reads its fields, refuses what lies outside of the declared features, and then, once for
//! every request that can be told from another, looks up what the request names and calls the merchant.

use std::sync::Arc;

use axum::response::Response;

use super::{
    body::Fields, coupons::coupon, customers::customer, extract::Call, idempotency::once,
    prices::Prices, routes::Routes, subscriptions::Subscriptions,
};
use crate::{
    actions::{
        ApplyCouponAction, ApplyCouponRequest, CancelAction, CancelAllRequest, CancelFeatures,
        CancelRequest, ChangePriceAction, ChangePriceFeatures, ChangePriceRequest,
        ExtendTrialAction, ExtendTrialFeatures, ExtendTrialRequest, PauseAction, PauseAllRequest,
        PauseFeatures, PauseRequest,
    },
    context::RequestContext,
    controllers::CouponsController,
    error::{HandlerError, Result},
    id::{CouponId, CustomerId, PriceId, SubscriptionId},
    idempotency::IdempotencyStore,
    model::Subscription,
    operation::{
        ApplyCouponOperation, CancelOperation, ChangePriceOperation, ExtendTrialOperation,
        PauseOperation,
    },
};

/// An action, what the merchant has declared of it, and what it needs besides.
pub(crate) struct Action<A: ?Sized, F = (), N = ()> {
    action: Arc<A>,
    features: F,
    subscriptions: Arc<Subscriptions>,
    idempotency: Arc<dyn IdempotencyStore>,
    needs: N,
}

impl<A: ?Sized, F, N> Action<A, F, N> {
    pub(crate) fn new(
        action: Arc<A>,
        features: F,
        subscriptions: &Arc<Subscriptions>,
        idempotency: &Arc<dyn IdempotencyStore>,
        needs: N,
    ) -> Arc<Self> {
        Arc::new(Self {
            action,
            features,
            subscriptions: Arc::clone(subscriptions),
            idempotency: Arc::clone(idempotency),
            needs,
        })
    }

    /// Acts unless this was done before ([`once`]).
    async fn once<Acted>(
        self: Arc<Self>,
        call: Call,
        act: impl FnOnce(Arc<Self>, Arc<Call>) -> Acted,
    ) -> Result<Response>
    where
        Acted: Future<Output = Result<()>> + Send + 'static,
    {
        let store = Arc::clone(&self.idempotency);
        let call = Arc::new(call);
        once(store, Arc::clone(&call), act(self, call)).await
    }
}

pub(crate) type Cancel = Action<dyn CancelAction, CancelFeatures>;
pub(crate) type Pause = Action<dyn PauseAction, PauseFeatures>;
pub(crate) type ApplyCoupon = Action<dyn ApplyCouponAction, (), Arc<dyn CouponsController>>;
pub(crate) type ExtendTrial = Action<dyn ExtendTrialAction, ExtendTrialFeatures>;
pub(crate) type ChangePrice = Action<dyn ChangePriceAction, ChangePriceFeatures, Arc<Prices>>;

pub(crate) fn mount_cancel(routes: &mut Routes, cancel: &Arc<Cancel>) {
    routes.serve(CancelOperation::Cancel.into(), cancel, cancel_one);
    let all = CancelOperation::CancelAll;
    if cancel.action.operations().contains(&all) {
        routes.serve(all.into(), cancel, cancel_all);
    }
}

pub(crate) fn mount_pause(routes: &mut Routes, pause: &Arc<Pause>) {
    routes.serve(PauseOperation::Pause.into(), pause, pause_one);
    let all = PauseOperation::PauseAll;
    if pause.action.operations().contains(&all) {
        routes.serve(all.into(), pause, pause_all);
    }
}

pub(crate) fn mount_apply_coupon(routes: &mut Routes, apply_coupon: &Arc<ApplyCoupon>) {
    let operation = ApplyCouponOperation::ApplyCoupon.into();
    routes.serve(operation, apply_coupon, self::apply_coupon);
}

pub(crate) fn mount_extend_trial(routes: &mut Routes, extend_trial: &Arc<ExtendTrial>) {
    let operation = ExtendTrialOperation::ExtendTrial.into();
    routes.serve(operation, extend_trial, self::extend_trial);
}

pub(crate) fn mount_change_price(routes: &mut Routes, change_price: &Arc<ChangePrice>) {
    let operation = ChangePriceOperation::ChangePrice.into();
    routes.serve(operation, change_price, self::change_price);
}

/// Which subscription a request is about.
struct Subject {
    customer_id: CustomerId,
    subscription_id: SubscriptionId,
}

impl Subject {
    fn of(fields: &Fields) -> Result<Self> {
        Ok(Self {
            customer_id: fields.id(&["customerId"])?,
            subscription_id: fields.id(&["subscriptionId"])?,
        })
    }

    async fn among(&self, all: &Subscriptions, cx: &RequestContext) -> Result<Subscription> {
        all.of(cx, &self.customer_id, &self.subscription_id).await
    }
}

async fn cancel_one(cancel: Arc<Cancel>, call: Call) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let subject = Subject::of(&fields)?;
    let schedule = fields.schedule("scheduledAt", cancel.features.schedules())?;
    let unpause = fields.flag("unpause")?.unwrap_or(false);
    cancel
        .once(call, |cancel, call| async move {
            let cx = &call.context;
            let request = CancelRequest {
                subscription: subject.among(&cancel.subscriptions, cx).await?,
                schedule,
                unpause,
            };
            cancel.action.cancel(cx, &request).await
        })
        .await
}

async fn cancel_all(cancel: Arc<Cancel>, call: Call) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let request = CancelAllRequest {
        customer_id: fields.id(&["customerId"])?,
        schedule: fields.schedule("scheduledAt", cancel.features.schedules())?,
        unpause: fields.flag("unpause")?.unwrap_or(false),
    };
    cancel
        .once(call, |cancel, call| async move {
            let cx = &call.context;
            let customers = &cancel.subscriptions.customers;
            customer(customers, cx, &request.customer_id).await?;
            cancel.action.cancel_all(cx, &request).await
        })
        .await
}

async fn pause_one(pause: Arc<Pause>, call: Call) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let subject = Subject::of(&fields)?;
    let start = fields.schedule("startAt", pause.features.start_dates())?;
    let duration = fields.duration(pause.features.durations())?;
    let allow_annual = allow_annual(&fields, pause.features)?;
    pause
        .once(call, |pause, call| async move {
            let cx = &call.context;
            let subscription = subject.among(&pause.subscriptions, cx).await?;
            if subscription.duration().is_annual() && !allow_annual {
                return Err(HandlerError::annual_pause_not_allowed());
            }
            let request = PauseRequest {
                subscription,
                start,
                duration,
                allow_annual,
            };
            pause.action.pause(cx, &request).await
        })
        .await
}

async fn pause_all(pause: Arc<Pause>, call: Call) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let request = PauseAllRequest {
        customer_id: fields.id(&["customerId"])?,
        start: fields.schedule("startAt", pause.features.start_dates())?,
        duration: fields.duration(pause.features.durations())?,
        allow_annual: allow_annual(&fields, pause.features)?,
    };
    pause
        .once(call, |pause, call| async move {
            let cx = &call.context;
            let customers = &pause.subscriptions.customers;
            customer(customers, cx, &request.customer_id).await?;
            pause.action.pause_all(cx, &request).await
        })
        .await
}

/// Whether annual subscriptions may be paused. The request can only narrow what the merchant has declared.
fn allow_annual(fields: &Fields, features: PauseFeatures) -> Result<bool> {
    match (fields.flag("allowAnnual")?, features.allows_annual()) {
        (Some(true), false) => Err(HandlerError::bad_request(
            "allowAnnual must not be true for this integration",
        )),
        (asked, declared) => Ok(asked.unwrap_or(declared)),
    }
}

async fn apply_coupon(apply_coupon: Arc<ApplyCoupon>, call: Call) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let subject = Subject::of(&fields)?;
    let coupon_id: CouponId = fields.id(&["coupon", "couponId"])?;
    apply_coupon
        .once(call, |apply_coupon, call| async move {
            let cx = &call.context;
            let subscription = subject.among(&apply_coupon.subscriptions, cx).await?;
            let request = ApplyCouponRequest {
                subscription,
                coupon: coupon(&apply_coupon.needs, cx, &coupon_id).await?,
            };
            apply_coupon.action.apply_coupon(cx, &request).await
        })
        .await
}

async fn extend_trial(extend_trial: Arc<ExtendTrial>, call: Call) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let subject = Subject::of(&fields)?;
    let duration = fields.duration(extend_trial.features.durations())?;
    extend_trial
        .once(call, |extend_trial, call| async move {
            let cx = &call.context;
            let request = ExtendTrialRequest {
                subscription: subject.among(&extend_trial.subscriptions, cx).await?,
                duration,
            };
            extend_trial.action.extend_trial(cx, &request).await
        })
        .await
}

async fn change_price(change_price: Arc<ChangePrice>, call: Call) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let subject = Subject::of(&fields)?;
    let price_id: PriceId = fields.id(&["price", "priceId", "id"])?;
    let schedule = fields.schedule("scheduledAt", change_price.features.schedules())?;
    let prorate = fields.flag("prorate")?.unwrap_or(false);
    if prorate && !change_price.features.prorates() {
        return Err(HandlerError::bad_request(
            "prorate must not be true for this integration",
        ));
    }
    change_price
        .once(call, |change_price, call| async move {
            let cx = &call.context;
            let subscription = subject.among(&change_price.subscriptions, cx).await?;
            let request = ChangePriceRequest {
                subscription,
                price: change_price.needs.of(cx, &price_id).await?,
                schedule,
                prorate,
            };
            change_price.action.change_price(cx, &request).await
        })
        .await
}
