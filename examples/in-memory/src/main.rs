//! `cargo run -p in-memory`: a merchant with demo data in memory.

use std::{error::Error, process::ExitCode};

use axum::{Router, routing::get};
use clap::Parser;
use example_app::{
    Announcement, Clock, Credential, Demo, Listening, ServerOptions, exit_code, generated_customers,
};
use in_memory::{
    account::{self, Keys},
    churnkey,
    store::Store,
};

/// A merchant whose records are in memory.
///
/// The token is read from CK_INTEGRATION_TOKEN.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    server: ServerOptions,
    /// Add this many generated live customers, from cus_gen_0000001 on
    #[arg(long, value_name = "N", default_value_t = 0)]
    customers: u32,
}

fn main() -> ExitCode {
    let options = Options::parse();
    exit_code(|| run(options))
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let demo = Demo::load()?;
    let clock = options.server.clock.unwrap_or(Clock::Frozen(demo.clock));
    let store = Store::new(clock);
    store.live.extend(demo.live);
    store.test.extend(demo.test);
    for customer in generated_customers(options.customers, clock.now()) {
        let customer = customer.map_err(|error| error as Box<dyn Error>)?;
        store.live.customers.extend([customer]);
    }

    let credential = Credential::from_env(options.server.listen)?;
    let integration = churnkey::integration(&store, credential.token.clone())?;
    let actions = integration.running_actions();
    let app = Router::new()
        .route("/", get(|| async { "The in-memory merchant.\n" }))
        .merge(integration.into_router());
    // The demo login believes everybody, so these routes are only for this machine.
    let app = if options.server.listen.ip().is_loopback() {
        app.merge(account::routes(store, Keys::demo()?))
    } else {
        app
    };
    let announcement = Announcement {
        credential: &credential,
        customer: "cus_ada",
        own_call: None,
        has_demo_keys: options.server.listen.ip().is_loopback(),
    };
    let listening = Listening::at(options.server.listen).await?;
    let listening = listening.with_actions(actions);
    listening.serve(app, &announcement).await
}
