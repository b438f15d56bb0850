//! Start-up and shutdown.

use std::{
    error::Error,
    future::Future,
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};

use axum::Router;
use churnkey_integrator::RunningActions;
use tokio::{net::TcpListener, signal, sync::watch};
use tracing_subscriber::EnvFilter;

use crate::Credential;

/// How long running requests may take after the signal to stop: a little longer than an integration's deadline. A caller who
/// sends half a request must not keep the program running.
const DRAIN: Duration = Duration::from_secs(12);

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
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    actions: Option<RunningActions>,
    outer_path: String,
}

impl Listening {
    /// Binds a socket. Port 0 takes a free one.
    ///
    /// # Errors
    /// If the program can't listen on the address.
    pub async fn at(listen: SocketAddr) -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            format!("can't listen on {listen}: {error}; choose another --listen")
        })?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            actions: None,
            outer_path: String::new(),
        })
    }

    /// Waits for these actions before the program ends.
    #[must_use]
    pub fn with_actions(mut self, actions: RunningActions) -> Self {
        self.actions = Some(actions);
        self
    }

    /// Announces Churnkey's routes under this path, under which their router is nested.
    #[must_use]
    pub fn under(mut self, path: impl Into<String>) -> Self {
        self.outer_path = path.into();
        self
    }

    /// The address, with the port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
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
        match announce(self.address, &self.outer_path, announcement) {
            // Whoever waited for the first line may close the pipe behind it.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            announced => announced?,
        }
        serve(self.listener, app, asked_to_stop).await?;
        // The request of an action may be over before the action is.
        if let Some(actions) = self.actions.filter(|actions| actions.count() > 0) {
            tracing::info!(actions = actions.count(), "waiting for running actions");
            actions.ended().await;
        }
        Ok(())
    }
}

async fn serve(
    listener: TcpListener,
    app: Router,
    asked_to_stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn Error>> {
    let (stop, stopped) = watch::channel(false);
    let wait_for = |mut stopped: watch::Receiver<bool>| async move {
        // An error means that the sender is gone: stop then, too.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let server = axum::serve(listener, app).with_graceful_shutdown(wait_for(stopped.clone()));
    let drained_too_long = async {
        wait_for(stopped).await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::spawn(async move {
        asked_to_stop.await;
        tracing::info!("stopping after the running requests");
        stop.send_replace(true);
    });
    tokio::select! {
        ended = server => Ok(ended?),
        () = drained_too_long => {
            tracing::warn!("stopping although some requests still run");
            Ok(())
        }
    }
}

fn announce(
    address: SocketAddr,
    outer_path: &str,
    announcement: &Announcement<'_>,
) -> io::Result<()> {
    let token = announcement.credential.in_shell;
    let customer = announcement.customer;
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{address}")?;
    writeln!(
        out,
        "curl -H \"Authorization: Bearer {token}\" 'http://{address}{outer_path}/churnkey/customers/{customer}'"
    )?;
    writeln!(
        out,
        "t=$(date +%s); p='{outer_path}/churnkey/customers?limit=2'; \
         s=$(printf 'v1\\n%s\\nGET\\n%s\\nlive\\n' \"$t\" \"$p\" | openssl dgst -sha256 -hmac \"{token}\" -r | cut -d' ' -f1); \
         curl -H \"X-Churnkey-Timestamp: $t\" -H \"X-Churnkey-Signature: v1=$s\" \"http://{address}$p\""
    )?;
    if let Some(call) = announcement.own_call {
        let call = call.replace("{base}", &format!("http://{address}"));
        writeln!(out, "curl {call}")?;
    }
    if let Some(page) = announcement.account_page {
        writeln!(
            out,
            "CK_INTEGRATION_TOKEN=\"{token}\" cargo run -p churnkey-cli -- dev --url http://{address}{outer_path}/churnkey"
        )?;
        writeln!(
            out,
            "http://{address}{page} is the page of a customer who can cancel, while the command above runs"
        )?;
    }
    out.flush()
}

/// Ends when SIGINT or SIGTERM comes. The signals are caught from this call on.
#[cfg(unix)]
fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    use signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends when Ctrl-C is pressed.
#[cfg(not(unix))]
fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = signal::ctrl_c().await;
    })
}
