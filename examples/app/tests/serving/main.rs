//! The connection loop over sockets, with limits so short that nobody waits for them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod end;
mod guide;
mod limits;
mod server;
mod tls;
