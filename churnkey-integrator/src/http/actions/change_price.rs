//! Change the price (contract, section 5.5).

use std::sync::Arc;

use axum::response::Response;
use serde_json::Value;

use super::{Action, Subject};
use crate::{
    actions::{ChangePriceAction, ChangePriceFeatures, ChangePriceRequest},
    error::{HandlerError, Result},
    features::schedules,
    http::{
        body::Fields,
        extract::Call,
        part::{About, Part, Parts, Without},
        prices::Prices,
        routes::Routes,
    },
    id::PriceId,
    operation::{ChangePriceOperation, Operation},
};

pub(crate) static ABOUT: About = About {
    method: "change_price",
    first: Operation::ChangePrice(ChangePriceOperation::ChangePrice),
    needs: &["subscriptions", "prices", "cancel"],
    without: &[Without::Offer(
        Operation::ChangePrice(ChangePriceOperation::ChangePrice),
        "no plan change offers without .change_price(..)",
    )],
};

/// The action and its declared features.
pub(crate) struct ChangePrice {
    action: Box<dyn ChangePriceAction>,
    features: ChangePriceFeatures,
}

impl ChangePrice {
    pub(crate) fn new(action: impl ChangePriceAction) -> Self {
        Self {
            features: action.features(),
            action: Box::new(action),
        }
    }
}

impl Part for ChangePrice {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn declares(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("schedules", schedules(self.features.schedules())),
            ("prorate", self.features.prorates().into()),
        ]
    }

    fn mount(self: Arc<Self>, parts: &Parts, routes: &mut Routes) -> Option<()> {
        let action = Action::new(&self, parts, parts.get()?)?;
        routes
            .of(&action, self.action.operations())
            .serve(ChangePriceOperation::ChangePrice, change_price);
        Some(())
    }
}

async fn change_price(
    change_price: Arc<Action<ChangePrice, Arc<Prices>>>,
    call: Call,
) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let subject = Subject::of(&fields)?;
    let price_id: PriceId = fields.id(&["price", "priceId", "id"])?;
    let schedule = fields.schedule("scheduledAt", change_price.part.features.schedules())?;
    let prorate = fields.flag("prorate")?.unwrap_or(false);
    if prorate && !change_price.part.features.prorates() {
        return Err(HandlerError::bad_request(
            "prorate must not be true for this integration",
        ));
    }
    change_price
        .once(call, |change_price, cx| async move {
            let cx = &*cx;
            let subscription = subject.among(&change_price.subscriptions, cx).await?;
            let request = ChangePriceRequest {
                subscription,
                price: change_price.needs.of(cx, &price_id).await?,
                schedule,
                prorate,
            };
            change_price.part.action.change_price(cx, &request).await
        })
        .await
}
