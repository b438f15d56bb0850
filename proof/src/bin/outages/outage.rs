//! The ways in which a database can be away.

use std::{fmt, time::Duration};

use clap::ValueEnum;
use proof::BoxError;
use throwaway_postgres::ThrowawayPostgres;
use tokio::{
    task::block_in_place,
    time::{Instant, sleep, sleep_until},
};
use tokio_postgres::{Client, NoTls, error::SqlState};

use crate::disk::Disk;

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Outage {
    /// The server is stopped as by a crash, and started again
    Stopped,
    /// All its processes are suspended, and resumed
    Frozen,
    /// Other clients take all its connections
    NoConnections,
    /// It takes nothing but reads
    ReadOnly,
    /// Its disk is full, so that no table can grow
    DiskFull,
    /// Its disk is full, so that its log can't grow, and it ends; it is started again once there is space
    LogFull,
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "stopped",
            Self::Frozen => "frozen",
            Self::NoConnections => "out of connections",
            Self::ReadOnly => "read-only",
            Self::DiskFull => "disk full",
            Self::LogFull => "disk full, and its log can't grow",
        })
    }
}

/// A server of the program's own.
pub(crate) struct Database {
    server: ThrowawayPostgres,
    /// Unmounted after the server's end.
    disk: Option<Disk>,
}

impl Database {
    /// Starts a server that can suffer this outage.
    pub(crate) fn start(outage: Outage) -> Result<Self, BoxError> {
        let disk = match outage {
            Outage::DiskFull | Outage::LogFull => Some(Disk::mount()?),
            _ => None,
        };
        let server = block_in_place(|| match &disk {
            Some(disk) => ThrowawayPostgres::start_in(disk.path()),
            None => ThrowawayPostgres::start(),
        });
        Ok(Self { server, disk })
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// Takes the database away for this time. It is back when this returns.
    pub(crate) async fn suffer(&mut self, outage: Outage, lasts: Duration) -> Result<(), BoxError> {
        let until = Instant::now() + lasts;
        match outage {
            Outage::Stopped => {
                block_in_place(|| self.server.stop());
                sleep_until(until).await;
                block_in_place(|| self.server.restart());
            }
            Outage::Frozen => {
                block_in_place(|| self.server.freeze());
                sleep_until(until).await;
                block_in_place(|| self.server.thaw());
            }
            Outage::NoConnections => take_all_connections(&self.url(), until).await?,
            Outage::ReadOnly => {
                let sql = connect(&self.url()).await?;
                sql.batch_execute("ALTER SYSTEM SET default_transaction_read_only = on")
                    .await?;
                sql.batch_execute("SELECT pg_reload_conf()").await?;
                sleep_until(until).await;
                sql.batch_execute("ALTER SYSTEM RESET default_transaction_read_only")
                    .await?;
                sql.batch_execute("SELECT pg_reload_conf()").await?;
            }
            Outage::DiskFull => {
                // The log's next segment is there before the disk is full.
                let sql = connect(&self.url()).await?;
                sql.batch_execute("SELECT pg_switch_wal()").await?;
                sql.batch_execute("CHECKPOINT").await?;
                self.disk()?.fill()?;
                sleep_until(until).await;
                self.disk()?.free()?;
                if !self.server.is_running() {
                    return Err(
                        "the server ended on a full disk, although its log had space".into(),
                    );
                }
            }
            Outage::LogFull => {
                let sql = connect(&self.url()).await?;
                self.disk()?.fill()?;
                while self.server.is_running() && Instant::now() < until {
                    // The log begins a new segment, for which there is no space.
                    let _ = sql.batch_execute("SELECT pg_switch_wal()").await;
                    sleep(Duration::from_millis(100)).await;
                }
                if self.server.is_running() {
                    return Err("the server goes on although its log can't grow".into());
                }
                sleep_until(until).await;
                self.disk()?.free()?;
                block_in_place(|| self.server.restart());
            }
        }
        Ok(())
    }

    fn disk(&self) -> Result<&Disk, BoxError> {
        Ok(self.disk.as_ref().ok_or("there is no small disk")?)
    }
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move {
        // Its client notices.
        let _ = connection.await;
    });
    Ok(client)
}

/// Takes all connections of a server, also those of the merchant, which are ended first.
async fn take_all_connections(url: &str, until: Instant) -> Result<(), BoxError> {
    let first = connect(url).await?;
    let mut others = Vec::new();
    while Instant::now() < until {
        let ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'churnkey'";
        first.execute(ended, &[]).await?;
        loop {
            match connect(url).await {
                Ok(other) => others.push(other),
                Err(error) if error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS) => break,
                Err(error) => return Err(error.into()),
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
