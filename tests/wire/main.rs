//! The wire as a caller sees it, over a socket where the bytes matter, and over every example.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics has done its work"
)]

mod action_requests;
mod authentication;
mod bad_input;
mod billing;
mod broken_merchants;
mod conformance;
mod controllers;
mod demo_data;
mod differential;
mod idempotency;
mod large_bodies;
mod logs;
mod merchants;
mod mounting;
mod once;
mod paging;
mod socket;
mod subsets;
mod webhook;
