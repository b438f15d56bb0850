//! What an action does to a record that may be changed.

use churnkey_integrator::{
    ApplyCouponOperation::ApplyCoupon,
    CalendarUnit,
    CancelOperation::Cancel,
    ChangePriceOperation::ChangePrice,
    ExtendTrialOperation::ExtendTrial,
    Operation,
    PauseOperation::Pause,
    Timestamp,
    actions::Schedule,
    model::{Subscription, SubscriptionStatus},
};
use serde_json::{Value, json};

use super::{
    body::{Body, SCHEDULES},
    call::{Told, random},
};
use crate::{
    fixtures::{May, Subject},
    rule::Rule,
    suite::{Suite, encoded},
    verdict::{Verdict, is_done, status_is},
};

/// How far a moment may be from where it is expected: merchants round to days, or count in their own time zone.
const ABOUT: u64 = 24 * 60 * 60 * 1000;

impl Suite {
    pub(crate) async fn effect(&mut self, may: &May) {
        match may {
            May::ExtendTrial(subject) => self.extend_trial(subject).await,
            May::ApplyCoupon { to, coupon } => self.apply_coupon(to, coupon).await,
            May::ChangePrice { of, price } => self.change_price(of, price).await,
            May::Pause(subject) => self.pause(subject).await,
            May::Cancel(subject) => self.cancel(subject).await,
            May::PauseAll { customer } | May::CancelAll { customer } => {
                self.act_on_all(may.operation(), customer).await;
            }
        }
    }

    async fn extend_trial(&mut self, subject: &Subject) {
        let operation = ExtendTrial.into();
        let Some(before) = self.state(operation, subject).await else {
            return;
        };
        let SubscriptionStatus::Trial { trial, .. } = before.status() else {
            self.is_unfit(operation, subject, "in trial", &before);
            return;
        };
        let mut body = self.body(operation, subject, "");
        let week = self.duration(operation, CalendarUnit::Week, trial.end());
        body.insert("duration".to_owned(), week);
        let key = random();
        let answer = self.act(operation, &body, Told::ByKey(&key)).await;
        if !self.was_done(operation, &answer) {
            return;
        }
        let Some(after) = self.state(operation, subject).await else {
            return;
        };
        let verdict = is_extended(&after, trial.end().plus(1, CalendarUnit::Week));
        self.check(operation, Rule::EffectVisible, verdict);

        let once = "an Idempotency-Key to extend the trial once".to_owned();
        let again = self.act(operation, &body, Told::ByKey(&key)).await;
        let verdict = is_done(&again, "for the same Idempotency-Key");
        self.check(operation, Rule::IdempotencyKey, verdict);
        let Some(still) = self.state(operation, subject).await else {
            return;
        };
        let verdict = same_trial(&after, &still, once);
        self.check(operation, Rule::IdempotencyKey, verdict);
        self.key_of_another_request(operation, &body, &key).await;
        if self.feature(operation, "multiple") == Some(true) {
            self.extend_by_the_same_bytes(subject).await;
        }
    }

    /// The trial once more, by a request that comes twice with the same signature.
    async fn extend_by_the_same_bytes(&mut self, subject: &Subject) {
        let operation = ExtendTrial.into();
        let Some(before) = self.state(operation, subject).await else {
            return;
        };
        let Some(trial) = before.status().trial_period() else {
            return;
        };
        let mut body = self.body(operation, subject, "");
        let month = self.duration(operation, CalendarUnit::Month, trial.end());
        body.insert("duration".to_owned(), month);
        let moment = self.client.now();
        let first = self.act(operation, &body, Told::BySignature(moment)).await;
        if !self.was_done(operation, &first) {
            return;
        }
        let Some(after) = self.state(operation, subject).await else {
            return;
        };
        let verdict = is_extended(&after, trial.end().plus(1, CalendarUnit::Month));
        self.check(operation, Rule::EffectVisible, verdict);
        for (told, how) in [
            (Told::BySignature(moment), "for the same signed bytes"),
            (
                Told::Replayed(moment),
                "for the same signed bytes with another Idempotency-Key",
            ),
        ] {
            let again = self.act(operation, &body, told).await;
            let verdict = is_done(&again, how);
            self.check(operation, Rule::RepeatChangesNothing, verdict);
        }
        let Some(still) = self.state(operation, subject).await else {
            return;
        };
        let once = "the same signed bytes to extend the trial once".to_owned();
        let verdict = same_trial(&after, &still, once);
        self.check(operation, Rule::RepeatChangesNothing, verdict);
    }

    async fn apply_coupon(&mut self, subject: &Subject, coupon: &str) {
        let operation = ApplyCoupon.into();
        let Some(before) = self.state(operation, subject).await else {
            return;
        };
        let times = |subscription: &Subscription| {
            let discounts = subscription.discounts().iter();
            discounts
                .filter(|discount| discount.coupon().id().as_str() == coupon)
                .count()
        };
        if times(&before) > 0 {
            let fit = format!("without the coupon {coupon}");
            self.is_unfit(operation, subject, &fit, &before);
            return;
        }
        if let Some(expired) = self.fixtures.expired_coupon.clone() {
            let body = self.body(operation, subject, &expired);
            self.is_rejected(operation, subject, &body, "for an expired coupon")
                .await;
        }
        let body = self.body(operation, subject, coupon);
        let effect = |after: &Subscription| match times(after) {
            1 => Ok(()),
            n => Err((
                format!("the coupon {coupon} among the discounts, once"),
                format!("{n} times"),
            )),
        };
        let counted = self.path(&format!("/coupons/{}", encoded(coupon)));
        self.settles(operation, subject, &body, &[counted], effect)
            .await;
    }

    async fn change_price(&mut self, subject: &Subject, price: &str) {
        let operation = ChangePrice.into();
        let Some(before) = self.state(operation, subject).await else {
            return;
        };
        let price_of = |subscription: &Subscription| match subscription.items() {
            [item] => item.price().id().to_string(),
            items => format!("{} items", items.len()),
        };
        let former = price_of(&before);
        if before.items().len() != 1 || former == price {
            let fit = format!("with one item, of another price than {price}");
            self.is_unfit(operation, subject, &fit, &before);
            return;
        }
        let body = self.body(operation, subject, price);
        let expected = match self.schedule(operation) {
            "immediate" => price,
            _ => former.as_str(),
        };
        let effect = |after: &Subscription| {
            let came = price_of(after);
            if came == expected {
                return Ok(());
            }
            Err((format!("the price {expected} of the only item"), came))
        };
        self.settles(operation, subject, &body, &[], effect).await;
    }

    async fn pause(&mut self, subject: &Subject) {
        let operation = Pause.into();
        let Some(before) = self.state(operation, subject).await else {
            return;
        };
        if matches!(
            before.status(),
            SubscriptionStatus::Paused { .. } | SubscriptionStatus::Canceled { .. }
        ) {
            self.is_unfit(operation, subject, "that can be paused", &before);
            return;
        }
        let mut body = self.body(operation, subject, "");
        // A date has to lie ahead on the clock of the merchant's data, too.
        let now = self.client.now();
        let known = before.status().current_period().map(|period| period.end());
        let after = known.map_or(now, |end| end.max(now));
        let duration = self.duration(operation, CalendarUnit::Month, after);
        let date = duration.get("date").and_then(Value::as_str);
        let date: Option<Timestamp> = date.and_then(|date| date.parse().ok());
        body.insert("duration".to_owned(), duration);
        let is_immediate = self.schedule(operation) == Schedule::Immediate.as_str();
        let effect = |after: &Subscription| {
            if !is_immediate {
                return keeps_its_status(&before, after, "a pause at the end of the period");
            }
            let SubscriptionStatus::Paused { pause, .. } = after.status() else {
                return Err((
                    "the status paused".to_owned(),
                    after.status().name().to_owned(),
                ));
            };
            let end = date.unwrap_or_else(|| pause.start().plus(1, CalendarUnit::Month));
            match pause.end() {
                Some(came) if is_about(came, end) => Ok(()),
                came => Err((format!("a pause until about {end}"), until(came))),
            }
        };
        self.settles(operation, subject, &body, &[], effect).await;
    }

    async fn cancel(&mut self, subject: &Subject) {
        let operation = Cancel.into();
        let Some(before) = self.state(operation, subject).await else {
            return;
        };
        if matches!(before.status(), SubscriptionStatus::Canceled { .. }) {
            self.is_unfit(operation, subject, "that is not canceled", &before);
            return;
        }
        let mut body = self.body(operation, subject, "");
        let has_both = SCHEDULES
            .into_iter()
            .all(|schedule| self.has_schedule(operation, schedule));
        // Others may have no period that has to end first.
        let has_a_period = matches!(
            before.status(),
            SubscriptionStatus::Active { .. } | SubscriptionStatus::Trial { .. }
        );
        if has_both && has_a_period {
            let mut later = body.clone();
            later.insert("scheduledAt".to_owned(), json!(Schedule::EndOfPeriod));
            let answer = self.act(operation, &later, Told::New).await;
            if self.was_done(operation, &answer)
                && let Some(after) = self.state(operation, subject).await
            {
                let what = "a cancellation at the end of the period";
                let verdict = keeps_its_status(&before, &after, what);
                self.check(operation, Rule::EffectVisible, verdict);
            }
            body.insert("scheduledAt".to_owned(), json!(Schedule::Immediate));
        }
        let is_immediate = self.schedule(operation) == Schedule::Immediate.as_str();
        let effect = |after: &Subscription| match after.status() {
            _ if !is_immediate => {
                keeps_its_status(&before, after, "a cancellation at the end of the period")
            }
            SubscriptionStatus::Canceled { .. } => Ok(()),
            other => Err(("the status canceled".to_owned(), other.name().to_owned())),
        };
        if self.settles(operation, subject, &body, &[], effect).await && is_immediate {
            self.nothing_moves_when_canceled(subject).await;
        }
    }

    /// What needs a running subscription is rejected when it is over.
    async fn nothing_moves_when_canceled(&mut self, subject: &Subject) {
        for operation in [Operation::from(ExtendTrial), Pause.into()] {
            if self.serves(operation) {
                // The action before may have revived it, and then this one need not be rejected.
                let is_over = self.state(operation, subject).await.is_some_and(|state| {
                    matches!(state.status(), SubscriptionStatus::Canceled { .. })
                });
                if !is_over {
                    return;
                }
                let body = self.body(operation, subject, "");
                self.is_rejected(operation, subject, &body, "for a canceled subscription")
                    .await;
            }
        }
    }

    async fn is_rejected(
        &mut self,
        operation: Operation,
        subject: &Subject,
        body: &Body,
        when: &str,
    ) {
        let Some(before) = self.state(operation, subject).await else {
            return;
        };
        let answer = self.act(operation, body, Told::New).await;
        self.check(operation, Rule::Rejected, status_is(&answer, 400, when));
        self.tells_nothing(operation, &answer, None);
        let Some(after) = self.state(operation, subject).await else {
            return;
        };
        let verdict = if before == after {
            Ok(())
        } else {
            let expected = format!("a subscription that is unchanged by what is rejected {when}");
            Err((expected, "another one".to_owned()))
        };
        self.check(operation, Rule::Rejected, verdict);
    }

    /// What was given away is not what the action can be done to.
    fn is_unfit(
        &mut self,
        operation: Operation,
        subject: &Subject,
        fit: &str,
        before: &Subscription,
    ) {
        let expected = format!("the disposable subscription {} {fit}", subject.subscription);
        let got = format!("one that is {}", before.status().name());
        self.check(operation, Rule::FixtureGiven, Err((expected, got)));
    }
}

fn is_about(came: Timestamp, expected: Timestamp) -> bool {
    came.unix_millis().abs_diff(expected.unix_millis()) <= ABOUT
}

fn until(end: Option<Timestamp>) -> String {
    end.map_or("no end".to_owned(), |end| format!("until {end}"))
}

/// The trial ends when it should: neither sooner nor twice as late.
fn is_extended(after: &Subscription, end: Timestamp) -> Verdict {
    match after.status().trial_period().map(|trial| trial.end()) {
        Some(came) if is_about(came, end) => Ok(()),
        came => Err((format!("a trial until about {end}"), until(came))),
    }
}

fn same_trial(one: &Subscription, other: &Subscription, expected: String) -> Verdict {
    let end = |subscription: &Subscription| {
        let trial = subscription.status().trial_period();
        trial.map(|trial| trial.end())
    };
    if end(one) == end(other) {
        return Ok(());
    }
    let (one, other) = (until(end(one)), until(end(other)));
    Err((expected, format!("a trial {one}, and then {other}")))
}

fn keeps_its_status(before: &Subscription, after: &Subscription, until_then: &str) -> Verdict {
    let (before, after) = (before.status().name(), after.status().name());
    if before == after {
        return Ok(());
    }
    let expected = format!("{until_then} to leave the status {before} until then");
    Err((expected, after.to_owned()))
}
