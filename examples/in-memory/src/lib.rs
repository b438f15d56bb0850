//! A merchant whose customers live in a map. The file to read is [`churnkey`].
#![forbid(unsafe_code)]

pub mod account;
pub mod churnkey;
pub mod store;
