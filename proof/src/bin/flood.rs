//! `cargo run --release -p proof --bin flood`: signed reads at a steady rate, in turns alone and beside ten times as many calls
//! with a wrong signature. The merchant is the in-memory example with `.max_in_flight(64)`.

use std::{process::ExitCode, time::Duration};

use churnkey_integrator::IntegrationToken;
use clap::Parser;
use example_app::demo_token;
use hdrhistogram::Histogram;
use http::StatusCode;
use proof::{BoxError, Reads, start_in_memory, statistics::median};

/// How much slower the good calls' p99 may be beside the flood.
const MAX_RATIO: f64 = 2.0;
const PATH: &str = "/churnkey/customers/cus_ada";

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
}

#[tokio::main]
async fn main() -> ExitCode {
    proof::main(run).await
}

/// Whether the good calls stayed fast enough.
async fn run(options: Options) -> Result<bool, BoxError> {
    let merchant = start_in_memory(0)?;
    let lasts = Duration::from_secs(options.seconds.into());
    let good = Reads::new(merchant.address(), demo_token()?, [PATH], StatusCode::OK);
    let wrong_token = IntegrationToken::new("not-the-token-of-the-demo")?;
    let wrong = Reads::new(
        merchant.address(),
        wrong_token,
        [PATH],
        StatusCode::UNAUTHORIZED,
    );
    let flood_rate = options.rate.saturating_mul(options.times);
    // The first calls open connections and warm the merchant up.
    good.steadily(options.rate, lasts).await?;

    let (mut alone, mut beside, mut refused) = (Vec::new(), Vec::new(), 0);
    for round in 1..=options.rounds {
        let by_itself = good.steadily(options.rate, lasts).await?;
        let (under_flood, flood) = tokio::try_join!(
            good.steadily(options.rate, lasts),
            wrong.steadily(flood_rate, lasts)
        )?;
        refused += flood.len();
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
    println!("wrong calls, all answered 401 {refused}");
    println!("p99 alone                     {alone} us");
    println!("p99 beside the flood          {beside} us");
    println!("ratio                         {ratio:.2}");
    Ok(ratio < MAX_RATIO)
}

fn p99(latencies: &Histogram<u64>) -> u64 {
    latencies.value_at_quantile(0.99)
}
