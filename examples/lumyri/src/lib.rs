//! A business platform's customers (Lumyri's API) on SQLite, answering Churnkey too. The file to read, and to copy, is [`churnkey`].
//!
//! Numbers such as `L7` in comments are those of the decisions in this package's README.
#![forbid(unsafe_code)]

pub mod api;
pub mod churnkey;
pub mod customer;
pub mod demo;
pub mod label;
mod rules;
pub mod store;
pub mod token;
