//! Which actions run and which were done, so that one that arrives twice is done once, whatever process it arrives at.
//!
//! Before an action runs, its attempt is written down with a lease. The action marks it as done in its own transaction
//! (`store/actions.rs`); after a refusal, which changes nothing, the record is deleted. A process that dies before that
//! leaves a lease, and when that is over the same request may run again. A record carries the number of the
//! attempt that it belongs to, so that one whose lease is over can neither commit nor change its successor's record.

use churnkey_integrator::{
    RequestContext, Result, async_trait,
    idempotency::{Attempt, IdempotencyKey, IdempotencyStore, Known},
};
use tokio_postgres::{Row, types::ToSql};

use super::{Shop, Store, moment};

#[async_trait]
impl IdempotencyStore for Store {
    async fn begin(&self, cx: &RequestContext, attempt: &Attempt) -> Result<Known> {
        self.in_mode(cx.mode()).begin_attempt(attempt).await
    }

    async fn complete(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()> {
        let shop = self.in_mode(cx.mode());
        let complete = &shop.statements.complete_attempt;
        shop.database.query(complete, &[&attempt.number()]).await?;
        Ok(())
    }

    async fn forget(&self, cx: &RequestContext, attempt: &Attempt) -> Result<()> {
        let shop = self.in_mode(cx.mode());
        let forget = &shop.statements.forget_attempt;
        shop.database.query(forget, &[&attempt.number()]).await?;
        Ok(())
    }
}

impl Shop {
    async fn begin_attempt(&self, attempt: &Attempt) -> Result<Known> {
        let keys: Vec<&str> = attempt.keys().map(|key| key.as_str()).collect();
        let forget = &self.statements.forget_old_attempts;
        let now = moment(attempt.now());
        self.database.query(forget, &[&now, &keys]).await?;
        // A copy of the request may begin in the same moment. Looking again finds its record.
        for _ in 0..2 {
            if let Some(known) = self.record(attempt, &keys).await? {
                let known: Vec<Record> =
                    known.iter().map(Record::from_row).collect::<Result<_>>()?;
                let first = keys
                    .iter()
                    .find_map(|key| known.iter().find(|known| known.key == *key));
                return self.judge(attempt, first).await;
            }
        }
        Ok(Known::Running)
    }

    /// Records an attempt under all its keys, unless one is known: then the answer has its record.
    /// None if neither could be done.
    async fn record(&self, attempt: &Attempt, keys: &[&str]) -> Result<Option<Vec<Row>>> {
        let begin = &self.statements.begin_attempt;
        let parameters: &[&(dyn ToSql + Sync)] = &[
            &keys,
            &attempt.number(),
            &attempt.fingerprint().as_str(),
            &moment(attempt.runs_until()),
            &moment(attempt.kept_until()),
            &moment(attempt.now()),
        ];
        self.database.query_unless_taken(begin, parameters).await
    }

    async fn judge(&self, attempt: &Attempt, known: Option<&Record>) -> Result<Known> {
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
            let add = &self.statements.add_attempt_key;
            self.database.query(add, &[&key, &known.attempt]).await?;
        }
        if known.is_done {
            return Ok(Known::Done);
        }
        let take_over = &self.statements.take_attempt_over;
        let parameters: &[&(dyn ToSql + Sync)] = &[
            &known.attempt,
            &number,
            &moment(attempt.runs_until()),
            &moment(attempt.kept_until()),
            &moment(attempt.now()),
        ];
        let taken = self.database.query(take_over, parameters).await?;
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
