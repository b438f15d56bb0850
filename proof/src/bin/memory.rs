//! `cargo run --release -p proof --bin memory`: half an hour of signed reads at half of the highest rate, on the in-memory
//! example. Its resident memory and its open files must not grow.
//!
//! It needs Linux, whose `/proc` tells both.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use example_app::demo_token;
use http::StatusCode;
use proof::{
    BoxError, Program, Reads, Resources, start_in_memory,
    statistics::{median, slope},
};
use tokio::time::{Instant, sleep_until};

/// How much the resident memory may grow.
const MAX_MEGABYTES_AN_HOUR: f64 = 1.0;
/// How many generated customers the merchant has.
const CUSTOMERS: u32 = 1000;

/// Signed reads for half an hour, and whether memory and open files stay flat.
#[derive(Debug, Clone, Copy, Parser)]
struct Options {
    /// How long it takes, in minutes
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// How many of these minutes pass before memory and files count
    #[arg(long, default_value_t = 5.0)]
    warm_up: f64,
    /// How many calls there are a second; half of the highest rate, measured for 10 seconds first, unless given
    #[arg(long)]
    rate: Option<u32>,
    /// How many seconds there are between two readings
    #[arg(long, default_value_t = 10)]
    every: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    proof::main(run).await
}

/// Whether memory and files stayed flat.
async fn run(options: Options) -> Result<bool, BoxError> {
    if options.warm_up >= options.minutes {
        return Err("--warm-up has to be less than --minutes".into());
    }
    let merchant = start_in_memory(CUSTOMERS)?;
    // Each customer in turn, and after ten of them a page.
    let paths = (1..=CUSTOMERS).flat_map(|n| {
        let page = n
            .is_multiple_of(10)
            .then(|| "/churnkey/customers?limit=100".to_owned());
        [format!("/churnkey/customers/cus_gen_{n:07}")]
            .into_iter()
            .chain(page)
    });
    let reads = Reads::new(merchant.address(), demo_token()?, paths, StatusCode::OK);
    let rate = match options.rate {
        Some(rate) => rate,
        None => half(reads.flat_out(Duration::from_secs(10)).await?),
    };
    println!("calls a second                {rate}");

    let lasts = Duration::from_secs_f64(options.minutes * 60.0);
    let (latencies, readings) = tokio::try_join!(
        reads.steadily(rate, lasts),
        readings(&merchant, lasts, Duration::from_secs(options.every.into()))
    )?;
    let counted = readings
        .iter()
        .filter(|(hours, _)| *hours >= options.warm_up / 60.0);
    let counted: Vec<(f64, Resources)> = counted.copied().collect();
    #[expect(clippy::cast_precision_loss, reason = "kilobytes")]
    let memory: Vec<(f64, f64)> = counted
        .iter()
        .map(|(hours, held)| (*hours, held.kilobytes as f64 / 1024.0))
        .collect();
    let growth = slope(&memory);
    let files = |of: &[(f64, Resources)]| median(of.iter().map(|(_, held)| held.files));
    let fifth = (counted.len() / 5).max(1);
    let first = files(counted.chunks(fifth).next().unwrap_or_default());
    let last = files(counted.rchunks(fifth).next().unwrap_or_default());
    let megabytes = |of: Option<&(f64, f64)>| of.map_or(f64::NAN, |(_, megabytes)| *megabytes);
    println!("calls, all answered 200       {}", latencies.len());
    println!(
        "p99                           {} us",
        latencies.value_at_quantile(0.99)
    );
    println!("readings that count           {}", counted.len());
    println!(
        "resident memory, first        {:.2} MB, last {:.2} MB",
        megabytes(memory.first()),
        megabytes(memory.last())
    );
    println!("resident memory, slope        {growth:.3} MB an hour");
    println!("open files, first fifth       {first}, last fifth {last}");
    Ok(growth < MAX_MEGABYTES_AN_HOUR && last <= first)
}

/// Half of a rate, in whole calls.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is far from the limits"
)]
fn half(rate: f64) -> u32 {
    println!("highest rate                  {rate:.0}");
    (rate / 2.0) as u32
}

/// What the merchant holds from time to time, each with the hours since the start.
async fn readings(
    merchant: &Program,
    lasts: Duration,
    every: Duration,
) -> Result<Vec<(f64, Resources)>, BoxError> {
    let begin = Instant::now();
    let mut readings = Vec::new();
    let mut due = begin + every;
    while due <= begin + lasts {
        sleep_until(due).await;
        let hours = begin.elapsed().as_secs_f64() / 3600.0;
        readings.push((hours, merchant.resources()?));
        due += every;
    }
    Ok(readings)
}
