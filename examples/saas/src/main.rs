//! `DATABASE_URL=postgres://.. cargo run -p saas -- --demo`: a platform with many tenants, answering Churnkey's calls for
//! each of them.

use std::{error::Error, process::ExitCode};

use axum::{Router, routing::get};
use churnkey_integrator::IntegrationToken;
use clap::Parser;
use example_app::{
    Announcement, Clock, Credential, Listening, ServerOptions, exit_code, named_database,
};
use saas::{
    churnkey,
    store::{DemoSize, Setup, Store},
};

/// A platform with many tenants over PostgreSQL.
///
/// The tokens are in the table churnkey_tokens.
// No `Debug`: the database's address may hold a password.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    server: ServerOptions,
    /// The database, as postgres://user:password@host:port/database: a superuser's address, or one that may create roles.
    /// On a machine that you share, set the variable instead: others may see a command's arguments
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database: Option<String>,
    /// Load the demo data, unless there are tenants already
    #[arg(long)]
    demo: bool,
    /// How many tenants the demo data have, from tenant-01 on
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=99))]
    tenants: u32,
    /// How many generated live customers each of them has, besides those with a name
    #[arg(long, value_name = "N", default_value_t = 200)]
    customers: u32,
}

fn main() -> ExitCode {
    let options = Options::parse();
    exit_code(|| run(options))
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let address = named_database(options.database)?;
    let (clock, listen) = (
        options.server.clock.unwrap_or(Clock::System),
        options.server.listen,
    );

    let mut setup = Setup::migrate(&address).await?;
    if options.demo {
        let size = DemoSize {
            tenants: options.tenants,
            customers: options.customers,
        };
        if !setup.load_demo(size, clock.now()).await? {
            tracing::warn!("there are tenants already, so the demo data were not loaded");
        }
    }
    let example = setup.example().await?;
    let example = example.ok_or("there is no tenant to call: start once with --demo")?;
    let has_demo_tokens = setup.has_demo_tokens().await?;
    drop(setup);
    if has_demo_tokens && !listen.ip().is_loopback() {
        let refusal = format!(
            "the demo tokens are public, and others can reach {listen}: \
             revoke them in the table churnkey_tokens, or listen on 127.0.0.1"
        );
        return Err(refusal.into());
    }

    let store = Store::connect(&address, clock).await?;
    let integration = churnkey::integration(&store)?;
    let listening = Listening::open(&options.server)
        .await?
        .for_integration(&integration)
        .under(format!("/tenants/{}", example.tenant));
    let app = Router::new()
        .route("/", get(|| async { "The platform.\n" }))
        .nest("/tenants/{tenant}", integration.into_router());
    let credential = Credential {
        in_shell: match example.token.as_str() {
            DEMO_TOKEN => DEMO_TOKEN,
            _ => "$CK_INTEGRATION_TOKEN",
        },
        token: IntegrationToken::new(example.token)?,
    };
    let announcement = Announcement {
        credential: &credential,
        customer: &example.customer,
        own_call: None,
        account_page: None,
    };
    listening.serve(app, &announcement).await
}

/// The token of the first demo tenant. It is public, so it may be printed.
const DEMO_TOKEN: &str = "ck-demo-token-of-tenant-01";
