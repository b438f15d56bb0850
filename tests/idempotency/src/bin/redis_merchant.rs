//! One of a merchant's processes, which share a Redis and a file of what was done. It prints its address, and ends when
//! standard input does.

use std::{
    env,
    error::Error,
    fs::{File, OpenOptions},
    io::{self, Write},
    process, thread,
    time::Duration,
};

use churnkey_integrator::{
    ExtendTrialAction, Integration, IntegrationToken, RequestContext, Result, Timestamp,
    actions::{Durations, ExtendTrialFeatures, ExtendTrialRequest},
    controller,
};
use idempotency_tests::{Catalogue, TRIAL_ENDS_AT, redis_server};
use tokio::{net::TcpListener, time::sleep};

/// What it does is a line in the file: the end of a trial, in Unix milliseconds.
struct Shop {
    done: File,
    takes: Duration,
}

#[controller]
impl ExtendTrialAction for Shop {
    fn features(&self) -> ExtendTrialFeatures {
        ExtendTrialFeatures::new(Durations::Both).with_multiple()
    }

    async fn extend_trial(&self, _: &RequestContext, request: &ExtendTrialRequest) -> Result<()> {
        let end = Timestamp::from_unix_millis(TRIAL_ENDS_AT)?;
        let end = request.duration().end(end)?;
        sleep(self.takes).await;
        // One write, so that lines of several processes don't mix.
        (&self.done).write_all(format!("{}\n", end.unix_millis()).as_bytes())?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let takes = Duration::from_millis(env::var("TAKES_MS")?.parse()?);
    let done = OpenOptions::new().append(true).open(env::var("DONE")?)?;
    let builder = Integration::builder("Shop", IntegrationToken::from_env("TOKEN")?)
        .customers(Catalogue)
        .prices(Catalogue)
        .subscriptions(Catalogue)
        .cancel(Catalogue)
        .extend_trial(Shop { done, takes })
        .live_only();
    let app: axum::Router = redis_server::with_records(builder)?.build()?.into_router();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    thread::spawn(|| {
        // An error means that nobody is there either.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        process::exit(0);
    });
    axum::serve(listener, app).await?;
    Ok(())
}
