//! `cargo run -p notihub`: Notihub's customers, served to its own clients and to Churnkey.

use std::{error::Error, process::ExitCode};

use clap::Parser;
use example_app::{Announcement, Credential, Generator, Listening, MerchantOptions, exit_code};
use notihub::{
    app,
    churnkey::{self, Churnkey, Key, Mapping},
    store::Store,
};

/// Notihub's customers on SQLite: environment `prod` is what Churnkey sees in live mode, `dev` in test mode.
///
/// The token is read from CK_INTEGRATION_TOKEN.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    merchant: MerchantOptions,
    /// Let Churnkey call customers by their external id. It then doesn't see customers without one
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
    merchant
        .fill(store.is_empty(), store.load_demo_if_empty())
        .await?;

    let mut churnkey = Churnkey {
        live: store.environment("prod").await?,
        test: store.environment("dev").await?,
        key: Key::CustomerId,
        mapping: Mapping::default(),
    };
    let mut customer = "0f42b842-007d-4c98-9160-ae6b6e908ca0";
    if options.external_ids {
        churnkey.key = Key::ExternalId;
        customer = "your-custom-id";
        let invisible = churnkey.invisible().await?;
        if invisible > 0 {
            tracing::warn!(
                "Churnkey can't see {invisible} live customers: they have no external id"
            );
        }
    }
    let integration = churnkey::integration(churnkey, credential.token.clone())?;
    let listening = Listening::open(&merchant.server)
        .await?
        .for_integration(&integration);
    let announcement = Announcement {
        credential: &credential,
        customer,
        own_call: Some(
            "-H 'Authorization: Bearer 1111111111111111111111111111111111111111111111111111111111111111' \
             '{base}/customers/'",
        ),
        account_page: None,
    };
    listening
        .serve(app(store, integration), &announcement)
        .await
}
