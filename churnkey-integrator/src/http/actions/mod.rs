//! The routes of the actions. Each reads the fields of its request and rejects what the declared features don't allow. Then
//! it looks up the records that the request names and calls the merchant's action, once for each request that can be
//! recognized.

pub(crate) mod apply_coupon;
pub(crate) mod cancel;
pub(crate) mod change_price;
pub(crate) mod extend_trial;
pub(crate) mod pause;

use std::sync::Arc;

use axum::response::Response;

use super::{
    body::Fields, extract::Call, idempotency::once, part::Parts,
    subscriptions::CheckedSubscriptions,
};
use crate::{
    context::RequestContext,
    error::Result,
    id::{CustomerId, SubscriptionId},
    idempotency::IdempotencyStore,
    model::Subscription,
};

/// An action, with the parts that it uses.
struct Action<P, N = ()> {
    part: Arc<P>,
    subscriptions: Arc<CheckedSubscriptions>,
    idempotency: Arc<dyn IdempotencyStore>,
    needs: N,
}

impl<P, N> Action<P, N> {
    /// `None` if no subscriptions controller is registered.
    fn new(part: &Arc<P>, parts: &Parts, needs: N) -> Option<Arc<Self>> {
        Some(Arc::new(Self {
            part: Arc::clone(part),
            subscriptions: CheckedSubscriptions::of_parts(parts)?,
            idempotency: Arc::clone(&parts.idempotency),
            needs,
        }))
    }

    /// Runs the action, unless it was done before ([`once`]).
    async fn once<Acted>(
        self: Arc<Self>,
        call: Call,
        act: impl FnOnce(Arc<Self>, Arc<RequestContext>) -> Acted,
    ) -> Result<Response>
    where
        Acted: Future<Output = Result<()>> + Send + 'static,
    {
        let store = Arc::clone(&self.idempotency);
        let Call {
            context,
            shared,
            operation,
            ..
        } = call;
        let cx = Arc::new(context);
        once(store, shared, Arc::clone(&cx), operation, act(self, cx)).await
    }
}

/// The subscription that a request names.
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

    async fn among(&self, all: &CheckedSubscriptions, cx: &RequestContext) -> Result<Subscription> {
        all.of(cx, &self.customer_id, &self.subscription_id).await
    }
}
