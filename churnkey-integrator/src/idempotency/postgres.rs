//! The statements of an [`IdempotencyStore`](super::IdempotencyStore) over PostgreSQL 12 or newer, for any driver.
//!
//! | statement | parameters | result |
//! | --- | --- | --- |
//! | [`CREATE`] | none | none: run it once, as a migration |
//! | [`BEGIN`] | `$1` to `$7`: the [`Parameters`](super::Parameters) in their order | one row, one column `known` of type `text`: a [`Known`](super::Known) |
//! | [`COMPLETE`] | `$1 bigint`: [`Attempt::number`](super::Attempt::number) | the number of rows it changed |
//! | [`FORGET`] | `$1 bigint`: [`Attempt::number`](super::Attempt::number) | none |
//! | [`PURGE`] | `$1 bigint`: now, in Unix milliseconds; `$2 bigint`: how many records at most | none |
//!
//! [`guide::idempotency`](crate::guide::idempotency) has the store and an action in sqlx, diesel and tokio-postgres.
//!
//! # Another schema
//! The names are not qualified, so they are found by the `search_path` of the connection. To name the schema instead,
//! qualify what begins with `churnkey_idempotency_`, in every statement:
//! ```
//! use churnkey_integrator::idempotency::postgres;
//!
//! let begin = postgres::BEGIN.replace("churnkey_idempotency_", "billing.churnkey_idempotency_");
//! assert!(begin.starts_with("SELECT billing.churnkey_idempotency_begin("));
//! ```
//! One schema is enough for live and test data: a key is a digest that covers the mode.
//!
//! # Why there is a function
//! Two attempts at one request may arrive in the same moment, and each may be known by two keys. In PostgreSQL's
//! default isolation level, `READ COMMITTED`, a statement sees what was committed before it began. So a single statement
//! that looks for a record, and makes one if there is none, does not see the record that another one is just making.
//! The function locks the attempt's keys first, in a fixed order, until its transaction ends. Each statement in it then
//! sees what attempts with the same keys have done. The locks are advisory ones (`pg_advisory_xact_lock`), so that attempts don't wait for an
//! action that has not committed yet.
//!
//! With `default_transaction_isolation` at `repeatable read` or `serializable`, of two attempts in the same moment one may
//! fail with SQLSTATE `23505` or `40001`. Its action does not run.

/// Creates the two tables and the function. It is several statements in one text: run it as a migration, by
/// `sqlx::raw_sql`, or by `batch_execute`.
///
/// A migration that has run must not change, so this text never does. Should a later version need other tables, it brings
/// another constant.
///
/// The role that runs [`BEGIN`] and the others needs `SELECT`, `INSERT`, `UPDATE` and `DELETE` on both tables.
pub const CREATE: &str = r#"CREATE TABLE churnkey_idempotency_records (
    id bigint PRIMARY KEY,
    -- The attempt that the record belongs to. One that takes the record over puts its own number here.
    attempt bigint NOT NULL,
    fingerprint text NOT NULL,
    -- Unix milliseconds.
    runs_until bigint NOT NULL,
    kept_until bigint NOT NULL,
    done boolean NOT NULL DEFAULT false
);

-- Not unique: a unique column counts as a key of the row, and changing it would wait for everybody who refers to the row.
CREATE INDEX ON churnkey_idempotency_records (attempt);

CREATE INDEX ON churnkey_idempotency_records (kept_until);

CREATE TABLE churnkey_idempotency_keys (
    key text COLLATE "C" PRIMARY KEY,
    record bigint NOT NULL REFERENCES churnkey_idempotency_records ON DELETE CASCADE
);

CREATE INDEX ON churnkey_idempotency_keys (record);

CREATE FUNCTION churnkey_idempotency_begin(
    signature_key text,
    header_key text,
    new_attempt bigint,
    new_fingerprint text,
    new_now bigint,
    new_runs_until bigint,
    new_kept_until bigint
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    known churnkey_idempotency_records%ROWTYPE;
BEGIN
    -- A null locks nothing. The signature's key comes first for everybody, so that no two wait for each other.
    PERFORM pg_advisory_xact_lock(hashtextextended(signature_key, 0));
    PERFORM pg_advisory_xact_lock(hashtextextended(header_key, 0));

    DELETE FROM churnkey_idempotency_records r
    USING churnkey_idempotency_keys k
    WHERE k.record = r.id AND k.key IN (signature_key, header_key) AND r.kept_until <= new_now;

    -- The lock keeps the record from being deleted, and lets the action mark it as done.
    SELECT r.* INTO known
    FROM churnkey_idempotency_keys k JOIN churnkey_idempotency_records r ON r.id = k.record
    WHERE k.key IN (signature_key, header_key)
    ORDER BY k.key = signature_key DESC
    LIMIT 1
    FOR KEY SHARE OF r;

    IF NOT FOUND THEN
        INSERT INTO churnkey_idempotency_records (id, attempt, fingerprint, runs_until, kept_until)
        VALUES (new_attempt, new_attempt, new_fingerprint, new_runs_until, new_kept_until);
        INSERT INTO churnkey_idempotency_keys (key, record)
        SELECT key, new_attempt FROM unnest(ARRAY[signature_key, header_key]) key WHERE key IS NOT NULL;
        RETURN 'new';
    END IF;

    IF known.fingerprint <> new_fingerprint THEN
        RETURN 'another-request';
    END IF;

    IF signature_key IS NOT NULL THEN
        INSERT INTO churnkey_idempotency_keys (key, record)
        VALUES (signature_key, known.id)
        ON CONFLICT DO NOTHING;
    END IF;

    UPDATE churnkey_idempotency_records r
    SET attempt = new_attempt, runs_until = new_runs_until, kept_until = new_kept_until
    WHERE r.id = known.id AND NOT r.done AND r.runs_until <= new_now;
    IF FOUND THEN
        RETURN 'new';
    END IF;

    -- Again, because the update may have waited for the action.
    SELECT * INTO known FROM churnkey_idempotency_records r WHERE r.id = known.id;
    RETURN CASE
        -- The statement was sent twice, because the first answer to it was lost.
        WHEN known.attempt = new_attempt THEN 'new'
        WHEN known.done THEN 'done'
        ELSE 'running'
    END;
END
$$;
"#;

/// [`IdempotencyStore::begin`](super::IdempotencyStore::begin). Run it by itself, not in the transaction of the change:
/// other attempts at the same request would wait until that ends, and a crash would undo it.
///
/// | | type | from [`Parameters`](super::Parameters) |
/// | --- | --- | --- |
/// | `$1` | `text` or null | `signature_key` |
/// | `$2` | `text` or null | `header_key` |
/// | `$3` | `bigint` | `number` |
/// | `$4` | `text` | `fingerprint` |
/// | `$5` | `bigint` | `now` |
/// | `$6` | `bigint` | `runs_until` |
/// | `$7` | `bigint` | `kept_until` |
///
/// It returns one row with one column `known` of type `text`, never null. `parse` makes a [`Known`](super::Known) of it.
/// Running it again for the same attempt returns the same.
pub const BEGIN: &str = "SELECT churnkey_idempotency_begin(\
    $1::text, $2::text, $3::bigint, $4::text, $5::bigint, $6::bigint, $7::bigint) AS known";

/// [`IdempotencyStore::complete`](super::IdempotencyStore::complete), and what an action runs in the transaction of its
/// change.
///
/// `$1` is the attempt's number, a `bigint`. One row is changed if the record belongs to this attempt and was not done.
/// An action that changes no row here has lost its record to another attempt: it must roll back.
pub const COMPLETE: &str =
    "UPDATE churnkey_idempotency_records SET done = true WHERE attempt = $1::bigint AND NOT done";

/// [`IdempotencyStore::forget`](super::IdempotencyStore::forget).
///
/// `$1` is the attempt's number, a `bigint`.
pub const FORGET: &str =
    "DELETE FROM churnkey_idempotency_records WHERE attempt = $1::bigint AND NOT done";

/// Deletes records that are past their `kept_until`, the oldest first, to keep the tables small. [`BEGIN`] ignores such
/// records. Run it now and then, or for two records before each [`BEGIN`].
///
/// `$1` is now in Unix milliseconds, a `bigint`. `$2` is how many records are deleted at most, a `bigint`. It skips rows
/// that are locked.
pub const PURGE: &str = "DELETE FROM churnkey_idempotency_records WHERE id = ANY (ARRAY(\
    SELECT id FROM churnkey_idempotency_records WHERE kept_until <= $1::bigint \
    ORDER BY kept_until LIMIT $2::bigint FOR UPDATE SKIP LOCKED))";
