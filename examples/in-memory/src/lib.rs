//! A merchant whose records live in memory. The file to read is [`churnkey`].
#![forbid(unsafe_code)]

pub mod account;
pub mod churnkey;
pub mod store;
