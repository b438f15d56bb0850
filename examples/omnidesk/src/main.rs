//! `cargo run -p omnidesk`: Omnidesk's customers, served to its own clients and to Churnkey.

use std::{error::Error, process::ExitCode};

use clap::Parser;
use example_app::{Announcement, Credential, Listening, MerchantOptions, exit_code};
use omnidesk::{
    api::Api,
    churnkey::{self, Churnkey, Mapping},
    crm::{Crm, LookupUrl},
    store::{Scope, Store, brand as brand_by_id, stamp},
};

/// The brand of `--crm-lookup-url`.
const CRM_BRAND: i64 = 1;

/// Omnidesk's customers on SQLite.
///
/// The token is read from CK_INTEGRATION_TOKEN.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    merchant: MerchantOptions,
    /// The URL of brand 1's customer database, for syncWithCRM. It is stored with the brand
    #[arg(long, value_name = "URL")]
    crm_lookup_url: Option<LookupUrl>,
    /// Let Churnkey see the customers of this brand only
    #[arg(long, value_name = "ID")]
    brand: Option<i64>,
    /// Let Churnkey call the brand's customers by their external id. It then doesn't see customers without one
    #[arg(long, requires = "brand")]
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
    let store = Store::open(merchant.database.as_deref()).await?;
    let clock = merchant.clock();
    let now = stamp(clock.now());
    merchant
        .fill(store.is_empty(), store.load_demo(&now))
        .await?;
    if let Some(url) = options.crm_lookup_url
        && !store.set_crm_lookup_url(CRM_BRAND, &url).await?
    {
        return Err("--crm-lookup-url: there is no brand 1".into());
    }
    let scope = match options.brand {
        None => Scope::AllBrands,
        Some(brand) if options.external_ids => Scope::ExternalIdsOf(brand),
        Some(brand) => Scope::Brand(brand),
    };
    if let Some(brand) = options.brand
        && brand_by_id(&mut *store.read().await?, brand)
            .await?
            .is_none()
    {
        return Err(format!("--brand: there is no brand {brand}").into());
    }
    let churnkey = Churnkey {
        store: store.clone(),
        scope,
        mapping: Mapping::default(),
    };
    let invisible = churnkey.invisible().await?;
    if invisible > 0 {
        tracing::warn!(
            invisible,
            "Churnkey can't see customers without an external id"
        );
    }

    let integration = churnkey::integration(churnkey, credential.token.clone())?;
    let listening = Listening::open(&merchant.server)
        .await?
        .for_integration(&integration);
    let api = Api {
        store,
        clock,
        crm: Crm::default(),
    };
    let app = api.into_router().merge(integration.into_router());
    let announcement = Announcement {
        credential: &credential,
        customer: if options.external_ids { "text" } else { "1" },
        own_call: Some("-H 'apiKey: od-demo-read' '{base}/api/v2/customer'"),
        account_page: None,
    };
    listening.serve(app, &announcement).await
}
