//! `cargo run --release -p proof --bin soak`: ten minutes of signed calls on the Postgres example, over 50 connections. Callers
//! disconnect, captured requests come again with other keys, and PostgreSQL is restarted twice. In the end every extension of a
//! trial must have happened exactly once, and the program's memory must be flat.
//!
//! It needs PostgreSQL's programs, as `scripts/check` does, and Linux, whose `/proc` tells the memory.

mod caller;
mod tally;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use clap::Parser;
use proof::{BoxError, Connections, PostgresExample, Resources, Trials, statistics::median};
use throwaway_postgres::ThrowawayPostgres;
use tokio::{
    task::block_in_place,
    time::{Instant, sleep, sleep_until},
};

use crate::{caller::Caller, tally::Tally};

/// How many trials there are to extend.
const TRIALS: usize = 200;

/// How much the merchant's memory may grow between the second fifth of the run and the last.
const MAX_GROWTH_KB: i64 = 2048;

/// Minutes of actions and reads on the Postgres example, with disconnects, replays and restarts.
#[derive(Debug, Clone, Copy, Parser)]
struct Options {
    /// How long it takes, in minutes
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// How many calls there are, half of them actions
    #[arg(long, default_value_t = 10_000)]
    calls: u32,
    /// How many calls are made at a time at most
    #[arg(long, default_value_t = 50)]
    connections: u32,
    /// How often PostgreSQL is restarted
    #[arg(long, default_value_t = 2)]
    restarts: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    proof::main(run).await
}

/// Whether every check passed.
async fn run(options: Options) -> Result<bool, BoxError> {
    let mut database = block_in_place(ThrowawayPostgres::start);
    let trials = Trials::load(&database.url(), TRIALS).await?;
    let merchant = PostgresExample::build()?.start(&database.url())?;
    let connections = Connections::to(merchant.address());
    let tally = Arc::new(Tally::new(trials.count()));
    let began = Instant::now();
    let lasts = Duration::from_secs_f64(options.minutes * 60.0);
    let next_call = Arc::new(AtomicU32::new(0));

    let callers: Vec<_> = (0..options.connections)
        .map(|_| {
            let next_call = Arc::clone(&next_call);
            let caller = Caller::new(connections.clone(), trials, Arc::clone(&tally));
            tokio::spawn(async move {
                loop {
                    let n = next_call.fetch_add(1, Ordering::Relaxed);
                    if n >= options.calls {
                        return;
                    }
                    sleep_until(began + lasts.mul_f64(f64::from(n) / f64::from(options.calls)))
                        .await;
                    caller.call(n).await;
                }
            })
        })
        .collect();

    let mut memory = Vec::new();
    let mut restarts = 0;
    while callers.iter().any(|caller| !caller.is_finished()) {
        let due = f64::from(restarts + 1) / f64::from(options.restarts + 1);
        if restarts < options.restarts && began.elapsed() >= lasts.mul_f64(due) {
            block_in_place(|| database.restart());
            restarts += 1;
        }
        memory.push(merchant.resources()?);
        sleep(Duration::from_secs(1)).await;
    }
    for caller in callers {
        caller.await?;
    }

    let wrong = trials.wrong(&connections, &tally.extensions()).await?;
    let fifth = (memory.len() / 5).max(1);
    let mut fifths = memory.chunks(fifth);
    let early = fifths.nth(1).unwrap_or_default();
    let late = fifths.nth(2).unwrap_or_default();
    let kilobytes = |of: &[Resources]| median(of.iter().map(|one| one.kilobytes));
    let files = |of: &[Resources]| median(of.iter().map(|one| one.files));
    let growth = kilobytes(late) - kilobytes(early);

    print!("{tally}");
    println!("restarts of PostgreSQL        {restarts}");
    println!("trials that ended wrong       {}", wrong.len());
    println!(
        "resident memory, second fifth {} kB, last fifth {} kB, growth {growth} kB",
        kilobytes(early),
        kilobytes(late)
    );
    println!(
        "open files, second fifth {}, last fifth {}",
        files(early),
        files(late)
    );
    for line in &wrong {
        println!("  {line}");
    }
    Ok(wrong.is_empty() && tally.is_well() && growth <= MAX_GROWTH_KB)
}
