//! `cargo run -p in-memory`: a merchant with demo data in memory.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    process::ExitCode,
};

use axum::{Router, routing::get};
use clap::Parser;
use example_app::{
    Announcement, Clock, Credential, Demo, Listening, ServerOptions, exit_code, generated_customers,
};
use in_memory::{
    account::{self, Keys},
    account_page::{self, LocalChurnkey},
    churnkey, metrics,
    store::Store,
};

/// A merchant whose records are in memory.
///
/// The token is read from CK_INTEGRATION_TOKEN.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    server: ServerOptions,
    /// Add this many generated live customers, from cus_gen_0000001 on
    #[arg(long, value_name = "N", default_value_t = 0)]
    customers: u32,
    /// The address of `churnkey dev`, which the cancel buttons of /account open
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8787")]
    churnkey_dev: LocalChurnkey,
    /// Serve metrics for Prometheus at /metrics of this address, 127.0.0.1:9464 if none is given; port 0 takes a free one
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:9464")]
    metrics: Option<SocketAddr>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    exit_code(|| run(options))
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    if let Some(address) = options.metrics {
        metrics::serve(address).await?;
    }
    let demo = Demo::load()?;
    let clock = options.server.clock.unwrap_or(Clock::Frozen(demo.clock));
    let store = Store::new(clock);
    store.live.extend(demo.live);
    store.test.extend(demo.test);
    for customer in generated_customers(options.customers, clock.now()) {
        let customer = customer.map_err(|error| error as Box<dyn Error>)?;
        store.live.customers.extend([customer]);
    }

    let listen = options.server.listen;
    let credential = Credential::from_env(listen)?;
    let integration = churnkey::integration(&store, credential.token.clone())?;
    let listening = Listening::open(&options.server)
        .await?
        .for_integration(&integration);
    let app = Router::new()
        .route("/", get(|| async { "The in-memory merchant.\n" }))
        .merge(integration.into_router())
        .merge(site(
            listen.ip(),
            store,
            Keys::demo()?,
            options.churnkey_dev,
        ));
    let announcement = Announcement {
        credential: &credential,
        customer: "cus_ada",
        own_call: None,
        account_page: listen.ip().is_loopback().then_some("/account"),
    };
    listening.serve(app, &announcement).await
}

/// What customers use. The demo logins believe everybody, so it is only for this machine.
fn site(listen: IpAddr, store: Store, keys: Keys, local_churnkey: LocalChurnkey) -> Router {
    if !listen.is_loopback() {
        return Router::new();
    }
    account::routes(store.clone(), keys).merge(account_page::routes(store, local_churnkey))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::http::Method;
    use churnkey_conformance::Client;
    use example_app::demo_token;

    use super::*;

    #[test]
    fn metrics_are_off_and_for_this_machine_unless_an_address_is_given() {
        let parsed = |arguments: &[&str]| {
            let arguments = ["in-memory"].iter().chain(arguments);
            let metrics = Options::try_parse_from(arguments).unwrap().metrics;
            metrics.map(|address| address.to_string())
        };
        assert_eq!(parsed(&[]), None);
        assert_eq!(parsed(&["--metrics"]).as_deref(), Some("127.0.0.1:9464"));
        let given = parsed(&["--metrics", "0.0.0.0:9100"]);
        assert_eq!(given.as_deref(), Some("0.0.0.0:9100"));
    }

    #[tokio::test]
    async fn the_demo_logins_are_there_for_this_machine_only() {
        for (listen, status) in [(Ipv4Addr::LOCALHOST, 200), (Ipv4Addr::UNSPECIFIED, 404)] {
            let local_churnkey = "http://127.0.0.1:8787".parse().unwrap();
            let store = Store::new(Clock::System);
            let site = site(listen.into(), store, Keys::demo().unwrap(), local_churnkey);
            let client = Client::new(site, demo_token().unwrap());
            let answer = client.call(Method::GET, "/account").send_unchecked().await;
            assert_eq!(answer.status(), status, "{listen}");
            let call = client.call(Method::POST, "/webhooks/churnkey");
            let status = if status == 200 { 401 } else { 404 };
            assert_eq!(call.send_unchecked().await.status(), status, "{listen}");
        }
    }
}
