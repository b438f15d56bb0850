//! The store over Redis, against real servers that are frozen, killed and restarted.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that panics has done its work"
)]

mod away;
mod keys;
mod processes;
mod replays;
mod rules;
mod shop;
