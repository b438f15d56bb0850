//! `cargo run -p notihub`: Notihub's customers, with the calls of their own clients and those of Churnkey.

use std::{error::Error, process::ExitCode};

use churnkey_integrator::Integration;
use clap::Parser;
use example_app::{Announcement, Credential, Generator, Listening, MerchantOptions, exit_code};
use notihub::{
    app,
    churnkey::{Churnkey, Mapping},
    store::Store,
};

/// Notihub's customers on SQLite: environment `prod` is what Churnkey sees in live mode, `dev` in test mode.
///
/// The token is read from CK_INTEGRATION_TOKEN.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    merchant: MerchantOptions,
}

fn main() -> ExitCode {
    let options = Options::parse();
    exit_code(|| run(options.merchant))
}

async fn run(options: MerchantOptions) -> Result<(), Box<dyn Error>> {
    let credential = Credential::from_env(options.server.listen)?;
    let database = options.database.as_deref();
    let store = Store::open(database, options.clock(), Generator::Random).await?;
    if options.wants_demo() && !store.load_demo_if_empty().await? {
        tracing::warn!("there is an account already, so the demo data were not loaded");
    }
    let environment = async |name: &str| {
        let found = store.environment(name).await?;
        found.ok_or_else(|| {
            format!("the database has no environment `{name}`: start once with --demo").into()
        })
    };
    let churnkey = Churnkey {
        live: environment("prod").await?,
        test: environment("dev")
            .await
            .map_err(|error: Box<dyn Error>| error)?,
        mapping: Mapping::default(),
    };
    let invisible = churnkey.invisible().await?;
    if invisible > 0 {
        tracing::warn!("Churnkey can't see {invisible} customers, who have no external id");
    }

    let integration = Integration::builder("Notihub example", credential.token.clone())
        .customers(churnkey)
        .build()?;
    let listening = Listening::at(options.server.listen).await?;
    let announcement = Announcement {
        credential: &credential,
        customer: "0f42b842-007d-4c98-9160-ae6b6e908ca0",
        own_call: Some(
            "-H 'Authorization: Bearer 1111111111111111111111111111111111111111111111111111111111111111' \
             '{base}/customers/'",
        ),
    };
    listening
        .serve(app(store, integration), &announcement)
        .await
}
