//! The timeline of a customer: events from other systems, and tickets.

use std::fmt;

use sqlx::{FromRow, SqliteConnection};

use super::Result;
use crate::address::Address;

/// An event that another system reported. `Debug` shows only the id.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct Event {
    /// Its id.
    pub id: i64,
    /// What happened.
    pub message: String,
    /// Who reported it.
    pub initiated_by: Option<String>,
    /// A link to more about it.
    pub source_url: Option<String>,
    /// As `YYYY-MM-DD HH:MM:SS`.
    pub created_at: String,
}

/// A conversation with the helpdesk.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Ticket {
    /// Its id.
    pub id: i64,
    /// Such as `new` or `closed`.
    pub status: String,
    /// The type of channel that it came by. There are more types than those of a customer's addresses.
    pub channel_id: i64,
    /// As `YYYY-MM-DD HH:MM:SS`.
    pub created_at: String,
}

/// An event to be stored; see [`Event`].
#[derive(Clone, Copy)]
pub struct NewEvent<'a> {
    /// What happened.
    pub message: &'a str,
    /// Who reports it.
    pub initiated_by: Option<&'a str>,
    /// A link to more about it.
    pub source_url: Option<&'a str>,
}

/// Adds an event. Returns its id.
///
/// # Errors
/// If the database fails.
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

/// A customer's events, oldest first.
///
/// # Errors
/// If the database fails.
pub async fn events(db: &mut SqliteConnection, customer: i64) -> Result<Vec<Event>> {
    sqlx::query_as(
        "SELECT id, message, initiated_by, source_url, created_at FROM events
            WHERE customer_id = ? ORDER BY created_at, id",
    )
    .bind(customer)
    .fetch_all(db)
    .await
}

/// A customer's tickets, oldest first.
///
/// # Errors
/// If the database fails.
pub async fn tickets(db: &mut SqliteConnection, customer: i64) -> Result<Vec<Ticket>> {
    sqlx::query_as(
        "SELECT id, status, channel_id, created_at FROM tickets
            WHERE customer_id = ? ORDER BY created_at, id",
    )
    .bind(customer)
    .fetch_all(db)
    .await
}

/// Links a ticket of the brand to a customer. `false` if there is no such ticket.
///
/// # Errors
/// If the database fails.
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

/// Links the brand's open tickets from an address to a customer (O20), except those of another customer with the same address.
///
/// # Errors
/// If the database fails.
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
