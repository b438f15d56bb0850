//! The wire as a caller sees it, over every example, and over a socket where the bytes matter.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod action_requests;
mod authentication;
mod bad_input;
mod billing;
mod broken_merchants;
mod capacity;
mod conformance;
mod controllers;
mod demo;
mod demo_data;
mod differential;
mod dirty_rows;
mod error_classes;
mod existing_schemas;
mod health;
mod idempotency;
mod large_bodies;
mod letter_case;
mod logs;
mod merchants;
mod metrics;
mod mounting;
mod once;
mod openapi;
mod paging;
mod pointers;
mod refusals;
mod replays;
mod settings;
mod socket;
mod spans;
mod subsets;
mod tenants;
mod traces;
mod webhook;
