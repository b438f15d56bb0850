//! PostgreSQL with diesel, through diesel-async.

// ANCHOR: store
use churnkey_integrator::{
    ExtendTrialAction, HandlerError, RequestContext, Result, Timestamp,
    actions::{Durations, ExtendTrialFeatures, ExtendTrialRequest},
    async_trait, controller,
    idempotency::{Attempt, IdempotencyStore, Known, postgres},
};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use diesel_async::{
    AsyncConnection, AsyncPgConnection, RunQueryDsl, pooled_connection::deadpool::Pool,
};

/// A merchant whose subscriptions are in PostgreSQL.
#[derive(Clone)]
pub struct Shop {
    /// Its connections.
    pub pool: Pool<AsyncPgConnection>,
}

#[derive(QueryableByName)]
struct Begun {
    #[diesel(sql_type = Text)]
    known: String,
}

#[async_trait]
impl IdempotencyStore for Shop {
    async fn begin(&self, _: &RequestContext, attempt: &Attempt) -> Result<Known> {
        let attempt = attempt.parameters();
        let mut connection = self.pool.get().await?;
        // More than one for each that is added, so that the table stays small.
        sql_query(postgres::PURGE)
            .bind::<BigInt, _>(attempt.now())
            .bind::<BigInt, _>(2)
            .execute(&mut connection)
            .await?;
        let begun: Begun = sql_query(postgres::BEGIN)
            .bind::<Nullable<Text>, _>(attempt.signature_key())
            .bind::<Nullable<Text>, _>(attempt.header_key())
            .bind::<BigInt, _>(attempt.number())
            .bind::<Text, _>(attempt.fingerprint())
            .bind::<BigInt, _>(attempt.now())
            .bind::<BigInt, _>(attempt.runs_until())
            .bind::<BigInt, _>(attempt.kept_until())
            .get_result(&mut connection)
            .await?;
        Ok(begun.known.parse()?)
    }

    async fn complete(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        let complete = sql_query(postgres::COMPLETE).bind::<BigInt, _>(attempt.number());
        complete.execute(&mut self.pool.get().await?).await?;
        Ok(())
    }

    async fn forget(&self, _: &RequestContext, attempt: &Attempt) -> Result<()> {
        let forget = sql_query(postgres::FORGET).bind::<BigInt, _>(attempt.number());
        forget.execute(&mut self.pool.get().await?).await?;
        Ok(())
    }
}
// ANCHOR_END: store

// ANCHOR: action
mod schema {
    diesel::table! {
        subscriptions (id) {
            id -> Text,
            trial_ends_at -> BigInt,
        }
    }
}
use schema::subscriptions;

#[controller]
impl ExtendTrialAction for Shop {
    fn features(&self) -> ExtendTrialFeatures {
        ExtendTrialFeatures::new(Durations::Both).with_multiple()
    }

    async fn extend_trial(&self, cx: &RequestContext, request: &ExtendTrialRequest) -> Result<()> {
        let own = subscriptions::table.find(request.subscription().id().as_str());
        let mut connection = self.pool.get().await?;
        // An error rolls it back.
        connection
            .transaction(async |connection| {
                let end = own.select(subscriptions::trial_ends_at).for_update();
                let end: i64 = end.get_result(connection).await?;
                let end = request.duration().end(Timestamp::from_unix_millis(end)?)?;
                diesel::update(own)
                    .set(subscriptions::trial_ends_at.eq(end.unix_millis()))
                    .execute(connection)
                    .await?;

                if let Some(attempt) = cx.attempt() {
                    let complete = sql_query(postgres::COMPLETE);
                    let complete = complete.bind::<BigInt, _>(attempt.number());
                    if complete.execute(connection).await? == 0 {
                        return Err(HandlerError::conflict("Another attempt has taken over"));
                    }
                }
                Ok(())
            })
            .await
    }
}
// ANCHOR_END: action

impl std::fmt::Debug for Shop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shop").finish_non_exhaustive()
    }
}
