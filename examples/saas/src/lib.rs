//! A platform with many tenants over one PostgreSQL schema that was there before. The file to read is [`churnkey`].
#![forbid(unsafe_code)]

pub mod churnkey;
pub mod record;
pub mod store;
