//! The tool as a person or a program runs it: arguments in; standard output, standard error and an exit code out.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod ambiguity;
mod bench;
mod browser;
mod call;
mod check;
mod dev;
mod doctor;
mod foreign;
mod guide;
mod init;
mod list;
mod merchants;
mod openapi;
mod settings;
mod sign;
mod tls;
mod tool;
