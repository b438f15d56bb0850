//! A merchant whose records are in PostgreSQL. Read [`churnkey`] first; the README explains the other files.
#![forbid(unsafe_code)]

mod actions;
pub mod churnkey;
mod idempotency;
mod rows;
pub mod store;

use store::Statement;

/// Every statement that a request runs, each with its name.
#[must_use]
pub fn statements() -> Vec<(&'static str, &'static Statement)> {
    [
        churnkey::STATEMENTS,
        actions::STATEMENTS,
        idempotency::STATEMENTS,
    ]
    .concat()
}
