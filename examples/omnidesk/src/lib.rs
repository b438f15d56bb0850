//! A helpdesk's customers (Omnidesk's API) on SQLite, served to Churnkey as well. The file to read, and to copy, is [`churnkey`].
#![forbid(unsafe_code)]

pub mod address;
pub mod api;
pub mod churnkey;
pub mod crm;
mod fields;
pub mod store;
