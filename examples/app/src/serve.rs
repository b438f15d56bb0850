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
use tokio::{net::TcpListener, signal, sync::watch};
use tracing_subscriber::EnvFilter;

use crate::Credential;

/// How long running requests may still take after the signal to stop: a little more than an integration's deadline. A
/// caller who has sent half a request and no more must not keep the program alive.
const DRAIN: Duration = Duration::from_secs(12);

/// Runs an example to its end: logs to standard error, and an error there as one sentence.
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

/// Serves an app until SIGINT or SIGTERM, then lets running requests end.
///
/// Standard output gets three lines once the socket is bound: the address, and two calls to paste into a shell.
///
/// # Errors
/// If the address can't be listened on.
pub async fn serve(
    app: Router,
    listen: SocketAddr,
    credential: &Credential,
) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("can't listen on {listen}: {error}; choose another --listen"))?;
    // Before anybody is told that the program runs, and may stop it.
    let asked_to_stop = asked_to_stop()?;
    announce(listener.local_addr()?, credential.in_shell)?;

    let (stop, stopped) = watch::channel(false);
    let wait_for = |mut stopped: watch::Receiver<bool>| async move {
        // An error means that the sender is gone, and with it the process's reason to live.
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

fn announce(address: SocketAddr, token: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{address}")?;
    writeln!(
        out,
        "curl -H \"Authorization: Bearer {token}\" 'http://{address}/churnkey/customers/cus_ada'"
    )?;
    writeln!(
        out,
        "t=$(date +%s); p='/churnkey/customers?limit=2'; \
         s=$(printf 'v1\\n%s\\nGET\\n%s\\nlive\\n' \"$t\" \"$p\" | openssl dgst -sha256 -hmac \"{token}\" -r | cut -d' ' -f1); \
         curl -H \"X-Churnkey-Timestamp: $t\" -H \"X-Churnkey-Signature: v1=$s\" \"http://{address}$p\""
    )?;
    out.flush()
}

/// Ends when SIGINT or SIGTERM comes, which it catches from the call on.
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
