//! The statements of an [`IdempotencyStore`](super::IdempotencyStore) over SQLite 3.35 or newer, for any driver.
//!
//! | statement | parameters | result |
//! | --- | --- | --- |
//! | [`CREATE`] | none | none: run it once, as a migration |
//! | [`BEGIN`] | `?1` to `?7`: the [`Parameters`](super::Parameters) in their order | a row or more, each with one column `known` of type `TEXT`: a [`Known`](super::Known) |
//! | [`COMPLETE`] | `?1 INTEGER`: [`Attempt::number`](super::Attempt::number) | the number of rows it changed |
//! | [`FORGET`] | `?1 INTEGER`: [`Attempt::number`](super::Attempt::number) | none |
//! | [`PURGE`] | `?1 INTEGER`: now, in Unix milliseconds; `?2 INTEGER`: how many keys at most | none |
//!
//! [`guide::idempotency`](crate::guide::idempotency) has the store and an action in sqlx.
//!
//! # Concurrency
//! SQLite has one writer at a time, and a statement that writes is alone from its beginning to its end. So [`BEGIN`]
//! needs no transaction around it. Set a busy timeout, or a statement fails as soon as another one writes. Begin the
//! transaction of an action by `BEGIN IMMEDIATE`: one that reads first and writes later fails if another connection has
//! written in between.

/// Creates the table and its indexes. It is several statements in one text: run it as a migration, by `sqlx::raw_sql`, or by
/// `execute_batch`.
///
/// A migration that has run must not change, so this text never does. Should a later version need other tables, it brings
/// another constant.
///
/// A record has a row for each of its keys, so that one statement is enough to begin. Apart from the key, the
/// rows of a record are equal.
pub const CREATE: &str = "CREATE TABLE churnkey_idempotency_keys (
    key TEXT NOT NULL PRIMARY KEY,
    -- The attempt that the record belongs to. One that takes the record over puts its own number here.
    attempt INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    -- Unix milliseconds.
    runs_until INTEGER NOT NULL,
    kept_until INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX churnkey_idempotency_attempt ON churnkey_idempotency_keys (attempt);

CREATE INDEX churnkey_idempotency_kept_until ON churnkey_idempotency_keys (kept_until);
";

/// [`IdempotencyStore::begin`](super::IdempotencyStore::begin). Run it by itself, not in the transaction of the change: a
/// crash would undo it.
///
/// | | type | from [`Parameters`](super::Parameters) |
/// | --- | --- | --- |
/// | `?1` | `TEXT` or null | `signature_key` |
/// | `?2` | `TEXT` or null | `header_key` |
/// | `?3` | `INTEGER` | `number` |
/// | `?4` | `TEXT` | `fingerprint` |
/// | `?5` | `INTEGER` | `now` |
/// | `?6` | `INTEGER` | `runs_until` |
/// | `?7` | `INTEGER` | `kept_until` |
///
/// It returns a row for each key that it has written, each with the same text in its one column `known`. `parse` makes a
/// [`Known`](super::Known) of it. Read all rows (`fetch_all`): SQLite commits after the last one, and a driver that stops
/// before may hide that the commit failed. Running it again for the same attempt returns the same.
pub const BEGIN: &str = "WITH known AS (
    SELECT key, attempt, fingerprint, runs_until, kept_until, done
    FROM churnkey_idempotency_keys
    WHERE key IN (?1, ?2) AND kept_until > ?5
    ORDER BY key = ?1 DESC
    LIMIT 1
), unchanged AS (
    SELECT attempt, fingerprint, runs_until, kept_until, done
    FROM known
    WHERE fingerprint <> ?4 OR done OR runs_until > ?5
), record AS (
    SELECT attempt, fingerprint, runs_until, kept_until, done FROM unchanged
    UNION ALL
    SELECT ?3, ?4, ?6, ?7, 0 WHERE NOT EXISTS (SELECT 1 FROM unchanged)
), keys AS (
    SELECT key FROM known
    UNION
    SELECT key FROM churnkey_idempotency_keys
    WHERE attempt = (SELECT attempt FROM known) AND NOT EXISTS (SELECT 1 FROM unchanged)
    UNION
    SELECT ?1 WHERE ?1 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM known WHERE fingerprint <> ?4)
    UNION
    SELECT ?2 WHERE ?2 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM known)
)
INSERT INTO churnkey_idempotency_keys (key, attempt, fingerprint, runs_until, kept_until, done)
SELECT key, attempt, fingerprint, runs_until, kept_until, done FROM keys, record WHERE true
ON CONFLICT (key) DO UPDATE SET
    attempt = excluded.attempt,
    fingerprint = excluded.fingerprint,
    runs_until = excluded.runs_until,
    kept_until = excluded.kept_until,
    done = excluded.done
RETURNING CASE
    WHEN attempt = ?3 THEN 'new'
    WHEN fingerprint <> ?4 THEN 'another-request'
    WHEN done THEN 'done'
    ELSE 'running'
END AS known";

/// [`IdempotencyStore::complete`](super::IdempotencyStore::complete), and what an action runs in the transaction of its
/// change.
///
/// `?1` is the attempt's number, an `INTEGER`. A row or more are changed if the record belongs to this attempt and was not
/// done. An action that changes no row here has lost its record to another attempt: it must roll back.
pub const COMPLETE: &str =
    "UPDATE churnkey_idempotency_keys SET done = 1 WHERE attempt = ?1 AND NOT done";

/// [`IdempotencyStore::forget`](super::IdempotencyStore::forget).
///
/// `?1` is the attempt's number, an `INTEGER`.
pub const FORGET: &str = "DELETE FROM churnkey_idempotency_keys WHERE attempt = ?1 AND NOT done";

/// Deletes keys that are past their `kept_until`, the oldest first, to keep the table small. [`BEGIN`] ignores such keys.
/// Run it now and then, or for four keys before each [`BEGIN`].
///
/// `?1` is now in Unix milliseconds, an `INTEGER`. `?2` is how many keys are deleted at most, an `INTEGER`.
pub const PURGE: &str = "DELETE FROM churnkey_idempotency_keys WHERE key IN (
    SELECT key FROM churnkey_idempotency_keys WHERE kept_until <= ?1 ORDER BY kept_until LIMIT ?2
)";
