//! What each action does to a subscription, and when it is refused. An action that would change nothing is not an error.

use churnkey_integrator::{
    HandlerError, Result, Timestamp,
    actions::{ActionDuration, Schedule},
    model::{Coupon, CouponDuration, Pause, Period, Price, Redemptions, SubscriptionStatus},
};

use crate::subscription::{PlannedPrice, Redemption, Subscription};

/// Whether a coupon was redeemed by this action, and has to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redeemed {
    /// By this action.
    Now,
    /// The subscription had it already.
    Before,
}

impl Subscription {
    /// Cancels it, now or when its period ends. An earlier planned end is kept.
    pub fn cancel(&mut self, schedule: Schedule, now: Timestamp) {
        self.settle(now);
        if self.is_canceled() {
            return;
        }
        let at = self.moment(schedule, now);
        let at = self.planned.cancel_at.map_or(at, |planned| planned.min(at));
        self.planned.cancel_at = Some(at);
        self.settle(now);
    }

    /// Checks that it is not an annual one, unless annual ones may be paused.
    ///
    /// # Errors
    /// A 400 if it must not be paused for that reason.
    pub fn check_annual_pause(&mut self, allow_annual: bool, now: Timestamp) -> Result<()> {
        self.settle(now);
        if self.duration.is_annual() && !allow_annual {
            return Err(HandlerError::annual_pause_not_allowed());
        }
        Ok(())
    }

    /// Pauses it, from now on or from the end of its period.
    ///
    /// # Errors
    /// A 400 if it is cancelled, if another pause runs or is planned, if the pause would end before it starts, or if it is too
    /// long.
    pub fn pause(
        &mut self,
        start: Schedule,
        duration: ActionDuration,
        now: Timestamp,
    ) -> Result<()> {
        self.settle(now);
        if self.is_canceled() {
            return Err(HandlerError::subscription_canceled());
        }
        if let Some(known) = self.pause_known() {
            // A repeated request ends when the known pause ends, if it is counted from the start of that pause.
            let same_end = known.end() == Some(duration.end(known.start())?);
            let too_late = start == Schedule::Immediate && known.start() > now;
            return if same_end && !too_late {
                Ok(())
            } else {
                Err(HandlerError::already_paused())
            };
        }
        let start = self.moment(start, now);
        let end = duration.end(start)?;
        if end <= start {
            return Err(HandlerError::date_too_early());
        }
        self.planned.pause = Some(Pause::new(start, end)?);
        Ok(())
    }

    /// Gives it the discount of a coupon. The store counts the redemption.
    ///
    /// The discount of a `once` coupon ends with the next invoice, at the end of the current period. Without a current period, it
    /// ends with the pause, because nothing is billed before that, or else after one billing duration. It always has an end, or it
    /// would reduce every later invoice.
    ///
    /// # Errors
    /// A 400 if it is cancelled, or if the coupon has expired or is used up.
    pub fn apply_coupon(&mut self, coupon: &Coupon, now: Timestamp) -> Result<Redeemed> {
        self.settle(now);
        if self.is_canceled() {
            return Err(HandlerError::subscription_canceled());
        }
        let holds = |known: &Redemption| {
            known.coupon == *coupon.id() && known.end.is_none_or(|end| end > now)
        };
        if self.discounts.iter().any(holds) {
            return Ok(Redeemed::Before);
        }
        if coupon.expires_at().is_some_and(|end| end <= now) {
            return Err(HandlerError::coupon_expired());
        }
        let redemptions = coupon.redemptions().unwrap_or_default();
        let current = redemptions.current().unwrap_or(0);
        if redemptions.max().is_some_and(|max| current >= max) {
            return Err(HandlerError::coupon_used_up());
        }
        let end = match coupon.duration() {
            CouponDuration::Once => Some(self.next_invoice(now)),
            CouponDuration::Recurring { amount, unit } => {
                Some(now.plus(u64::from(amount.get()), unit.into()))
            }
            CouponDuration::Forever => None,
            CouponDuration::CycleAmount { cycles } => {
                Some(self.duration.end_after(cycles.get(), now))
            }
            _ => {
                return Err(HandlerError::bad_request(
                    "Coupons of this duration are not supported",
                ));
            }
        };
        self.discounts.push(Redemption {
            coupon: coupon.id().clone(),
            start: Some(now),
            end,
        });
        Ok(Redeemed::Now)
    }

    /// Moves the end of its trial to a date, or by a period from the present end.
    ///
    /// # Errors
    /// A 400 if it is not in trial, if the date is past or before the present end, or if the period is too long.
    pub fn extend_trial(&mut self, duration: ActionDuration, now: Timestamp) -> Result<()> {
        self.settle(now);
        let SubscriptionStatus::Trial { trial, .. } = self.status else {
            return Err(HandlerError::not_in_trial());
        };
        let end = duration.end(trial.end().max(now))?;
        if end == trial.end() {
            return Ok(());
        }
        if end < trial.end() || end <= now {
            return Err(HandlerError::date_too_early());
        }
        let longer = Period::new(trial.start(), end)?;
        self.status = self.status.with_trial(longer);
        Ok(())
    }

    /// Changes the price of its only item, now or when its period ends. With proration the rest of the period is credited and a
    /// new period begins. Without it, the period continues.
    ///
    /// # Errors
    /// A 400 if it is cancelled or has several items.
    pub fn change_price(
        &mut self,
        price: &Price,
        schedule: Schedule,
        prorate: bool,
        now: Timestamp,
    ) -> Result<()> {
        self.settle(now);
        if self.is_canceled() {
            return Err(HandlerError::subscription_canceled());
        }
        let [item] = self.items.as_slice() else {
            return Err(HandlerError::several_items());
        };
        let has_it = item.price == *price.id();
        let planned = self.planned.price.take();
        if has_it {
            return Ok(());
        }
        match schedule {
            Schedule::Immediate => {
                self.set_price(price.id(), price.duration());
                if prorate {
                    self.begin_period(now);
                }
            }
            Schedule::EndOfPeriod => {
                let planned = planned.filter(|planned| planned.price == *price.id());
                let at = self.period_end(now);
                self.planned.price = Some(planned.unwrap_or_else(|| PlannedPrice::new(at, price)));
                self.settle(now);
            }
        }
        Ok(())
    }

    /// When the next invoice is due. After an open pause or an unpaid invoice that is unknown, so it is one billing duration from
    /// now.
    fn next_invoice(&self, now: Timestamp) -> Timestamp {
        let pause_end = self.pause_known().and_then(Pause::end);
        [Some(self.period_end(now)), pause_end]
            .into_iter()
            .flatten()
            .find(|end| *end > now)
            .unwrap_or_else(|| self.duration.end_after(1, now))
    }

    fn moment(&self, schedule: Schedule, now: Timestamp) -> Timestamp {
        match schedule {
            Schedule::Immediate => now,
            Schedule::EndOfPeriod => self.period_end(now),
        }
    }
}

/// Cancels all subscriptions of a customer.
pub fn cancel_all(subscriptions: &mut [Subscription], schedule: Schedule, now: Timestamp) {
    for subscription in subscriptions {
        subscription.cancel(schedule, now);
    }
}

/// Pauses all subscriptions of a customer, except those that are cancelled or paused.
///
/// # Errors
/// A 400 if one of them can't be paused. Then the store must keep none of the changes.
pub fn pause_all(
    subscriptions: &mut [Subscription],
    start: Schedule,
    duration: ActionDuration,
    allow_annual: bool,
    now: Timestamp,
) -> Result<()> {
    for subscription in subscriptions {
        subscription.settle(now);
        if subscription.is_canceled() || subscription.pause_known().is_some() {
            continue;
        }
        subscription.check_annual_pause(allow_annual, now)?;
        subscription.pause(start, duration, now)?;
    }
    Ok(())
}

/// The coupon with one more redemption, if its redemptions are counted.
///
/// # Errors
/// If it was redeemed more often than can be counted.
pub fn redeemed_once_more(coupon: Coupon) -> Result<Coupon> {
    let Some(redemptions) = coupon.redemptions() else {
        return Ok(coupon);
    };
    let current = redemptions.current().unwrap_or(0).saturating_add(1);
    let redemptions = Redemptions::new(redemptions.max(), current)?;
    Ok(coupon.with_redemptions(redemptions))
}
