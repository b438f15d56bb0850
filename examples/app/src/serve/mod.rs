//! Start-up and shutdown.

mod activity;
mod connections;
mod shutdown;
mod tls;

pub use connections::{Limits, serve};
pub use tls::{InvalidTls, tls_acceptor};

use std::{
    error::Error,
    fmt,
    future::Future,
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};

use axum::Router;
use churnkey_integrator::{Health, Integration, RunningActions};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tracing_subscriber::EnvFilter;

use self::shutdown::{Server, asked_to_stop};
use crate::{Credential, ServerOptions};

/// Runs an example. It logs to standard error, also the error that it ends with.
pub fn exit_code<F>(main: impl FnOnce() -> F) -> ExitCode
where
    F: Future<Output = Result<(), Box<dyn Error>>>,
{
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(main()),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What is printed once the socket is bound: the address, and calls to paste into a shell.
#[derive(Debug, Clone, Copy)]
pub struct Announcement<'a> {
    /// The token of Churnkey's calls.
    pub credential: &'a Credential,
    /// The id of a customer to retrieve.
    pub customer: &'a str,
    /// A call of the merchant's own API: `curl`'s arguments, in which `{base}` is the address.
    pub own_call: Option<&'a str>,
    /// The path of the page on which a customer can cancel, if there is one. A merchant with such a page has the keys of the
    /// cancel flow that a local Churnkey has without options.
    pub account_page: Option<&'a str>,
}

/// A socket that is bound and not served yet.
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    drain: Duration,
    health: Option<Health>,
    actions: Option<RunningActions>,
    outer_path: String,
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Listening {
    /// Reads the files of TLS and binds the socket. Port 0 takes a free one.
    ///
    /// # Errors
    /// If TLS can't be served with the files, or if the program can't listen on the address.
    pub async fn open(options: &ServerOptions) -> Result<Self, Box<dyn Error>> {
        let tls = match (&options.tls_cert, &options.tls_key) {
            (Some(certificates), Some(key)) => Some(tls_acceptor(certificates, key)?),
            _ => None,
        };
        let listen = options.listen;
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            format!("can't listen on {listen}: {error}; choose another --listen")
        })?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            tls,
            limits: Limits {
                connections: options.max_connections.get().into(),
                ..Limits::default()
            },
            drain: Duration::from_secs(options.drain),
            health: None,
            actions: None,
            outer_path: String::new(),
        })
    }

    /// Asks this integration's stores before the program says that it is ready, and waits for its actions before it ends.
    #[must_use]
    pub fn for_integration(mut self, integration: &Integration) -> Self {
        self.health = Some(integration.health());
        self.actions = Some(integration.running_actions());
        self
    }

    /// Announces Churnkey's routes under this path, under which their router is nested.
    #[must_use]
    pub fn under(mut self, path: impl Into<String>) -> Self {
        self.outer_path = path.into();
        self
    }

    /// Where the app is, such as `http://127.0.0.1:3000`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves an app until SIGINT or SIGTERM, then waits for running requests and actions.
    ///
    /// Prints the address, and calls to paste into a shell.
    ///
    /// # Errors
    /// If the signals can't be caught, or standard output is closed.
    pub async fn serve(
        self,
        app: Router,
        announcement: &Announcement<'_>,
    ) -> Result<(), Box<dyn Error>> {
        // Before the address is printed: whoever reads it may send a signal at once.
        let asked_to_stop = asked_to_stop()?;
        match announce(&self.url(), &self.outer_path, announcement) {
            // Whoever waited for the first line may close the pipe behind it.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            announced => announced?,
        }

        let server = Server {
            listener: self.listener,
            tls: self.tls,
            limits: self.limits,
            drain: self.drain,
            health: self.health,
            actions: self.actions,
        };
        server.serve_until(asked_to_stop, app).await;
        Ok(())
    }
}

fn announce(base: &str, outer_path: &str, announcement: &Announcement<'_>) -> io::Result<()> {
    let token = announcement.credential.in_shell;
    let customer = announcement.customer;
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {base}")?;
    writeln!(
        out,
        "curl -H \"Authorization: Bearer {token}\" '{base}{outer_path}/churnkey/customers/{customer}'"
    )?;
    writeln!(
        out,
        "t=$(date +%s); p='{outer_path}/churnkey/customers?limit=2'; \
         s=$(printf 'v1\\n%s\\nGET\\n%s\\nlive\\n' \"$t\" \"$p\" | openssl dgst -sha256 -hmac \"{token}\" -r | cut -d' ' -f1); \
         curl -H \"X-Churnkey-Timestamp: $t\" -H \"X-Churnkey-Signature: v1=$s\" \"{base}$p\""
    )?;
    if let Some(call) = announcement.own_call {
        let call = call.replace("{base}", base);
        writeln!(out, "curl {call}")?;
    }
    if let Some(page) = announcement.account_page {
        writeln!(
            out,
            "CK_INTEGRATION_TOKEN=\"{token}\" cargo run -p churnkey-cli -- dev --url {base}{outer_path}/churnkey"
        )?;
        writeln!(
            out,
            "{base}{page} is the page of a customer who can cancel, while the command above runs"
        )?;
    }
    out.flush()
}
