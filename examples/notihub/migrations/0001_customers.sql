-- Secrets and tokens are here as SHA-256 only.
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    public_key TEXT NOT NULL UNIQUE,
    secret_hash BLOB NOT NULL
) STRICT;

CREATE TABLE environments (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts,
    name TEXT NOT NULL,
    client_id TEXT NOT NULL UNIQUE,
    client_secret_hash BLOB NOT NULL,
    UNIQUE (account_id, name)
) STRICT;

CREATE TABLE tokens (
    hash BLOB PRIMARY KEY,
    environment_id INTEGER NOT NULL REFERENCES environments,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_end ON tokens (expires_at);

-- `seq` never changes and is never given out twice: lists are paged by it.
CREATE TABLE customers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id TEXT NOT NULL UNIQUE,
    environment_id INTEGER NOT NULL REFERENCES environments,
    external_id TEXT,
    status TEXT NOT NULL CHECK (status IN ('ENABLED', 'DISABLED')),
    language TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- In lower case, for the search: SQLite's own knows ASCII alone.
    external_id_folded TEXT,
    UNIQUE (environment_id, external_id)
) STRICT;
CREATE INDEX customers_by_age ON customers (environment_id, created_at, seq);
CREATE INDEX customers_in_order ON customers (environment_id, seq);

CREATE TABLE contacts (
    contact_id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_seq INTEGER NOT NULL REFERENCES customers ON DELETE CASCADE,
    environment_id INTEGER NOT NULL REFERENCES environments,
    type TEXT NOT NULL CHECK (type IN ('EMAIL', 'PHONE', 'PUSH')),
    value TEXT NOT NULL,
    is_primary INTEGER NOT NULL,
    is_verified INTEGER NOT NULL,
    -- What look-ups compare, what the search reads: none of a push token.
    lookup_key TEXT,
    folded TEXT,
    digits TEXT
) STRICT;
CREATE INDEX contacts_of_customer ON contacts (customer_seq, contact_id);
CREATE INDEX contacts_by_key ON contacts (environment_id, type, lookup_key);

CREATE TABLE preferences (
    id INTEGER PRIMARY KEY,
    customer_seq INTEGER NOT NULL REFERENCES customers ON DELETE CASCADE,
    template_group_id TEXT NOT NULL,
    mechanisms TEXT NOT NULL,
    UNIQUE (customer_seq, template_group_id)
) STRICT;
