//! `cargo run --profile production -p rivals`: the speed of the framework against what a merchant would use instead.
//! BENCHMARKS.md says how it is done.

mod cores;
mod figures;
mod measure;
mod node;
mod processes;
mod report;
mod rival;
mod running;
mod steady;
mod wrk;

use std::{env, error::Error, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use rivals::{
    Server,
    alike::{cases, differences},
    database,
    source::Source,
};
use throwaway_postgres::ThrowawayPostgres;
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    figures::{Figures, Work},
    measure::Plan,
    report::{Report, grouped},
    rival::Rival,
    running::{Running, TOKEN},
};

/// How many customers there are in memory.
const IN_MEMORY: u32 = 100_000;
/// What the figures of BENCHMARKS.md are measured with. With less it is a trial.
const ROUNDS: u32 = 16;
const SECONDS: u32 = 3;
const ROWS: u32 = 10_000_000;

/// The framework against hand-written axum, Fastify, Express and bare hyper: all signed, on one core.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Options {
    /// How often each server is measured
    #[arg(long, default_value_t = ROUNDS, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each measurement takes, in seconds
    #[arg(long, default_value_t = SECONDS, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// How many customers PostgreSQL has
    #[arg(long, default_value_t = ROWS, value_parser = clap::value_parser!(u32).range(10_000..))]
    rows: u32,
    /// Measure the servers in memory alone
    #[arg(long, conflicts_with = "postgres_only")]
    memory_only: bool,
    /// Measure the servers over PostgreSQL alone
    #[arg(long)]
    postgres_only: bool,
    /// Write the tables into BENCHMARKS.md
    #[arg(long)]
    write: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve, and print the address: what the program starts by itself
    #[command(hide = true)]
    Serve(Serve),
}

#[derive(Debug, Args)]
struct Serve {
    server: Server,
    /// Serve this many customers from memory
    #[arg(long, default_value_t = IN_MEMORY)]
    customers: u32,
    /// Serve from this database
    #[arg(long)]
    database: Option<String>,
}

fn main() -> ExitCode {
    let mut options = Options::parse();
    if let Some(Command::Serve(serve)) = options.command.take() {
        return if serve.server.logs() {
            example_app::exit_code(|| serve.run())
        } else {
            ended(
                Runtime::new()
                    .map_err(Into::into)
                    .and_then(|runtime| runtime.block_on(serve.run())),
            )
        };
    }
    ended(options.run())
}

fn ended(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

impl Serve {
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let source = match self.database {
            Some(url) => Source::Postgres { url },
            None => Source::Memory {
                customers: self.customers,
            },
        };
        let token = env::var("CK_INTEGRATION_TOKEN")?;
        let served = self.server.serve(&source, &token, listener).await;
        served.map_err(|error| error as Box<dyn Error>)
    }
}

impl Options {
    fn run(&self) -> Result<(), Box<dyn Error>> {
        node::install()?;
        // What is started from here on makes calls, unless it is told to run on the server's core.
        cores::move_to(cores::LOAD, std::process::id())?;
        if !self.postgres_only {
            let how = self.how(IN_MEMORY, IN_MEMORY);
            self.report(&Report::in_memory(&self.in_memory()?, &how)?)?;
        }
        if !self.memory_only {
            let how = self.how(self.rows, ROWS);
            self.report(&Report::over_postgres(&self.over_postgres()?, &how)?)?;
        }
        Ok(())
    }

    fn report(&self, report: &Report) -> Result<(), Box<dyn Error>> {
        println!("\n{}", report.text());
        match self.write {
            true => report.write(),
            false => Ok(()),
        }
    }

    fn how(&self, customers: u32, of_figures: u32) -> String {
        let (rounds, seconds) = (self.rounds, self.seconds);
        let is_trial = rounds < ROUNDS || seconds < SECONDS || customers < of_figures;
        let trial = match is_trial {
            true => "**A trial, too short to be quoted:** ",
            false => "",
        };
        let customers = grouped(customers.into());
        format!("{trial}{customers} customers, {rounds} rounds, {seconds} s for each measurement.")
    }

    fn in_memory(&self) -> Result<Figures, Box<dyn Error>> {
        let source = Source::Memory {
            customers: IN_MEMORY,
        };
        check_alike(&Rival::IN_MEMORY, &source, IN_MEMORY)?;
        self.measure(&Rival::IN_MEMORY, &Work::IN_MEMORY, source, IN_MEMORY, None)
    }

    fn over_postgres(&self) -> Result<Figures, Box<dyn Error>> {
        let database = ThrowawayPostgres::start();
        let url = database.url();
        Runtime::new()?
            .block_on(database::fill(&url, self.rows.into(), |added| {
                println!("{added} rows");
            }))
            .map_err(|error| error as Box<dyn Error>)?;
        let postmaster = processes::own_children_named("postgres")?;
        let postmaster = *postmaster.first().ok_or("PostgreSQL is not running")?;
        cores::move_to(cores::SERVER, postmaster)?;
        for process in processes::children(postmaster)? {
            // One that has ended meanwhile can't be moved.
            let _ = cores::move_to(cores::SERVER, process);
        }
        let source = Source::Postgres { url };
        let rivals = &Rival::OVER_POSTGRES;
        check_alike(rivals, &source, self.rows)?;
        self.measure(
            rivals,
            &Work::OVER_POSTGRES,
            source,
            self.rows,
            Some(postmaster),
        )
    }

    fn measure(
        &self,
        rivals: &[Rival],
        works: &[Work],
        source: Source,
        customers: u32,
        database: Option<u32>,
    ) -> Result<Figures, Box<dyn Error>> {
        let plan = Plan {
            rivals,
            works,
            source,
            customers: customers.into(),
            database,
            rounds: self.rounds,
            seconds: self.seconds,
        };
        plan.measure()
    }
}

/// Stops with what differs, if a server does not answer as the first one.
fn check_alike(rivals: &[Rival], source: &Source, customers: u32) -> Result<(), Box<dyn Error>> {
    let cases = cases(TOKEN, customers.into());
    let (first, _) = rivals.split_first().ok_or("there are no servers")?;
    let first = Running::start(*first, source)?;
    let mut wrong = String::new();
    // The first one, too: the statuses are compared with those that are expected.
    for rival in rivals {
        let other = Running::start(*rival, source)?;
        for difference in differences(first.address(), other.address(), &cases)? {
            wrong += &format!("\n{}: {difference}", rival.name());
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => {
            Err(format!("the servers don't answer alike, so nothing was measured:{wrong}").into())
        }
    }
}
