//! What an action changes: one transaction, from the lock to the mark that it was done.

use chrono::NaiveDateTime;
use churnkey_integrator::{
    CouponId, CustomerId, HandlerError, RequestContext, Result, SubscriptionId, Timestamp,
    async_trait,
    idempotency::{Attempt, IdempotencyStore, Known, postgres},
    model::SubscriptionStatus,
};
use example_billing::{Redemption, Subscription};
use sqlx::{Postgres, postgres::PgArguments, query, query::Query, query_as, query_scalar};
use uuid::Uuid;

use super::{Shop, Store, Transaction, statements as sql};
use crate::record::{self, utc, uuid};

/// A transaction that holds the lock of a customer. What is dropped before it is completed changes nothing.
#[expect(missing_debug_implementations, reason = "there is nothing to see")]
pub struct Action {
    transaction: Transaction,
    customer: Option<Uuid>,
    now: NaiveDateTime,
}

#[expect(
    clippy::missing_errors_doc,
    reason = "it is whatever kept the database from doing it"
)]
impl Shop {
    /// Begins to change what belongs to a customer.
    pub async fn lock(&self, customer: &CustomerId, now: Timestamp) -> Result<Action> {
        let transaction = self.begin().await?;
        let mut action = Action {
            transaction,
            customer: uuid(customer.as_str()),
            now: utc(now),
        };
        let lock = query(sql::LOCK_CUSTOMER).bind(action.customer);
        action.run(lock).await?;
        Ok(action)
    }
}

#[expect(
    clippy::missing_errors_doc,
    reason = "it is whatever kept the database from doing it"
)]
impl Action {
    /// The customer's subscription, as it is under the lock.
    pub async fn subscription(
        &mut self,
        id: &SubscriptionId,
    ) -> Result<Option<record::Subscription>> {
        let found = query_as(sql::SUBSCRIPTION).bind(self.customer);
        let found = found.bind(uuid(id.as_str()));
        Ok(found.fetch_optional(&mut *self.transaction).await?)
    }

    /// A coupon, which nobody else redeems meanwhile.
    pub async fn lock_coupon(&mut self, id: &CouponId) -> Result<Option<record::Coupon>> {
        let found = query_as(sql::LOCK_COUPON).bind(uuid(id.as_str()));
        Ok(found.fetch_optional(&mut *self.transaction).await?)
    }

    /// Writes what has changed of a subscription.
    pub async fn write(&mut self, before: &Subscription, after: &Subscription) -> Result<()> {
        if before == after {
            return Ok(());
        }
        // Periods are counted from the anchor. It moves only where a new count begins.
        let moved = (before.status != after.status).then_some(after.status);
        let (anchor, trial_ends_at, canceled_at) = match moved {
            Some(SubscriptionStatus::Active { current_period, .. }) => {
                (Some(current_period.start()), None, None)
            }
            Some(SubscriptionStatus::Trial { trial, .. }) => {
                (Some(trial.end()), Some(trial.end()), None)
            }
            Some(SubscriptionStatus::Canceled { canceled_at, .. }) => {
                (None, None, Some(canceled_at))
            }
            _ => (None, None, None),
        };
        let status = match after.status.name() {
            "trial" => "trialing",
            "unpaid" => "past_due",
            same => same,
        };
        let planned = &after.planned;
        let next_price = planned.price.as_ref();
        let change = query(sql::CHANGE_SUBSCRIPTION)
            .bind(uuid(after.id.as_str()))
            .bind(status)
            .bind(anchor.map(utc))
            .bind(trial_ends_at.map(utc))
            .bind(planned.pause.map(|pause| utc(pause.start())))
            .bind(planned.pause.and_then(|pause| pause.end()).map(utc))
            .bind(next_price.and_then(|next| uuid(next.price.as_str())))
            .bind(next_price.map(|next| utc(next.at)))
            .bind(planned.cancel_at.map(utc))
            .bind(canceled_at.map(utc))
            .bind(self.now);
        self.run(change).await?;
        for (item, before) in after.items.iter().zip(&before.items) {
            if item.price != before.price {
                let change = query(sql::CHANGE_PRICE).bind(uuid(item.id.as_str()));
                self.run(change.bind(uuid(item.price.as_str()))).await?;
            }
        }
        Ok(())
    }

    /// Gives the customer a coupon in the place of the one before, and counts that it was redeemed.
    pub async fn give_coupon(&mut self, redemption: &Redemption) -> Result<()> {
        let coupon = uuid(redemption.coupon.as_str());
        let give = query(sql::GIVE_COUPON).bind(self.customer).bind(coupon);
        let give = give.bind(redemption.start.map(utc));
        self.run(give.bind(redemption.end.map(utc)).bind(self.now))
            .await?;
        self.run(query(sql::COUNT_REDEMPTION).bind(coupon)).await?;
        Ok(())
    }

    /// Marks the attempt as done, and commits that with the change itself.
    pub async fn complete(mut self, attempt: Option<&Attempt>) -> Result<()> {
        if let Some(attempt) = attempt {
            let complete = query(postgres::COMPLETE).bind(attempt.number());
            if self.run(complete).await? == 0 {
                // This attempt has outlived its lease.
                return Err(HandlerError::conflict(
                    "Another attempt at the same request has taken over",
                ));
            }
        }
        self.transaction.commit().await?;
        Ok(())
    }

    /// Runs a statement. How many rows it changed.
    async fn run(&mut self, statement: Query<'_, Postgres, PgArguments>) -> Result<u64> {
        let done = statement.execute(&mut *self.transaction).await?;
        Ok(done.rows_affected())
    }
}

#[async_trait]
impl IdempotencyStore for Store {
    async fn begin(&self, _: &RequestContext, attempt: &Attempt) -> Result<Known> {
        let attempt = attempt.parameters();
        // More than one for each that is added, so that the tables stay small.
        let purge = query(postgres::PURGE).bind(attempt.now()).bind(2_i64);
        purge.execute(&self.pool).await?;
        let begin = query_scalar(postgres::BEGIN)
            .bind(attempt.signature_key())
            .bind(attempt.header_key())
            .bind(attempt.number())
            .bind(attempt.fingerprint())
            .bind(attempt.now())
            .bind(attempt.runs_until())
            .bind(attempt.kept_until());
        let known: String = begin.fetch_one(&self.pool).await?;
        Ok(known.parse()?)
    }

    async fn complete(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        let complete = query(postgres::COMPLETE).bind(attempt.number());
        complete.execute(&self.pool).await?;
        Ok(())
    }

    async fn forget(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        let forget = query(postgres::FORGET).bind(attempt.number());
        forget.execute(&self.pool).await?;
        Ok(())
    }

    async fn check(&self) -> Result<()> {
        // Deletes nothing, and fails where nothing can be deleted.
        let purge = query(postgres::PURGE).bind(0_i64).bind(0_i64);
        purge.execute(&self.pool).await?;
        Ok(())
    }
}
