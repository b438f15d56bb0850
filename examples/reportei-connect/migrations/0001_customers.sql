-- Moments are seconds since 1970, but for a session's end, which is in milliseconds. Of tokens only the SHA-256 is kept.

CREATE TABLE merchants (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    app_url TEXT,
    redirect_url TEXT,
    requests_per_minute INTEGER NOT NULL CHECK (requests_per_minute > 0),
    requests_per_second INTEGER NOT NULL CHECK (requests_per_second > 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- A hash is looked up by its first bytes and then compared as a whole, in constant time.
CREATE INDEX merchants_by_token ON merchants (substr(token_hash, 1, 8));

CREATE TABLE customers (
    -- Never changed and, by AUTOINCREMENT, never given again.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    merchant_id INTEGER NOT NULL REFERENCES merchants,
    name TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    trial_ends_at INTEGER NOT NULL,
    is_paying INTEGER NOT NULL CHECK (is_paying IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX customers_by_merchant ON customers (merchant_id, seq);
CREATE INDEX customers_by_token ON customers (merchant_id, substr(token_hash, 1, 8));

-- What can be connected.
CREATE TABLE networks (
    slug TEXT PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;

CREATE TABLE integrations (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    customer_seq INTEGER NOT NULL REFERENCES customers ON DELETE CASCADE,
    network TEXT NOT NULL REFERENCES networks,
    source_name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'expired', 'revoked')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX integrations_by_customer ON integrations (customer_seq, seq);

CREATE TABLE sessions (
    uuid TEXT PRIMARY KEY,
    customer_seq INTEGER NOT NULL REFERENCES customers ON DELETE CASCADE,
    redirect_url TEXT,
    options TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_by_customer ON sessions (customer_seq);

-- What was measured. A metric is known by an id of its own or by its reference key.
CREATE TABLE metric_values (
    integration_seq INTEGER NOT NULL REFERENCES integrations ON DELETE CASCADE,
    metric TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (integration_seq, metric)
) STRICT;
