//! `cargo run -p notihub`: Notihub's customers, with the calls of their own clients and those of Churnkey.

use std::{error::Error, process::ExitCode};

use axum::{Router, routing::get};
use clap::Parser;
use example_app::{Announcement, Credential, Listening, MerchantOptions, exit_code};
use notihub::store::Store;

/// Notihub's customers on SQLite.
///
/// The token is read from CK_INTEGRATION_TOKEN.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    merchant: MerchantOptions,
}

fn main() -> ExitCode {
    let options = Options::parse();
    exit_code(|| run(options))
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let merchant = options.merchant;
    let credential = Credential::from_env(merchant.server.listen)?;
    let _store = Store::open(merchant.database.as_deref()).await?;
    let listening = Listening::at(merchant.server.listen).await?;
    let app = Router::new().route("/", get(|| async { "Notihub's customers.\n" }));
    let announcement = Announcement {
        credential: &credential,
        customer: "1",
        own_call: None,
    };
    listening.serve(app, &announcement).await
}
