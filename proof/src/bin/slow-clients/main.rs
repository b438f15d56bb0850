//! `cargo run --release -p proof --bin slow-clients`: signed reads at a steady rate, in turns alone and beside 500 callers who
//! send or read very slowly. The merchant is the in-memory example with `.max_in_flight(64)`, in the examples' connection loop.

mod client;

use std::{process::ExitCode, sync::Arc, time::Duration};

use clap::Parser;
use example_app::demo_token;
use http::StatusCode;
use proof::{Beside, BoxError, Reads, start_in_memory};
use tokio::{task::JoinSet, time::sleep};

use crate::client::{Client, Kind, Tally};

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
    let mut p99 = Beside::new("the slow clients");
    for _ in 0..options.rounds {
        let alone = good(lasts).await?;
        let clients = start(options, merchant.address(), &tally).await?;
        let beside = good(lasts).await?;
        let held = merchant.resources()?;
        drop(clients);
        p99.add(&alone, &beside);
        println!("{} kB resident, {} open files", held.kilobytes, held.files);
        // Their connections end before the next round.
        sleep(Duration::from_secs(1)).await;
    }
    println!();
    println!("good calls a second           {}", options.rate);
    print!("{tally}");
    print!("{p99}");
    Ok(p99.is_well())
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
