//! Cancel (contract, section 5.1).

use std::sync::Arc;

use axum::response::Response;
use serde_json::Value;

use super::{Action, Subject};
use crate::{
    actions::{CancelAction, CancelAllRequest, CancelFeatures, CancelRequest},
    error::Result,
    features::schedules,
    http::{
        body::Fields,
        extract::Call,
        part::{About, Part, Parts, Without},
        routes::Routes,
    },
    operation::{CancelOperation, Operation},
};

pub(crate) static ABOUT: About = About {
    method: "cancel",
    first: Operation::Cancel(CancelOperation::Cancel),
    needs: &["subscriptions"],
    without: &[Without::Offer(
        Operation::Cancel(CancelOperation::Cancel),
        "no cancel flow, and no offers in it, without .cancel(..)",
    )],
};

/// The action and its declared features.
pub(crate) struct Cancel {
    action: Box<dyn CancelAction>,
    features: CancelFeatures,
}

impl Cancel {
    pub(crate) fn new(action: impl CancelAction) -> Self {
        Self {
            features: action.features(),
            action: Box::new(action),
        }
    }
}

impl Part for Cancel {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn declares(&self) -> Vec<(&'static str, Value)> {
        vec![("schedules", schedules(self.features.schedules()))]
    }

    fn mount(self: Arc<Self>, parts: &Parts, routes: &mut Routes) -> Option<()> {
        let action = Action::new(&self, parts, ())?;
        routes
            .of(&action, self.action.operations())
            .serve(CancelOperation::Cancel, cancel_one)
            .serve(CancelOperation::CancelAll, cancel_all);
        Some(())
    }
}

async fn cancel_one(cancel: Arc<Action<Cancel>>, call: Call) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let subject = Subject::of(&fields)?;
    let schedule = fields.schedule("scheduledAt", cancel.part.features.schedules())?;
    let unpause = fields.flag("unpause")?.unwrap_or(false);
    cancel
        .once(call, |cancel, cx| async move {
            let cx = &*cx;
            let request = CancelRequest {
                subscription: subject.among(&cancel.subscriptions, cx).await?,
                schedule,
                unpause,
            };
            cancel.part.action.cancel(cx, &request).await
        })
        .await
}

async fn cancel_all(cancel: Arc<Action<Cancel>>, call: Call) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let request = CancelAllRequest {
        customer_id: fields.id(&["customerId"])?,
        schedule: fields.schedule("scheduledAt", cancel.part.features.schedules())?,
        unpause: fields.flag("unpause")?.unwrap_or(false),
    };
    cancel
        .once(call, |cancel, cx| async move {
            let cx = &*cx;
            let customers = &cancel.subscriptions.customers;
            customers.of(cx, &request.customer_id).await?;
            cancel.part.action.cancel_all(cx, &request).await
        })
        .await
}
