//! Which actions run and which are done, so that one that arrives twice is done once, whichever process it arrives at.
//!
//! Before an action runs, its attempt is recorded with a lease. The action marks the record as done in its own transaction
//! (`actions.rs`). After a refusal, which changes nothing, the record is deleted. A process that dies before that leaves a
//! lease; when it has expired, the same request may run again. A record has the number of the attempt that it belongs to,
//! so that an attempt that outlived its lease can neither commit nor change its successor's record.

use churnkey_integrator::{
    RequestContext, Result, async_trait,
    idempotency::{Attempt, IdempotencyKey, IdempotencyStore, Known},
};
use tokio_postgres::Row;

use crate::store::{Parameter, Statement, Store, moment, statements};

statements! {
    COMPLETE_ATTEMPT = "UPDATE {schema}.attempts SET done = true WHERE number = $1 AND NOT done RETURNING number";
    FORGET_ATTEMPT = "DELETE FROM {schema}.attempts WHERE number = $1 AND NOT done";
    // A few at a time, but more than one for each that is added, so that the table does not grow for ever. Rows that are
    // locked are skipped, so that nobody waits here. The request's own old records must go, as their keys are unique.
    FORGET_OLD_ATTEMPTS = "DELETE FROM {schema}.attempts WHERE number = ANY (
            ARRAY(
                SELECT number FROM {schema}.attempts WHERE kept_until <= $1::text::timestamptz
                ORDER BY kept_until LIMIT 4 FOR UPDATE SKIP LOCKED
            ) || ARRAY(
                SELECT a.number FROM {schema}.attempt_keys k JOIN {schema}.attempts a ON a.number = k.attempt
                WHERE k.key = ANY ($2::text[]) AND a.kept_until <= $1::text::timestamptz
            )
        )";
    // All keys are recorded or none: a key that somebody else has taken since this statement began is an error.
    BEGIN_ATTEMPT = "WITH known AS (
            SELECT k.key, a.number, a.fingerprint, a.done
            FROM {schema}.attempt_keys k JOIN {schema}.attempts a ON a.number = k.attempt
            WHERE k.key = ANY ($1::text[]) AND a.kept_until > $6::text::timestamptz
        ), begun AS (
            INSERT INTO {schema}.attempts (number, fingerprint, runs_until, kept_until)
            SELECT $2::bigint, $3::text, $4::text::timestamptz, $5::text::timestamptz
            WHERE NOT EXISTS (SELECT FROM known)
            RETURNING number
        ), keys AS (
            INSERT INTO {schema}.attempt_keys (key, attempt)
            SELECT key, number FROM begun, unnest($1::text[]) key
        )
        SELECT key, number, fingerprint, done FROM known";
    ADD_ATTEMPT_KEY = "INSERT INTO {schema}.attempt_keys (key, attempt)
        SELECT $1::text, number FROM {schema}.attempts WHERE number = $2
        ON CONFLICT DO NOTHING";
    TAKE_ATTEMPT_OVER = "UPDATE {schema}.attempts
        SET (number, runs_until, kept_until)
            = ($2::bigint, $3::text::timestamptz, $4::text::timestamptz)
        WHERE number = $1 AND NOT done AND runs_until <= $5::text::timestamptz
        RETURNING number";
}

#[async_trait]
impl IdempotencyStore for Store {
    async fn begin(&self, cx: &RequestContext, attempt: &Attempt) -> Result<Known> {
        self.begin_attempt(cx, attempt).await
    }

    async fn complete(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()> {
        self.query(cx, COMPLETE_ATTEMPT, &[&attempt.number()])
            .await?;
        Ok(())
    }

    async fn forget(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()> {
        self.query(cx, FORGET_ATTEMPT, &[&attempt.number()]).await?;
        Ok(())
    }
}

impl Store {
    async fn begin_attempt(&self, cx: &RequestContext, attempt: &Attempt) -> Result<Known> {
        let keys: Vec<&str> = attempt.keys().map(|key| key.as_str()).collect();
        let parameters: &[Parameter<'_>] = &[&moment(attempt.now()), &keys];
        self.query(cx, FORGET_OLD_ATTEMPTS, parameters).await?;
        // A copy of the request may begin in the same moment. Looking again finds its record.
        for _ in 0..2 {
            if let Some(known) = self.record(cx, attempt, &keys).await? {
                let known: Vec<Record> =
                    known.iter().map(Record::from_row).collect::<Result<_>>()?;
                let first = keys
                    .iter()
                    .find_map(|key| known.iter().find(|known| known.key == *key));
                return self.judge(cx, attempt, first).await;
            }
        }
        Ok(Known::Running)
    }

    /// Records an attempt under all its keys, unless one is known: then the answer has its record.
    /// None if neither could be done.
    async fn record(
        &self,
        cx: &RequestContext,
        attempt: &Attempt,
        keys: &[&str],
    ) -> Result<Option<Vec<Row>>> {
        let parameters: &[Parameter<'_>] = &[
            &keys,
            &attempt.number(),
            &attempt.fingerprint().as_str(),
            &moment(attempt.runs_until()),
            &moment(attempt.kept_until()),
            &moment(attempt.now()),
        ];
        self.query_unless_taken(cx, BEGIN_ATTEMPT, parameters).await
    }

    async fn judge(
        &self,
        cx: &RequestContext,
        attempt: &Attempt,
        known: Option<&Record>,
    ) -> Result<Known> {
        let Some(known) = known else {
            return Ok(Known::New);
        };
        let number = attempt.number();
        if known.fingerprint != attempt.fingerprint().as_str() {
            return Ok(Known::AnotherRequest);
        }
        if known.attempt == number {
            // The statement ran twice, because the answer to its first run was lost.
            return Ok(Known::New);
        }
        if let Some(key) = attempt.signature_key().map(IdempotencyKey::as_str)
            && key != known.key
        {
            let parameters: &[Parameter<'_>] = &[&key, &known.attempt];
            self.query(cx, ADD_ATTEMPT_KEY, parameters).await?;
        }
        if known.is_done {
            return Ok(Known::Done);
        }
        let parameters: &[Parameter<'_>] = &[
            &known.attempt,
            &number,
            &moment(attempt.runs_until()),
            &moment(attempt.kept_until()),
            &moment(attempt.now()),
        ];
        let taken = self.query(cx, TAKE_ATTEMPT_OVER, parameters).await?;
        Ok(if taken.is_empty() {
            Known::Running
        } else {
            Known::New
        })
    }
}

/// What is known of a request.
struct Record {
    key: String,
    attempt: i64,
    fingerprint: String,
    is_done: bool,
}

impl Record {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            key: row.try_get("key")?,
            attempt: row.try_get("number")?,
            fingerprint: row.try_get("fingerprint")?,
            is_done: row.try_get("done")?,
        })
    }
}
