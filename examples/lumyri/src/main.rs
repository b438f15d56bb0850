//! `cargo run -p lumyri`: Lumyri's customers, with the calls of their own clients and those of Churnkey.

use std::{env, error::Error, net::SocketAddr, process::ExitCode};

use clap::Parser;
use example_app::{Announcement, Credential, Generator, Listening, MerchantOptions, exit_code};
use lumyri::{
    api::Api,
    churnkey::{self, Customers},
    demo::{DEMO_JWT_SECRET, DEMO_TOKEN, Demo},
    store::{Scope, Store},
    token::TokenKey,
};

const SECRET: &str = "LUMYRI_JWT_SECRET";

/// Lumyri's customers on SQLite.
///
/// Churnkey's token is read from CK_INTEGRATION_TOKEN, the secret of Lumyri's own tokens from LUMYRI_JWT_SECRET.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    merchant: MerchantOptions,
    /// The company whose customers Churnkey sees
    #[arg(
        long,
        value_name = "UUID",
        default_value = "231080c5-b622-4a25-aef8-c7e426927bb0"
    )]
    company: String,
    /// The app whose customers Churnkey sees; without it those of all apps
    #[arg(long, value_name = "UUID")]
    app: Option<String>,
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
    let store = Store::open(merchant.database.as_deref()).await?;
    let demo = Demo::load()?;
    if merchant.wants_demo() {
        store.load_if_empty(&demo, merchant.clock().now()).await?;
    }

    let scope = Scope {
        company: options.company,
        app: options.app,
    };
    let customers = Customers::new(store.clone(), scope);
    let integration = churnkey::integration(customers, credential.token.clone())?;
    let key = TokenKey::new(&secret);
    let app = Api::new(store, key, merchant.clock(), Generator::Random)
        .into_router()
        .merge(integration.into_router());

    let app_id = demo.apps.get("main").map_or("", String::as_str);
    let call = format!(
        "-H 'Authorization: Bearer {DEMO_TOKEN}' -H 'x-app-id: {app_id}' '{{base}}/users/customers'"
    );
    let customer = demo.customers.first().map_or("", |customer| &customer.id);
    let announcement = Announcement {
        credential: &credential,
        customer,
        own_call: (secret == DEMO_JWT_SECRET).then_some(call.as_str()),
    };
    let listening = Listening::at(listen).await?;
    listening.serve(app, &announcement).await
}

/// The secret of the environment, or the demo one where nobody else can reach it.
fn secret(listen: SocketAddr) -> Result<String, Box<dyn Error>> {
    match env::var(SECRET) {
        Ok(secret) if !secret.is_empty() => Ok(secret),
        Ok(_) => Err(format!("{SECRET} is empty").into()),
        Err(env::VarError::NotPresent) if listen.ip().is_loopback() => {
            tracing::warn!("{SECRET} is not set: using the public demo secret, for trying out only");
            Ok(DEMO_JWT_SECRET.to_owned())
        }
        Err(_) => Err(format!(
            "set {SECRET}: without it there is only the public demo secret, which is not used on {listen}"
        )
        .into()),
    }
}
