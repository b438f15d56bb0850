-- What customers pay for, and the discounts that hold for it.

CREATE TABLE subscriptions (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE CHECK (octet_length(id) BETWEEN 1 AND 255),
    -- Nobody's customer is deleted while something is billed to them.
    customer_id text COLLATE "C" NOT NULL REFERENCES customers (id),
    started_at timestamptz NOT NULL,
    duration_amount integer NOT NULL CHECK (duration_amount > 0),
    duration_unit text NOT NULL CHECK (duration_unit IN ('month', 'year')),
    -- The state that it is in.
    status text NOT NULL CHECK (status IN ('active', 'trial', 'paused', 'canceled', 'unpaid')),
    period_starts_at timestamptz,
    period_ends_at timestamptz CHECK (period_ends_at >= period_starts_at),
    trial_starts_at timestamptz,
    trial_ends_at timestamptz CHECK (trial_ends_at >= trial_starts_at),
    paused_at timestamptz,
    paused_until timestamptz CHECK (paused_until >= paused_at),
    canceled_at timestamptz,
    -- What is planned. It has taken effect when its moment has come, whether
    -- somebody has written that down yet or not.
    cancels_at timestamptz,
    pauses_at timestamptz,
    resumes_at timestamptz CHECK (resumes_at > pauses_at),
    next_price_id text COLLATE "C" REFERENCES prices (id),
    next_price_at timestamptz,
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (
        jsonb_typeof(metadata) = 'object'
        AND NOT jsonb_path_exists(metadata, '$.* ? (@.type() != "string")')
    ),
    CHECK ((period_starts_at IS NULL) = (period_ends_at IS NULL)),
    CHECK ((trial_starts_at IS NULL) = (trial_ends_at IS NULL)),
    CHECK (status <> 'active' OR period_starts_at IS NOT NULL),
    CHECK (status <> 'trial' OR trial_starts_at IS NOT NULL),
    CHECK ((status = 'paused') = (paused_at IS NOT NULL)),
    CHECK (paused_at IS NOT NULL OR paused_until IS NULL),
    CHECK ((status = 'canceled') = (canceled_at IS NOT NULL)),
    CHECK ((pauses_at IS NULL) = (resumes_at IS NULL)),
    CHECK ((next_price_id IS NULL) = (next_price_at IS NULL)),
    CHECK (
        status <> 'canceled'
        OR (cancels_at IS NULL AND pauses_at IS NULL AND next_price_id IS NULL)
    )
);

-- A customer's subscriptions, in the order in which they are listed and locked.
CREATE UNIQUE INDEX subscriptions_customer_id ON subscriptions (customer_id, seq);
CREATE INDEX subscriptions_next_price_id ON subscriptions (next_price_id)
    WHERE next_price_id IS NOT NULL;

CREATE TABLE subscription_items (
    subscription_seq bigint NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
    position integer NOT NULL CHECK (position >= 0),
    id text COLLATE "C" NOT NULL CHECK (octet_length(id) BETWEEN 1 AND 255),
    price_id text COLLATE "C" NOT NULL REFERENCES prices (id),
    quantity bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (subscription_seq, position),
    UNIQUE (subscription_seq, id)
);

CREATE TABLE subscription_discounts (
    subscription_seq bigint NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
    position integer NOT NULL CHECK (position >= 0),
    coupon_id text COLLATE "C" NOT NULL REFERENCES coupons,
    starts_at timestamptz,
    ends_at timestamptz CHECK (ends_at >= starts_at),
    PRIMARY KEY (subscription_seq, position)
);

-- Without them, deleting a price or a coupon would read every item or discount.
CREATE INDEX subscription_items_price_id ON subscription_items (price_id);
CREATE INDEX subscription_discounts_coupon_id ON subscription_discounts (coupon_id);
