//! A merchant whose records are in memory. Read [`churnkey`] first.
#![forbid(unsafe_code)]

pub mod account;
pub mod account_page;
pub mod churnkey;
pub mod metrics;
pub mod store;
