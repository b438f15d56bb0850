//! The programs of the guide, against real databases: PostgreSQL with each driver, and SQLite.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has done its work"
)]

mod actions;
mod guide;
mod merchant;
mod rules;
mod statements;
