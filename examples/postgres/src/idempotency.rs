//! Which actions run and which are done, so that one that arrives twice is done once, whichever process it arrives at.
//!
//! Before an action runs, its attempt is recorded with a lease. The action marks the record as done in its own transaction
//! (`actions.rs`). After a refusal, which changes nothing, the record is deleted. A process that dies before that leaves a
//! lease; when it has expired, the same request may run again. A record has the number of the attempt that it belongs to,
//! so that an attempt that outlived its lease can neither commit nor change its successor's record.

use churnkey_integrator::{
    Mode, RequestContext, Result, async_trait,
    idempotency::{Attempt, IdempotencyStore, Known, postgres},
};

use crate::store::{Parameter, Statement, Store, statements};

statements! {
    BEGIN_ATTEMPT = postgres::BEGIN;
    COMPLETE_ATTEMPT = postgres::COMPLETE;
    FORGET_ATTEMPT = postgres::FORGET;
    FORGET_OLD_ATTEMPTS = postgres::PURGE;
}

/// How many old records are deleted for each attempt. More than one, so that the tables do not grow for ever.
const OLD_ATTEMPTS: i64 = 4;

#[async_trait]
impl IdempotencyStore for Store {
    async fn begin(&self, cx: &RequestContext, attempt: &Attempt) -> Result<Known> {
        let attempt = attempt.parameters();
        let old: &[Parameter<'_>] = &[&attempt.now(), &OLD_ATTEMPTS];
        self.query(cx, &FORGET_OLD_ATTEMPTS, old).await?;
        let parameters: &[Parameter<'_>] = &[
            &attempt.signature_key(),
            &attempt.header_key(),
            &attempt.number(),
            &attempt.fingerprint(),
            &attempt.now(),
            &attempt.runs_until(),
            &attempt.kept_until(),
        ];
        let rows = self.query(cx, &BEGIN_ATTEMPT, parameters).await?;
        let row = rows.first().ok_or("no row")?;
        Ok(row.try_get::<_, &str>("known")?.parse()?)
    }

    async fn complete(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()> {
        self.query(cx, &COMPLETE_ATTEMPT, &[&attempt.number()])
            .await?;
        Ok(())
    }

    async fn forget(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()> {
        self.query(cx, &FORGET_ATTEMPT, &[&attempt.number()])
            .await?;
        Ok(())
    }

    async fn check(&self) -> Result<()> {
        // Deletes nothing, and fails where nothing can be deleted.
        self.query_in(Mode::Live, &FORGET_OLD_ATTEMPTS, &[&0_i64, &0_i64])
            .await?;
        Ok(())
    }
}
