//! A flow of one's own: `[[flow.step]]` in `churnkey.toml`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Kind, Offer, Step, Terms};

/// The steps that replace the built-in flow. They are the same for each customer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Blueprint {
    #[serde(rename = "step")]
    pub(crate) steps: Vec<Step>,
}

impl Blueprint {
    /// Gives a guid to each step that has none.
    ///
    /// # Errors
    /// What would leave a customer in front of a button that does nothing.
    pub(crate) fn checked(mut self) -> Result<Self, String> {
        for (at, step) in self.steps.iter_mut().enumerate() {
            if step.guid.is_empty() {
                step.guid = format!("step-{}", at.saturating_add(1));
            }
        }
        let guids: BTreeSet<&str> = self.steps.iter().map(|step| &*step.guid).collect();
        if guids.len() != self.steps.len() {
            return Err("two steps have the same guid: give each its own".to_owned());
        }
        if !matches!(self.steps.last(), Some(step) if step.kind == Kind::Confirm) {
            return Err(
                "the last step is not of the type `confirm`: on any other, Continue does nothing"
                    .to_owned(),
            );
        }
        for step in &self.steps {
            match &step.kind {
                Kind::Survey { reasons } if reasons.is_empty() => {
                    return Err(format!("the survey {} has no reasons: add one", step.guid));
                }
                _ => {}
            }
        }
        Ok(self)
    }

    /// What the component draws or sends in another way than the blueprint says.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut surveys = 0_usize;
        for step in &self.steps {
            match &step.kind {
                Kind::Survey { reasons } => {
                    surveys = surveys.saturating_add(1);
                    for reason in reasons {
                        let Some(offer) = &reason.offer else { continue };
                        if surveys > 1 {
                            let guid = &step.guid;
                            warnings
                                .push(format!("{guid}: offers of a second survey are not shown"));
                        }
                        warn(&reason.id, offer, true, &mut warnings);
                    }
                }
                Kind::Offer { offer } => warn(&step.guid, offer, false, &mut warnings),
                Kind::Feedback {
                    required: Some(true),
                    min_length: None,
                    ..
                } => warnings.push(format!(
                    "{}: `required` asks for nothing without `minLength`",
                    step.guid
                )),
                Kind::Feedback { .. } | Kind::Confirm => {}
            }
        }
        warnings
    }
}

fn warn(name: &str, offer: &Offer, is_of_reason: bool, warnings: &mut Vec<String>) {
    let mut say = |what: &str| warnings.push(format!("{name}: {what}"));
    match &offer.terms {
        Terms::Discount {
            coupon_id: None, ..
        } => {
            say("without `couponId` the discount is shown as accepted, and nothing is asked for");
        }
        Terms::Discount {
            percent_off: Some(_),
            duration_in_months: None,
            ..
        } if is_of_reason => {
            say("a percentage without `durationInMonths` is promised for 1 month");
        }
        Terms::Pause { months, .. } if *months > 1 => {
            say("without a handler, the longest pause is sent, whatever was picked");
        }
        Terms::Pause {
            date_picker: Some(true),
            ..
        } => say("`datePicker` is not drawn"),
        Terms::PlanChange { plans } if plans.len() > 1 => {
            say("without a handler, the first plan is sent, whatever was picked");
        }
        _ => {}
    }
}
