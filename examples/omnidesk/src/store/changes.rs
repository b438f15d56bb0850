//! Changing customers. Each function is one step of an operation, which commits after its last step.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

use super::Result;
use crate::address::Address;

/// Creates a customer of a brand, without any other field. Returns the id.
///
/// # Errors
/// A unique violation if the brand has a customer with this external id, or if the database fails.
pub async fn create(
    db: &mut SqliteConnection,
    brand: i64,
    external_id: Option<&str>,
    now: &str,
) -> Result<i64> {
    let done = sqlx::query(
        "INSERT INTO customers (brand_id, external_primary_id, created_at) VALUES (?, ?, ?)",
    )
    .bind(brand)
    .bind(external_id)
    .bind(now)
    .execute(db)
    .await?;
    Ok(done.last_insert_rowid())
}

/// Writes the given names and leaves the others.
///
/// # Errors
/// If the database fails.
pub async fn rename(
    db: &mut SqliteConnection,
    customer: i64,
    firstname: Option<&str>,
    lastname: Option<&str>,
) -> Result<()> {
    sqlx::query(
        "UPDATE customers SET firstname = coalesce(?, firstname), lastname = coalesce(?, lastname) WHERE id = ?",
    )
    .bind(firstname)
    .bind(lastname)
    .bind(customer)
    .execute(db)
    .await?;
    Ok(())
}

/// Replaces all custom fields.
///
/// # Errors
/// If the database fails.
pub async fn set_custom(
    db: &mut SqliteConnection,
    customer: i64,
    custom: &BTreeMap<String, String>,
) -> Result<()> {
    let entries = custom.iter();
    let custom: serde_json::Map<_, _> = entries
        .map(|(key, value)| (key.clone(), value.as_str().into()))
        .collect();
    sqlx::query("UPDATE customers SET custom = ? WHERE id = ?")
        .bind(serde_json::Value::from(custom).to_string())
        .bind(customer)
        .execute(db)
        .await?;
    Ok(())
}

/// Adds an address. `false` if the customer has it already.
///
/// # Errors
/// If the database fails.
pub async fn add_address(
    db: &mut SqliteConnection,
    customer: i64,
    address: &Address,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO channels (customer_id, channel_id, address, lookup_key) VALUES (?, ?, ?, ?)
            ON CONFLICT DO NOTHING",
    )
    .bind(customer)
    .bind(address.kind().id())
    .bind(address.as_str())
    .bind(address.lookup_key())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether another customer of the brand has this address.
///
/// # Errors
/// If the database fails.
pub async fn is_anothers(
    db: &mut SqliteConnection,
    brand: i64,
    customer: i64,
    address: &Address,
) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM channels AS a JOIN customers AS c ON c.id = a.customer_id
            WHERE a.channel_id = ? AND a.address = ? AND c.brand_id = ? AND c.id <> ?)",
    )
    .bind(address.kind().id())
    .bind(address.as_str())
    .bind(brand)
    .bind(customer)
    .fetch_one(db)
    .await
}

/// Removes an address, by the id of its row. `false` if there is no such address.
///
/// # Errors
/// If the database fails.
pub async fn remove_channel(db: &mut SqliteConnection, channel: i64) -> Result<bool> {
    let done = sqlx::query("DELETE FROM channels WHERE id = ?")
        .bind(channel)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes a customer. The tickets stay, without a customer. `false` if there is no such customer.
///
/// # Errors
/// If the database fails.
pub async fn delete(db: &mut SqliteConnection, customer: i64) -> Result<bool> {
    let done = sqlx::query("DELETE FROM customers WHERE id = ? AND purged_at IS NULL")
        .bind(customer)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Purges a customer: only the id, the brand and the time are kept (O26). `false` if there is no such customer.
///
/// # Errors
/// If the database fails.
pub async fn purge(db: &mut SqliteConnection, customer: i64, now: &str) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE customers SET external_primary_id = NULL, firstname = '', lastname = '', custom = '{}',
            created_at = NULL, purged_at = ? WHERE id = ? AND purged_at IS NULL",
    )
    .bind(now)
    .bind(customer)
    .execute(&mut *db)
    .await?;
    // Tickets without a customer may have the address as well.
    sqlx::query(
        "UPDATE tickets SET sender = NULL, customer_id = NULL WHERE customer_id = ?1
            OR customer_id IS NULL AND sender IN (SELECT address FROM channels WHERE customer_id = ?1)
                AND brand_id = (SELECT brand_id FROM customers WHERE id = ?1)",
    )
    .bind(customer)
    .execute(&mut *db)
    .await?;
    for statement in [
        "DELETE FROM channels WHERE customer_id = ?",
        "DELETE FROM events WHERE customer_id = ?",
    ] {
        sqlx::query(statement)
            .bind(customer)
            .execute(&mut *db)
            .await?;
    }
    Ok(done.rows_affected() == 1)
}
