-- The demo data, in one transaction that has set:
--   demo.tenants    how many tenants there are
--   demo.customers  how many generated customers each of them has, in live mode
--   demo.now        the moment that the data describe, in UTC
-- Everything is made of the names and numbers of the records, so that it is the same each time.

-- Compiling the statements takes longer than running them.
SET LOCAL jit = off;

-- The id of what has this name, in the form of a random UUID.
CREATE FUNCTION pg_temp.id(name text) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN overlay(overlay(md5('saas demo/' || name) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid;

-- Each tenant in each mode.
CREATE TEMPORARY TABLE scopes ON COMMIT DROP AS
SELECT pg_temp.id(slug) AS tenant_id, slug, livemode, slug || CASE WHEN livemode THEN '/live/' ELSE '/test/' END AS scope,
    current_setting('demo.now')::timestamp AS now
FROM generate_series(1, current_setting('demo.tenants')::integer) n,
    LATERAL (SELECT 'tenant-' || lpad(n::text, 2, '0') AS slug) s,
    (VALUES (true), (false)) m (livemode);

INSERT INTO tenants (id, slug, name, created_at)
SELECT tenant_id, slug, 'Tenant ' || substr(slug, 8), now - interval '2 years' FROM scopes WHERE livemode;

INSERT INTO churnkey_tokens (tenant_id, token) SELECT tenant_id, 'ck-demo-token-of-' || slug FROM scopes WHERE livemode;

INSERT INTO coupons (id, tenant_id, livemode, code, name, percent_off, amount_off, currency, duration, duration_months,
    max_redemptions, times_redeemed, redeem_by)
SELECT pg_temp.id(scope || 'coupon/' || code), tenant_id, livemode, code, name, percent_off, amount_off, currency, duration,
    months, max, used, now + redeemable
FROM scopes, (VALUES
    ('STAY20', '20 % off for three months', 20, NULL, '', 'repeating', 3, NULL, 7, NULL),
    ('FIVER', '', NULL, 5.00, 'USD', 'once', NULL, 1000, 12, interval '1 year'),
    ('WELCOME', 'A tenth off, for good', 10, NULL, '', 'forever', NULL, NULL, 1, NULL),
    ('SUMMER', 'Half price in summer', 50, NULL, '', 'once', NULL, NULL, 40, interval '-90 days'),
    ('FIRST100', 'For the first hundred', 25, NULL, '', 'forever', NULL, 100, 100, NULL)
) c (code, name, percent_off, amount_off, currency, duration, months, max, used, redeemable);

INSERT INTO products (id, tenant_id, livemode, name, description, unit_name)
SELECT pg_temp.id(scope || 'product/' || name), tenant_id, livemode, name, description, unit_name
FROM scopes, (VALUES
    ('Basic', 'For one person', ''),
    ('Team', 'For several', 'seat'),
    ('Traffic', 'Billed by use', 'gigabyte')
) p (name, description, unit_name);

INSERT INTO plans (id, tenant_id, livemode, product_id, name, billing_interval, interval_count, metered, archived_at)
SELECT pg_temp.id(scope || 'plan/' || name), tenant_id, livemode, pg_temp.id(scope || 'product/' || product), name,
    every, 1, metered, now + archived
FROM scopes, (VALUES
    ('Basic monthly', 'Basic', 'month', false, NULL),
    ('Basic yearly', 'Basic', 'year', false, NULL),
    ('Basic weekly', 'Basic', 'week', false, NULL),
    ('Basic of 2020', 'Basic', 'month', false, interval '-1 year'),
    ('Team monthly', 'Team', 'month', false, NULL),
    ('Team yearly', 'Team', 'year', false, NULL),
    ('Traffic', 'Traffic', 'month', true, NULL)
) p (name, product, every, metered, archived);

-- In dollars, euros and yen, which have no cents.
INSERT INTO plan_prices (id, tenant_id, livemode, plan_id, currency, amount)
SELECT pg_temp.id(scope || 'price/' || plan || '/' || currency), tenant_id, livemode, pg_temp.id(scope || 'plan/' || plan), currency, amount
FROM scopes, (VALUES
    ('Basic monthly', 9.00, 8.50, 1300), ('Basic yearly', 90, 85, 13000), ('Basic weekly', 2.50, 2.40, 350),
    -- Somebody has entered the yen of this one as if they had cents.
    ('Basic of 2020', 7.99, 7.49, 11.50),
    ('Team monthly', 29.00, 27.00, 4300), ('Team yearly', 290, 270, 43000), ('Traffic', 0.12, 0.11, 17)
) p (plan, usd, eur, jpy), LATERAL (VALUES ('USD', usd), ('eur', eur), ('JPY', jpy)) a (currency, amount);

-- Customers with a name: some to try out, and some that the tests change. Tess is the only one in test mode.
INSERT INTO customers (id, tenant_id, livemode, customer_number, first_name, last_name, company, email, phone, address,
    postal_code, city, country, currency, coupon_id, coupon_starts_at, created_at, deleted_at)
SELECT pg_temp.id(scope || 'customer/' || number), tenant_id, livemode, number, first_name, last_name, company, email, phone,
    address, postal_code, city, country, currency,
    CASE WHEN coupon <> '' THEN pg_temp.id(scope || 'coupon/' || coupon) END,
    CASE WHEN coupon <> '' THEN now - interval '3 months' END,
    now - interval '1 year', CASE WHEN deleted THEN now - interval '1 day' END
FROM scopes JOIN (VALUES
    (true, 'C-ada', 'Ada', 'Lovelace', '', 'ada@example.com', '+44 1632 960001', '12 St James''s Square', 'SW1Y 4JH', 'London', 'GB', 'usd', '', false),
    (true, 'C-zoe', 'Zoe', '', 'Zoe & Co.', ' Zoe+Billing@Example.com', '', '', '', '', '', 'EUR', 'WELCOME', false),
    (true, 'C-linus', 'Linus', '', '', '', '00358 40 123 4567', '', '', 'Helsinki', 'fi', 'JPY', '', false),
    (true, 'C-grace', 'Grace', 'Hopper', '', 'grace@example.com', ' ', '', '', '', '', '', '', false),
    (true, 'C-kay', '', '', '', 'kay@example.com', '', '', '', '', '', 'USD', '', false),
    (true, 'C-ida', 'Ida', '', '', 'ida@example.com', '', '', '', '', '', 'USD', '', false),
    (true, 'C-max', 'Max', '', '', 'max@example.com', '', '', '', '', '', 'USD', '', false),
    (true, 'C-twin-a', 'Ann', 'Twin', '', 'shared@example.com', '+1 555 010 0001', '', '', '', '', '', '', false),
    (true, 'C-twin-b', 'Ben', 'Twin', '', 'Shared@example.com', '+15550100001', '', '', '', '', '', '', false),
    (true, 'C-gone', 'Gone', '', '', 'gone@example.com', '+1 555 010 0002', '', '', '', '', '', '', true),
    (false, 'C-tess', 'Tess', '', '', 'tess@example.com', '', '', '', '', '', 'USD', '', false)
) c (live, number, first_name, last_name, company, email, phone, address, postal_code, city, country, currency, coupon, deleted)
ON live = livemode;

INSERT INTO subscriptions (id, tenant_id, livemode, customer_id, status, started_at, billing_anchor, trial_ends_at,
    pause_starts_at, resumes_at, cancel_at, canceled_at, deleted_at)
SELECT pg_temp.id(scope || 'subscription/' || number || '/' || name), tenant_id, livemode, pg_temp.id(scope || 'customer/' || number), status,
    now - age, now - age + coalesce(trial, interval '0'), now - age + trial,
    now + pause, now + pause + interval '2 months', NULL, now + canceled,
    CASE WHEN name = 'deleted' THEN now END
FROM scopes JOIN (VALUES
    (true, 'C-ada', 'monthly', 'active', interval '100 days', NULL, NULL, NULL),
    (true, 'C-ada', 'yearly', 'active', interval '200 days', NULL, NULL, NULL),
    (true, 'C-ada', 'incomplete', 'incomplete', interval '1 hour', NULL, NULL, NULL),
    (true, 'C-ada', 'weekly', 'active', interval '30 days', NULL, NULL, NULL),
    (true, 'C-ada', 'deleted', 'active', interval '300 days', NULL, NULL, NULL),
    (true, 'C-zoe', 'traffic', 'active', interval '45 days', interval '14 days', NULL, NULL),
    (true, 'C-zoe', 'old', 'canceled', interval '400 days', NULL, NULL, interval '-100 days'),
    (true, 'C-linus', 'seats', 'past_due', interval '70 days', NULL, NULL, NULL),
    (true, 'C-grace', 'trial', 'trialing', interval '4 days', interval '14 days', NULL, NULL),
    (true, 'C-kay', 'paused', 'active', interval '80 days', NULL, interval '-10 days', NULL),
    (true, 'C-kay', 'archived', 'active', interval '500 days', NULL, NULL, NULL),
    (true, 'C-ida', 'one', 'active', interval '20 days', NULL, NULL, NULL),
    (true, 'C-ida', 'two', 'active', interval '50 days', NULL, NULL, NULL),
    (true, 'C-max', 'one', 'active', interval '20 days', NULL, NULL, NULL),
    (true, 'C-max', 'two', 'trialing', interval '2 days', interval '14 days', NULL, NULL),
    (false, 'C-tess', 'monthly', 'active', interval '10 days', NULL, NULL, NULL)
) s (live, number, name, status, age, trial, pause, canceled) ON live = livemode;

INSERT INTO subscription_items (id, tenant_id, livemode, subscription_id, price_id, quantity, deleted_at)
SELECT pg_temp.id(scope || 'item/' || number || '/' || name || '/' || plan || '/' || currency), tenant_id, livemode,
    pg_temp.id(scope || 'subscription/' || number || '/' || name), pg_temp.id(scope || 'price/' || plan || '/' || currency), quantity,
    CASE WHEN deleted THEN now END
FROM scopes JOIN (VALUES
    (true, 'C-ada', 'monthly', 'Team monthly', 'USD', 3, false),
    (true, 'C-ada', 'monthly', 'Basic monthly', 'USD', 1, true),
    (true, 'C-ada', 'yearly', 'Basic yearly', 'USD', 1, false),
    (true, 'C-ada', 'incomplete', 'Basic monthly', 'USD', 1, false),
    (true, 'C-ada', 'weekly', 'Basic weekly', 'USD', 1, false),
    (true, 'C-ada', 'deleted', 'Basic monthly', 'USD', 1, false),
    (true, 'C-zoe', 'traffic', 'Traffic', 'eur', 1, false),
    (true, 'C-zoe', 'old', 'Basic of 2020', 'eur', 1, false),
    (true, 'C-linus', 'seats', 'Team monthly', 'JPY', 5, false),
    (true, 'C-linus', 'seats', 'Traffic', 'JPY', 1, false),
    (true, 'C-grace', 'trial', 'Basic monthly', 'USD', 1, false),
    (true, 'C-kay', 'paused', 'Team monthly', 'USD', 2, false),
    (true, 'C-kay', 'archived', 'Basic of 2020', 'USD', 1, false),
    (true, 'C-ida', 'one', 'Basic monthly', 'USD', 1, false),
    (true, 'C-ida', 'two', 'Team monthly', 'USD', 4, false),
    (true, 'C-max', 'one', 'Basic monthly', 'USD', 1, false),
    (true, 'C-max', 'two', 'Team monthly', 'USD', 2, false),
    (false, 'C-tess', 'monthly', 'Basic monthly', 'USD', 1, false)
) i (live, number, name, plan, currency, quantity, deleted) ON live = livemode;

-- One in a hundred is dirty: nothing that Churnkey would understand can be made of it. Others have blanks, which stand for
-- nothing, share an e-mail address with the one before, or are deleted.
INSERT INTO customers (id, tenant_id, livemode, customer_number, first_name, last_name, company, email, phone, city, country,
    currency, created_at, deleted_at)
SELECT pg_temp.id(scope || 'customer/' || number), tenant_id, livemode, number,
    CASE WHEN n % 100 BETWEEN 40 AND 44 THEN ' ' ELSE 'Customer' END,
    CASE WHEN n % 100 BETWEEN 42 AND 46 THEN '' ELSE n::text END,
    CASE n % 10 WHEN 0 THEN 'Company ' || n ELSE '' END,
    CASE
        WHEN n % 100 = 37 AND dirt = 0 THEN E'customer\t' || n || '@example.com'
        WHEN n % 100 BETWEEN 40 AND 42 THEN ''
        WHEN n % 50 = 3 THEN 'customer' || n - 1 || '@example.com'
        ELSE 'customer' || n || '@example.com'
    END,
    CASE WHEN n % 100 BETWEEN 44 AND 48 THEN '  ' ELSE '+888 ' || lpad(n::text, 10, '0') END,
    CASE WHEN n % 3 = 0 THEN 'Springfield' ELSE '' END,
    CASE WHEN n % 100 = 37 AND dirt = 1 THEN 'Germany' WHEN n % 3 = 0 THEN 'US' ELSE '' END,
    CASE WHEN n % 100 = 37 AND dirt = 2 THEN 'BTC' ELSE (ARRAY['USD', 'eur', 'JPY', '   '])[1 + n % 4] END,
    -- A typing error in the year that the database does not mind.
    CASE WHEN n % 100 = 37 AND dirt = 3 THEN timestamp '20240-01-01' ELSE now - n * interval '1 minute' END,
    CASE WHEN n > count THEN now END
FROM scopes, LATERAL (SELECT current_setting('demo.customers')::integer) c (count),
    -- One deleted customer for each twenty that are there.
    LATERAL generate_series(1, count + count / 20) n,
    LATERAL (SELECT 'C-' || lpad(n::text, 6, '0') AS number, n / 100 % 4 AS dirt) d
WHERE livemode;

-- The references of the rows below are checked by the plan for so many customers, not for none.
ANALYZE customers;

-- One in three has a subscription, of which one in a hundred is dirty, too.
INSERT INTO subscriptions (id, tenant_id, livemode, customer_id, status, started_at, billing_anchor, trial_ends_at,
    pause_starts_at, resumes_at, cancel_at, canceled_at)
SELECT pg_temp.id(scope || 'subscription/' || number), tenant_id, livemode, pg_temp.id(scope || 'customer/' || number),
    CASE
        WHEN k % 100 = 37 THEN 'migrated?'
        WHEN k % 20 = 0 THEN 'trialing'
        WHEN k % 20 = 1 THEN 'past_due'
        WHEN k % 20 = 2 THEN 'incomplete'
        WHEN k % 20 BETWEEN 3 AND 5 THEN 'canceled'
        ELSE 'active'
    END,
    now - k % 90 * interval '7 days' - interval '1 day', now - k % 90 * interval '7 days' - interval '1 day',
    CASE k % 20 WHEN 0 THEN now + interval '7 days' END,
    CASE k % 20 WHEN 15 THEN now - interval '7 days' END, CASE k % 20 WHEN 15 THEN now + interval '1 month' END,
    CASE k % 20 WHEN 16 THEN now + interval '1 month' END,
    CASE WHEN k % 20 BETWEEN 3 AND 5 THEN now - interval '1 hour' END
FROM scopes, generate_series(1, current_setting('demo.customers')::integer / 3) k,
    LATERAL (SELECT 'C-' || lpad((3 * k)::text, 6, '0') AS number) c
WHERE livemode;

INSERT INTO subscription_items (id, tenant_id, livemode, subscription_id, price_id, quantity)
SELECT pg_temp.id(scope || 'item/' || number), tenant_id, livemode, pg_temp.id(scope || 'subscription/' || number),
    pg_temp.id(scope || 'price/' || plan || '/' || currency), 1 + k % 5
FROM scopes, generate_series(1, current_setting('demo.customers')::integer / 3) k,
    LATERAL (
        SELECT 'C-' || lpad((3 * k)::text, 6, '0') AS number, (ARRAY['USD', 'eur', 'JPY'])[1 + k / 6 % 3] AS currency,
            (ARRAY['Basic monthly', 'Basic yearly', 'Team monthly', 'Team yearly', 'Traffic', 'Basic of 2020'])[1 + k % 6] AS plan
    ) c
WHERE livemode;

-- Who connects next wants plans for these data, not for the empty tables.
ANALYZE;
