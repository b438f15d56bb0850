//! Filling an example's database. A merchant's is filled already, so this is the one file not to copy.

use churnkey_integrator::{
    Email, Mode, Phone, Timestamp,
    model::{Customer, Discount},
};
use deadpool_postgres::Transaction;
use tokio_postgres::{Error, types::Json};

use super::{Store, StoreError, migrations::alone, statements::schema};

impl Store {
    /// Adds customers with their discounts and coupons, in this order, but only where there is no customer yet, live or test.
    /// Tells whether it did.
    ///
    /// # Errors
    /// [`StoreError`] if the database can't be reached or refuses; then nothing was added.
    pub async fn load_if_empty(
        &self,
        live: &[Customer],
        test: &[Customer],
    ) -> Result<bool, StoreError> {
        let doing = "loading customers";
        let mut connection = self.database.connection(doing).await?;
        let loaded = async {
            let transaction = alone(&mut connection).await?;
            for mode in [Mode::Live, Mode::Test] {
                let any = format!("SELECT 1 FROM {}.customers LIMIT 1", schema(mode));
                if transaction.query_opt(&any, &[]).await?.is_some() {
                    return Ok(false);
                }
            }
            for (mode, customers) in [(Mode::Live, live), (Mode::Test, test)] {
                for customer in customers {
                    insert(&transaction, schema(mode), customer).await?;
                }
            }
            transaction.commit().await?;
            Ok(true)
        };
        loaded.await.map_err(|error| StoreError::new(doing, &error))
    }

    /// Adds live customers `cus_gen_0000001` up to a number in one statement, the same as [`example_app::generated_customers`]
    /// makes. Those that are there already stay as they are.
    ///
    /// # Errors
    /// [`StoreError`] if the database can't be reached or refuses; then nothing was added.
    pub async fn generate(&self, number: u32, created_at: Timestamp) -> Result<(), StoreError> {
        let doing = "generating customers";
        let mut connection = self.database.connection(doing).await?;
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
            // Until it has counted, PostgreSQL takes the table for a small one.
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

async fn insert(
    transaction: &Transaction<'_>,
    schema: &str,
    customer: &Customer,
) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO {schema}.customers
            (id, name, last_name, email, email_key, phone, phone_key, currency, addresses, metadata)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        RETURNING seq"
    );
    let addresses = customer.addresses();
    let inserted = transaction
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
                &customer.currency().map(|currency| currency.code()),
                &(!addresses.is_empty()).then_some(Json(addresses)),
                &Json(customer.metadata()),
            ],
        )
        .await?;
    let seq: i64 = inserted.try_get("seq")?;
    for (position, discount) in (0..).zip(customer.discounts()) {
        insert_discount(transaction, schema, seq, position, discount).await?;
    }
    Ok(())
}

async fn insert_discount(
    transaction: &Transaction<'_>,
    schema: &str,
    customer: i64,
    position: i32,
    discount: &Discount,
) -> Result<(), Error> {
    let coupon = format!(
        "INSERT INTO {schema}.coupons
            (id, code, name, duration_type, duration_amount, duration_unit, duration_cycles,
            value_type, percent_hundredths, currency, unit_amount, flat_amount,
            max_redemptions, redemptions, expires_at)
        SELECT c->>'id', c->>'code', c->>'name', duration->>'type',
            (duration->>'amount')::integer, duration->>'unit', (duration->>'cycles')::integer,
            value->>'type', round((value->>'percent')::numeric * 100)::integer, value->>'currency',
            (value->>'unit')::bigint, (value->>'flat')::bigint,
            (c->'redemptions'->>'max')::bigint, (c->'redemptions'->>'current')::bigint,
            (c->>'expiresAt')::timestamptz
        FROM (VALUES ($1::jsonb)) v (c),
            LATERAL (SELECT c->'duration', c->'value') d (duration, value)
        ON CONFLICT (id) DO NOTHING"
    );
    transaction
        .execute(&coupon, &[&Json(discount.coupon())])
        .await?;
    let sql = format!(
        "INSERT INTO {schema}.customer_discounts (customer_seq, position, coupon_id, starts_at, ends_at)
        VALUES ($1, $2, $3, $4::text::timestamptz, $5::text::timestamptz)"
    );
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let (start, end) = (moment(discount.start()), moment(discount.end()));
    let coupon = discount.coupon().id().as_str();
    transaction
        .execute(&sql, &[&customer, &position, &coupon, &start, &end])
        .await
        .map(drop)
}
