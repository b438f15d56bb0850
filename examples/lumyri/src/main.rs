//! `cargo run -p lumyri`: Lumyri's customers, served to its own clients and to Churnkey.

use std::{env, error::Error, net::SocketAddr, process::ExitCode};

use clap::Parser;
use example_app::{Announcement, Credential, Generator, Listening, MerchantOptions, exit_code};
use lumyri::{
    app,
    churnkey::{self, Churnkey, Mapping},
    record,
    store::Store,
    token::TokenKey,
};

const SECRET: &str = "LUMYRI_JWT_SECRET";
/// A public secret, for trying out.
const DEMO_SECRET: &str = "lumyri-demo-secret";
/// A call of company A in its main app. The token does not expire.
const DEMO_CALL: &str = "-H 'Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
    eyJjb21wYW55X2lkIjoiMjMxMDgwYzUtYjYyMi00YTI1LWFlZjgtYzdlNDI2OTI3YmIwIiwiaXNzIjoibHVteXJpLWRlbW8iLCJ1c2VyX2lkIjoiYzBjZDY2ZmUtYzA4Yi00NmMyLTk2OTctZTVlZDlhOTI3OTY5In0.\
    cOortJCD_9TfeNjz4TXwkIr6ub6n_zilETJ2437dIx0' \
    -H 'x-app-id: 14e43e28-7e6d-461e-b1c9-7c54736f4331' '{base}/users/customers'";

/// Lumyri's customers on SQLite.
///
/// Churnkey's token is read from CK_INTEGRATION_TOKEN, the secret that Lumyri's own tokens are signed with from
/// LUMYRI_JWT_SECRET.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    merchant: MerchantOptions,
    /// The company whose customers Churnkey sees
    #[arg(long, value_name = "UUID", value_parser = uuid, default_value = "231080c5-b622-4a25-aef8-c7e426927bb0")]
    company: String,
    /// The app whose customers Churnkey sees. Without it, Churnkey sees all apps, and an address may have an owner in each
    #[arg(long, value_name = "UUID", value_parser = uuid)]
    app: Option<String>,
}

fn uuid(text: &str) -> Result<String, &'static str> {
    record::uuid(text).ok_or("expected a UUID with hyphens")
}

fn main() -> ExitCode {
    let options = Options::parse();
    exit_code(|| run(options))
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let merchant = options.merchant;
    let listen = merchant.server.listen;
    let credential = Credential::from_env(listen)?;
    let secret = secret(listen)?;
    let database = merchant.database.as_deref();
    let store = Store::open(database, merchant.clock(), Generator::Random).await?;
    merchant
        .fill(store.is_empty(), store.load_demo_if_empty())
        .await?;

    let churnkey = Churnkey {
        scope: store.scope(options.company, options.app),
        mapping: Mapping::default(),
    };
    let integration = churnkey::integration(churnkey, credential.token.clone())?;
    let listening = Listening::open(&merchant.server)
        .await?
        .for_integration(&integration);
    let announcement = Announcement {
        credential: &credential,
        customer: "346dd239-cbe4-44fe-b9ee-be88fd2fa853",
        own_call: (secret == DEMO_SECRET).then_some(DEMO_CALL),
        account_page: None,
    };
    let app = app(store, TokenKey::new(&secret), integration);
    listening.serve(app, &announcement).await
}

/// The secret of the environment, or on a loopback address the demo secret.
fn secret(listen: SocketAddr) -> Result<String, Box<dyn Error>> {
    match env::var(SECRET) {
        Ok(secret) if !secret.is_empty() => Ok(secret),
        Err(env::VarError::NotPresent) if listen.ip().is_loopback() => {
            tracing::warn!("{SECRET} is not set: using the public demo secret, for trying out only");
            Ok(DEMO_SECRET.to_owned())
        }
        Err(env::VarError::NotPresent) => Err(format!(
            "set {SECRET}: without it there is only the public demo secret, which is not used on {listen}, an \
             address that other machines can reach (or listen on 127.0.0.1)"
        )
        .into()),
        _ => Err(format!("{SECRET} must be a text that is not empty").into()),
    }
}
