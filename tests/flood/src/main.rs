//! `cargo run --release -p flood`: signed reads at a steady rate, in turns alone and beside ten times as many calls with a wrong
//! signature. The merchant is the in-memory example with `.max_in_flight(64)`, in a process of its own.
//!
//! Each call has a time at which it is due. Its latency is counted from that time, so that a call that had to wait for the one
//! before it counts as a slow one.

mod calls;
mod merchant;

use std::{error::Error, process::ExitCode, time::Duration};

use clap::Parser;
use hdrhistogram::Histogram;

use crate::{
    calls::{Calls, Kind},
    merchant::Merchant,
};

/// How much slower the good calls' p99 may be beside the flood.
const MAX_RATIO: f64 = 2.0;

/// Good calls, in turns alone and beside a flood of wrong signatures.
#[derive(Debug, Clone, Copy, Parser)]
struct Options {
    /// How many good calls there are a second
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// How many wrong calls there are for each good one
    #[arg(long, default_value_t = 10)]
    times: u32,
    /// How often each of the two is measured
    #[arg(long, default_value_t = 8)]
    rounds: usize,
    /// How long a round takes, in seconds
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Serve, and print the address: what the program starts by itself
    #[arg(long, hide = true)]
    serve: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let ended = match options.serve {
        true => merchant::run().await.map(|()| true),
        false => run(options).await,
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the good calls stayed fast enough.
async fn run(options: Options) -> Result<bool, Box<dyn Error>> {
    let merchant = Merchant::start()?;
    let lasts = Duration::from_secs(options.seconds.into());
    let good = Calls::new(merchant.address(), Kind::Good, options.rate, lasts);
    let flood = Calls::new(
        merchant.address(),
        Kind::WrongSignature,
        options.rate.saturating_mul(options.times),
        lasts,
    );
    // The first calls open connections and warm the merchant up.
    good.run().await?;

    let (mut alone, mut beside, mut wrong) = (Vec::new(), Vec::new(), 0);
    for round in 1..=options.rounds {
        let by_itself = good.run().await?;
        let (under_flood, flooded) = tokio::try_join!(good.run(), flood.run())?;
        wrong += flooded.len();
        println!(
            "round {round}: p99 {} us alone, {} us beside the flood",
            p99(&by_itself),
            p99(&under_flood)
        );
        alone.push(p99(&by_itself));
        beside.push(p99(&under_flood));
    }
    let (alone, beside) = (median(alone), median(beside));
    #[expect(clippy::cast_precision_loss, reason = "microseconds")]
    let ratio = beside as f64 / alone.max(1) as f64;
    println!();
    println!("good calls a second           {}", options.rate);
    println!("wrong calls, all answered 401 {wrong}");
    println!("p99 alone                     {alone} us");
    println!("p99 beside the flood          {beside} us");
    println!("ratio                         {ratio:.2}");
    Ok(ratio < MAX_RATIO)
}

fn p99(latencies: &Histogram<u64>) -> u64 {
    latencies.value_at_quantile(0.99)
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
