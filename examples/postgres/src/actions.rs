//! An action is one transaction:
//!
//! 1. Lock the subscription's row and read it again. It may have changed since the framework looked it up.
//! 2. Let the rules of `example_billing` change it, and write back what is different.
//! 3. Mark the attempt as done, and commit.
//!
//! So two actions on one subscription come one after the other. A crash before the commit leaves nothing. A crash after it
//! leaves the change and the mark: the same request again is answered with 200 and changes nothing (`idempotency.rs`).
//!
//! Locks are always taken in the same order: a customer's subscriptions by their numbers, then a coupon, then the
//! attempt's record. So no two actions wait for each other.

use churnkey_integrator::{
    CouponId, CustomerId, HandlerError, RequestContext, Result,
    idempotency::Attempt,
    model::{self, Coupon},
};
use example_billing::{Redeemed, Subscription, redeemed_once_more};
use tokio_postgres::types::Json;

use crate::{
    idempotency::COMPLETE_ATTEMPT,
    rows::{Stored, record, stored},
    store::{Parameter, Statement, Store, Transaction, moment, statements},
};

statements! {
    // After waiting for the lock, PostgreSQL checks the condition again: a row that has another owner by now is not found.
    LOCK_SUBSCRIPTION = "SELECT seq FROM {schema}.subscriptions WHERE id = $2 AND customer_id = $1 FOR UPDATE";
    // In the order of their numbers. Otherwise two actions on one customer could wait for each other.
    LOCK_SUBSCRIPTIONS_OF = "SELECT seq FROM {schema}.subscriptions WHERE customer_id = $1 ORDER BY seq FOR UPDATE";
    LOCKED_SUBSCRIPTIONS = "SELECT * FROM {schema}.subscription_records WHERE seq = ANY ($1) ORDER BY seq";
    LOCK_COUPON = "SELECT record FROM {schema}.coupon_records WHERE id = $1 FOR UPDATE";
    WRITE_SUBSCRIPTION = "UPDATE {schema}.subscriptions
        SET status = $2::jsonb->>'name',
            period_starts_at = ($2::jsonb->'currentPeriod'->>'start')::timestamptz,
            period_ends_at = ($2::jsonb->'currentPeriod'->>'end')::timestamptz,
            trial_starts_at = ($2::jsonb->'trial'->>'start')::timestamptz,
            trial_ends_at = ($2::jsonb->'trial'->>'end')::timestamptz,
            paused_at = ($2::jsonb->'pause'->>'start')::timestamptz,
            paused_until = ($2::jsonb->'pause'->>'end')::timestamptz,
            canceled_at = ($2::jsonb->>'canceledAt')::timestamptz,
            duration_amount = ($3::jsonb->>'amount')::integer,
            duration_unit = $3::jsonb->>'unit',
            cancels_at = $4::text::timestamptz,
            pauses_at = ($5::jsonb->>'start')::timestamptz,
            resumes_at = ($5::jsonb->>'end')::timestamptz,
            next_price_id = $6,
            next_price_at = $7::text::timestamptz
        WHERE seq = $1";
    WRITE_ITEM = "UPDATE {schema}.subscription_items SET price_id = $3
        WHERE subscription_seq = $1 AND position = $2";
    ADD_DISCOUNT = "INSERT INTO {schema}.subscription_discounts
            (subscription_seq, position, coupon_id, starts_at, ends_at)
        VALUES ($1, $2, $3, $4::text::timestamptz, $5::text::timestamptz)";
    WRITE_REDEMPTIONS = "UPDATE {schema}.coupons SET redemptions = $2 WHERE id = $1";
}

impl Store {
    /// Changes one subscription. Nothing changes if `change` refuses. It has to check everything again but the owner, which
    /// is checked here: the action may have waited for the lock.
    ///
    /// # Errors
    /// A 404 if the customer has no such subscription any more, what `change` refuses with, or a failure of the database.
    pub async fn change(
        &self,
        cx: &RequestContext,
        looked_up: &model::Subscription,
        change: impl FnOnce(&mut Subscription) -> Result<()> + Send,
    ) -> Result<()> {
        let action = self.begin(cx).await?;
        let changed = async {
            let stored = action.lock(looked_up).await?;
            let mut subscription = stored.subscription.clone();
            change(&mut subscription)?;
            action.write(&stored, &subscription).await
        };
        let changed = changed.await;
        action.end(cx, changed).await
    }

    /// Changes all subscriptions of a customer, or none.
    pub(crate) async fn change_all(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        change: impl FnOnce(&mut [Subscription]) -> Result<()> + Send,
    ) -> Result<()> {
        let action = self.begin(cx).await?;
        let changed = async {
            let stored = action.lock_all(customer_id).await?;
            let own = stored.iter().map(|stored| stored.subscription.clone());
            let mut own: Vec<Subscription> = own.collect();
            change(&mut own)?;
            for (stored, subscription) in stored.iter().zip(&own) {
                action.write(stored, subscription).await?;
            }
            Ok(())
        };
        let changed = changed.await;
        action.end(cx, changed).await
    }

    /// Changes one subscription, and counts the redemption if it redeemed the coupon. `change` gets the coupon as it is
    /// under the lock: somebody may have had its last redemption since the framework looked it up.
    pub(crate) async fn redeem(
        &self,
        cx: &RequestContext,
        looked_up: &model::Subscription,
        coupon_id: &CouponId,
        change: impl FnOnce(&mut Subscription, &Coupon) -> Result<Redeemed> + Send,
    ) -> Result<()> {
        let action = self.begin(cx).await?;
        let redeemed = async {
            let stored = action.lock(looked_up).await?;
            let coupon = action.lock_coupon(coupon_id).await?;
            let mut subscription = stored.subscription.clone();
            if change(&mut subscription, &coupon)? == Redeemed::Now {
                action.write_coupon(&redeemed_once_more(coupon)?).await?;
            }
            action.write(&stored, &subscription).await
        };
        let redeemed = redeemed.await;
        action.end(cx, redeemed).await
    }

    async fn begin(&self, cx: &RequestContext) -> Result<Action> {
        Ok(Action(self.begin_transaction(cx).await?))
    }
}

/// The transaction of one action. Dropped before its end, it changes nothing.
struct Action(Transaction);

impl Action {
    async fn lock(&self, looked_up: &model::Subscription) -> Result<Stored> {
        let (customer_id, id) = (looked_up.customer_id().as_str(), looked_up.id().as_str());
        let locked = self
            .locked(&LOCK_SUBSCRIPTION, &[&customer_id, &id])
            .await?;
        let mut locked = locked.into_iter();
        locked
            .next()
            .ok_or_else(|| HandlerError::not_found("Subscription not found"))
    }

    async fn lock_all(&self, customer_id: &CustomerId) -> Result<Vec<Stored>> {
        self.locked(&LOCK_SUBSCRIPTIONS_OF, &[&customer_id.as_str()])
            .await
    }

    /// Locks first and reads then. One statement for both would read items and discounts as they were when it began to
    /// wait for the lock.
    async fn locked(&self, lock: &Statement, parameters: &[Parameter<'_>]) -> Result<Vec<Stored>> {
        let rows = self.0.query(lock, parameters).await?;
        let seqs = rows.iter().map(|row| row.try_get("seq"));
        let seqs: Vec<i64> = seqs.collect::<Result<_, _>>()?;
        let rows = self.0.query(&LOCKED_SUBSCRIPTIONS, &[&seqs]).await?;
        rows.iter().map(stored).collect()
    }

    async fn lock_coupon(&self, id: &CouponId) -> Result<Coupon> {
        let rows = self.0.query(&LOCK_COUPON, &[&id.as_str()]).await?;
        record(rows.first().ok_or("the coupon has gone")?)
    }

    /// Writes what has changed of a subscription.
    async fn write(&self, stored: &Stored, subscription: &Subscription) -> Result<()> {
        let (seq, before) = (&stored.seq, &stored.subscription);
        if subscription == before {
            return Ok(());
        }
        let planned = &subscription.planned;
        let next_price = planned.price.as_ref();
        self.0
            .query(
                &WRITE_SUBSCRIPTION,
                &[
                    seq,
                    &Json(subscription.status),
                    &Json(subscription.duration),
                    &moment(planned.cancel_at),
                    &planned.pause.map(Json),
                    &next_price.map(|next| next.price.as_str()),
                    &moment(next_price.map(|next| next.at)),
                ],
            )
            .await?;
        for ((position, item), before) in (0_i32..).zip(&subscription.items).zip(&before.items) {
            if item.price != before.price {
                let price = item.price.as_str();
                self.0.query(&WRITE_ITEM, &[seq, &position, &price]).await?;
            }
        }
        // The rules add discounts, and never take one away.
        let discounts = (0_i32..).zip(&subscription.discounts);
        for (position, discount) in discounts.skip(before.discounts.len()) {
            let coupon = discount.coupon.as_str();
            let (start, end) = (moment(discount.start), moment(discount.end));
            self.0
                .query(&ADD_DISCOUNT, &[seq, &position, &coupon, &start, &end])
                .await?;
        }
        Ok(())
    }

    async fn write_coupon(&self, coupon: &Coupon) -> Result<()> {
        let Some(redemptions) = coupon.redemptions() else {
            return Ok(());
        };
        let current = redemptions.current().map(i64::try_from).transpose()?;
        let id = coupon.id().as_str();
        self.0.query(&WRITE_REDEMPTIONS, &[&id, &current]).await?;
        Ok(())
    }

    /// Commits what was done, or undoes it.
    async fn end(self, cx: &RequestContext, done: Result<()>) -> Result<()> {
        let completed = match (done, cx.attempt()) {
            (Ok(()), Some(attempt)) => self.complete(attempt).await,
            (done, _) => done,
        };
        match completed {
            Ok(()) => self.0.commit().await,
            Err(error) => {
                self.0.roll_back().await;
                Err(error)
            }
        }
    }

    /// Marks the attempt as done, in the transaction of its change.
    async fn complete(&self, attempt: &Attempt) -> Result<()> {
        let parameters: &[Parameter<'_>] = &[&attempt.number()];
        if self.0.execute(&COMPLETE_ATTEMPT, parameters).await? == 0 {
            // This attempt has outlived its lease, and another one has taken its record over.
            return Err(HandlerError::conflict(
                "Another attempt at the same request has taken over",
            ));
        }
        Ok(())
    }
}
