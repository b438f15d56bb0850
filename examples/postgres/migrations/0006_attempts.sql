-- Which actions run and which were done, so that one that arrives twice is done once. Records are kept for a day; those of
-- before did not know which attempt they belong to, and are dropped.

DROP TABLE first_answers;

CREATE TABLE attempts (
    -- Of the attempt that the record belongs to. An attempt that takes the record over puts its own here.
    number bigint PRIMARY KEY,
    fingerprint text COLLATE "C" NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    runs_until timestamptz NOT NULL,
    kept_until timestamptz NOT NULL,
    done boolean NOT NULL DEFAULT false
);

CREATE INDEX attempts_kept_until ON attempts (kept_until);

-- What a record is known by: what signatures cover, and an Idempotency-Key.
CREATE TABLE attempt_keys (
    key text COLLATE "C" PRIMARY KEY CHECK (key ~ '^[0-9a-f]{64}$'),
    attempt bigint NOT NULL REFERENCES attempts ON UPDATE CASCADE ON DELETE CASCADE
);

CREATE INDEX attempt_keys_attempt ON attempt_keys (attempt);
