//! `cargo run -p notihub`: Notihub's customers, with the calls of their own clients and those of Churnkey.

use std::{error::Error, process::ExitCode};

use churnkey_integrator::Integration;
use clap::Parser;
use example_app::{Announcement, Credential, Generator, Listening, MerchantOptions, exit_code};
use notihub::{
    app,
    churnkey::{Churnkey, Key, Mapping},
    store::Store,
};

/// Notihub's customers on SQLite: environment `prod` is what Churnkey sees in live mode, `dev` in test mode.
///
/// The token is read from CK_INTEGRATION_TOKEN.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    merchant: MerchantOptions,
    /// Let Churnkey call customers by their external id. Those who have none can't be seen by it then
    #[arg(long)]
    external_ids: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    exit_code(|| run(options))
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let merchant = options.merchant;
    let listen = merchant.server.listen;
    let credential = Credential::from_env(listen)?;
    let database = merchant.database.as_deref();
    let store = Store::open(database, merchant.clock(), Generator::Random).await?;
    if merchant.wants_demo() {
        if !store.load_demo_if_empty().await? {
            tracing::warn!("there is an account already, so the demo data were not loaded");
        } else if !listen.ip().is_loopback() {
            tracing::warn!("the demo data's tokens are public, and others can reach {listen}");
        }
    }

    let no_account = "the database has no account yet: start once with --demo";
    let mut churnkey = Churnkey {
        live: store.environment("prod").await?.ok_or(no_account)?,
        test: store.environment("dev").await?.ok_or(no_account)?,
        mapping: Mapping::default(),
    };
    let mut customer = "0f42b842-007d-4c98-9160-ae6b6e908ca0";
    if options.external_ids {
        churnkey.mapping.key = Key::ExternalId;
        customer = "your-custom-id";
        let invisible = churnkey.invisible().await?;
        if invisible > 0 {
            tracing::warn!(
                "Churnkey can't see {invisible} live customers: they have no external id"
            );
        }
    }
    let integration = Integration::builder("Notihub example", credential.token.clone())
        .customers(churnkey)
        // An external id may have 255 characters of any script.
        .max_id_bytes(if options.external_ids { 1020 } else { 255 })
        .build()?;
    let listening = Listening::at(listen).await?;
    let announcement = Announcement {
        credential: &credential,
        customer,
        own_call: Some(
            "-H 'Authorization: Bearer 1111111111111111111111111111111111111111111111111111111111111111' \
             '{base}/customers/'",
        ),
    };
    listening
        .serve(app(store, integration), &announcement)
        .await
}
