//! `cargo run --release -p proof --bin outages`: the Postgres example under a steady load while its database is away, in every
//! way that a database can be. Each call has to be answered within its deadline with 200, 409 or 503, each extension of a
//! trial has to happen once, and from a second after the database's return on, every call has to be served.
//!
//! It needs PostgreSQL's programs, as `scripts/check` does. For a full disk it mounts a small one, and needs root.

mod disk;
mod load;
mod outage;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};
use proof::{BoxError, Connections, PostgresExample, Trials};
use tokio::time::{Instant, sleep};

use crate::{
    load::{Load, Summary},
    outage::{Database, Outage},
};

const TRIALS: usize = 50;

/// Calls on the Postgres example while its database is away.
#[derive(Debug, Clone, Parser)]
struct Options {
    /// Which outages there are; all of them unless given
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Outage>,
    /// How long an outage lasts, in seconds: longer than a request's deadline of ten
    #[arg(long, default_value_t = 15)]
    seconds: u32,
    /// How many reads there are a second
    #[arg(long, default_value_t = 50)]
    reads: u32,
    /// How many actions there are a second
    #[arg(long, default_value_t = 20)]
    actions: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    proof::main(run).await
}

/// Whether every outage was survived.
async fn run(options: Options) -> Result<bool, BoxError> {
    let example = PostgresExample::build()?;
    let outages = match &*options.only {
        [] => Outage::value_variants(),
        only => only,
    };
    let mut is_well = true;
    for outage in outages {
        let summary = suffer(*outage, &example, &options).await?;
        println!("{outage}\n{summary}");
        is_well &= summary.is_well();
    }
    Ok(is_well)
}

/// Five seconds with the database, an outage, ten seconds with the database again, and as long as it takes until all actions
/// are done.
async fn suffer(
    outage: Outage,
    example: &PostgresExample,
    options: &Options,
) -> Result<Summary, BoxError> {
    let mut database = Database::start(outage)?;
    let trials = Trials::load(&database.url(), TRIALS).await?;
    let merchant = example.start(&database.url())?;
    let connections = Connections::to(merchant.address());
    let load = Load::start(connections.clone(), trials, options.reads, options.actions);

    sleep(Duration::from_secs(5)).await;
    let began = Instant::now();
    let lasts = Duration::from_secs(options.seconds.into());
    database.suffer(outage, lasts).await?;
    let returned = Instant::now();
    sleep(Duration::from_secs(10)).await;
    load.end(began, returned).await
}
