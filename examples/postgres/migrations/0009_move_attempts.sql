-- The records of actions move to the tables of the library's statements, so that what was done before is still known.

INSERT INTO churnkey_idempotency_records (id, attempt, fingerprint, runs_until, kept_until, done)
SELECT number, number, fingerprint, extract(epoch FROM runs_until) * 1000, extract(epoch FROM kept_until) * 1000, done
FROM attempts;

INSERT INTO churnkey_idempotency_keys (key, record)
SELECT key, attempt FROM attempt_keys;

DROP TABLE attempt_keys, attempts;
