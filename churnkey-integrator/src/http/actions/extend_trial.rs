//! Extend a trial (contract, section 5.4).

use std::sync::Arc;

use axum::response::Response;
use serde_json::Value;

use super::{Action, Subject};
use crate::{
    actions::{ExtendTrialAction, ExtendTrialFeatures, ExtendTrialRequest},
    error::Result,
    features::durations,
    http::{
        body::Fields,
        extract::Call,
        part::{About, Part, Parts, Without},
        routes::Routes,
    },
    operation::{ExtendTrialOperation, Operation},
};

pub(crate) static ABOUT: About = About {
    method: "extend_trial",
    first: Operation::ExtendTrial(ExtendTrialOperation::ExtendTrial),
    needs: &["subscriptions", "cancel"],
    without: &[Without::Offer(
        Operation::ExtendTrial(ExtendTrialOperation::ExtendTrial),
        "no trial extension offers without .extend_trial(..)",
    )],
};

/// The action and its declared features.
pub(crate) struct ExtendTrial {
    action: Box<dyn ExtendTrialAction>,
    features: ExtendTrialFeatures,
}

impl ExtendTrial {
    pub(crate) fn new(action: impl ExtendTrialAction) -> Self {
        Self {
            features: action.features(),
            action: Box::new(action),
        }
    }
}

impl Part for ExtendTrial {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn declares(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("multiple", self.features.is_multiple().into()),
            ("durations", durations(self.features.durations())),
        ]
    }

    fn mount(self: Arc<Self>, parts: &Parts, routes: &mut Routes) -> Option<()> {
        let action = Action::new(&self, parts, ())?;
        routes
            .of(&action, self.action.operations())
            .serve(ExtendTrialOperation::ExtendTrial, extend_trial);
        Some(())
    }
}

async fn extend_trial(extend_trial: Arc<Action<ExtendTrial>>, call: Call) -> Result<Response> {
    let fields = Fields::of(&call)?;
    let subject = Subject::of(&fields)?;
    let duration = fields.duration(extend_trial.part.features.durations())?;
    extend_trial
        .once(call, |extend_trial, cx| async move {
            let cx = &*cx;
            let request = ExtendTrialRequest {
                subscription: subject.among(&extend_trial.subscriptions, cx).await?,
                duration,
            };
            extend_trial.part.action.extend_trial(cx, &request).await
        })
        .await
}
