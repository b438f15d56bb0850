//! One of the callers.

use std::{sync::Arc, time::Duration};

use example_app::demo_token;
use proof::{BoxError, Connections, Signed, Trials};
use tokio::time::{Instant, sleep};

use crate::tally::Tally;

/// How long an action is retried: shorter than its signature is valid.
const PATIENCE: Duration = Duration::from_secs(280);

pub(crate) struct Caller {
    connections: Connections,
    trials: Trials,
    tally: Arc<Tally>,
}

impl Caller {
    pub(crate) fn new(connections: Connections, trials: Trials, tally: Arc<Tally>) -> Self {
        Self {
            connections,
            trials,
            tally,
        }
    }

    /// The call of this number: every second one is an action, in every twentieth the caller disconnects, and every twentieth is
    /// captured and sent again with other keys.
    pub(crate) async fn call(&self, n: u32) {
        if let Err(error) = self.make_call(n).await {
            self.tally.violation(format!("call {n}: {error}"));
        }
    }

    async fn make_call(&self, n: u32) -> Result<(), BoxError> {
        // One action in twenty and one read in twenty.
        let hangs_up = n % 40 < 2;
        let is_replayed = (20..22).contains(&(n % 40));
        if !n.is_multiple_of(2) {
            return self.read(n, hangs_up, is_replayed).await;
        }
        let trial = usize::try_from(n / 2)? % self.trials.count();
        let signed = self.trials.extension(trial, n)?;
        // Half of them have a key.
        let signed = if n.is_multiple_of(4) {
            signed.with_key(&format!("key {n}"))?
        } else {
            signed
        };
        self.tally.count("actions");
        if hangs_up {
            self.hang_up(&signed, n / 20 % 16).await?;
        }
        self.settle(&signed).await?;
        self.tally.extended(trial);
        if is_replayed {
            for copy in [
                signed.with_key(&format!("a replay of {n}"))?,
                signed.without_key(),
                signed.with_key(&format!("key {}", n.saturating_sub(4)))?,
            ] {
                self.tally.count("replays with another key");
                self.settle(&copy).await?;
            }
        }
        Ok(())
    }

    async fn read(&self, n: u32, hangs_up: bool, again: bool) -> Result<(), BoxError> {
        let path = match n % 6 {
            1 => "/churnkey/customers/cus_grace",
            3 => "/churnkey/customers?limit=5",
            _ => "/churnkey/customers/cus_grace/subscriptions?limit=20",
        };
        self.tally.count("reads");
        let signed = Signed::get(&demo_token()?, path);
        if hangs_up {
            return self.hang_up(&signed, n % 5).await;
        }
        for _ in 0..=u8::from(again) {
            self.settle(&signed).await?;
        }
        Ok(())
    }

    async fn hang_up(&self, signed: &Signed, after_millis: u32) -> Result<(), BoxError> {
        self.tally.count("callers who disconnected");
        let after = Duration::from_millis(after_millis.into());
        self.connections.hang_up(signed, after).await
    }

    /// Sends it until it is answered 200, as a caller would.
    async fn settle(&self, signed: &Signed) -> Result<(), BoxError> {
        let began = Instant::now();
        let mut first = true;
        loop {
            let sent = Instant::now();
            let answer = self.connections.send(signed).await;
            let wait = match answer.as_ref().map(|answer| answer.status.as_u16()) {
                Ok(200) => {
                    self.tally.took(sent.elapsed());
                    self.tally.count(if first {
                        "200 at once"
                    } else {
                        "200 after a retry"
                    });
                    return Ok(());
                }
                Ok(409) => {
                    self.tally.count("409 while it runs");
                    Duration::from_millis(200)
                }
                Ok(503) => {
                    self.tally.count("503");
                    Duration::from_secs(1)
                }
                Ok(status) => return Err(format!("{signed}: {status}").into()),
                Err(_) => {
                    self.tally.count("broken connections");
                    Duration::from_millis(200)
                }
            };
            if began.elapsed() > PATIENCE {
                return Err(format!("{signed} was never done").into());
            }
            first = false;
            sleep(wait).await;
        }
    }
}
