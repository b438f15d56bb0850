//! Every statement that a request runs. They are written once, for both schemas, and a request can run no others.

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

/// The statements of one mode.
#[derive(Debug, Clone)]
pub struct Statements {
    pub(super) by_id: Statement,
    pub(super) after: Statement,
    pub(super) by_email: Statement,
    pub(super) by_phone: Statement,
}

impl Statements {
    pub(super) fn new(mode: Mode) -> Self {
        let schema = schema(mode);
        // Discounts come with their customers, in one round trip. A coupon's JSON is Churnkey's; keys that are
        // null there count as absent.
        let customers = format!(
            "SELECT c.seq, c.id, c.name, c.last_name, c.email, c.phone, c.currency, c.addresses, c.metadata,
                ARRAY(
                    SELECT jsonb_build_object(
                        'start', d.starts_at,
                        'end', d.ends_at,
                        'coupon', jsonb_build_object(
                            'id', k.id,
                            'code', k.code,
                            'name', k.name,
                            'duration', jsonb_build_object(
                                'type', k.duration_type,
                                'amount', k.duration_amount,
                                'unit', k.duration_unit,
                                'cycles', k.duration_cycles
                            ),
                            'value', jsonb_build_object(
                                'type', k.value_type,
                                'percent', k.percent_hundredths / 100.0,
                                'currency', k.currency,
                                'unit', k.unit_amount,
                                'flat', k.flat_amount
                            ),
                            'redemptions', CASE
                                WHEN k.max_redemptions IS NOT NULL OR k.redemptions IS NOT NULL
                                THEN jsonb_build_object('max', k.max_redemptions, 'current', k.redemptions)
                            END,
                            'expiresAt', k.expires_at
                        )
                    )
                    FROM {schema}.customer_discounts d
                    JOIN {schema}.coupons k ON k.id = d.coupon_id
                    WHERE d.customer_seq = c.seq
                    ORDER BY d.position
                ) AS discounts
            FROM {schema}.customers c"
        );
        let statement = |condition| Statement(format!("{customers} WHERE {condition}"));
        Self {
            by_id: statement("c.id = $1"),
            after: statement("c.seq > $1 ORDER BY c.seq LIMIT $2"),
            by_email: statement("c.email_key = $1 LIMIT 2"),
            by_phone: statement("c.phone_key = $1 LIMIT 2"),
        }
    }

    /// All of them, each with its name, for a test that looks at their plans.
    #[must_use]
    pub fn all(&self) -> [(&'static str, &Statement); 4] {
        // Without `..`, so that a new statement doesn't compile before it is named here.
        let Self {
            by_id,
            after,
            by_email,
            by_phone,
        } = self;
        [
            ("by_id", by_id),
            ("after", after),
            ("by_email", by_email),
            ("by_phone", by_phone),
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
