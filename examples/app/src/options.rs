//! The options that every example has.

#[cfg(feature = "merchant")]
use std::error::Error;
use std::{net::SocketAddr, num::NonZeroU16, path::PathBuf};

use crate::Clock;

/// How the program serves, and the clock.
#[derive(Debug, Clone, clap::Args)]
pub struct ServerOptions {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    /// Freeze the data's clock at an RFC 3339 moment, or `system` for the real one.
    /// Signatures are always checked against the real clock
    #[arg(long, value_name = "RFC3339")]
    pub clock: Option<Clock>,
    /// Serve TLS with the certificate in this PEM file, followed by those between it and its authority
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// How many connections are open at a time; further ones wait until another one ends
    #[arg(long, value_name = "N", default_value = "1000")]
    pub max_connections: NonZeroU16,
    /// For how long to serve after the signal to stop, while GET /ready says 503: longer than a proxy needs to notice
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub drain: u64,
}

/// The address that `--database` or `DATABASE_URL` has.
///
/// # Errors
/// What to do, if neither has one.
pub fn named_database(address: Option<String>) -> Result<String, &'static str> {
    address.filter(|address| !address.is_empty()).ok_or(
        "no database is named: give --database URL or set DATABASE_URL, \
         as postgres://user:password@host:port/database",
    )
}

/// The options of a merchant with an API and an SQLite database of its own.
#[cfg(feature = "merchant")]
#[derive(Debug, Clone, clap::Args)]
pub struct MerchantOptions {
    /// The address to listen on, and the clock

    #[command(flatten)]
    pub server: ServerOptions,
    /// The database file, created if it does not exist. Without it the data are in memory, and lost when the program ends
    #[arg(long, value_name = "FILE")]
    pub database: Option<PathBuf>,
    /// Load the demo data, unless there are customers already. Data in memory always begin with it
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

    /// Whether to load the demo data. A store in memory always begins with them.
    fn wants_demo(&self) -> bool {
        self.demo || self.database.is_none()
    }

    /// Loads the demo data if they are wanted. Warns if the store is empty without them, or if they were not loaded.
    ///
    /// `load_demo` returns false and changes nothing if there are data already.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn fill<A, B>(
        &self,
        is_empty: impl Future<Output = Result<bool, A>>,
        load_demo: impl Future<Output = Result<bool, B>>,
    ) -> Result<(), Box<dyn Error>>
    where
        A: Into<Box<dyn Error>>,
        B: Into<Box<dyn Error>>,
    {
        let listen = self.server.listen;
        if !self.wants_demo() {
            if is_empty.await.map_err(Into::into)? {
                tracing::warn!("the database is empty: start once with --demo");
            }
        } else if !load_demo.await.map_err(Into::into)? {
            tracing::warn!("there are data already, so the demo data were not loaded");
        } else if !listen.ip().is_loopback() {
            tracing::warn!(
                "the demo credentials are public, and {listen} can be reached by other machines"
            );
        }
        Ok(())
    }
}

#[cfg(all(test, feature = "merchant"))]
mod tests {
    use std::convert::Infallible;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        merchant: MerchantOptions,
    }

    #[tokio::test]
    async fn the_demo_data_are_loaded_on_demand_and_always_in_memory() {
        for (arguments, loaded) in [
            (&["merchant"][..], true),
            (&["merchant", "--demo"], true),
            (&["merchant", "--database", "a.db"], false),
            (&["merchant", "--database", "a.db", "--demo"], true),
        ] {
            let options = Program::parse_from(arguments).merchant;
            let mut loads = 0;
            let load = async {
                loads += 1;
                Ok::<_, Infallible>(true)
            };
            let is_empty = async { Ok::<_, Infallible>(true) };
            options.fill(is_empty, load).await.unwrap();
            assert_eq!(loads, i32::from(loaded), "{arguments:?}");
        }
    }

    #[tokio::test]
    async fn a_store_that_fails_ends_the_start() {
        let options = Program::parse_from(["merchant"]).merchant;
        let load = async { Err::<bool, _>("no") };
        let ended = options.fill(async { Ok::<_, Infallible>(true) }, load);
        assert_eq!(ended.await.unwrap_err().to_string(), "no");
    }
}
