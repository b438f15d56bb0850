//! A PostgreSQL server that lives as long as the test that asked for it.
//!
//! [`test_database`] is for tests that only need a database of their own: it
//! uses the server named by `TEST_DATABASE_URL` when there is one.
//! [`ThrowawayPostgres`] is for tests that take the server away from under the
//! code: it can be stopped, restarted and frozen.
//!
//! Everything here panics instead of returning errors, and the panic names the
//! fix.

#![forbid(unsafe_code)]
#![expect(
    clippy::panic,
    reason = "a test has no use for going on without its database"
)]

mod database;
mod programs;
mod server;
#[cfg(test)]
mod tests;

pub use database::{TestDatabase, test_database};
pub use server::ThrowawayPostgres;
