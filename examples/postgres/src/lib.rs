//! A merchant whose records live in PostgreSQL. The files to read, and to copy, are [`churnkey`] and [`store`].
#![forbid(unsafe_code)]

pub mod churnkey;
pub mod store;
