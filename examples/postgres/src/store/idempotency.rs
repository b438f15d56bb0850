//! The first answers of actions, so that one that arrives twice is done once, whatever process it arrives at.
//!
//! Before an action runs, its key is written down with a lease. The action notes its success in its own transaction
//! (`store/actions.rs`); a refusal, which changes nothing, is noted here. A process that dies before that leaves a lease,
//! and when that is over the same request may run again.

use churnkey_integrator::{
    RequestContext, Result, async_trait,
    idempotency::{Attempt, Fingerprint, FirstAnswer, IdempotencyStore, Known},
};

use super::{Shop, Store, moment};

#[async_trait]
impl IdempotencyStore for Store {
    async fn begin(&self, cx: &RequestContext, attempt: &Attempt) -> Result<Known> {
        self.in_mode(cx.mode()).begin_attempt(attempt).await
    }

    async fn finish(
        &self,
        cx: &RequestContext,
        attempt: &Attempt,
        answer: Option<&FirstAnswer>,
    ) -> Result<()> {
        self.in_mode(cx.mode())
            .finish_attempt(attempt, answer)
            .await
    }
}

impl Shop {
    async fn begin_attempt(&self, attempt: &Attempt) -> Result<Known> {
        let (statements, key) = (&self.statements, attempt.key().as_str());
        let now = moment(attempt.now());
        // First, as a failure here should not leave a lease behind.
        self.database
            .query(&statements.forget_answers, &[&now])
            .await?;
        let begun = self
            .database
            .query(
                &statements.begin_attempt,
                &[
                    &key,
                    &attempt.fingerprint().as_str(),
                    &moment(attempt.runs_until()),
                    &moment(attempt.kept_until()),
                    &now,
                ],
            )
            .await?;
        if !begun.is_empty() {
            return Ok(Known::New);
        }
        let known = self
            .database
            .query(&statements.known_answer, &[&key])
            .await?;
        let Some(known) = known.first() else {
            // It has failed, and was forgotten, between the two statements. Coming again is right.
            return Ok(Known::Running(attempt.fingerprint().clone()));
        };
        let fingerprint = Fingerprint::from_stored(known.try_get::<_, String>("fingerprint")?);
        let status: Option<i16> = known.try_get("status")?;
        Ok(match status {
            None => Known::Running(fingerprint),
            Some(status) => {
                let message = known.try_get("message")?;
                let answer = FirstAnswer::from_stored(status.try_into()?, message);
                Known::Answered(fingerprint, answer)
            }
        })
    }

    async fn finish_attempt(&self, attempt: &Attempt, answer: Option<&FirstAnswer>) -> Result<()> {
        let (statements, key) = (&self.statements, attempt.key().as_str());
        let lease = moment(attempt.runs_until());
        match answer {
            Some(answer) => {
                let status = i16::try_from(answer.status())?;
                self.database
                    .query(
                        &statements.finish_attempt,
                        &[&key, &lease, &status, &answer.message()],
                    )
                    .await?
            }
            None => {
                self.database
                    .query(&statements.give_attempt_up, &[&key, &lease])
                    .await?
            }
        };
        Ok(())
    }
}
