//! Every statement that a request runs. Row-level security adds whose rows they are about.

/// Says whose rows the transaction sees: `$1` is the tenant, `$2` whether they are live.
/// With the time that is left, in milliseconds, as the limit of each statement, unless the connection's own is shorter.
pub(super) const ONLY_ROWS_OF: &str =
    "SELECT set_config('app.tenant_id', $1, true), set_config('app.livemode', $2, true),
        set_config('statement_timeout', least($3,
            nullif(extract(epoch FROM current_setting('statement_timeout')::interval) * 1000, 0)::bigint)::text, true)";

pub(super) const TOKENS: &str = "SELECT t.id AS tenant_id, t.name AS tenant_name, k.token
    FROM tenants t JOIN churnkey_tokens k ON k.tenant_id = t.id
    WHERE t.slug = $1 AND t.deleted_at IS NULL AND k.revoked_at IS NULL
    ORDER BY k.created_at DESC, k.token";

macro_rules! coupons {
    ($where:literal) => {
        concat!(
            "SELECT k.id, k.code, k.name, (k.percent_off * 100)::bigint AS basis_points,
                k.amount_off::text, k.currency, k.duration, k.duration_months::bigint,
                k.max_redemptions::bigint, k.times_redeemed::bigint, k.redeem_by
            FROM coupons k WHERE ",
            $where
        )
    };
}

/// Of the customer `c`.
macro_rules! discount {
    () => {
        concat!(
            "(SELECT jsonb_build_object('coupon', to_jsonb(coupon), 'starts_at', c.coupon_starts_at, 'ends_at', c.coupon_ends_at)
                FROM (",
            coupons!("k.id = c.coupon_id"),
            ") coupon) AS discount"
        )
    };
}

macro_rules! prices {
    ($where:literal) => {
        concat!(
            "SELECT p.id, l.product_id, l.name AS plan_name, l.billing_interval,
                l.interval_count::bigint, l.metered, p.currency, p.amount::text
            FROM plan_prices p JOIN plans l ON l.id = p.plan_id WHERE ",
            $where
        )
    };
}

macro_rules! products {
    ($where:literal) => {
        concat!(
            "SELECT id, name, description, unit_name FROM products WHERE ",
            $where
        )
    };
}

macro_rules! customers {
    ($where:literal) => {
        concat!(
            "SELECT c.id, c.customer_number, c.first_name, c.last_name, c.company, c.email, c.phone,
                c.address, c.postal_code, c.city, c.country, c.currency, c.created_at,
                ",
            discount!(),
            "
            FROM customers c WHERE c.deleted_at IS NULL AND ",
            $where
        )
    };
}

macro_rules! subscriptions {
    ($where:literal) => {
        concat!(
            "SELECT s.id, s.customer_id, s.status, s.started_at, s.billing_anchor, s.trial_ends_at,
                s.pause_starts_at, s.resumes_at, s.next_price_at, s.cancel_at, s.canceled_at,
                (
                    SELECT coalesce(jsonb_agg(jsonb_build_object(
                        'id', i.id, 'quantity', i.quantity,
                        'price', (SELECT to_jsonb(price) FROM (",
            prices!("p.id = i.price_id"),
            ") price)) ORDER BY i.created_at, i.id), '[]')
                    FROM subscription_items i
                    WHERE i.subscription_id = s.id AND i.deleted_at IS NULL
                ) AS items,
                (SELECT to_jsonb(price) FROM (",
            prices!("p.id = s.next_price_id"),
            ") price) AS next_price,
                ",
            discount!(),
            "
            FROM subscriptions s JOIN customers c ON c.id = s.customer_id
            WHERE s.customer_id = $1 AND s.deleted_at IS NULL AND c.deleted_at IS NULL AND ",
            $where
        )
    };
}

pub(super) const CUSTOMER: &str = customers!("c.id = $1");
pub(super) const CUSTOMERS_AFTER: &str = customers!("c.id > $1 ORDER BY c.id LIMIT $2");
pub(super) const CUSTOMERS_BY_EMAIL: &str = customers!("c.email_key = $1 LIMIT 2");
pub(super) const CUSTOMERS_BY_PHONE: &str = customers!("c.phone_key = $1 LIMIT 2");
pub(super) const COUPON: &str = coupons!("k.id = $1");
pub(super) const COUPONS_AFTER: &str = coupons!("k.id > $1 ORDER BY k.id LIMIT $2");
pub(super) const PRODUCT: &str = products!("id = $1");
pub(super) const PRODUCTS_AFTER: &str = products!("id > $1 ORDER BY id LIMIT $2");
pub(super) const PRICE: &str = prices!("p.id = $1");
/// Archived ones stay readable, but nobody is offered them.
pub(super) const PRICES_AFTER: &str =
    prices!("p.id > $1 AND l.archived_at IS NULL ORDER BY p.id LIMIT $2");
pub(super) const SUBSCRIPTION: &str = subscriptions!("s.id = $2");
pub(super) const SUBSCRIPTIONS_AFTER: &str = subscriptions!("s.id > $2 ORDER BY s.id LIMIT $3");

/// Actions on one customer come one after the other. New subscriptions may refer to the row meanwhile.
pub(super) const LOCK_CUSTOMER: &str =
    "SELECT id FROM customers WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE";
pub(super) const LOCK_COUPON: &str = coupons!("k.id = $1 FOR UPDATE");

pub(super) const CHANGE_SUBSCRIPTION: &str = "UPDATE subscriptions SET
        status = $2,
        billing_anchor = coalesce($3, billing_anchor),
        trial_ends_at = coalesce($4, trial_ends_at),
        pause_starts_at = $5, resumes_at = $6,
        next_price_id = $7, next_price_at = $8,
        cancel_at = $9, canceled_at = coalesce($10, canceled_at),
        updated_at = $11
    WHERE id = $1";
pub(super) const CHANGE_PRICE: &str = "UPDATE subscription_items SET price_id = $2 WHERE id = $1";
pub(super) const GIVE_COUPON: &str = "UPDATE customers SET
        coupon_id = $2, coupon_starts_at = $3, coupon_ends_at = $4, updated_at = $5
    WHERE id = $1";
pub(super) const COUNT_REDEMPTION: &str =
    "UPDATE coupons SET times_redeemed = times_redeemed + 1 WHERE id = $1";
