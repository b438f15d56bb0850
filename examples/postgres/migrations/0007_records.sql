-- What Churnkey is shown, put together of several tables. A record is Churnkey's JSON; keys that are null count as absent.

CREATE VIEW family_records AS
SELECT seq, id, jsonb_build_object('id', id, 'name', name, 'description', description) AS record
FROM families;

CREATE VIEW product_records AS
SELECT seq, id,
    jsonb_build_object(
        'id', id,
        'type', 'family',
        'name', name,
        'description', description,
        'unitLabel', unit_label,
        'familyId', family_id
    ) AS record
FROM products;

CREATE VIEW price_records AS
SELECT p.seq, p.id,
    jsonb_build_object(
        'id', p.id,
        'type', 'product',
        'duration', jsonb_build_object('amount', p.duration_amount, 'unit', p.duration_unit),
        'amount', jsonb_build_object(
            'model', p.model,
            'currency', p.currency,
            'unit', p.unit_amount,
            'flat', p.flat_amount,
            'mode', p.tier_mode,
            'tiers', ARRAY(
                SELECT jsonb_build_object('unit', t.unit_amount, 'flat', t.flat_amount, 'upTo', t.up_to)
                FROM price_tiers t
                WHERE t.price_seq = p.seq
                ORDER BY t.up_to
            )
        ),
        'productId', p.product_id,
        'name', p.name,
        'description', p.description
    ) AS record
FROM prices p;

CREATE VIEW coupon_records AS
SELECT seq, id,
    jsonb_build_object(
        'id', id,
        'code', code,
        'name', name,
        'duration', jsonb_build_object(
            'type', duration_type,
            'amount', duration_amount,
            'unit', duration_unit,
            'cycles', duration_cycles
        ),
        'value', jsonb_build_object(
            'type', value_type,
            'percent', percent_hundredths / 100.0,
            'currency', currency,
            'unit', unit_amount,
            'flat', flat_amount
        ),
        'redemptions', CASE
            WHEN max_redemptions IS NOT NULL OR redemptions IS NOT NULL
            THEN jsonb_build_object('max', max_redemptions, 'current', redemptions)
        END,
        'expiresAt', expires_at
    ) AS record
FROM coupons;

-- Customers are mapped column by column. Of their discounts, each is Churnkey's JSON.
CREATE VIEW customer_records AS
SELECT c.seq, c.id, c.name, c.last_name, c.email, c.email_key, c.phone, c.phone_key, c.currency, c.addresses, c.metadata,
    ARRAY(
        SELECT jsonb_build_object('start', d.starts_at, 'end', d.ends_at, 'coupon', k.record)
        FROM customer_discounts d
        JOIN coupon_records k ON k.id = d.coupon_id
        WHERE d.customer_seq = c.seq
        ORDER BY d.position
    ) AS discounts
FROM customers c;

-- Also what is planned: Churnkey is shown it when its moment has come.
CREATE VIEW subscription_records AS
SELECT s.seq, s.id, s.customer_id,
    jsonb_build_object(
        'id', s.id,
        'customerId', s.customer_id,
        'start', s.started_at,
        'status', jsonb_build_object(
            'name', s.status,
            'currentPeriod', CASE
                WHEN s.period_starts_at IS NOT NULL
                THEN jsonb_build_object('start', s.period_starts_at, 'end', s.period_ends_at)
            END,
            'trial', CASE
                WHEN s.trial_starts_at IS NOT NULL
                THEN jsonb_build_object('start', s.trial_starts_at, 'end', s.trial_ends_at)
            END,
            'pause', CASE
                WHEN s.paused_at IS NOT NULL
                THEN jsonb_build_object('start', s.paused_at, 'end', s.paused_until)
            END,
            'canceledAt', s.canceled_at
        ),
        'duration', jsonb_build_object('amount', s.duration_amount, 'unit', s.duration_unit),
        'items', ARRAY(
            SELECT jsonb_build_object('id', i.id, 'price', p.record, 'quantity', i.quantity)
            FROM subscription_items i
            JOIN price_records p ON p.id = i.price_id
            WHERE i.subscription_seq = s.seq
            ORDER BY i.position
        ),
        'discounts', ARRAY(
            SELECT jsonb_build_object('start', d.starts_at, 'end', d.ends_at, 'coupon', c.record)
            FROM subscription_discounts d
            JOIN coupon_records c ON c.id = d.coupon_id
            WHERE d.subscription_seq = s.seq
            ORDER BY d.position
        ),
        'metadata', s.metadata
    ) AS record,
    jsonb_build_object(
        'cancelAt', s.cancels_at,
        'pause', CASE
            WHEN s.pauses_at IS NOT NULL
            THEN jsonb_build_object('start', s.pauses_at, 'end', s.resumes_at)
        END,
        'priceAt', s.next_price_at,
        'price', next.record
    ) AS planned
FROM subscriptions s
LEFT JOIN price_records next ON next.id = s.next_price_id;
