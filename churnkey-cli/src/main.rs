//! `churnkey`: calls and checks any Churnkey custom provider integration by its URL, and says what is wrong.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod connection;
mod crawl;
mod curl;
mod dev;
mod doctor;
mod exchange;
mod exit;
mod fixtures;
mod markup;
mod operations;
mod output;
mod progress;
mod report;
mod settings;
mod suite;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::{
    arguments::{Arguments, Command},
    connection::Connection,
    exit::{Failure, Outcome},
    settings::Settings,
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let as_json = arguments.json;
    match run(arguments) {
        Ok(outcome) => outcome.code(),
        Err(failure) => failure.report(as_json),
    }
}

fn run(arguments: Arguments) -> Result<Outcome, Failure> {
    let Arguments {
        command,
        connection,
        json,
        verbose,
    } = arguments;
    let load = match command {
        Command::Dev(_) => Settings::load_or_demo,
        _ => Settings::load,
    };
    let settings = || load(connection.clone());
    match command {
        Command::Sign(arguments) => commands::sign::run(&arguments, &settings()?, json),
        Command::Call(arguments) => connected(&settings()?, verbose, async |connection| {
            commands::call::run(&arguments, connection, json).await
        }),
        Command::List(arguments) => connected(&settings()?, verbose, async |connection| {
            commands::list::run(&arguments, connection, json).await
        }),
        Command::Check(arguments) => {
            let mut settings = settings()?;
            let configured = std::mem::take(&mut settings.fixtures);
            connected(&settings, verbose, async |connection| {
                commands::check::run(*arguments, configured, connection, json).await
            })
        }
        Command::Ambiguity(arguments) => connected(&settings()?, verbose, async |connection| {
            commands::ambiguity::run(&arguments, connection, json).await
        }),
        Command::Dev(arguments) => runtime()?.block_on(commands::dev::run(*arguments, settings()?)),
        Command::Doctor(arguments) => {
            let settings = settings()?;
            connected(&settings, verbose, async |connection| {
                commands::doctor::run(arguments, &settings, connection, verbose, json).await
            })
        }
        Command::Bench(arguments) => {
            let settings = settings()?;
            connected(&settings, verbose, async |connection| {
                commands::bench::run(&arguments, &settings, connection, json).await
            })
        }
        Command::Openapi(arguments) => {
            let settings = match arguments.contract {
                true => None,
                false => Settings::load_if_any(connection.clone())?,
            };
            match settings {
                None => commands::openapi::of_contract(&arguments),
                Some(settings) => connected(&settings, verbose, async |connection| {
                    commands::openapi::of_integration(&arguments, connection).await
                }),
            }
        }
        Command::Init(arguments) => {
            let settings = settings()?;
            connected(&settings, verbose, async |connection| {
                commands::init::run(&arguments, &settings, connection, json).await
            })
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "churnkey", &mut script);
            output::bytes(&script)?;
            Ok(Outcome::Good)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
            output::bytes(&page)?;
            Ok(Outcome::Good)
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    Ok(builder.worker_threads(1).enable_all().build()?)
}

/// Runs a command that calls the integration.
fn connected(
    settings: &Settings,
    verbose: bool,
    command: impl AsyncFnOnce(&Connection) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    runtime()?.block_on(async {
        let connection = Connection::open(settings, verbose)?;
        let outcome = command(&connection).await;
        connection.progress().end();
        outcome
    })
}
