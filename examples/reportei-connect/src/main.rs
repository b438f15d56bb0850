//! `cargo run -p reportei-connect`: Reportei Connect's customers, served to its own clients and to Churnkey.

use std::{error::Error, process::ExitCode};

use axum::http::Uri;
use clap::Parser;
use example_app::{Announcement, Credential, Generator, Listening, MerchantOptions, exit_code};
use reportei_connect::{
    app,
    churnkey::{self, Churnkey, Mapping},
    store::Store,
};

/// The demo merchant whose customers Churnkey sees.
const MERCHANT: &str = "c1e6c85a-6441-4107-ab36-b8bf581b40e0";

/// Reportei Connect's customers on SQLite.
///
/// The token is read from CK_INTEGRATION_TOKEN.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    merchant: MerchantOptions,
    /// The public address of the program, if it is behind a proxy. Links in answers begin with it
    #[arg(long, value_name = "URL", value_parser = public_url)]
    public_url: Option<String>,
}

/// A web address without a query. A slash at the end is removed.
fn public_url(text: &str) -> Result<String, &'static str> {
    let uri: Uri = text.parse().map_err(|_| "expected http:// or https://")?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.query().is_none() => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err("expected http:// or https://, a host, and perhaps a path"),
    }
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

    let churnkey = Churnkey {
        store: store.clone(),
        merchant: MERCHANT.to_owned(),
        mapping: Mapping::default(),
    };
    let integration = churnkey::integration(churnkey, credential.token.clone())?;
    let listening = Listening::open(&merchant.server)
        .await?
        .for_integration(&integration);
    let public_url = options.public_url.unwrap_or_else(|| listening.url());
    let announcement = Announcement {
        credential: &credential,
        customer: "caedbbbe-7d93-476f-b965-bf97cd7ce874",
        own_call: Some(
            "-H 'Authorization: Bearer rp-demo-merchant-reportei' '{base}/api/customers'",
        ),
        account_page: None,
    };
    let app = app(store, &public_url, integration);
    listening.serve(app, &announcement).await
}
