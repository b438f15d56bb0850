//! `cargo run --release -p proof --bin flood`: signed reads at a steady rate, in turns alone and beside ten times as many calls
//! with a wrong signature. The merchant is the in-memory example with `.max_in_flight(64)`.

use std::{process::ExitCode, time::Duration};

use churnkey_integrator::IntegrationToken;
use clap::Parser;
use example_app::demo_token;
use http::StatusCode;
use proof::{Beside, BoxError, Reads, start_in_memory};

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

    let (mut p99, mut refused) = (Beside::new("the flood"), 0);
    for _ in 0..options.rounds {
        let alone = good.steadily(options.rate, lasts).await?;
        let (beside, flood) = tokio::try_join!(
            good.steadily(options.rate, lasts),
            wrong.steadily(flood_rate, lasts)
        )?;
        refused += flood.len();
        p99.add(&alone, &beside);
    }
    println!();
    println!("good calls a second           {}", options.rate);
    println!("wrong calls, all answered 401 {refused}");
    print!("{p99}");
    Ok(p99.is_well())
}
