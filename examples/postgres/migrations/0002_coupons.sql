-- Coupons, and the discounts that they give to customers.

CREATE TABLE coupons (
    id text COLLATE "C" PRIMARY KEY CHECK (octet_length(id) BETWEEN 1 AND 255),
    code text UNIQUE,
    name text,
    duration_type text NOT NULL
        CHECK (duration_type IN ('once', 'recurring', 'forever', 'cycle-amount')),
    duration_amount integer CHECK (duration_amount > 0),
    duration_unit text CHECK (duration_unit IN ('month', 'year')),
    duration_cycles integer CHECK (duration_cycles > 0),
    value_type text NOT NULL CHECK (value_type IN ('fixed', 'percentage')),
    percent_hundredths integer CHECK (percent_hundredths BETWEEN 0 AND 10000),
    currency text CHECK (currency ~ '^[a-z]{3}$'),
    -- In minor units: cents, not dollars.
    unit_amount bigint CHECK (unit_amount >= 0),
    flat_amount bigint CHECK (flat_amount >= 0),
    max_redemptions bigint CHECK (max_redemptions >= 0),
    redemptions bigint CHECK (redemptions >= 0),
    expires_at timestamptz,
    CHECK ((duration_type = 'recurring') = (duration_amount IS NOT NULL)),
    CHECK ((duration_type = 'recurring') = (duration_unit IS NOT NULL)),
    CHECK ((duration_type = 'cycle-amount') = (duration_cycles IS NOT NULL)),
    CHECK ((value_type = 'percentage') = (percent_hundredths IS NOT NULL)),
    CHECK ((value_type = 'fixed') = (unit_amount IS NOT NULL OR flat_amount IS NOT NULL)),
    CHECK (value_type = 'percentage' OR currency IS NOT NULL)
);

CREATE TABLE customer_discounts (
    customer_seq bigint NOT NULL REFERENCES customers ON DELETE CASCADE,
    position integer NOT NULL CHECK (position >= 0),
    coupon_id text COLLATE "C" NOT NULL REFERENCES coupons,
    starts_at timestamptz,
    ends_at timestamptz CHECK (ends_at >= starts_at),
    PRIMARY KEY (customer_seq, position)
);

-- Without it, deleting a coupon would read every discount.
CREATE INDEX customer_discounts_coupon_id ON customer_discounts (coupon_id);
