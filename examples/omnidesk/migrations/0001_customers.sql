-- One account. Its keys are kept as SHA-256 in hexadecimal digits, so that a copy of this file opens nothing.
CREATE TABLE api_keys (
    hash TEXT PRIMARY KEY,
    may_read INTEGER NOT NULL,
    may_change INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE brands (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    search_by_channels INTEGER NOT NULL,
    crm_lookup_url TEXT
) STRICT;

-- AUTOINCREMENT keeps a number from being given again, also after the customer with the highest one is deleted.
-- It is what pages are cut by, too. A purged customer stays as a row with nothing but its first and last columns.
CREATE TABLE customers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    brand_id INTEGER NOT NULL REFERENCES brands,
    external_primary_id TEXT,
    firstname TEXT NOT NULL DEFAULT '',
    lastname TEXT NOT NULL DEFAULT '',
    custom TEXT NOT NULL DEFAULT '{}',
    created_at TEXT,
    purged_at TEXT,
    CHECK (purged_at IS NOT NULL OR created_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX customers_by_external_id ON customers (external_primary_id, brand_id)
    WHERE external_primary_id IS NOT NULL;
-- An index ends with the row's number, so that it serves the pages of one brand, too.
CREATE INDEX customers_by_brand ON customers (brand_id);

-- lookup_key is the address as Churnkey's look-ups compare it.
CREATE TABLE channels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers ON DELETE CASCADE,
    channel_id INTEGER NOT NULL,
    address TEXT NOT NULL,
    lookup_key TEXT,
    UNIQUE (customer_id, channel_id, address)
) STRICT;
CREATE INDEX channels_by_address ON channels (address, channel_id, customer_id);
CREATE INDEX channels_by_lookup_key ON channels (channel_id, lookup_key, customer_id);

CREATE TABLE tickets (
    id INTEGER PRIMARY KEY,
    brand_id INTEGER NOT NULL REFERENCES brands,
    customer_id INTEGER REFERENCES customers ON DELETE SET NULL,
    sender TEXT,
    status TEXT NOT NULL,
    channel_id INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX tickets_by_customer ON tickets (customer_id);
CREATE INDEX tickets_by_sender ON tickets (sender, brand_id);

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers ON DELETE CASCADE,
    message TEXT NOT NULL,
    initiated_by TEXT,
    source_url TEXT,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_customer ON events (customer_id, created_at);
