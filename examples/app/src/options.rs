//! The options that every example has.

use std::net::SocketAddr;
#[cfg(feature = "merchant")]
use std::path::PathBuf;

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

/// What a merchant with an API and an SQLite database of its own can be told.
#[cfg(feature = "merchant")]
#[derive(Debug, Clone, clap::Args)]
pub struct MerchantOptions {
    /// Where to listen, and what time it is
    #[command(flatten)]
    pub server: ServerOptions,
    /// The database's file, made if it isn't there. Without it the data live in memory and go with the program
    #[arg(long, value_name = "FILE")]
    pub database: Option<PathBuf>,
    /// Load the demo data, unless there are customers already. In memory that is done anyway
    #[arg(long)]
    pub demo: bool,
}

#[cfg(feature = "merchant")]
impl MerchantOptions {
    /// The clock of the data: the system's, unless it was frozen.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.server.clock.unwrap_or(Clock::System)
    }

    /// Whether the demo data were asked for, as they always are for a store that begins empty.
    #[must_use]
    pub fn wants_demo(&self) -> bool {
        self.demo || self.database.is_none()
    }
}
