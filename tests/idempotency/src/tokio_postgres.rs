//! PostgreSQL with tokio-postgres.

// ANCHOR: store
use churnkey_integrator::{
    ExtendTrialAction, HandlerError, RequestContext, Result, Timestamp,
    actions::{Durations, ExtendTrialFeatures, ExtendTrialRequest},
    async_trait, controller,
    idempotency::{Attempt, IdempotencyStore, Known, postgres},
};
use deadpool_postgres::Pool;

/// A merchant whose subscriptions are in PostgreSQL.
#[derive(Clone)]
pub struct Shop {
    /// Its connections.
    pub pool: Pool,
}

#[async_trait]
impl IdempotencyStore for Shop {
    async fn begin(&self, _: &RequestContext, attempt: &Attempt) -> Result<Known> {
        let attempt = attempt.parameters();
        let client = self.pool.get().await?;
        // More than one for each that is added, so that the table stays small.
        client
            .execute(postgres::PURGE, &[&attempt.now(), &2_i64])
            .await?;
        let row = client
            .query_one(
                postgres::BEGIN,
                &[
                    &attempt.signature_key(),
                    &attempt.header_key(),
                    &attempt.number(),
                    &attempt.fingerprint(),
                    &attempt.now(),
                    &attempt.runs_until(),
                    &attempt.kept_until(),
                ],
            )
            .await?;
        Ok(row.try_get::<_, &str>("known")?.parse()?)
    }

    async fn complete(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        let client = self.pool.get().await?;
        client
            .execute(postgres::COMPLETE, &[&attempt.number()])
            .await?;
        Ok(())
    }

    async fn forget(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        let client = self.pool.get().await?;
        client
            .execute(postgres::FORGET, &[&attempt.number()])
            .await?;
        Ok(())
    }
}
// ANCHOR_END: store

// ANCHOR: action
#[controller]
impl ExtendTrialAction for Shop {
    fn features(&self) -> ExtendTrialFeatures {
        ExtendTrialFeatures::new(Durations::Both).with_multiple()
    }

    async fn extend_trial(&self, cx: &RequestContext, request: &ExtendTrialRequest) -> Result<()> {
        let id = request.subscription().id().as_str();
        let mut client = self.pool.get().await?;
        // What returns early from here on is rolled back.
        let transaction = client.transaction().await?;

        let select = "SELECT trial_ends_at FROM subscriptions WHERE id = $1 FOR UPDATE";
        let row = transaction.query_one(select, &[&id]).await?;
        let end = Timestamp::from_unix_millis(row.try_get("trial_ends_at")?)?;
        let end = request.duration().end(end)?.unix_millis();
        let update = "UPDATE subscriptions SET trial_ends_at = $2 WHERE id = $1";
        transaction.execute(update, &[&id, &end]).await?;

        if let Some(attempt) = cx.attempt() {
            let number = attempt.number();
            let completed = transaction.execute(postgres::COMPLETE, &[&number]).await?;
            if completed == 0 {
                return Err(HandlerError::conflict("Another attempt has taken over"));
            }
        }
        transaction.commit().await?;
        Ok(())
    }
}
// ANCHOR_END: action

impl std::fmt::Debug for Shop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shop").finish_non_exhaustive()
    }
}
