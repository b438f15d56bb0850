-- Everything that the platform had to add for Churnkey. The records of actions have tables of the library, which are made
-- before: churnkey_integrator::idempotency::postgres::CREATE. A record's key is a digest over tenant and mode.

GRANT SELECT, INSERT, UPDATE, DELETE ON churnkey_idempotency_records, churnkey_idempotency_keys TO saas_app;

-- A tenant copies a token from Churnkey's dashboard. While one is replaced by the next, both are accepted. Signatures are
-- checked with the token itself, so it can't be kept as a hash.
CREATE TABLE churnkey_tokens (
    tenant_id uuid NOT NULL REFERENCES tenants,
    token text NOT NULL,
    created_at timestamp NOT NULL DEFAULT timezone('utc', now()),
    revoked_at timestamp,
    PRIMARY KEY (tenant_id, token)
);

GRANT SELECT ON churnkey_tokens TO saas_app;

-- Email::lookup_key and Phone::lookup_key in SQL, but for capitals beyond ASCII in a domain. They are columns, because an
-- index over an expression is not used under row-level security: PostgreSQL must not call lower() with rows of others.
ALTER TABLE customers
    ADD email_key text COLLATE "C" GENERATED ALWAYS AS (
        nullif(lower(btrim(email, E' \t\r\n') COLLATE "C"), '')
    ) STORED,
    ADD phone_key text COLLATE "C" GENERATED ALWAYS AS (
        nullif(nullif(
            CASE
                WHEN ltrim(phone, E' \t\r\n') LIKE '+%' THEN '+' || regexp_replace(phone, '[^0-9]', '', 'g')
                ELSE regexp_replace(regexp_replace(phone, '[^0-9]', '', 'g'), '^00(?=.)', '+')
            END, ''), '+')
    ) STORED;

CREATE INDEX customers_email_key ON customers (tenant_id, livemode, email_key) WHERE deleted_at IS NULL;
CREATE INDEX customers_phone_key ON customers (tenant_id, livemode, phone_key) WHERE deleted_at IS NULL;
