//! Pause (contract, section 5.2).

use std::sync::Arc;

use axum::response::Response;
use serde_json::Value;

use super::{Action, Subject};
use crate::{
    actions::{PauseAction, PauseAllRequest, PauseFeatures, PauseRequest},
    error::{HandlerError, Result},
    features::{durations, schedules},
    http::{
        body::Fields,
        extract::Call,
        part::{About, Part, Parts, Without},
        routes::Routes,
    },
    operation::{Operation, PauseOperation},
};

pub(crate) static ABOUT: About = About {
    method: "pause",
    first: Operation::Pause(PauseOperation::Pause),
    needs: &["subscriptions", "cancel"],
    without: &[Without::Offer(
        Operation::Pause(PauseOperation::Pause),
        "no pause offers without .pause(..)",
    )],
};

/// The action and its declared features.
pub(crate) struct Pause {
    action: Box<dyn PauseAction>,
    features: PauseFeatures,
}

impl Pause {
    pub(crate) fn new(action: impl PauseAction) -> Self {
        Self {
            features: action.features(),
            action: Box::new(action),
        }
    }
}

impl Part for Pause {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn declares(&self) -> Vec<(&'static str, Value)> {
        let features = self.features;
        vec![
            ("startDates", schedules(features.start_dates())),
            ("durations", durations(features.durations())),
            ("allowAnnual", features.allows_annual().into()),
        ]
    }

    fn mount(self: Arc<Self>, parts: &Parts, routes: &mut Routes) -> Option<()> {
        let action = Action::new(&self, parts, ())?;
        routes
            .of(&action, self.action.operations())
            .serve(PauseOperation::Pause, pause_one)
            .serve(PauseOperation::PauseAll, pause_all);
        Some(())
    }
}

async fn pause_one(pause: Arc<Action<Pause>>, call: Call) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let subject = Subject::of(&fields)?;
    let start = fields.schedule("startAt", pause.part.features.start_dates())?;
    let duration = fields.duration(pause.part.features.durations())?;
    let allow_annual = allow_annual(&fields, pause.part.features)?;
    pause
        .once(call, |pause, cx| async move {
            let cx = &*cx;
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
            pause.part.action.pause(cx, &request).await
        })
        .await
}

async fn pause_all(pause: Arc<Action<Pause>>, call: Call) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let request = PauseAllRequest {
        customer_id: fields.id(&["customerId"])?,
        start: fields.schedule("startAt", pause.part.features.start_dates())?,
        duration: fields.duration(pause.part.features.durations())?,
        allow_annual: allow_annual(&fields, pause.part.features)?,
    };
    pause
        .once(call, |pause, cx| async move {
            let cx = &*cx;
            let customers = &pause.subscriptions.customers;
            customers.of(cx, &request.customer_id).await?;
            pause.part.action.pause_all(cx, &request).await
        })
        .await
}

/// Whether annual subscriptions may be paused. A request can forbid what the features allow, but not allow more.
fn allow_annual(fields: &Fields, features: PauseFeatures) -> Result<bool> {
    match (fields.flag("allowAnnual")?, features.allows_annual()) {
        (Some(true), false) => Err(HandlerError::bad_request(
            "allowAnnual must not be true for this integration",
        )),
        (asked, declared) => Ok(asked.unwrap_or(declared)),
    }
}
