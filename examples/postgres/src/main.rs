//! `DATABASE_URL=postgres://.. cargo run -p postgres -- --demo`: a merchant on PostgreSQL 12 or later.

use std::{error::Error, process::ExitCode};

use axum::{Router, routing::get};
use clap::Parser;
use example_app::{
    Announcement, Clock, Credential, Demo, Listening, ServerOptions, exit_code, named_database,
};
use postgres::{churnkey, store::Store};

/// A merchant whose records are in PostgreSQL.
///
/// The token is read from CK_INTEGRATION_TOKEN.
// No `Debug`: the database's address may hold a password.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    server: ServerOptions,
    /// The database, as postgres://user:password@host:port/database. On a machine that you share,
    /// set the variable instead: others may see a command's arguments. With ?sslmode=verify-full the
    /// connections are encrypted, and the server has to prove who it is by a certificate of an
    /// authority that the system trusts, or of one in the file that &sslrootcert=FILE names; require,
    /// verify-ca and disable mean what they mean to libpq. Without sslmode they are encrypted if the
    /// server offers it, and nothing is verified
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database: Option<String>,
    /// Load the demo data, unless there are customers already
    #[arg(long)]
    demo: bool,
    /// Add this many generated live customers, from cus_gen_0000001 on; existing ones do not change
    #[arg(long, value_name = "N", default_value_t = 0)]
    customers: u32,
}

fn main() -> ExitCode {
    let options = Options::parse();
    exit_code(|| run(options))
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let address = named_database(options.database)?;
    let clock = options.server.clock.unwrap_or(Clock::System);
    let store = Store::connect(&address)?.at(clock);
    store.migrate().await?;
    if options.demo {
        let demo = Demo::load()?;
        if !store.load_if_empty(&demo.live, &demo.test).await? {
            tracing::warn!("there are customers already, so the demo data was not loaded");
        }
    }
    if options.customers > 0 {
        store.generate(options.customers, clock.now()).await?;
    }

    let credential = Credential::from_env(options.server.listen)?;
    let integration = churnkey::integration(&store, credential.token.clone())?;
    let listening = Listening::open(&options.server)
        .await?
        .for_integration(&integration);
    let app = Router::new()
        .route("/", get(|| async { "The Postgres merchant.\n" }))
        .merge(integration.into_router());
    let announcement = Announcement {
        credential: &credential,
        customer: "cus_ada",
        own_call: None,
        account_page: None,
    };
    listening.serve(app, &announcement).await
}
