-- The schema of the platform, as it was before anybody thought of Churnkey: one set of tables for all tenants. Row-level
-- security shows the application one tenant's rows, of live or of test mode, and none at all unless the transaction has
-- said whose.

CREATE TABLE tenants (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    slug varchar(63) NOT NULL UNIQUE,
    name varchar(255) NOT NULL,
    created_at timestamp NOT NULL DEFAULT timezone('utc', now()),
    deleted_at timestamp
);

CREATE TABLE coupons (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES tenants,
    livemode boolean NOT NULL,
    code varchar(50) NOT NULL,
    name varchar(255) NOT NULL DEFAULT '',
    percent_off numeric(5, 2),
    amount_off numeric(14, 4),
    currency varchar(3) NOT NULL DEFAULT '',
    duration varchar(20) NOT NULL CHECK (duration IN ('once', 'repeating', 'forever')),
    duration_months integer,
    max_redemptions integer,
    times_redeemed integer NOT NULL DEFAULT 0,
    redeem_by timestamp,
    created_at timestamp NOT NULL DEFAULT timezone('utc', now()),
    UNIQUE (tenant_id, livemode, id),
    UNIQUE (tenant_id, livemode, code)
);

CREATE TABLE customers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES tenants,
    livemode boolean NOT NULL,
    customer_number varchar(20) NOT NULL,
    first_name varchar(100) NOT NULL DEFAULT '',
    last_name varchar(100) NOT NULL DEFAULT '',
    company varchar(255) NOT NULL DEFAULT '',
    -- Not unique: a family shares one.
    email varchar(255) NOT NULL DEFAULT '',
    phone varchar(50) NOT NULL DEFAULT '',
    address varchar(255) NOT NULL DEFAULT '',
    postal_code varchar(20) NOT NULL DEFAULT '',
    city varchar(100) NOT NULL DEFAULT '',
    country varchar(60) NOT NULL DEFAULT '',
    currency varchar(3) NOT NULL DEFAULT '',
    -- A coupon holds for everything that the customer pays.
    coupon_id uuid,
    coupon_starts_at timestamp,
    coupon_ends_at timestamp,
    created_at timestamp NOT NULL DEFAULT timezone('utc', now()),
    updated_at timestamp NOT NULL DEFAULT timezone('utc', now()),
    deleted_at timestamp,
    UNIQUE (tenant_id, livemode, id),
    UNIQUE (tenant_id, livemode, customer_number),
    -- References hold the tenant, because PostgreSQL checks them without row-level security.
    FOREIGN KEY (tenant_id, livemode, coupon_id) REFERENCES coupons (tenant_id, livemode, id)
);

CREATE TABLE products (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES tenants,
    livemode boolean NOT NULL,
    name varchar(255) NOT NULL,
    description text NOT NULL DEFAULT '',
    unit_name varchar(50) NOT NULL DEFAULT '',
    created_at timestamp NOT NULL DEFAULT timezone('utc', now()),
    UNIQUE (tenant_id, livemode, id)
);

CREATE TABLE plans (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES tenants,
    livemode boolean NOT NULL,
    product_id uuid NOT NULL,
    name varchar(255) NOT NULL,
    billing_interval varchar(10) NOT NULL CHECK (billing_interval IN ('week', 'month', 'year')),
    interval_count integer NOT NULL DEFAULT 1,
    -- Metered plans are billed by what usage_records counts.
    metered boolean NOT NULL DEFAULT false,
    archived_at timestamp,
    created_at timestamp NOT NULL DEFAULT timezone('utc', now()),
    UNIQUE (tenant_id, livemode, id),
    FOREIGN KEY (tenant_id, livemode, product_id) REFERENCES products (tenant_id, livemode, id)
);

-- What a plan costs, in each currency that it is sold in.
CREATE TABLE plan_prices (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES tenants,
    livemode boolean NOT NULL,
    plan_id uuid NOT NULL,
    currency varchar(3) NOT NULL,
    amount numeric(14, 4) NOT NULL,
    UNIQUE (tenant_id, livemode, id),
    UNIQUE (plan_id, currency),
    FOREIGN KEY (tenant_id, livemode, plan_id) REFERENCES plans (tenant_id, livemode, id)
);

CREATE TABLE subscriptions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES tenants,
    livemode boolean NOT NULL,
    customer_id uuid NOT NULL,
    status varchar(20) NOT NULL DEFAULT 'incomplete',
    started_at timestamp NOT NULL,
    -- Periods are counted from here, and are not stored.
    billing_anchor timestamp NOT NULL,
    trial_ends_at timestamp,
    -- What is planned. A job writes down each night what has taken effect.
    pause_starts_at timestamp,
    resumes_at timestamp,
    next_price_id uuid,
    next_price_at timestamp,
    cancel_at timestamp,
    canceled_at timestamp,
    created_at timestamp NOT NULL DEFAULT timezone('utc', now()),
    updated_at timestamp NOT NULL DEFAULT timezone('utc', now()),
    deleted_at timestamp,
    UNIQUE (tenant_id, livemode, id),
    FOREIGN KEY (tenant_id, livemode, customer_id) REFERENCES customers (tenant_id, livemode, id),
    FOREIGN KEY (tenant_id, livemode, next_price_id) REFERENCES plan_prices (tenant_id, livemode, id)
);

CREATE INDEX subscriptions_customer_id ON subscriptions (customer_id, id);

CREATE TABLE subscription_items (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES tenants,
    livemode boolean NOT NULL,
    subscription_id uuid NOT NULL,
    price_id uuid NOT NULL,
    quantity integer NOT NULL DEFAULT 1,
    created_at timestamp NOT NULL DEFAULT timezone('utc', now()),
    deleted_at timestamp,
    UNIQUE (tenant_id, livemode, id),
    FOREIGN KEY (tenant_id, livemode, subscription_id) REFERENCES subscriptions (tenant_id, livemode, id),
    FOREIGN KEY (tenant_id, livemode, price_id) REFERENCES plan_prices (tenant_id, livemode, id)
);

CREATE INDEX subscription_items_subscription_id ON subscription_items (subscription_id);

CREATE TABLE usage_records (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants,
    livemode boolean NOT NULL,
    subscription_item_id uuid NOT NULL,
    quantity numeric(14, 4) NOT NULL,
    used_at timestamp NOT NULL,
    FOREIGN KEY (tenant_id, livemode, subscription_item_id) REFERENCES subscription_items (tenant_id, livemode, id)
);

-- Whom the application connects as. It owns nothing, because a table's owner is not subject to its policies.
-- Roles belong to the whole server, where somebody else may be creating this one at the same time.
DO $$ BEGIN
    CREATE ROLE saas_app NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

DO $$
DECLARE
    owned text;
BEGIN
    FOREACH owned IN ARRAY ARRAY[
        'coupons', 'customers', 'products', 'plans', 'plan_prices', 'subscriptions', 'subscription_items', 'usage_records'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
        -- A setting that a transaction made is the empty text after it, and null before the first one.
        EXECUTE format(
            'CREATE POLICY of_tenant ON %I USING (
                tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid
                AND livemode = nullif(current_setting(''app.livemode'', true), '''')::boolean
            )', owned);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO saas_app', owned);
    END LOOP;
END $$;

GRANT SELECT ON tenants TO saas_app;
