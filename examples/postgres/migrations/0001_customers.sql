-- Customers, and how they are found.

CREATE TABLE customers (
    -- The order of every crawl. PostgreSQL refuses to change it.
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- What is only looked up compares as bytes: an update of the operating
    -- system may change any other order, and breaks the indexes that follow it.
    id text COLLATE "C" NOT NULL UNIQUE CHECK (octet_length(id) BETWEEN 1 AND 255),
    name text,
    last_name text,
    email text CHECK (octet_length(email) BETWEEN 1 AND 320),
    -- Email::lookup_key and Phone::lookup_key: lower() would depend on the
    -- database's locale. Nothing here keeps two customers from sharing one.
    email_key text COLLATE "C",
    phone text CHECK (octet_length(phone) BETWEEN 1 AND 64),
    phone_key text COLLATE "C",
    currency text CHECK (currency ~ '^[a-z]{3}$'),
    -- As Churnkey reads them; nobody looks anything up in here.
    addresses jsonb CHECK (jsonb_typeof(addresses) = 'array'),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (
        jsonb_typeof(metadata) = 'object'
        AND NOT jsonb_path_exists(metadata, '$.* ? (@.type() != "string")')
    ),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((email IS NULL) = (email_key IS NULL)),
    CHECK (phone IS NOT NULL OR phone_key IS NULL)
);

CREATE INDEX customers_email_key ON customers (email_key);
CREATE INDEX customers_phone_key ON customers (phone_key);
