//! What happened to a customer: events that others tell of, and tickets.

use std::fmt;

use sqlx::{FromRow, SqliteConnection};

use super::Result;
use crate::address::Address;

/// Something that another system tells of. `Debug` shows the number alone.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// What happened.
    pub message: String,
    /// Who told of it.
    pub initiated_by: Option<String>,
    /// Where to read more.
    pub source_url: Option<String>,
    /// As `YYYY-MM-DD HH:MM:SS`.
    pub created_at: String,
}

/// A conversation with the helpdesk.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Ticket {
    /// Its number.
    pub id: i64,
    /// Such as `new` or `closed`.
    pub status: String,
    /// The type of channel that it came by; there are more than a customer can have addresses of.
    pub channel_id: i64,
    /// As `YYYY-MM-DD HH:MM:SS`.
    pub created_at: String,
}

/// What is told of a customer; see [`Event`].
#[derive(Clone, Copy)]
pub struct NewEvent<'a> {
    /// What happened.
    pub message: &'a str,
    /// Who tells of it.
    pub initiated_by: Option<&'a str>,
    /// Where to read more.
    pub source_url: Option<&'a str>,
}

/// Adds an event; its number.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn add_event(
    db: &mut SqliteConnection,
    customer: i64,
    event: NewEvent<'_>,
    now: &str,
) -> Result<i64> {
    let done = sqlx::query(
        "INSERT INTO events (customer_id, message, initiated_by, source_url, created_at)
            VALUES (?, ?, ?, ?, ?)",
    )
    .bind(customer)
    .bind(event.message)
    .bind(event.initiated_by)
    .bind(event.source_url)
    .bind(now)
    .execute(db)
    .await?;
    Ok(done.last_insert_rowid())
}

/// A customer's events, the oldest first.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn events(db: &mut SqliteConnection, customer: i64) -> Result<Vec<Event>> {
    sqlx::query_as(
        "SELECT id, message, initiated_by, source_url, created_at FROM events
            WHERE customer_id = ? ORDER BY created_at, id",
    )
    .bind(customer)
    .fetch_all(db)
    .await
}

/// A customer's tickets, the oldest first.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn tickets(db: &mut SqliteConnection, customer: i64) -> Result<Vec<Ticket>> {
    sqlx::query_as(
        "SELECT id, status, channel_id, created_at FROM tickets
            WHERE customer_id = ? ORDER BY created_at, id",
    )
    .bind(customer)
    .fetch_all(db)
    .await
}

/// Makes a ticket of the brand a customer's. `false` if there is no such ticket.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn link_ticket(
    db: &mut SqliteConnection,
    brand: i64,
    customer: i64,
    ticket: i64,
) -> Result<bool> {
    let done = sqlx::query("UPDATE tickets SET customer_id = ? WHERE id = ? AND brand_id = ?")
        .bind(customer)
        .bind(ticket)
        .bind(brand)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes the brand's open tickets from an address a customer's (O20), except for those of another customer who has it, too.
///
/// # Errors
/// Whatever keeps the database from answering.
pub async fn link_tickets_from(
    db: &mut SqliteConnection,
    brand: i64,
    customer: i64,
    address: &Address,
) -> Result<()> {
    sqlx::query(
        "UPDATE tickets SET customer_id = ?1 WHERE brand_id = ?2 AND sender = ?3 AND status <> 'closed'
            AND NOT EXISTS (SELECT 1 FROM channels AS a
                WHERE a.customer_id = tickets.customer_id AND a.address = ?3)",
    )
    .bind(customer)
    .bind(brand)
    .bind(address.as_str())
    .execute(db)
    .await?;
    Ok(())
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NewEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEvent").finish_non_exhaustive()
    }
}
