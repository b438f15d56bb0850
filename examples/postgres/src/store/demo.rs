//! Loading demo data. A merchant's database has data already, so this file is not to be copied.

use std::fmt::Debug;

use churnkey_integrator::{
    Email, Mode, Phone, Timestamp,
    model::{Customer, Discount},
};
use deadpool_postgres::Transaction;
use example_app::DataSet;
use serde::Serialize;
use tokio_postgres::{Error, types::Json};

use super::{Store, StoreError, migrations::alone, moment, statement::schema};

impl Store {
    /// Adds the records of two data sets in their order, unless there are customers already, live or test. Returns whether it did.
    ///
    /// # Errors
    /// [`StoreError`] if the database can't be reached or refuses. Then nothing is added.
    pub async fn load_if_empty(&self, live: &DataSet, test: &DataSet) -> Result<bool, StoreError> {
        let doing = "loading records";
        let mut connection = self.pool.connection(doing).await?;
        let loaded = async {
            let transaction = alone(&mut connection).await?;
            for mode in [Mode::Live, Mode::Test] {
                let any = format!("SELECT 1 FROM {}.customers LIMIT 1", schema(mode));
                if transaction.query_opt(&any, &[]).await?.is_some() {
                    return Ok(false);
                }
            }
            for (mode, data) in [(Mode::Live, live), (Mode::Test, test)] {
                insert_all(&transaction, schema(mode), data).await?;
            }
            transaction.commit().await?;
            Ok(true)
        };
        loaded.await.map_err(|error| StoreError::new(doing, &error))
    }

    /// Adds live customers from `cus_gen_0000001` on in one statement, the same as [`example_app::generated_customers`]. Existing
    /// ones do not change.
    ///
    /// # Errors
    /// [`StoreError`] if the database can't be reached or refuses. Then nothing is added.
    pub async fn generate(&self, number: u32, created_at: Timestamp) -> Result<(), StoreError> {
        let doing = "generating customers";
        let mut connection = self.pool.connection(doing).await?;
        let generated = async {
            let transaction = alone(&mut connection).await?;
            let schema = schema(Mode::Live);
            let insert = format!(
                "INSERT INTO {schema}.customers
                    (id, name, email, email_key, phone, phone_key, metadata, created_at)
                SELECT 'cus_gen_' || digits, 'Generated ' || digits, email, email, phone, phone,
                    jsonb_build_object('createdAt', $2::text), $2::text::timestamptz
                FROM generate_series(1, $1::bigint) n,
                    LATERAL (SELECT lpad(n::text, greatest(7, length(n::text)), '0')) d (digits),
                    LATERAL (SELECT 'gen' || digits || '@example.com') e (email),
                    LATERAL (SELECT '+888' || lpad(n::text, 10, '0')) p (phone)
                ON CONFLICT (id) DO NOTHING"
            );
            let created_at = created_at.to_string();
            let added = transaction
                .execute(&insert, &[&i64::from(number), &created_at])
                .await?;
            // Without statistics, PostgreSQL plans for a small table.
            transaction
                .batch_execute(&format!("ANALYZE {schema}.customers"))
                .await?;
            transaction.commit().await?;
            tracing::info!(added, "generated customers");
            Ok(())
        };
        generated
            .await
            .map_err(|error| StoreError::new(doing, &error))
    }
}

async fn insert_all(
    transaction: &Transaction<'_>,
    schema: &str,
    data: &DataSet,
) -> Result<(), Error> {
    let insert = Inserts {
        transaction,
        schema,
    };
    insert.rows(FAMILIES, &data.families).await?;
    insert.rows(PRODUCTS, &data.products).await?;
    insert.rows(PRICES, &data.prices).await?;
    insert.rows(PRICE_TIERS, &data.prices).await?;
    insert.rows(COUPONS, &data.coupons).await?;
    for customer in &data.customers {
        insert.customer(customer).await?;
    }
    let subscriptions = &data.subscriptions;
    insert.rows(SUBSCRIPTIONS, subscriptions).await?;
    insert.rows(SUBSCRIPTION_ITEMS, subscriptions).await?;
    insert.rows(SUBSCRIPTION_DISCOUNTS, subscriptions).await
}

// Each reads rows from a list of Churnkey's JSON: `r` is a record, `n` its position. PostgreSQL refuses numbers that are too large.

const FAMILIES: &str = "{schema}.families (id, name, description)
    SELECT r->>'id', r->>'name', r->>'description' FROM rows ORDER BY n";

const PRODUCTS: &str = "{schema}.products (id, family_id, name, description, unit_label)
    SELECT r->>'id', r->>'familyId', r->>'name', r->>'description', r->>'unitLabel' FROM rows ORDER BY n";

const PRICES: &str = "{schema}.prices
        (id, product_id, name, description, duration_amount, duration_unit,
        model, currency, unit_amount, flat_amount, tier_mode)
    SELECT r->>'id', r->>'productId', r->>'name', r->>'description',
        (r->'duration'->>'amount')::integer, r->'duration'->>'unit',
        amount->>'model', amount->>'currency', (amount->>'unit')::bigint, (amount->>'flat')::bigint, amount->>'mode'
    FROM rows, LATERAL (SELECT r->'amount') a (amount)
    ORDER BY n";

const PRICE_TIERS: &str = "{schema}.price_tiers (price_seq, up_to, unit_amount, flat_amount)
    SELECT p.seq, (tier->>'upTo')::bigint, (tier->>'unit')::bigint, (tier->>'flat')::bigint
    FROM rows
    JOIN {schema}.prices p ON p.id = r->>'id',
    jsonb_array_elements(r->'amount'->'tiers') t (tier)";

const COUPONS: &str = "{schema}.coupons
        (id, code, name, duration_type, duration_amount, duration_unit, duration_cycles,
        value_type, percent_hundredths, currency, unit_amount, flat_amount,
        max_redemptions, redemptions, expires_at)
    SELECT r->>'id', r->>'code', r->>'name', duration->>'type',
        (duration->>'amount')::integer, duration->>'unit', (duration->>'cycles')::integer,
        value->>'type', round((value->>'percent')::numeric * 100)::integer, value->>'currency',
        (value->>'unit')::bigint, (value->>'flat')::bigint,
        (r->'redemptions'->>'max')::bigint, (r->'redemptions'->>'current')::bigint,
        (r->>'expiresAt')::timestamptz
    FROM rows, LATERAL (SELECT r->'duration', r->'value') d (duration, value)
    ORDER BY n
    ON CONFLICT (id) DO NOTHING";

const SUBSCRIPTIONS: &str = "{schema}.subscriptions
        (id, customer_id, started_at, duration_amount, duration_unit,
        status, period_starts_at, period_ends_at, trial_starts_at, trial_ends_at, paused_at, paused_until, canceled_at,
        metadata)
    SELECT r->>'id', r->>'customerId', (r->>'start')::timestamptz,
        (r->'duration'->>'amount')::integer, r->'duration'->>'unit',
        status->>'name',
        (status->'currentPeriod'->>'start')::timestamptz, (status->'currentPeriod'->>'end')::timestamptz,
        (status->'trial'->>'start')::timestamptz, (status->'trial'->>'end')::timestamptz,
        (status->'pause'->>'start')::timestamptz, (status->'pause'->>'end')::timestamptz,
        (status->>'canceledAt')::timestamptz,
        coalesce(r->'metadata', '{}')
    FROM rows, LATERAL (SELECT r->'status') s (status)
    ORDER BY n";

const SUBSCRIPTION_ITEMS: &str = "{schema}.subscription_items
        (subscription_seq, position, id, price_id, quantity)
    SELECT s.seq, position - 1, item->>'id', item->'price'->>'id', (item->>'quantity')::bigint
    FROM rows
    JOIN {schema}.subscriptions s ON s.id = r->>'id',
    jsonb_array_elements(r->'items') WITH ORDINALITY i (item, position)";

const SUBSCRIPTION_DISCOUNTS: &str = "{schema}.subscription_discounts
        (subscription_seq, position, coupon_id, starts_at, ends_at)
    SELECT s.seq, position - 1, discount->'coupon'->>'id',
        (discount->>'start')::timestamptz, (discount->>'end')::timestamptz
    FROM rows
    JOIN {schema}.subscriptions s ON s.id = r->>'id',
    jsonb_array_elements(r->'discounts') WITH ORDINALITY d (discount, position)";

struct Inserts<'a> {
    transaction: &'a Transaction<'a>,
    schema: &'a str,
}

impl Inserts<'_> {
    async fn rows<R: Debug + Serialize + Sync>(&self, into: &str, rows: &[R]) -> Result<(), Error> {
        let into = into.replace("{schema}", self.schema);
        let insert = format!(
            "WITH rows AS (SELECT * FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY v (r, n))
            INSERT INTO {into}"
        );
        let inserted = self.transaction.execute(&insert, &[&Json(rows)]).await;
        inserted.map(drop)
    }

    async fn customer(&self, customer: &Customer) -> Result<(), Error> {
        let sql = format!(
            "INSERT INTO {}.customers
                (id, name, last_name, email, email_key, phone, phone_key, currency, addresses, metadata)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            RETURNING seq",
            self.schema
        );
        let addresses = customer.addresses();
        let inserted = self
            .transaction
            .query_one(
                &sql,
                &[
                    &customer.id().as_str(),
                    &customer.name(),
                    &customer.last_name(),
                    &customer.email().map(Email::as_str),
                    &customer.email().map(Email::lookup_key),
                    &customer.phone().map(Phone::as_str),
                    &customer.phone().and_then(Phone::lookup_key),
                    &customer.currency().map(|currency| currency.to_string()),
                    &(!addresses.is_empty()).then_some(Json(addresses)),
                    &Json(customer.metadata()),
                ],
            )
            .await?;
        let seq: i64 = inserted.try_get("seq")?;
        for (position, discount) in (0..).zip(customer.discounts()) {
            self.customer_discount(seq, position, discount).await?;
        }
        Ok(())
    }

    async fn customer_discount(
        &self,
        customer: i64,
        position: i32,
        discount: &Discount,
    ) -> Result<(), Error> {
        // A discount's coupon may be missing from the list of coupons.
        self.rows(COUPONS, &[discount.coupon()]).await?;
        let sql = format!(
            "INSERT INTO {}.customer_discounts (customer_seq, position, coupon_id, starts_at, ends_at)
            VALUES ($1, $2, $3, $4::text::timestamptz, $5::text::timestamptz)",
            self.schema
        );
        let (start, end) = (moment(discount.start()), moment(discount.end()));
        let coupon = discount.coupon().id().as_str();
        self.transaction
            .execute(&sql, &[&customer, &position, &coupon, &start, &end])
            .await
            .map(drop)
    }
}
