//! `cargo run -p omnidesk`: Omnidesk's customers, with the calls of their own clients and those of Churnkey.

use std::{error::Error, process::ExitCode};

use clap::Parser;
use example_app::{Announcement, Credential, Listening, MerchantOptions, exit_code};
use omnidesk::{
    api::Api,
    churnkey::{self, Churnkey},
    crm::{Crm, LookupUrl},
    store::{Scope, Store, stamp},
};

/// The brand that `--crm-lookup-url` is about.
const CRM_BRAND: i64 = 1;

/// Omnidesk's customers on SQLite.
///
/// The token is read from CK_INTEGRATION_TOKEN.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    merchant: MerchantOptions,
    /// Where the customer database of brand 1 is asked, for syncWithCRM. The brand keeps it
    #[arg(long, value_name = "URL")]
    crm_lookup_url: Option<LookupUrl>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    exit_code(|| run(options))
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let merchant = options.merchant;
    let credential = Credential::from_env(merchant.server.listen)?;
    let store = Store::open(merchant.database.as_deref()).await?;
    let clock = merchant.clock();
    if merchant.wants_demo() && !store.load_demo(&stamp(clock.now())).await? {
        tracing::warn!("there are brands already, so the demo data was not loaded");
    }
    if let Some(url) = options.crm_lookup_url
        && !store.set_crm_lookup_url(CRM_BRAND, &url).await?
    {
        return Err("--crm-lookup-url: there is no brand 1".into());
    }

    let listening = Listening::at(merchant.server.listen).await?;
    let customers = Churnkey::new(store.clone(), Scope::AllBrands);
    let integration = churnkey::integration(customers, credential.token.clone())?;
    let api = Api {
        store,
        clock,
        crm: Crm::default(),
    };
    let app = api.into_router().merge(integration.into_router());
    let announcement = Announcement {
        credential: &credential,
        customer: "1",
        own_call: Some("-H 'apiKey: od-demo-read' '{base}/api/v2/customer'"),
    };
    listening.serve(app, &announcement).await
}
