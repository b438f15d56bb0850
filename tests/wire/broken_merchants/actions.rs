//! Merchants whose actions, or whose idempotency stores, are broken.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use churnkey_conformance::{Report, Rule, check};
use churnkey_integrator::{
    ApplyCouponAction, CalendarUnit, CancelAction, ChangePriceAction, ExtendTrialAction,
    HandlerError, Integration, ItemId, PauseAction, RequestContext, Result, SubscriptionId,
    Timestamp,
    actions::{
        ActionDuration, ApplyCouponRequest, CancelAllRequest, CancelFeatures, CancelRequest,
        ChangePriceFeatures, ChangePriceRequest, ExtendTrialFeatures, ExtendTrialRequest,
        PauseAllRequest, PauseFeatures, PauseRequest, Schedule,
    },
    async_trait, controller,
    idempotency::{Attempt, Fingerprint, IdempotencyKey, IdempotencyStore, Known},
    model::{self, Pause, Period, SubscriptionStatus},
};
use example_billing::{Catalogue, Item, Redemption, Subscription, pause_all, redeemed_once_more};
use in_memory::store::{Store, Tables};

use super::broken_merchants;
use crate::merchants::{billing_fixtures, billing_store, client_of, token};

/// Delegates every call to a good merchant, except for its one fault.
#[derive(Clone)]
struct Broken {
    good: Store,
    fault: Fault,
    calls: Arc<AtomicU64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    CancelDoesNothing,
    CancelPlannedDoesNothing,
    CancelPlannedIsAYearLate,
    CancelsAtOnceAlways,
    CancelOnceMoreFails,
    CancelOnceMoreIsLater,
    CancelPanics,
    CancelHangs,
    CancelLeaksItsStore,
    CancelsOfTheCustomerOnlyTheFirst,
    CancelOfAllPlannedDoesNothing,
    PauseDoesNothing,
    PausePlannedDoesNothing,
    PausePlannedStartsAtOnce,
    PausePlannedCountsFromNow,
    PauseIgnoresTheDate,
    PauseStaysWhenItIsOver,
    PausesUntilYesterday,
    PauseForgetsItsEnd,
    PauseCountsFromThePeriodsEnd,
    PauseOnceMoreIsRefused,
    PauseOnceMoreIsLonger,
    PausesWhatIsCanceled,
    PausesNobodyOfAll,
    PauseOfAllPlannedStartsAtOnce,
    PausesOfAllWhatIsAnnual,
    CouponIsForgotten,
    CouponTwiceIsTwoDiscounts,
    CouponTwiceIsCountedTwice,
    CouponOnceMoreIsRefused,
    CouponMayBeExpired,
    CouponOfWhatIsCanceled,
    TrialFromNow,
    TrialUntilNever,
    TrialOnceMoreIsTwice,
    TrialOfWhatIsCanceled,
    TrialUntilYesterday,
    PriceStays,
    PriceIsAdded,
    PricePlannedDoesNothing,
    PricePlannedChangesAtOnce,
    PriceOfWhatIsCanceled,
    PriceOfSeveralItems,
    PriceOnceMoreIsRefused,
    RemembersNothing,
    ForgetsWhatWasAsked,
    RemembersWhatWasRejected,
    MemoryFails,
}

impl Broken {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn change(
        &self,
        id: &SubscriptionId,
        change: impl FnOnce(&mut Subscription, &mut Tables) -> Result<()>,
    ) -> Result<()> {
        self.good.live.books.write(|tables| {
            let mut found = tables.subscriptions().by_id(id).cloned().ok_or("gone")?;
            change(&mut found, tables)?;
            tables.subscribe(found);
            Ok(())
        })
    }

    /// How often the action was called before.
    fn calls_before(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }
}

#[controller]
impl CancelAction for Broken {
    fn features(&self) -> CancelFeatures {
        CancelAction::features(&self.good)
    }

    async fn cancel(&self, cx: &RequestContext, request: &CancelRequest) -> Result<()> {
        let (now, id) = (self.good.now(), request.subscription().id());
        let is_over = request.subscription().status().name() == "canceled";
        let is_planned = request.schedule() == Schedule::EndOfPeriod;
        match self.fault {
            Fault::CancelDoesNothing => return Ok(()),
            Fault::CancelPlannedDoesNothing if is_planned => return Ok(()),
            Fault::CancelPlannedIsAYearLate if is_planned => {
                let end = end_of_period(request.subscription())?;
                return self.change(id, |subscription, _| {
                    subscription.planned.cancel_at = Some(end.plus(1, CalendarUnit::Year));
                    Ok(())
                });
            }
            Fault::CancelsAtOnceAlways => {
                return self.change(id, |subscription, _| {
                    subscription.cancel(Schedule::Immediate, now);
                    Ok(())
                });
            }
            Fault::CancelOnceMoreFails if is_over => {
                return Err(HandlerError::subscription_canceled());
            }
            Fault::CancelOnceMoreIsLater if is_over => {
                let later = now.plus(self.calls_before(), CalendarUnit::Day);
                return self.change(id, |subscription, _| {
                    subscription.status = SubscriptionStatus::canceled(later);
                    Ok(())
                });
            }
            Fault::CancelPanics => panic!("index out of bounds"),
            Fault::CancelHangs => std::future::pending().await,
            Fault::CancelLeaksItsStore => {
                return Err(HandlerError::conflict(
                    "UPDATE subscriptions: db error 40001",
                ));
            }
            _ => {}
        }
        self.good.cancel(cx, request).await
    }

    async fn cancel_all(&self, cx: &RequestContext, request: &CancelAllRequest) -> Result<()> {
        let is_planned = request.schedule() == Schedule::EndOfPeriod;
        if is_planned && self.is(Fault::CancelOfAllPlannedDoesNothing) {
            return Ok(());
        }
        if self.is(Fault::CancelsOfTheCustomerOnlyTheFirst) {
            let first = self.good.live.books.read(|tables| {
                let mut own = tables.subscriptions_of(request.customer_id(), 0);
                own.next().map(|(_, first)| first.id.clone())
            });
            return self.change(&first.ok_or("none")?, |subscription, _| {
                subscription.cancel(request.schedule(), self.good.now());
                Ok(())
            });
        }
        self.good.cancel_all(cx, request).await
    }
}

#[controller]
impl PauseAction for Broken {
    fn features(&self) -> PauseFeatures {
        PauseAction::features(&self.good)
    }

    async fn pause(&self, cx: &RequestContext, request: &PauseRequest) -> Result<()> {
        let (now, id) = (self.good.now(), request.subscription().id());
        let is_paused = request.subscription().status().name() == "paused";
        let pause = |end| {
            self.change(id, |subscription, _| {
                subscription.planned.pause = Some(match end {
                    Some(end) => Pause::new(now, end)?,
                    None => Pause::indefinite(now),
                });
                Ok(())
            })
        };
        let is_planned = request.start() == Schedule::EndOfPeriod;
        let until_a_date = match request.duration() {
            ActionDuration::Date(date) => Some(date),
            _ => None,
        };
        match self.fault {
            Fault::PauseDoesNothing => Ok(()),
            Fault::PausePlannedDoesNothing if is_planned => Ok(()),
            Fault::PausePlannedStartsAtOnce if is_planned => self.change(id, |subscription, _| {
                subscription.pause(Schedule::Immediate, request.duration(), now)
            }),
            Fault::PausePlannedCountsFromNow if is_planned => {
                let start = end_of_period(request.subscription())?;
                let end = request.duration().end(now)?;
                self.change(id, |subscription, _| {
                    subscription.planned.pause = Some(Pause::new(start, end)?);
                    Ok(())
                })
            }
            Fault::PauseIgnoresTheDate if until_a_date.is_some() && !is_planned => {
                pause(Some(now.plus(1, CalendarUnit::Month)))
            }
            Fault::PauseStaysWhenItIsOver if !is_planned => {
                let pause = Pause::new(now, request.duration().end(now)?)?;
                self.change(id, |subscription, _| {
                    subscription.status = SubscriptionStatus::paused(pause);
                    Ok(())
                })
            }
            Fault::PausesUntilYesterday if until_a_date.is_some_and(|date| date < now) => Ok(()),
            Fault::PauseForgetsItsEnd => pause(None),
            Fault::PauseCountsFromThePeriodsEnd => {
                let period = request.subscription().status().current_period();
                pause(Some(
                    request.duration().end(period.ok_or("no period")?.end())?,
                ))
            }
            Fault::PauseOnceMoreIsRefused if is_paused => Err(HandlerError::already_paused()),
            Fault::PauseOnceMoreIsLonger => {
                let once = request.duration().end(now)?;
                pause(Some(once.plus(self.calls_before(), CalendarUnit::Week)))
            }
            Fault::PausesWhatIsCanceled if !is_paused => self.change(id, |subscription, _| {
                let pause = Pause::new(now, request.duration().end(now)?)?;
                subscription.planned.cancel_at = None;
                subscription.status = SubscriptionStatus::paused(pause);
                Ok(())
            }),
            _ => self.good.pause(cx, request).await,
        }
    }

    async fn pause_all(&self, cx: &RequestContext, request: &PauseAllRequest) -> Result<()> {
        let (start, allow_annual) = match self.fault {
            Fault::PauseOfAllPlannedStartsAtOnce => (Schedule::Immediate, request.allow_annual()),
            Fault::PausesOfAllWhatIsAnnual => (request.start(), true),
            Fault::PausesNobodyOfAll => return Ok(()),
            _ => return self.good.pause_all(cx, request).await,
        };
        self.good.live.books.write(|tables| {
            let own = tables.subscriptions_of(request.customer_id(), 0);
            let mut own: Vec<Subscription> = own.map(|(_, row)| row.clone()).collect();
            let (duration, now) = (request.duration(), self.good.now());
            pause_all(&mut own, start, duration, allow_annual, now)?;
            for subscription in own {
                tables.subscribe(subscription);
            }
            Ok(())
        })
    }
}

#[controller]
impl ApplyCouponAction for Broken {
    async fn apply_coupon(&self, cx: &RequestContext, request: &ApplyCouponRequest) -> Result<()> {
        let id = request.subscription().id();
        let redeem = |subscription: &mut Subscription| {
            subscription.discounts.push(Redemption {
                coupon: request.coupon().id().clone(),
                start: Some(self.good.now()),
                end: None,
            });
        };
        let has_it = !request.subscription().discounts().is_empty();
        let is_over = request.subscription().status().name() == "canceled";
        match self.fault {
            Fault::CouponOfWhatIsCanceled if is_over => return Ok(()),
            Fault::CouponIsForgotten => return Ok(()),
            Fault::CouponTwiceIsTwoDiscounts if has_it => {
                return self.change(id, |subscription, _| {
                    redeem(subscription);
                    Ok(())
                });
            }
            Fault::CouponTwiceIsCountedTwice if has_it => {
                return self.change(id, |_, tables| {
                    let coupon = tables.coupon(request.coupon().id()).ok_or("gone")?;
                    tables.coupons.put(redeemed_once_more(coupon)?);
                    Ok(())
                });
            }
            Fault::CouponOnceMoreIsRefused if has_it => {
                return Err(HandlerError::bad_request("the coupon is applied already"));
            }
            Fault::CouponMayBeExpired if request.coupon().expires_at().is_some() => {
                return self.change(id, |subscription, _| {
                    redeem(subscription);
                    Ok(())
                });
            }
            _ => {}
        }
        self.good.apply_coupon(cx, request).await
    }
}

#[controller]
impl ExtendTrialAction for Broken {
    fn features(&self) -> ExtendTrialFeatures {
        ExtendTrialAction::features(&self.good)
    }

    async fn extend_trial(&self, cx: &RequestContext, request: &ExtendTrialRequest) -> Result<()> {
        let (now, id) = (self.good.now(), request.subscription().id());
        let until = |end| {
            self.change(id, |subscription, _| {
                subscription.status = SubscriptionStatus::trial(Period::new(now, end)?);
                Ok(())
            })
        };
        let is_over = request.subscription().status().name() == "canceled";
        match self.fault {
            Fault::TrialFromNow => until(request.duration().end(now)?),
            // As where the change is made, and then made again for it was not seen to be done.
            Fault::TrialOnceMoreIsTwice if self.calls_before() > 0 && !is_over => {
                self.good.extend_trial(cx, request).await?;
                let later = self.good.live.books.read(|tables| {
                    let found = tables.subscriptions().by_id(id)?;
                    found.status.trial_period().map(|trial| trial.end())
                });
                until(request.duration().end(later.ok_or("no trial")?)?)
            }
            Fault::TrialUntilNever => until("9999-01-01T00:00:00Z".parse()?),
            Fault::TrialOfWhatIsCanceled if is_over => Ok(()),
            Fault::TrialUntilYesterday if matches!(request.duration(), ActionDuration::Date(date) if date < now) => {
                Ok(())
            }
            _ => self.good.extend_trial(cx, request).await,
        }
    }
}

#[controller]
impl ChangePriceAction for Broken {
    fn features(&self) -> ChangePriceFeatures {
        ChangePriceAction::features(&self.good)
    }

    async fn change_price(&self, cx: &RequestContext, request: &ChangePriceRequest) -> Result<()> {
        let subscription = request.subscription();
        let has_it = subscription.items()[0].price().id() == request.price().id();
        let is_planned = request.schedule() == Schedule::EndOfPeriod;
        let is_over = subscription.status().name() == "canceled";
        match self.fault {
            Fault::PricePlannedDoesNothing if is_planned => Ok(()),
            Fault::PricePlannedChangesAtOnce if is_planned => {
                self.change(subscription.id(), |subscription, _| {
                    let now = self.good.now();
                    subscription.change_price(request.price(), Schedule::Immediate, false, now)
                })
            }
            Fault::PriceOfWhatIsCanceled if is_over => Ok(()),
            Fault::PriceOfSeveralItems if subscription.items().len() > 1 => Ok(()),
            Fault::PriceStays => Ok(()),
            Fault::PriceIsAdded => self.change(subscription.id(), |subscription, _| {
                subscription.items.push(Item {
                    id: ItemId::new("si_more")?,
                    price: request.price().id().clone(),
                    quantity: 1,
                });
                Ok(())
            }),
            Fault::PriceOnceMoreIsRefused if has_it => {
                Err(HandlerError::bad_request("that is the price already"))
            }
            _ => self.good.change_price(cx, request).await,
        }
    }
}

fn end_of_period(subscription: &model::Subscription) -> Result<Timestamp> {
    let period = subscription.status().current_period();
    Ok(period.ok_or("no period")?.end())
}

/// An idempotency store, with at most one fault.
struct Memory {
    fault: Fault,
    done: Mutex<HashMap<IdempotencyKey, Fingerprint>>,
}

#[async_trait]
impl IdempotencyStore for Memory {
    async fn begin(&self, _: &RequestContext, attempt: &Attempt) -> Result<Known> {
        let done = self.done.lock().unwrap();
        let known = attempt.keys().find_map(|key| done.get(key));
        Ok(match (known, self.fault) {
            (_, Fault::MemoryFails) => return Err("the table is missing".into()),
            (None, _) | (_, Fault::RemembersNothing) => Known::New,
            (Some(_), Fault::ForgetsWhatWasAsked) => Known::Done,
            (Some(known), _) if known == attempt.fingerprint() => Known::Done,
            (Some(_), _) => Known::AnotherRequest,
        })
    }

    async fn complete(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        let mut done = self.done.lock().unwrap();
        for key in attempt.keys() {
            done.insert(key.clone(), attempt.fingerprint().clone());
        }
        Ok(())
    }

    async fn forget(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()> {
        match self.fault {
            Fault::RemembersWhatWasRejected => self.complete(cx, attempt).await,
            _ => Ok(()),
        }
    }
}

async fn report_on(fault: Fault) -> Report {
    let good = billing_store();
    let fixtures = billing_fixtures(&good);
    let broken = Broken {
        good: good.clone(),
        fault,
        calls: Arc::default(),
    };
    let builder = Integration::builder("Broken", token())
        .customers(good.clone())
        .subscriptions(good.clone())
        .prices(good.clone())
        .coupons(good.clone())
        .products(good.clone())
        .families(good)
        .cancel(broken.clone())
        .pause(broken.clone())
        .apply_coupon(broken.clone())
        .extend_trial(broken.clone())
        .change_price(broken)
        .idempotency(Memory {
            fault,
            done: Mutex::default(),
        });
    let builder = match fault {
        Fault::CancelHangs => builder.deadline(Duration::from_millis(50)),
        _ => builder,
    };
    check(&client_of(&builder.build().unwrap()), &fixtures)
        .await
        .unwrap()
}

broken_merchants! {
    a_cancel_that_does_nothing: CancelDoesNothing breaks EffectVisible,
        "cancel broke effect-visible (contract, section 5.1): expected the subscription sub_ada_pro with the status canceled; got active; this costs the cancel flow, and every offer in it",
        in ["effect-visible: cancel"];
    a_cancel_at_once_that_should_come_later: CancelsAtOnceAlways breaks EffectVisible,
        "expected a cancellation at the end of the period to leave the subscription sub_mary_cancel_planned with the status active until then; got canceled",
        in ["effect-visible: cancel"];
    a_cancel_at_once_after_one_at_the_end_of_the_period: CancelsAtOnceAlways breaks EffectVisible,
        "expected a cancellation at the end of the period, asked for before one at once, to leave the subscription sub_ada_pro with the status active until then; got canceled",
        in ["effect-visible: cancel"];
    a_cancel_that_fails_once_more: CancelOnceMoreFails breaks RepeatChangesNothing,
        "cancel broke repeat-changes-nothing (contract, section 7.5): expected 200 with an empty body for the same call once more; got 400: The subscription is canceled",
        in ["repeat-changes-nothing: cancel"];
    a_cancel_that_is_later_once_more: CancelOnceMoreIsLater breaks RepeatChangesNothing, "records that differ in [\"status\"]",
        in ["repeat-changes-nothing: cancel"];
    a_cancel_that_panics: CancelPanics breaks ActionDone,
        "expected 200 with an empty body for what can be done to the subscription sub_ada_pro; got 500: the controller panicked",
        in ["action-done: cancel"];
    a_cancel_that_hangs: CancelHangs breaks ActionDone, "got 503: the controller did not answer before the deadline",
        in ["action-done: cancel"];
    a_cancel_that_leaks_its_store: CancelLeaksItsStore breaks ErrorsTellNothing, "cancel broke errors-tell-nothing (contract, section 2.6): expected an error without anything of the store",
        in ["action-done: cancel", "errors-tell-nothing: cancel"];
    a_cancel_of_all_that_forgets_some: CancelsOfTheCustomerOnlyTheFirst breaks EffectVisible,
        "cancel_all broke effect-visible (contract, section 5.1): expected the subscription sub_linus_seats with the status canceled; got unpaid",
        in ["effect-visible: cancel_all"];
    a_pause_that_does_nothing: PauseDoesNothing breaks EffectVisible,
        "pause broke effect-visible (contract, section 5.2): expected the subscription sub_ada_year with the status paused; got active; this costs pause offers",
        in ["effect-visible: pause", "rejected: pause"];
    a_pause_that_forgets_its_end: PauseForgetsItsEnd breaks EffectVisible,
        "expected a pause of the subscription sub_ada_year until about 2026-02-15T12:00:00.000Z; got no end",
        in ["effect-visible: pause", "rejected: pause"];
    a_pause_counted_from_the_periods_end: PauseCountsFromThePeriodsEnd breaks EffectVisible, "got until 2026-10-01T00:00:00.000Z",
        in ["effect-visible: pause", "rejected: pause"];
    a_pause_that_is_refused_once_more: PauseOnceMoreIsRefused breaks RepeatChangesNothing, "got 400: The subscription is paused already",
        in ["repeat-changes-nothing: pause"];
    a_pause_that_is_longer_once_more: PauseOnceMoreIsLonger breaks RepeatChangesNothing, "pause broke repeat-changes-nothing (contract, section 7.5): expected the same record from before and after the same call once more",
        in ["effect-visible: pause", "rejected: pause", "repeat-changes-nothing: pause"];
    a_pause_of_what_is_canceled: PausesWhatIsCanceled breaks Rejected, "pause broke rejected (contract, section 5.2): expected 400 for a canceled subscription; got 200",
        in ["effect-visible: pause", "rejected: pause"];
    a_pause_of_all_that_pauses_nobody: PausesNobodyOfAll breaks EffectVisible,
        "pause_all broke effect-visible (contract, section 5.2): expected the subscription sub_grace_trial with the status paused; got trial",
        in ["effect-visible: pause_all", "rejected: pause_all"];
    a_coupon_that_is_forgotten: CouponIsForgotten breaks EffectVisible,
        "expected the coupon coupon_stay20 once among the discounts of the subscription sub_ada_year, customer-wide ones included; got 0 times",
        in ["effect-visible: apply_coupon", "rejected: apply_coupon"];
    a_coupon_that_is_two_discounts_once_more: CouponTwiceIsTwoDiscounts breaks RepeatChangesNothing, "records that differ in [\"discounts\"]",
        in ["repeat-changes-nothing: apply_coupon"];
    a_coupon_that_is_redeemed_once_more: CouponTwiceIsCountedTwice breaks RepeatChangesNothing, "records that differ in [\"redemptions\"]",
        in ["repeat-changes-nothing: apply_coupon"];
    a_coupon_that_is_refused_once_more: CouponOnceMoreIsRefused breaks RepeatChangesNothing, "got 400: the coupon is applied already",
        in ["repeat-changes-nothing: apply_coupon"];
    a_coupon_that_has_expired: CouponMayBeExpired breaks Rejected,
        "apply_coupon broke rejected (contract, section 5.3): expected 400 for coupon_expired, which can't be redeemed any more; got 200; this costs discount offers",
        in ["rejected: apply_coupon"];
    a_trial_extended_from_today: TrialFromNow breaks EffectVisible,
        "extend_trial broke effect-visible (contract, section 5.4): expected a trial of the subscription sub_grace_trial until about 2026-01-31T00:00:00.000Z; got until 2026-01-22T12:00:00.000Z",
        in ["effect-visible: extend_trial", "rejected: extend_trial"];
    a_trial_extended_for_good: TrialUntilNever breaks EffectVisible, "got until 9999-01-01",
        in ["effect-visible: extend_trial", "rejected: extend_trial"];
    a_trial_extended_by_two_periods_the_second_time: TrialOnceMoreIsTwice breaks EffectVisible,
        "expected a trial of the subscription sub_grace_trial until about 2026-02-28T00:00:00.000Z; got until 2026-03-28T00:00:00.000Z",
        in ["effect-visible: extend_trial"];
    a_trial_of_what_is_canceled: TrialOfWhatIsCanceled breaks Rejected, "extend_trial broke rejected (contract, section 5.4): expected 400 for a canceled subscription; got 200",
        in ["rejected: extend_trial"];
    a_price_that_stays: PriceStays breaks EffectVisible,
        "change_price broke effect-visible (contract, section 5.5): expected the price price_basic_month of the only item of the subscription sub_ada_pro; got price_pro_month; this costs plan change offers",
        in ["effect-visible: change_price", "rejected: change_price"];
    a_price_that_is_added: PriceIsAdded breaks EffectVisible, "got 2 items",
        in [
            "effect-visible: change_price",
            "rejected: change_price",
            "repeat-changes-nothing: change_price",
        ];
    a_price_that_is_refused_once_more: PriceOnceMoreIsRefused breaks RepeatChangesNothing, "got 400: that is the price already",
        in ["repeat-changes-nothing: change_price"];
    an_end_of_period_cancel_that_does_nothing: CancelPlannedDoesNothing breaks EffectVisible,
        "cancel broke effect-visible (contract, section 5.1): expected the subscription sub_mary_cancel_planned with the status canceled, by 2026-02-03T00:00:00.000Z; got active",
        in ["effect-visible: cancel"];
    an_end_of_period_cancel_a_year_late: CancelPlannedIsAYearLate breaks EffectVisible,
        "expected the subscription sub_mary_cancel_planned with the status canceled, by 2026-02-03T00:00:00.000Z; got active",
        in ["effect-visible: cancel"];
    an_end_of_period_cancel_of_all_that_does_nothing: CancelOfAllPlannedDoesNothing breaks EffectVisible,
        "expected the subscription sub_cancel_planned_month with the status canceled, by 2026-02-03T00:00:00.000Z; got active",
        in ["effect-visible: cancel_all"];
    an_end_of_period_pause_that_does_nothing: PausePlannedDoesNothing breaks EffectVisible,
        "expected the subscription sub_mary_pause_planned with the status paused, by 2026-02-03T00:00:00.000Z; got active",
        in ["effect-visible: pause"];
    an_end_of_period_pause_that_starts_at_once: PausePlannedStartsAtOnce breaks EffectVisible,
        "expected a pause at the end of the period to leave the subscription sub_mary_pause_planned with the status active until then; got paused",
        in ["effect-visible: pause"];
    an_end_of_period_pause_that_is_counted_from_now: PausePlannedCountsFromNow breaks EffectVisible,
        "expected a pause of the subscription sub_mary_pause_planned until about 2026-03-01T00:00:00.000Z, by 2026-02-03T00:00:00.000Z; got until 2026-02-15T12:00:00.000Z",
        in ["effect-visible: pause"];
    a_pause_that_ignores_its_date: PauseIgnoresTheDate breaks EffectVisible,
        "; got until 2026-02-15T12:00:00.000Z",
        in ["action-done: pause", "effect-visible: pause", "rejected: pause"];
    a_pause_that_stays_when_it_is_over: PauseStaysWhenItIsOver breaks EffectVisible,
        "expected the pause of the subscription sub_ada_year to be over, by 2026-02-17T12:00:00.000Z; got paused",
        in ["effect-visible: pause", "rejected: pause"];
    a_pause_until_a_date_that_is_past: PausesUntilYesterday breaks Rejected,
        "pause broke rejected (contract, section 5.2): expected 400 for a date that is past; got 200",
        in ["rejected: pause"];
    a_pause_of_all_that_may_not_be_annual: PausesOfAllWhatIsAnnual breaks Rejected,
        "pause_all broke rejected (contract, section 5.2): expected 400 for an annual subscription, with \"allowAnnual\": false; got 200",
        in ["rejected: pause_all"];
    an_end_of_period_pause_of_all_that_starts_at_once: PauseOfAllPlannedStartsAtOnce breaks EffectVisible,
        "expected a pause at the end of the period to leave the subscription sub_pause_planned_month with the status active until then; got paused",
        in ["effect-visible: pause_all"];
    a_coupon_of_what_is_canceled: CouponOfWhatIsCanceled breaks Rejected,
        "apply_coupon broke rejected (contract, section 5.3): expected 400 for a canceled subscription; got 200",
        in ["rejected: apply_coupon"];
    a_trial_until_a_date_that_is_past: TrialUntilYesterday breaks Rejected,
        "extend_trial broke rejected (contract, section 5.4): expected 400 for a date that is past; got 200",
        in ["rejected: extend_trial"];
    an_end_of_period_price_that_never_changes: PricePlannedDoesNothing breaks EffectVisible,
        "expected the price price_basic_month of the only item of the subscription sub_mary_price_planned, by 2026-02-03T00:00:00.000Z; got price_pro_month",
        in ["effect-visible: change_price"];
    an_end_of_period_price_that_changes_at_once: PricePlannedChangesAtOnce breaks EffectVisible,
        "expected the price price_pro_month of the only item of the subscription sub_mary_price_planned; got price_basic_month",
        in ["effect-visible: change_price"];
    a_price_of_what_is_canceled: PriceOfWhatIsCanceled breaks Rejected,
        "change_price broke rejected (contract, section 5.5): expected 400 for a canceled subscription; got 200",
        in ["rejected: change_price"];
    a_price_of_several_items: PriceOfSeveralItems breaks Rejected,
        "change_price broke rejected (contract, section 5.5): expected 400 for a subscription with several items; got 200",
        in ["rejected: change_price"];
    a_memory_that_keeps_nothing: RemembersNothing breaks IdempotencyKey, "cancel broke idempotency-key (contract, section 7.5): expected 422 for an Idempotency-Key that was used for another body; got 200",
        in [
            "idempotency-key: apply_coupon cancel cancel_all change_price extend_trial pause pause_all",
            "repeat-changes-nothing: extend_trial",
        ];
    a_trial_extended_twice_by_one_key: RemembersNothing breaks IdempotencyKey,
        "expected an Idempotency-Key to extend the trial of the subscription sub_grace_trial once; got a trial until 2026-01-31T00:00:00.000Z, and then until 2026-02-07T00:00:00.000Z",
        in [
            "idempotency-key: apply_coupon cancel cancel_all change_price extend_trial pause pause_all",
            "repeat-changes-nothing: extend_trial",
        ];
    a_memory_that_forgets_what_was_asked: ForgetsWhatWasAsked breaks IdempotencyKey, "expected 422 for an Idempotency-Key that was used for another body; got 200",
        in ["idempotency-key: apply_coupon cancel cancel_all change_price extend_trial pause pause_all"];
    a_memory_that_keeps_what_was_rejected: RemembersWhatWasRejected breaks IdempotencyKey,
        "apply_coupon broke idempotency-key (contract, section 7.5): expected 400 for coupon_expired, which can't be redeemed any more, also when the same Idempotency-Key comes again; got 200",
        in ["idempotency-key: apply_coupon change_price extend_trial pause pause_all"];
    a_memory_that_fails: MemoryFails breaks ActionDone, "got 500: the table is missing",
        in [
            "action-done: apply_coupon cancel cancel_all change_price extend_trial pause pause_all",
            "missing: apply_coupon cancel cancel_all change_price extend_trial pause pause_all",
        ];
}
