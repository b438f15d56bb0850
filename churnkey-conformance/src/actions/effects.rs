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
    model::{Subscription, SubscriptionStatus},
};
use serde_json::{Value, json};

use super::{
    body::Body,
    call::{Told, random},
    variant::Variant,
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
    pub(crate) async fn effect(&mut self, may: &May, variant: Variant) {
        match may {
            May::ExtendTrial(subject) => self.extend_trial(subject, variant).await,
            May::ApplyCoupon { to, coupon } => self.apply_coupon(to, coupon).await,
            May::ChangePrice { of, price } => self.change_price(of, price, variant).await,
            May::Pause(subject) => self.pause(subject, variant).await,
            May::Cancel(subject) => self.cancel(subject, variant).await,
            May::PauseAll { .. } | May::CancelAll { .. } => {
                self.act_on_all(may.operation(), &may.subject(), variant)
                    .await;
            }
        }
    }

    async fn extend_trial(&mut self, subject: &Subject, variant: Variant) {
        let operation = ExtendTrial.into();
        let Some(before) = self.state(operation, subject).await else {
            return;
        };
        let SubscriptionStatus::Trial { trial, .. } = before.status() else {
            self.is_unfit(operation, subject, "in trial", &before);
            return;
        };
        let mut body = self.body(operation, subject, "");
        self.past_dates_are_rejected(operation, subject, &body, variant)
            .await;
        variant.set(&mut body, CalendarUnit::Week, trial.end());
        let key = random();
        let answer = self.act(operation, &body, Told::ByKey(&key)).await;
        if !self.was_done(operation, subject, &answer) {
            return;
        }
        let Some(after) = self.state(operation, subject).await else {
            return;
        };
        let verdict = is_extended(subject, &after, trial.end().plus(1, CalendarUnit::Week));
        self.check(operation, Rule::EffectVisible, verdict);

        let once = format!("an Idempotency-Key to extend the trial of {subject} once");
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
            self.extend_by_the_same_bytes(subject, variant).await;
        }
    }

    /// The trial once more, by a request that comes twice with the same signature.
    async fn extend_by_the_same_bytes(&mut self, subject: &Subject, variant: Variant) {
        let operation = ExtendTrial.into();
        let Some(before) = self.state(operation, subject).await else {
            return;
        };
        let Some(trial) = before.status().trial_period() else {
            return;
        };
        let mut body = self.body(operation, subject, "");
        variant.set(&mut body, CalendarUnit::Month, trial.end());
        let moment = self.client.now();
        let first = self.act(operation, &body, Told::BySignature(moment)).await;
        if !self.was_done(operation, subject, &first) {
            return;
        }
        let Some(after) = self.state(operation, subject).await else {
            return;
        };
        let verdict = is_extended(subject, &after, trial.end().plus(1, CalendarUnit::Month));
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
        let once = format!("the same signed bytes to extend the trial of {subject} once");
        let verdict = same_trial(&after, &still, once);
        self.check(operation, Rule::RepeatChangesNothing, verdict);
    }

    async fn apply_coupon(&mut self, subject: &Subject, coupon: &str) {
        let operation = ApplyCoupon.into();
        let Some(before) = self.state(operation, subject).await else {
            return;
        };
        if times(&before, coupon) > 0 {
            let fit = format!("without the coupon {coupon}");
            self.is_unfit(operation, subject, &fit, &before);
            return;
        }
        for expired in self.fixtures.expired_coupons.clone() {
            let body = self.body(operation, subject, &expired);
            let when = format!("for {expired}, which can't be redeemed any more");
            self.is_rejected(operation, subject, &body, &when).await;
        }
        let body = self.body(operation, subject, coupon);
        let expected = format!(
            "the coupon {coupon} once among the discounts of {subject}, customer-wide ones included"
        );
        let id = coupon.to_owned();
        let effect = move |after: &Subscription| match times(after, &id) {
            1 => Ok(()),
            n => Err((expected.clone(), format!("{n} times"))),
        };
        let counted = self.path(&format!("/coupons/{}", encoded(coupon)));
        let before = self.redemptions(&counted).await;
        let watched = std::slice::from_ref(&counted);
        if self
            .settles(operation, subject, &body, watched, effect)
            .await
            && let (Some(before), Some(now)) = (before, self.redemptions(&counted).await)
        {
            let verdict = if now > before {
                Ok(())
            } else {
                let expected = format!("more than {before} redemptions of the coupon {coupon}");
                Err((expected, now.to_string()))
            };
            self.check(operation, Rule::EffectVisible, verdict);
        }
    }

    /// How often a coupon was redeemed, if its record says so.
    async fn redemptions(&self, coupon: &str) -> Option<u64> {
        let answer = self.client.get_unchecked(coupon).await;
        answer.body().pointer("/redemptions/current")?.as_u64()
    }

    async fn change_price(&mut self, subject: &Subject, price: &str, variant: Variant) {
        let operation = ChangePrice.into();
        let Some(before) = self.state(operation, subject).await else {
            return;
        };
        if !has_one_item_of_another_price(&before, price) {
            let fit = format!("with one item, of another price than {price}");
            self.is_unfit(operation, subject, &fit, &before);
            return;
        }
        let Some(due) = self.planned_start(operation, subject, variant, &before) else {
            return;
        };
        let mut body = self.body(operation, subject, price);
        variant.set(&mut body, CalendarUnit::Month, self.client.now());
        let former = price_of(&before);
        let (what, changed) = (subject.clone(), price.to_owned());
        let has = move |state: &Subscription, expected: &str| {
            let came = price_of(state);
            if came == expected {
                return Ok(());
            }
            Err((
                format!("the price {expected} of the only item of {what}"),
                came,
            ))
        };
        let effect = {
            let (has, changed) = (has.clone(), changed.clone());
            move |after: &Subscription| match due {
                Some(_) => has(after, &former),
                None => has(after, &changed),
            }
        };
        if self.settles(operation, subject, &body, &[], effect).await
            && let Some(due) = due
        {
            self.plan(
                (operation, variant),
                subject,
                (due, PERIOD_ENDED),
                move |state| has(state, &changed),
            );
        }
    }

    async fn pause(&mut self, subject: &Subject, variant: Variant) {
        let operation = Pause.into();
        let Some(before) = self.state(operation, subject).await else {
            return;
        };
        let status = before.status();
        if matches!(
            status,
            SubscriptionStatus::Paused { .. } | SubscriptionStatus::Canceled { .. }
        ) {
            self.is_unfit(operation, subject, "that can be paused", &before);
            return;
        }
        let period_end = status.current_period().map(|period| period.end());
        let Some(start) = self.planned_start(operation, subject, variant, &before) else {
            return;
        };
        let mut body = self.body(operation, subject, "");
        self.past_dates_are_rejected(operation, subject, &body, variant)
            .await;
        // A date has to lie ahead on the clock of the merchant's data, too.
        let now = self.client.now();
        let after = period_end.map_or(now, |end| end.max(now));
        variant.set(&mut body, CalendarUnit::Month, after);
        if before.duration().is_annual() {
            self.annual_pauses_may_be_excluded(operation, subject, &body)
                .await;
        }
        let pause = ExpectedPause::asked_for(subject, start, &body);
        let effect = {
            let (before, pause) = (before.clone(), pause.clone());
            move |after: &Subscription| match start {
                Some(_) => keeps_its_status(&before, after, "a pause at the end of the period"),
                None => pause.is_there(after),
            }
        };
        if self.settles(operation, subject, &body, &[], effect).await {
            self.pause_comes_and_goes((operation, variant), subject, pause)
                .await;
        }
    }

    /// A request may say that an annual subscription is not meant. The subject is that one.
    pub(crate) async fn annual_pauses_may_be_excluded(
        &mut self,
        operation: Operation,
        subject: &Subject,
        body: &Body,
    ) {
        let mut monthly_only = body.clone();
        monthly_only.insert("allowAnnual".to_owned(), false.into());
        let when = "for an annual subscription, with \"allowAnnual\": false";
        self.is_rejected(operation, subject, &monthly_only, when)
            .await;
    }

    /// A pause that was asked for is there when it starts, and over when it has ended.
    pub(crate) async fn pause_comes_and_goes(
        &mut self,
        asked: (Operation, Variant),
        subject: &Subject,
        pause: ExpectedPause,
    ) {
        let start = match pause.start {
            Some(start) => {
                let pause = pause.clone();
                let once = (start, PERIOD_ENDED);
                self.plan(asked, subject, once, move |state| pause.is_there(state));
                start
            }
            None => {
                let Some(now) = self.state(asked.0, subject).await else {
                    return;
                };
                let SubscriptionStatus::Paused { pause, .. } = now.status() else {
                    return;
                };
                pause.start()
            }
        };
        let once = (pause.end(start), "once the pause has ended");
        let what = subject.clone();
        self.plan(asked, subject, once, move |state| {
            match state.status().name() {
                "paused" => Err((
                    format!("the pause of {what} to be over"),
                    "paused".to_owned(),
                )),
                _ => Ok(()),
            }
        });
    }

    async fn cancel(&mut self, subject: &Subject, variant: Variant) {
        let operation = Cancel.into();
        let Some(before) = self.state(operation, subject).await else {
            return;
        };
        if matches!(before.status(), SubscriptionStatus::Canceled { .. }) {
            self.is_unfit(operation, subject, "that is not canceled", &before);
            return;
        }
        let Some(end) = self.planned_start(operation, subject, variant, &before) else {
            return;
        };
        if end.is_none() && before.status().current_period().is_some() {
            self.cancel_at_the_end_first(subject, &before).await;
        }
        let mut body = self.body(operation, subject, "");
        variant.set(&mut body, CalendarUnit::Month, self.client.now());
        let what = subject.clone();
        let effect = move |after: &Subscription| match end {
            Some(_) => keeps_its_status(&before, after, "a cancellation at the end of the period"),
            None => is_canceled(&what, after, None),
        };
        if !self.settles(operation, subject, &body, &[], effect).await {
            return;
        }
        match end {
            Some(end) => {
                let what = subject.clone();
                self.plan(
                    (operation, variant),
                    subject,
                    (end, PERIOD_ENDED),
                    move |state| is_canceled(&what, state, Some(end)),
                );
            }
            None => self.nothing_moves_when_canceled(subject).await,
        }
    }

    /// Somebody who cancels at the end of the period may still cancel at once.
    async fn cancel_at_the_end_first(&mut self, subject: &Subject, before: &Subscription) {
        let operation = Cancel.into();
        let variants = self.variants(operation);
        let Some(planned) = variants.into_iter().find(|variant| variant.is_planned()) else {
            return;
        };
        let mut body = self.body(operation, subject, "");
        planned.set(&mut body, CalendarUnit::Month, self.client.now());
        let answer = self.act(operation, &body, Told::New).await;
        if self.was_done(operation, subject, &answer)
            && let Some(after) = self.state(operation, subject).await
        {
            let what = "a cancellation at the end of the period, asked for before one at once,";
            let verdict = keeps_its_status(before, &after, what);
            self.check(operation, Rule::EffectVisible, verdict);
        }
    }

    /// When the action takes effect: at once, if there is no moment. None at all if the disposable is not fit for that.
    fn planned_start(
        &mut self,
        operation: Operation,
        subject: &Subject,
        variant: Variant,
        before: &Subscription,
    ) -> Option<Option<Timestamp>> {
        if !variant.is_planned() {
            return Some(None);
        }
        let Some(period) = before.status().current_period() else {
            self.is_unfit(operation, subject, "with a current period", before);
            return None;
        };
        self.is_given_for_this_alone(operation, subject)
            .then(|| Some(period.end()))
    }

    /// What needs a running subscription is rejected when it is over.
    async fn nothing_moves_when_canceled(&mut self, subject: &Subject) {
        let operations = [
            Operation::from(ExtendTrial),
            ApplyCoupon.into(),
            ChangePrice.into(),
            Pause.into(),
        ];
        for operation in operations {
            if !self.serves(operation) {
                continue;
            }
            // The action before may have revived it, and then this one need not be rejected.
            let Some(over) = self.state(operation, subject).await else {
                return;
            };
            if !matches!(over.status(), SubscriptionStatus::Canceled { .. }) {
                return;
            }
            // Nor need it be if it would change nothing.
            let fixtures = &self.fixtures;
            let named = match operation {
                Operation::ApplyCoupon(_) => {
                    let coupon = fixtures.coupon.clone();
                    coupon.filter(|coupon| times(&over, coupon) == 0)
                }
                Operation::ChangePrice(_) => {
                    let price = fixtures.price.clone();
                    price.filter(|price| has_one_item_of_another_price(&over, price))
                }
                _ => Some(String::new()),
            };
            let Some(named) = named else {
                continue;
            };
            let body = self.body(operation, subject, &named);
            self.is_rejected(operation, subject, &body, "for a canceled subscription")
                .await;
        }
    }

    /// Nothing can be paused or extended until a day that is over.
    async fn past_dates_are_rejected(
        &mut self,
        operation: Operation,
        subject: &Subject,
        body: &Body,
        variant: Variant,
    ) {
        if !variant.is_until_a_date() {
            return;
        }
        let mut past = body.clone();
        let long_ago = json!({ "type": "date", "date": "2000-01-01T00:00:00.000Z" });
        past.insert("duration".to_owned(), long_ago);
        self.is_rejected(operation, subject, &past, "for a date that is past")
            .await;
    }

    pub(crate) async fn is_rejected(
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
        let verdict = status_is(&answer, 400, when);
        let is_rejected = verdict.is_ok();
        self.check(operation, Rule::Rejected, verdict);
        self.tells_nothing(operation, &answer, None);
        if is_rejected {
            self.rejection_is_not_remembered(operation, body, when)
                .await;
        }
        let Some(after) = self.state(operation, subject).await else {
            return;
        };
        let verdict = if before == after {
            Ok(())
        } else {
            let expected = format!("{subject} to be unchanged by what is rejected {when}");
            Err((expected, "another state of it".to_owned()))
        };
        self.check(operation, Rule::Rejected, verdict);
    }

    /// What was rejected may be tried again, also with the same key.
    async fn rejection_is_not_remembered(&mut self, operation: Operation, body: &Body, when: &str) {
        let key = random();
        let first = self.act(operation, body, Told::ByKey(&key)).await;
        if first.status() != 400 {
            return;
        }
        let again = self.act(operation, body, Told::ByKey(&key)).await;
        let when = format!("{when}, also when the same Idempotency-Key comes again");
        self.check(
            operation,
            Rule::IdempotencyKey,
            status_is(&again, 400, &when),
        );
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

/// When what is asked for at the end of a period is looked at.
pub(crate) const PERIOD_ENDED: &str = "once the period has ended";

/// The pause that an action asks for.
#[derive(Clone)]
pub(crate) struct ExpectedPause {
    subject: Subject,
    /// None if it starts at once.
    pub(crate) start: Option<Timestamp>,
    date: Option<Timestamp>,
}

impl ExpectedPause {
    pub(crate) fn asked_for(subject: &Subject, start: Option<Timestamp>, body: &Body) -> Self {
        let date = body
            .get("duration")
            .and_then(|duration| duration.get("date"));
        let date = date.and_then(Value::as_str);
        Self {
            subject: subject.clone(),
            start,
            date: date.and_then(|date| date.parse().ok()),
        }
    }

    /// When it ends, if it starts at this moment.
    fn end(&self, start: Timestamp) -> Timestamp {
        self.date
            .unwrap_or_else(|| start.plus(1, CalendarUnit::Month))
    }

    pub(crate) fn is_there(&self, state: &Subscription) -> Verdict {
        let subject = &self.subject;
        let SubscriptionStatus::Paused { pause, .. } = state.status() else {
            let expected = format!("{subject} with the status paused");
            return Err((expected, state.status().name().to_owned()));
        };
        if let Some(start) = self.start
            && !is_about(pause.start(), start)
        {
            let expected = format!("{subject} paused from about {start} on");
            return Err((expected, format!("from {} on", pause.start())));
        }
        let end = self.end(pause.start());
        match pause.end() {
            Some(came) if is_about(came, end) => Ok(()),
            came => Err((
                format!("a pause of {subject} until about {end}"),
                until(came),
            )),
        }
    }
}

pub(crate) fn is_canceled(
    subject: &Subject,
    state: &Subscription,
    due: Option<Timestamp>,
) -> Verdict {
    match (state.status(), due) {
        (SubscriptionStatus::Canceled { canceled_at, .. }, Some(due))
            if !is_about(canceled_at, due) =>
        {
            let expected = format!("{subject} canceled at about {due}");
            Err((expected, format!("at {canceled_at}")))
        }
        (SubscriptionStatus::Canceled { .. }, _) => Ok(()),
        (other, _) => {
            let expected = format!("{subject} with the status canceled");
            Err((expected, other.name().to_owned()))
        }
    }
}

/// How often the coupon is among the discounts.
fn times(subscription: &Subscription, coupon: &str) -> usize {
    let discounts = subscription.discounts().iter();
    discounts
        .filter(|discount| discount.coupon().id().as_str() == coupon)
        .count()
}

fn price_of(subscription: &Subscription) -> String {
    match subscription.items() {
        [item] => item.price().id().to_string(),
        items => format!("{} items", items.len()),
    }
}

fn has_one_item_of_another_price(subscription: &Subscription, price: &str) -> bool {
    matches!(subscription.items(), [item] if item.price().id().as_str() != price)
}

fn is_about(came: Timestamp, expected: Timestamp) -> bool {
    came.unix_millis().abs_diff(expected.unix_millis()) <= ABOUT
}

fn until(end: Option<Timestamp>) -> String {
    end.map_or("no end".to_owned(), |end| format!("until {end}"))
}

/// The trial ends when it should: neither sooner nor twice as late.
fn is_extended(subject: &Subject, after: &Subscription, end: Timestamp) -> Verdict {
    match after.status().trial_period().map(|trial| trial.end()) {
        Some(came) if is_about(came, end) => Ok(()),
        came => Err((
            format!("a trial of {subject} until about {end}"),
            until(came),
        )),
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

pub(crate) fn keeps_its_status(
    before: &Subscription,
    after: &Subscription,
    until_then: &str,
) -> Verdict {
    let id = before.id();
    let (before, after) = (before.status().name(), after.status().name());
    if before == after {
        return Ok(());
    }
    let expected =
        format!("{until_then} to leave the subscription {id} with the status {before} until then");
    Err((expected, after.to_owned()))
}
