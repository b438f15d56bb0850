//! A helpdesk's customers (Omnidesk's API) on SQLite, answering Churnkey too. The file to read, and to copy, is `churnkey.rs`.
#![forbid(unsafe_code)]

pub mod store;
