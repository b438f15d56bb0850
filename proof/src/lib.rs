//! What the programs of this package share. Each of them shows something that a test run has no time for, prints its
//! figures, and exits with 1 if its rule is broken. `docs/reliability.md` lists them.

#![forbid(unsafe_code)]

mod beside;
mod calls;
mod in_memory;
mod postgres;
mod program;
pub mod statistics;
mod steady;
mod trials;

use std::{error::Error, process::ExitCode};

use clap::Parser;

pub use beside::Beside;
pub use calls::{Answer, Connections, Signed};
pub use in_memory::start_in_memory;
pub use postgres::PostgresExample;
pub use program::{Program, Resources};
pub use steady::Reads;
pub use trials::Trials;

/// Any error of a program. Its text says what is wrong.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Reads a program's options and runs it. The exit code is 1 if `run` finds that the program's rule is broken, or if it
/// fails.
///
/// A program that [`start_in_memory`] has started serves the in-memory example instead.
pub async fn main<O: Parser>(run: impl AsyncFnOnce(O) -> Result<bool, BoxError>) -> ExitCode {
    let ended = match in_memory::asked_to_serve() {
        Some(customers) => in_memory::serve(customers).await.map(|()| true),
        None => run(O::parse()).await,
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            println!("THE RULE IS BROKEN");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}
