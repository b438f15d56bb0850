//! `cargo run --release -p proof --bin slow-clients`: signed reads at a steady rate, in turns alone and beside 500 callers who
//! send or read very slowly. The merchant is the in-memory example with `.max_in_flight(64)`, in the examples' connection loop.

mod client;

use std::{process::ExitCode, sync::Arc, time::Duration};

use clap::Parser;
use example_app::demo_token;
use hdrhistogram::Histogram;
use http::StatusCode;
use proof::{BoxError, Reads, start_in_memory, statistics::median};
use tokio::{task::JoinSet, time::sleep};

use crate::client::{Client, Kind, Tally};

/// How much slower the good calls' p99 may be beside the slow clients.
const MAX_RATIO: f64 = 2.0;
/// As many as the longest page has.
const CUSTOMERS: u32 = 500;

/// Good calls, in turns alone and beside callers who send or read very slowly.
#[derive(Debug, Clone, Copy, Parser)]
struct Options {
    /// How many good calls there are a second
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// How many slow clients there are: a third sends its head slowly, a third its body, and a third reads slowly
    #[arg(long, default_value_t = 500)]
    clients: u32,
    /// How many milliseconds a slow client waits after each byte that it sends, and after each 256 that it reads
    #[arg(long, default_value_t = 200)]
    pause: u32,
    /// How often each of the two is measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long a round takes, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    proof::main(run).await
}

/// Whether the good calls stayed fast enough.
async fn run(options: Options) -> Result<bool, BoxError> {
    let merchant = start_in_memory(CUSTOMERS)?;
    let lasts = Duration::from_secs(options.seconds.into());
    // Over new connections each time: those that are open already would not notice that no further ones are taken.
    let good = async |lasts| {
        let path = "/churnkey/customers/cus_ada";
        let reads = Reads::new(merchant.address(), demo_token()?, [path], StatusCode::OK);
        reads.steadily(options.rate, lasts).await
    };
    // The first calls warm the merchant up.
    good(Duration::from_secs(5)).await?;

    let tally = Arc::new(Tally::default());
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        let by_itself = good(lasts).await?;
        let clients = start(options, merchant.address(), &tally).await?;
        let with_slow_ones = good(lasts).await?;
        let held = merchant.resources()?;
        drop(clients);
        println!(
            "round {round}: p99 {} us alone, {} us beside the slow clients; {} kB resident, {} open files",
            p99(&by_itself),
            p99(&with_slow_ones),
            held.kilobytes,
            held.files
        );
        alone.push(p99(&by_itself));
        beside.push(p99(&with_slow_ones));
        // Their connections end before the next round.
        sleep(Duration::from_secs(1)).await;
    }
    let (alone, beside) = (median(alone), median(beside));
    #[expect(clippy::cast_precision_loss, reason = "microseconds")]
    let ratio = beside as f64 / alone.max(1) as f64;
    println!();
    println!("good calls a second           {}", options.rate);
    print!("{tally}");
    println!("p99 alone                     {alone} us");
    println!("p99 beside the slow clients   {beside} us");
    println!("ratio                         {ratio:.2}");
    Ok(ratio < MAX_RATIO)
}

/// Starts the slow clients, evenly over five seconds. They end when the set is dropped.
async fn start(
    options: Options,
    address: &str,
    tally: &Arc<Tally>,
) -> Result<JoinSet<()>, BoxError> {
    let mut clients = JoinSet::new();
    let pause = Duration::from_millis(options.pause.into());
    for n in 0..options.clients {
        let kind = match n % 3 {
            0 => Kind::Head,
            1 => Kind::Body,
            _ => Kind::Reading,
        };
        let client = Client::new(address.parse()?, kind, pause, Arc::clone(tally));
        clients.spawn(client.run());
        sleep(Duration::from_secs(5) / options.clients).await;
    }
    Ok(clients)
}

fn p99(latencies: &Histogram<u64>) -> u64 {
    latencies.value_at_quantile(0.99)
}
