-- What actions were answered first, so that one that arrives twice is done once.

CREATE TABLE first_answers (
    key text COLLATE "C" PRIMARY KEY CHECK (key ~ '^[0-9a-f]{64}$'),
    fingerprint text COLLATE "C" NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    -- It also tells one attempt from the next: a later one runs longer.
    runs_until timestamptz NOT NULL,
    kept_until timestamptz NOT NULL,
    -- None while the first attempt runs, or after it has died.
    status smallint CHECK (status = 200 OR status BETWEEN 400 AND 499),
    message text,
    CHECK ((coalesce(status, 200) <> 200) = (message IS NOT NULL))
);

CREATE INDEX first_answers_kept_until ON first_answers (kept_until);
