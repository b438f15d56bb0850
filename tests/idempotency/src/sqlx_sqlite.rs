//! SQLite with sqlx.

// ANCHOR: store
use churnkey_integrator::{
    ExtendTrialAction, HandlerError, RequestContext, Result, Timestamp,
    actions::{Durations, ExtendTrialFeatures, ExtendTrialRequest},
    async_trait, controller,
    idempotency::{Attempt, IdempotencyStore, Known, sqlite},
};
use sqlx::SqlitePool;

/// A merchant whose subscriptions are in SQLite.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Its connections.
    pub pool: SqlitePool,
}

#[async_trait]
impl IdempotencyStore for Shop {
    async fn begin(&self, _: &RequestContext, attempt: &Attempt) -> Result<Known> {
        let attempt = attempt.parameters();
        // More than one for each that is added, so that the table stays small.
        sqlx::query(sqlite::PURGE)
            .bind(attempt.now())
            .bind(4_i64)
            .execute(&self.pool)
            .await?;
        let known: Vec<String> = sqlx::query_scalar(sqlite::BEGIN)
            .bind(attempt.signature_key())
            .bind(attempt.header_key())
            .bind(attempt.number())
            .bind(attempt.fingerprint())
            .bind(attempt.now())
            .bind(attempt.runs_until())
            .bind(attempt.kept_until())
            .fetch_all(&self.pool)
            .await?;
        Ok(known.first().ok_or("no row")?.parse()?)
    }

    async fn complete(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        let complete = sqlx::query(sqlite::COMPLETE).bind(attempt.number());
        complete.execute(&self.pool).await?;
        Ok(())
    }

    async fn forget(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        let forget = sqlx::query(sqlite::FORGET).bind(attempt.number());
        forget.execute(&self.pool).await?;
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
        // What returns early from here on is rolled back.
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;

        let select = "SELECT trial_ends_at FROM subscriptions WHERE id = ?1";
        let end: i64 = sqlx::query_scalar(select)
            .bind(id)
            .fetch_one(&mut *transaction)
            .await?;
        let end = request.duration().end(Timestamp::from_unix_millis(end)?)?;
        sqlx::query("UPDATE subscriptions SET trial_ends_at = ?2 WHERE id = ?1")
            .bind(id)
            .bind(end.unix_millis())
            .execute(&mut *transaction)
            .await?;

        if let Some(attempt) = cx.attempt() {
            let complete = sqlx::query(sqlite::COMPLETE).bind(attempt.number());
            let completed = complete.execute(&mut *transaction).await?;
            if completed.rows_affected() == 0 {
                return Err(HandlerError::conflict("Another attempt has taken over"));
            }
        }
        transaction.commit().await?;
        Ok(())
    }
}
// ANCHOR_END: action
