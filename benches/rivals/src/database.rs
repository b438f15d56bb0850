//! The tables of the Postgres example with generated customers.

use postgres::store::Store;
use tokio_postgres::NoTls;

use crate::BoxError;

/// How many rows one statement adds.
const BATCH: u64 = 500_000;

/// Creates the tables, and adds this many customers. `progress` is told how many there are.
///
/// # Errors
/// If the database can't be reached, or has customers already.
pub async fn fill(url: &str, rows: u64, mut progress: impl FnMut(u64)) -> Result<(), BoxError> {
    Store::connect(url)?.migrate().await?;
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let mut added = 0;
    while added < rows {
        let last = rows.min(added + BATCH);
        let (from, to) = (i64::try_from(added + 1)?, i64::try_from(last)?);
        client.execute(INSERT, &[&from, &to]).await?;
        added = last;
        progress(added);
    }
    // Without statistics PostgreSQL plans for a small table, and the first readers would write to it.
    client
        .batch_execute("VACUUM (ANALYZE) churnkey_live.customers")
        .await?;
    // Or it would write on while something is measured.
    client.batch_execute("CHECKPOINT").await?;
    drop(client);
    connection.await??;
    Ok(())
}

/// The customers from the one with the number `$1` to that with `$2`, as `customers.rs` generates them.
const INSERT: &str = "
    INSERT INTO churnkey_live.customers
        (id, name, email, email_key, phone, phone_key, currency, addresses, metadata)
    SELECT 'cus_gen_' || digits, 'Generated ' || digits, email, email, phone, phone, 'eur',
        jsonb_build_array(jsonb_build_object(
            'country', 'DE',
            'city', 'Berlin',
            'postalCode', lpad((n % 100000)::text, 5, '0'),
            'line1', 'Street ' || n)),
        '{\"createdAt\": \"2026-01-15T12:00:00.000Z\"}'
    FROM generate_series($1::bigint, $2::bigint) n,
        LATERAL (SELECT lpad(n::text, 8, '0')) d (digits),
        LATERAL (SELECT 'gen' || digits || '@example.com') e (email),
        LATERAL (SELECT '+888' || lpad(n::text, 10, '0')) p (phone)
    ORDER BY n";
