-- What customers can pay for. Every product belongs to a family here, and every
-- price to a product: that is what this merchant's controllers declare.

CREATE TABLE families (
    -- The order of every list. PostgreSQL refuses to change it.
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE CHECK (octet_length(id) BETWEEN 1 AND 255),
    name text NOT NULL,
    description text
);

CREATE TABLE products (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE CHECK (octet_length(id) BETWEEN 1 AND 255),
    family_id text COLLATE "C" NOT NULL REFERENCES families (id),
    name text NOT NULL,
    description text,
    unit_label text
);

CREATE TABLE prices (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE CHECK (octet_length(id) BETWEEN 1 AND 255),
    product_id text COLLATE "C" NOT NULL REFERENCES products (id),
    name text,
    description text,
    duration_amount integer NOT NULL CHECK (duration_amount > 0),
    duration_unit text NOT NULL CHECK (duration_unit IN ('month', 'year')),
    model text NOT NULL CHECK (model IN ('fixed', 'tiered')),
    currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    -- In minor units: cents, not dollars. A tiered price has them in its tiers.
    unit_amount bigint CHECK (unit_amount >= 0),
    flat_amount bigint CHECK (flat_amount >= 0),
    tier_mode text CHECK (tier_mode IN ('graduated', 'total')),
    CHECK ((model = 'fixed') = (unit_amount IS NOT NULL OR flat_amount IS NOT NULL)),
    CHECK ((model = 'tiered') = (tier_mode IS NOT NULL))
);

-- A price's tiers need no numbers: their order is that of their ends.
CREATE TABLE price_tiers (
    price_seq bigint NOT NULL REFERENCES prices ON DELETE CASCADE,
    -- The last quantity of the tier. The one without an end takes the rest.
    up_to bigint CHECK (up_to > 0),
    unit_amount bigint CHECK (unit_amount >= 0),
    flat_amount bigint CHECK (flat_amount >= 0),
    CHECK (unit_amount IS NOT NULL OR flat_amount IS NOT NULL),
    UNIQUE (price_seq, up_to)
);

CREATE UNIQUE INDEX price_tiers_last ON price_tiers (price_seq) WHERE up_to IS NULL;
CREATE INDEX products_family_id ON products (family_id);
CREATE INDEX prices_product_id ON prices (product_id);

-- Coupons become a list of their own.
ALTER TABLE coupons ADD seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE;
