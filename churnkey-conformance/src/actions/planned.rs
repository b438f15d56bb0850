//! What an action has planned: seen when the clock of the merchant's data has got there.

use churnkey_integrator::{CalendarUnit, Operation, Timestamp, model::Subscription};

use super::variant::Variant;
use crate::{
    fixtures::Subject,
    rule::Rule,
    suite::{Planned, Suite},
    verdict::Verdict,
};

impl Suite {
    /// Looks for the effect two days after the moment at which it is due: merchants round to days, or count in their own
    /// time zone.
    pub(crate) fn plan(
        &mut self,
        (operation, variant): (Operation, Variant),
        subject: &Subject,
        (due, when): (Timestamp, &str),
        effect: impl Fn(&Subscription) -> Verdict + Send + Sync + 'static,
    ) {
        self.planned.push(Planned {
            operation,
            subject: subject.clone(),
            what: format!("{variant}, {when}"),
            at: due.plus(2, CalendarUnit::Day),
            effect: Box::new(effect),
        });
    }

    /// A clock is never put back, so these come last, in their order.
    pub(crate) async fn planned_effects(&mut self) {
        let mut planned = std::mem::take(&mut self.planned);
        let Some(advance) = self.fixtures.advance_clock.clone() else {
            for Planned {
                operation, what, ..
            } in planned
            {
                self.report
                    .skip(operation, what, "Fixtures::advance_clock(..)");
            }
            return;
        };
        planned.sort_by_key(|planned| planned.at);
        let mut now = None;
        for Planned {
            operation,
            subject,
            at,
            effect,
            ..
        } in planned
        {
            if now != Some(at) {
                advance(at).await;
                now = Some(at);
            }
            if let Some(state) = self.state(operation, &subject).await {
                let verdict =
                    effect(&state).map_err(|(expected, got)| (format!("{expected}, by {at}"), got));
                self.check(operation, Rule::EffectVisible, verdict);
            }
        }
    }

    /// What is changed at the end of its period is looked at then, so nothing else may change it before.
    pub(crate) fn is_given_for_this_alone(
        &mut self,
        operation: Operation,
        subject: &Subject,
    ) -> bool {
        let disposables = self.fixtures.disposables.iter();
        let subjects = disposables.map(|disposable| disposable.may.subject());
        let is_touched = |other: &Subject| {
            let is_about_all = subject.subscription.is_empty() || other.subscription.is_empty();
            other.customer == subject.customer
                && (is_about_all || other.subscription == subject.subscription)
        };
        let times = subjects.filter(is_touched).count();
        if times > 1 {
            let expected = format!(
                "{subject} to be given for one action only, as this one is done at the end of a period"
            );
            let got = format!("{times} disposables of it");
            self.check(operation, Rule::FixtureGiven, Err((expected, got)));
        }
        times == 1
    }
}
