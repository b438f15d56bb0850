//! Every statement that a request runs. They are written once, for both schemas, and a request can run no others.
//!
//! Where a record is made of rows of several tables, PostgreSQL puts it together as Churnkey's JSON, in one round trip: keys
//! that are null there count as absent.

use churnkey_integrator::Mode;

/// A statement of one mode. Only this file makes one.
#[derive(Debug, Clone)]
pub struct Statement(String);

impl Statement {
    /// Its text.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.0
    }
}

/// How one of the catalogue's tables is read.
#[derive(Debug, Clone)]
pub(super) struct Reads {
    pub(super) by_id: Statement,
    pub(super) after: Statement,
}

/// The statements of one mode.
#[derive(Debug, Clone)]
pub struct Statements {
    pub(super) customers: Reads,
    pub(super) customers_by_email: Statement,
    pub(super) customers_by_phone: Statement,
    pub(super) families: Reads,
    pub(super) products: Reads,
    pub(super) prices: Reads,
    pub(super) coupons: Reads,
    pub(super) subscription: Statement,
    pub(super) subscriptions_after: Statement,
    pub(super) lock_subscription: Statement,
    pub(super) lock_subscriptions_of: Statement,
    pub(super) locked_subscriptions: Statement,
    pub(super) lock_coupon: Statement,
    pub(super) write_subscription: Statement,
    pub(super) write_item: Statement,
    pub(super) add_discount: Statement,
    pub(super) write_redemptions: Statement,
    pub(super) complete_attempt: Statement,
    pub(super) forget_attempt: Statement,
    pub(super) forget_old_attempts: Statement,
    pub(super) begin_attempt: Statement,
    pub(super) add_attempt_key: Statement,
    pub(super) take_attempt_over: Statement,
}

impl Statements {
    pub(super) fn new(mode: Mode) -> Self {
        let schema = schema(mode);
        let customers = customers(schema);
        let customers_where = |condition| Statement(format!("{customers} WHERE {condition}"));
        let catalogue = |table: &str, json: &str| {
            let select = format!("SELECT t.seq, {json} AS record FROM {schema}.{table} t");
            Reads {
                by_id: Statement(format!("{select} WHERE t.id = $1")),
                after: Statement(format!("{select} WHERE t.seq > $1 ORDER BY t.seq LIMIT $2")),
            }
        };
        let subscriptions = subscriptions(schema);
        let subscriptions_where =
            |condition| Statement(format!("{subscriptions} WHERE {condition}"));

        Self {
            customers: Reads {
                by_id: customers_where("c.id = $1"),
                after: customers_where("c.seq > $1 ORDER BY c.seq LIMIT $2"),
            },
            customers_by_email: customers_where("c.email_key = $1 LIMIT 2"),
            customers_by_phone: customers_where("c.phone_key = $1 LIMIT 2"),
            families: catalogue("families", FAMILY),
            products: catalogue("products", PRODUCT),
            prices: catalogue("prices", &price(schema, "t")),
            coupons: catalogue("coupons", &coupon("t")),
            subscription: subscriptions_where("s.id = $2 AND s.customer_id = $1"),
            subscriptions_after: subscriptions_where(
                "s.customer_id = $1 AND s.seq > $2 ORDER BY s.seq LIMIT $3",
            ),
            // A row that changed hands while this waited for its lock is not found: PostgreSQL compares once more then.
            lock_subscription: Statement(format!(
                "SELECT seq FROM {schema}.subscriptions WHERE id = $2 AND customer_id = $1 FOR UPDATE"
            )),
            // In the order of their numbers, or two actions on one customer could wait for each other.
            lock_subscriptions_of: Statement(format!(
                "SELECT seq FROM {schema}.subscriptions WHERE customer_id = $1 ORDER BY seq FOR UPDATE"
            )),
            locked_subscriptions: subscriptions_where("s.seq = ANY ($1) ORDER BY s.seq"),
            lock_coupon: Statement(format!(
                "SELECT {} AS record FROM {schema}.coupons t WHERE t.id = $1 FOR UPDATE",
                coupon("t")
            )),
            write_subscription: Statement(format!(
                "UPDATE {schema}.subscriptions SET
                    (status, period_starts_at, period_ends_at, trial_starts_at, trial_ends_at,
                        paused_at, paused_until, canceled_at) = (SELECT {STATUS} FROM (SELECT $2::jsonb) v (status)),
                    duration_amount = ($3::jsonb->>'amount')::integer,
                    duration_unit = $3::jsonb->>'unit',
                    cancels_at = $4::text::timestamptz,
                    pauses_at = ($5::jsonb->>'start')::timestamptz,
                    resumes_at = ($5::jsonb->>'end')::timestamptz,
                    next_price_id = $6,
                    next_price_at = $7::text::timestamptz
                WHERE seq = $1"
            )),
            write_item: Statement(format!(
                "UPDATE {schema}.subscription_items SET price_id = $3
                WHERE subscription_seq = $1 AND position = $2"
            )),
            add_discount: Statement(format!(
                "INSERT INTO {schema}.subscription_discounts
                    (subscription_seq, position, coupon_id, starts_at, ends_at)
                VALUES ($1, $2, $3, $4::text::timestamptz, $5::text::timestamptz)"
            )),
            write_redemptions: Statement(format!(
                "UPDATE {schema}.coupons SET redemptions = $2 WHERE id = $1"
            )),
            complete_attempt: Statement(format!(
                "UPDATE {schema}.attempts SET done = true WHERE number = $1 AND NOT done RETURNING number"
            )),
            forget_attempt: Statement(format!(
                "DELETE FROM {schema}.attempts WHERE number = $1 AND NOT done"
            )),
            // A few at a time, but more than one for each that is added, so that the table does not grow for ever. Nobody
            // waits here for a row that somebody else is busy with. Those of the request itself must go, or their
            // keys would be taken.
            forget_old_attempts: Statement(format!(
                "DELETE FROM {schema}.attempts WHERE number = ANY (
                    ARRAY(
                        SELECT number FROM {schema}.attempts WHERE kept_until <= $1::text::timestamptz
                        ORDER BY kept_until LIMIT 4 FOR UPDATE SKIP LOCKED
                    ) || ARRAY(
                        SELECT a.number FROM {schema}.attempt_keys k JOIN {schema}.attempts a ON a.number = k.attempt
                        WHERE k.key = ANY ($2::text[]) AND a.kept_until <= $1::text::timestamptz
                    )
                )"
            )),
            // All keys are recorded or none: a key that somebody else has taken since this statement began is an error.
            begin_attempt: Statement(format!(
                "WITH known AS (
                    SELECT k.key, a.number, a.fingerprint, a.done
                    FROM {schema}.attempt_keys k JOIN {schema}.attempts a ON a.number = k.attempt
                    WHERE k.key = ANY ($1::text[]) AND a.kept_until > $6::text::timestamptz
                ), begun AS (
                    INSERT INTO {schema}.attempts (number, fingerprint, runs_until, kept_until)
                    SELECT $2::bigint, $3::text, $4::text::timestamptz, $5::text::timestamptz
                    WHERE NOT EXISTS (SELECT FROM known)
                    RETURNING number
                ), keys AS (
                    INSERT INTO {schema}.attempt_keys (key, attempt)
                    SELECT key, number FROM begun, unnest($1::text[]) key
                )
                SELECT key, number, fingerprint, done FROM known"
            )),
            add_attempt_key: Statement(format!(
                "INSERT INTO {schema}.attempt_keys (key, attempt)
                SELECT $1::text, number FROM {schema}.attempts WHERE number = $2
                ON CONFLICT DO NOTHING"
            )),
            take_attempt_over: Statement(format!(
                "UPDATE {schema}.attempts
                SET (number, runs_until, kept_until)
                    = ($2::bigint, $3::text::timestamptz, $4::text::timestamptz)
                WHERE number = $1 AND NOT done AND runs_until <= $5::text::timestamptz
                RETURNING number"
            )),
        }
    }

    /// All of them, each with its name, for a test that looks at their plans.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, &Statement)> {
        // Without `..`, so that a new statement doesn't compile before it is named here.
        let Self {
            customers,
            customers_by_email,
            customers_by_phone,
            families,
            products,
            prices,
            coupons,
            subscription,
            subscriptions_after,
            lock_subscription,
            lock_subscriptions_of,
            locked_subscriptions,
            lock_coupon,
            write_subscription,
            write_item,
            add_discount,
            write_redemptions,
            complete_attempt,
            forget_attempt,
            forget_old_attempts,
            begin_attempt,
            add_attempt_key,
            take_attempt_over,
        } = self;
        vec![
            ("customer", &customers.by_id),
            ("customers_after", &customers.after),
            ("customers_by_email", customers_by_email),
            ("customers_by_phone", customers_by_phone),
            ("family", &families.by_id),
            ("families_after", &families.after),
            ("product", &products.by_id),
            ("products_after", &products.after),
            ("price", &prices.by_id),
            ("prices_after", &prices.after),
            ("coupon", &coupons.by_id),
            ("coupons_after", &coupons.after),
            ("subscription", subscription),
            ("subscriptions_after", subscriptions_after),
            ("lock_subscription", lock_subscription),
            ("lock_subscriptions_of", lock_subscriptions_of),
            ("locked_subscriptions", locked_subscriptions),
            ("lock_coupon", lock_coupon),
            ("write_subscription", write_subscription),
            ("write_item", write_item),
            ("add_discount", add_discount),
            ("write_redemptions", write_redemptions),
            ("complete_attempt", complete_attempt),
            ("forget_attempt", forget_attempt),
            ("forget_old_attempts", forget_old_attempts),
            ("begin_attempt", begin_attempt),
            ("add_attempt_key", add_attempt_key),
            ("take_attempt_over", take_attempt_over),
        ]
    }
}

/// Where a mode's tables are.
pub(super) const fn schema(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "churnkey_live",
        Mode::Test => "churnkey_test",
    }
}

/// The columns of a status, from Churnkey's JSON in a column `status`.
pub(super) const STATUS: &str = "
    status->>'name',
    (status->'currentPeriod'->>'start')::timestamptz, (status->'currentPeriod'->>'end')::timestamptz,
    (status->'trial'->>'start')::timestamptz, (status->'trial'->>'end')::timestamptz,
    (status->'pause'->>'start')::timestamptz, (status->'pause'->>'end')::timestamptz,
    (status->>'canceledAt')::timestamptz";

const FAMILY: &str = "jsonb_build_object('id', t.id, 'name', t.name, 'description', t.description)";

const PRODUCT: &str = "jsonb_build_object(
    'id', t.id,
    'type', 'family',
    'name', t.name,
    'description', t.description,
    'unitLabel', t.unit_label,
    'familyId', t.family_id
)";

fn duration(table: &str) -> String {
    format!("jsonb_build_object('amount', {table}.duration_amount, 'unit', {table}.duration_unit)")
}

fn between(start: &str, end: &str) -> String {
    format!(
        "CASE WHEN {start} IS NOT NULL THEN jsonb_build_object('start', {start}, 'end', {end}) END"
    )
}

fn price(schema: &str, table: &str) -> String {
    let duration = duration(table);
    format!(
        "jsonb_build_object(
            'id', {table}.id,
            'type', 'product',
            'duration', {duration},
            'amount', jsonb_build_object(
                'model', {table}.model,
                'currency', {table}.currency,
                'unit', {table}.unit_amount,
                'flat', {table}.flat_amount,
                'mode', {table}.tier_mode,
                'tiers', ARRAY(
                    SELECT jsonb_build_object('unit', tier.unit_amount, 'flat', tier.flat_amount, 'upTo', tier.up_to)
                    FROM {schema}.price_tiers tier
                    WHERE tier.price_seq = {table}.seq
                    ORDER BY tier.up_to
                )
            ),
            'productId', {table}.product_id,
            'name', {table}.name,
            'description', {table}.description
        )"
    )
}

fn coupon(table: &str) -> String {
    format!(
        "jsonb_build_object(
            'id', {table}.id,
            'code', {table}.code,
            'name', {table}.name,
            'duration', jsonb_build_object(
                'type', {table}.duration_type,
                'amount', {table}.duration_amount,
                'unit', {table}.duration_unit,
                'cycles', {table}.duration_cycles
            ),
            'value', jsonb_build_object(
                'type', {table}.value_type,
                'percent', {table}.percent_hundredths / 100.0,
                'currency', {table}.currency,
                'unit', {table}.unit_amount,
                'flat', {table}.flat_amount
            ),
            'redemptions', CASE
                WHEN {table}.max_redemptions IS NOT NULL OR {table}.redemptions IS NOT NULL
                THEN jsonb_build_object('max', {table}.max_redemptions, 'current', {table}.redemptions)
            END,
            'expiresAt', {table}.expires_at
        )"
    )
}

/// The discounts that a table holds for one owner.
fn discounts(schema: &str, table: &str, of: &str) -> String {
    let coupon = coupon("k");
    format!(
        "ARRAY(
            SELECT jsonb_build_object('start', d.starts_at, 'end', d.ends_at, 'coupon', {coupon})
            FROM {schema}.{table} d
            JOIN {schema}.coupons k ON k.id = d.coupon_id
            WHERE d.{of}
            ORDER BY d.position
        )"
    )
}

/// Customers `c` with their discounts.
fn customers(schema: &str) -> String {
    let discounts = discounts(schema, "customer_discounts", "customer_seq = c.seq");
    format!(
        "SELECT c.seq, c.id, c.name, c.last_name, c.email, c.phone, c.currency, c.addresses, c.metadata,
            {discounts} AS discounts
        FROM {schema}.customers c"
    )
}

/// Subscriptions `s` with everything that belongs to them, and what is planned for them.
fn subscriptions(schema: &str) -> String {
    let (duration, price, next_price) = (duration("s"), price(schema, "p"), price(schema, "next"));
    let discounts = discounts(schema, "subscription_discounts", "subscription_seq = s.seq");
    let period = between("s.period_starts_at", "s.period_ends_at");
    let trial = between("s.trial_starts_at", "s.trial_ends_at");
    let paused = between("s.paused_at", "s.paused_until");
    let pause = between("s.pauses_at", "s.resumes_at");
    format!(
        "SELECT s.seq,
            jsonb_build_object(
                'id', s.id,
                'customerId', s.customer_id,
                'start', s.started_at,
                'status', jsonb_build_object(
                    'name', s.status,
                    'currentPeriod', {period},
                    'trial', {trial},
                    'pause', {paused},
                    'canceledAt', s.canceled_at
                ),
                'duration', {duration},
                'items', ARRAY(
                    SELECT jsonb_build_object('id', i.id, 'price', {price}, 'quantity', i.quantity)
                    FROM {schema}.subscription_items i
                    JOIN {schema}.prices p ON p.id = i.price_id
                    WHERE i.subscription_seq = s.seq
                    ORDER BY i.position
                ),
                'discounts', {discounts},
                'metadata', s.metadata
            ) AS record,
            jsonb_build_object(
                'cancelAt', s.cancels_at,
                'pause', {pause},
                'priceAt', s.next_price_at,
                'price', CASE WHEN next.id IS NOT NULL THEN {next_price} END
            ) AS planned
        FROM {schema}.subscriptions s
        LEFT JOIN {schema}.prices next ON next.id = s.next_price_id"
    )
}
