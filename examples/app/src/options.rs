//! The options that every example has.

use std::net::SocketAddr;

use crate::Clock;

/// Where to listen, and what time it is.
#[derive(Debug, Clone, clap::Args)]
pub struct ServerOptions {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    /// Freeze the data's clock at an RFC 3339 moment, or `system` for the real one.
    /// Signatures are always checked against the real clock
    #[arg(long, value_name = "RFC3339")]
    pub clock: Option<Clock>,
}
