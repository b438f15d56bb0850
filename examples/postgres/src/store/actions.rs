//! Actions: one transaction each, from the lock to the note that the request is answered.
//!
//! Locks are taken in one order: a customer's subscriptions by their numbers, then a coupon, then the attempt's record. So
//! no two actions wait for each other.

use churnkey_integrator::{
    CouponId, CustomerId, HandlerError, RequestContext, Result,
    idempotency::Attempt,
    model::{self, Coupon},
};
use example_billing::{Redeemed, Subscription, redeemed_once_more};
use tokio_postgres::types::{Json, ToSql};

use super::{Shop, Statement, Statements, Stored, catalogue::record, moment, pool::Transaction};

/// A transaction of one action. What is dropped before its end changes nothing.
struct Action<'a> {
    transaction: Transaction,
    statements: &'a Statements,
}

impl Shop {
    /// Changes one subscription under its lock. If the change is refused, nothing is changed. While the action waited for
    /// the lock, what was looked up may have changed: its owner is checked again here, everything else by `change`.
    ///
    /// # Errors
    /// A 404 if the customer has no such subscription any more, what `change` refuses with, or whatever kept the database from doing it.
    pub async fn change(
        &self,
        cx: &RequestContext,
        looked_up: &model::Subscription,
        change: impl FnOnce(&mut Subscription) -> Result<()> + Send,
    ) -> Result<()> {
        let action = self.begin().await?;
        let changed = async {
            let stored = action.lock(looked_up).await?;
            let mut subscription = stored.subscription.clone();
            change(&mut subscription)?;
            action.write(&stored, &subscription).await
        };
        let changed = changed.await;
        action.end(cx, changed).await
    }

    /// Changes all subscriptions of a customer under their locks, or none.
    ///
    /// # Errors
    /// What `change` refuses with, or whatever kept the database from doing it.
    pub async fn change_all(
        &self,
        cx: &RequestContext,
        customer_id: &CustomerId,
        change: impl FnOnce(&mut [Subscription]) -> Result<()> + Send,
    ) -> Result<()> {
        let action = self.begin().await?;
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

    /// Changes one subscription and, if it was redeemed, a coupon, both under their locks.
    ///
    /// # Errors
    /// A 404 if the customer has no such subscription any more, what `change` refuses with, or whatever kept the database from doing it.
    pub async fn redeem(
        &self,
        cx: &RequestContext,
        looked_up: &model::Subscription,
        coupon_id: &CouponId,
        change: impl FnOnce(&mut Subscription, &Coupon) -> Result<Redeemed> + Send,
    ) -> Result<()> {
        let action = self.begin().await?;
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

    async fn begin(&self) -> Result<Action<'_>> {
        Ok(Action {
            transaction: self.database.begin().await?,
            statements: &self.statements,
        })
    }
}

impl Action<'_> {
    async fn lock(&self, looked_up: &model::Subscription) -> Result<Stored> {
        let lock = &self.statements.lock_subscription;
        let (customer_id, id) = (looked_up.customer_id().as_str(), looked_up.id().as_str());
        let locked = self.locked(lock, &[&customer_id, &id]).await?;
        let mut locked = locked.into_iter();
        locked
            .next()
            .ok_or_else(|| HandlerError::not_found("Subscription not found"))
    }

    async fn lock_all(&self, customer_id: &CustomerId) -> Result<Vec<Stored>> {
        let lock = &self.statements.lock_subscriptions_of;
        self.locked(lock, &[&customer_id.as_str()]).await
    }

    /// Locks first and reads then. One statement for both would read items and discounts as they were when it began to
    /// wait for the lock.
    async fn locked(
        &self,
        lock: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Stored>> {
        let rows = self.transaction.query(lock, parameters).await?;
        let seqs = rows.iter().map(|row| row.try_get("seq"));
        let seqs: Vec<i64> = seqs.collect::<Result<_, _>>()?;
        let read = &self.statements.locked_subscriptions;
        let rows = self.transaction.query(read, &[&seqs]).await?;
        rows.iter().map(Stored::from_row).collect()
    }

    async fn lock_coupon(&self, id: &CouponId) -> Result<Coupon> {
        let lock = &self.statements.lock_coupon;
        let rows = self.transaction.query(lock, &[&id.as_str()]).await?;
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
        self.transaction
            .query(
                &self.statements.write_subscription,
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
                let statement = &self.statements.write_item;
                let price = item.price.as_str();
                self.transaction
                    .query(statement, &[seq, &position, &price])
                    .await?;
            }
        }
        // The rules add discounts, and never take one away.
        let discounts = (0_i32..).zip(&subscription.discounts);
        for (position, discount) in discounts.skip(before.discounts.len()) {
            let statement = &self.statements.add_discount;
            let coupon = discount.coupon.as_str();
            let (start, end) = (moment(discount.start), moment(discount.end));
            self.transaction
                .query(statement, &[seq, &position, &coupon, &start, &end])
                .await?;
        }
        Ok(())
    }

    async fn write_coupon(&self, coupon: &Coupon) -> Result<()> {
        let Some(redemptions) = coupon.redemptions() else {
            return Ok(());
        };
        let current = redemptions.current().map(i64::try_from).transpose()?;
        let statement = &self.statements.write_redemptions;
        let id = coupon.id().as_str();
        self.transaction.query(statement, &[&id, &current]).await?;
        Ok(())
    }

    /// Commits what was done, or undoes it.
    async fn end(self, cx: &RequestContext, done: Result<()>) -> Result<()> {
        let completed = match (done, cx.attempt()) {
            (Ok(()), Some(attempt)) => self.complete(attempt).await,
            (done, _) => done,
        };
        match completed {
            Ok(()) => self.transaction.commit().await,
            Err(error) => {
                self.transaction.roll_back().await;
                Err(error)
            }
        }
    }

    /// Marks the attempt as done, in the transaction of its change.
    async fn complete(&self, attempt: &Attempt) -> Result<()> {
        let statement = &self.statements.complete_attempt;
        let number = attempt.number();
        let own = self.transaction.query(statement, &[&number]).await?;
        if own.is_empty() {
            // This attempt has outlived its lease, and another one has taken its record over.
            return Err(HandlerError::conflict(
                "Another attempt at the same request has taken over",
            ));
        }
        Ok(())
    }
}
