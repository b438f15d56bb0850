//! The in-memory example in a process of its own: the program that calls it, started again.

use std::{env, pin::Pin, process::Command};

use example_app::{Clock, Demo, Limits, demo_token, generated_customers, serve as serve_router};
use in_memory::{churnkey, store::Store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{BoxError, Program};

/// The argument by which a program is asked to serve. The number of customers follows.
const SERVE: &str = "--serve-in-memory";

/// Starts the in-memory example with `.max_in_flight(64)` in the examples' connection loop, as a process of its own. It has
/// the demo data, and this many generated customers from `cus_gen_0000001` on.
///
/// # Errors
/// If it can't be started.
pub fn start_in_memory(customers: u32) -> Result<Program, BoxError> {
    let mut program = Command::new(env::current_exe()?);
    Program::start(program.args([SERVE, &customers.to_string()]))
}

/// With how many customers this program was asked to serve.
pub(crate) fn asked_to_serve() -> Option<u32> {
    let mut arguments = env::args().skip(1);
    let asked = arguments.next().is_some_and(|argument| argument == SERVE);
    arguments.next().filter(|_| asked)?.parse().ok()
}

/// Serves until the process is killed. Boxed, so that it is compiled once, and not again for each program.
pub(crate) fn serve(customers: u32) -> Pin<Box<dyn Future<Output = Result<(), BoxError>>>> {
    Box::pin(run(customers))
}

async fn run(customers: u32) -> Result<(), BoxError> {
    let demo = Demo::load()?;
    let clock = Clock::Frozen(demo.clock);
    let store = Store::new(clock);
    store.live.extend(demo.live);
    for customer in generated_customers(customers, clock.now()) {
        store.live.customers.extend([customer?]);
    }
    let builder = churnkey::builder(&store, demo_token()?);
    let integration = builder.max_in_flight(64).build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve_router(
        listener,
        None,
        integration.into_router(),
        Limits::default(),
        CancellationToken::new(),
    )
    .await;
    Ok(())
}
