//! An action for all subscriptions of a customer. Its effect is seen where they can be listed.

use churnkey_integrator::{
    CalendarUnit, Operation, SubscriptionsOperation,
    model::{Subscription, SubscriptionStatus},
};
use serde_json::Value;

use super::{
    call::{Told, random},
    effects::{ExpectedPause, PERIOD_ENDED, is_canceled, keeps_its_status},
    variant::Variant,
};
use crate::{
    fixtures::Subject,
    rule::Rule,
    shape::read,
    suite::{Suite, encoded},
    verdict::{Verdict, described},
};

impl Suite {
    pub(crate) async fn act_on_all(
        &mut self,
        operation: Operation,
        subject: &Subject,
        variant: Variant,
    ) {
        let is_visible = self.serves(SubscriptionsOperation::List);
        let Some(all) = self.all_of(operation, subject, is_visible).await else {
            return;
        };
        let is_fit = |before: &Subscription| match (before.status(), operation) {
            (SubscriptionStatus::Canceled { .. }, _)
            | (SubscriptionStatus::Paused { .. }, Operation::Pause(_)) => false,
            (status, _) => !variant.is_planned() || status.current_period().is_some(),
        };
        let before: Vec<Subscription> = all.into_iter().filter(is_fit).collect();
        if is_visible && before.is_empty() {
            let fit = match variant.is_planned() {
                true => "a current period",
                false => "a status that this can change",
            };
            let customer = &subject.customer;
            let expected =
                format!("a subscription of the disposable customer {customer} with {fit}");
            let verdict = Err((expected, "none".to_owned()));
            self.check(operation, Rule::FixtureGiven, verdict);
            return;
        }
        if variant.is_planned() && !self.is_given_for_this_alone(operation, subject) {
            return;
        }

        let ends = before
            .iter()
            .filter_map(|before| before.status().current_period());
        let ends = ends.map(|period| period.end());
        let after = ends.chain([self.client.now()]).max();
        let mut body = self.body(operation, subject, "");
        variant.set(
            &mut body,
            CalendarUnit::Month,
            after.unwrap_or(self.client.now()),
        );
        if matches!(operation, Operation::Pause(_)) {
            let mut before = before.iter();
            if let Some(annual) = before.find(|before| before.duration().is_annual()) {
                let annual = subject_of(annual);
                self.annual_pauses_may_be_excluded(operation, &annual, &body)
                    .await;
            }
        }
        let key = random();
        let answer = self.act(operation, &body, Told::ByKey(&key)).await;
        if !self.was_done(operation, subject, &answer) {
            return;
        }
        let mut watched = Vec::new();
        if is_visible {
            for before in &before {
                self.one_of_all((operation, variant), before, &body).await;
            }
            watched.push(self.list_of(subject));
        }
        self.repeats(operation, subject, &body, &key, &watched)
            .await;
    }

    fn list_of(&self, subject: &Subject) -> String {
        self.path(&format!(
            "/customers/{}/subscriptions",
            encoded(&subject.customer)
        ))
    }

    /// The customer's subscriptions; none if they can't be listed.
    async fn all_of(
        &mut self,
        operation: Operation,
        subject: &Subject,
        is_visible: bool,
    ) -> Option<Vec<Subscription>> {
        if !is_visible {
            return Some(Vec::new());
        }
        let answer = self.client.get_unchecked(&self.list_of(subject)).await;
        let data = answer.body().get("data").and_then(Value::as_array);
        let read = data.map(|data| data.iter().map(read).collect());
        let read = match read {
            Some(Ok(all)) => return Some(all),
            Some(Err(error)) => format!("one that can't be read: {error}"),
            None => described(&answer),
        };
        let verdict = Err((format!("{subject} to be listed"), read));
        self.check(operation, Rule::EffectVisible, verdict);
        None
    }

    /// What the action has done, or will do, to one of them.
    async fn one_of_all(
        &mut self,
        asked: (Operation, Variant),
        before: &Subscription,
        body: &super::body::Body,
    ) {
        let (operation, variant) = asked;
        let subject = subject_of(before);
        let Some(after) = self.state(operation, &subject).await else {
            return;
        };
        let end = before.status().current_period().map(|period| period.end());
        let due = end.filter(|_| variant.is_planned());
        let pause = ExpectedPause::asked_for(&subject, due, body);
        let is_pause = matches!(operation, Operation::Pause(_));
        let verdict: Verdict = match (due, is_pause) {
            (Some(_), true) => keeps_its_status(before, &after, "a pause at the end of the period"),
            (Some(_), false) => {
                keeps_its_status(before, &after, "a cancellation at the end of the period")
            }
            (None, true) => pause.is_there(&after),
            (None, false) => is_canceled(&subject, &after, None),
        };
        let is_kept = verdict.is_ok();
        self.check(operation, Rule::EffectVisible, verdict);
        if !is_kept {
            return;
        }
        if is_pause {
            self.pause_comes_and_goes(asked, &subject, pause).await;
        } else if let Some(due) = due {
            let what = subject.clone();
            self.plan(asked, &subject, (due, PERIOD_ENDED), move |state| {
                is_canceled(&what, state, Some(due))
            });
        }
    }
}

fn subject_of(subscription: &Subscription) -> Subject {
    Subject {
        customer: subscription.customer_id().to_string(),
        subscription: subscription.id().to_string(),
    }
}
