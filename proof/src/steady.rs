//! Reads at a steady rate.

use std::time::Duration;

use churnkey_integrator::IntegrationToken;
use hdrhistogram::Histogram;
use http::StatusCode;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{BoxError, Connections, Signed};

/// How many connections make the calls.
const CONNECTIONS: u32 = 16;

/// Signed reads of some paths in turns, over 16 connections, each of which has to be answered with the same status.
#[derive(Debug, Clone)]
pub struct Reads {
    connections: Connections,
    token: IntegrationToken,
    paths: Vec<String>,
    expected: StatusCode,
}

impl Reads {
    /// Reads that are signed with this token, and are expected to be answered with this status.
    #[must_use]
    pub fn new(
        address: &str,
        token: IntegrationToken,
        paths: impl IntoIterator<Item = impl Into<String>>,
        expected: StatusCode,
    ) -> Self {
        Self {
            connections: Connections::to(address),
            token,
            paths: paths.into_iter().map(Into::into).collect(),
            expected,
        }
    }

    /// Makes calls at a steady rate a second. Returns how long each took, in microseconds.
    ///
    /// Each call has a time at which it is due, and its latency counts from that time. So a call that has to wait for the
    /// one before it counts as a slow one.
    ///
    /// # Errors
    /// If a call fails, or is answered with another status.
    pub async fn steadily(&self, rate: u32, lasts: Duration) -> Result<Histogram<u64>, BoxError> {
        let begin = Instant::now() + Duration::from_millis(50);
        let every = Duration::from_secs(1) / rate.max(1);
        let mut callers = JoinSet::new();
        for n in 0..CONNECTIONS {
            let reads = self.clone();
            // The connections take the calls in turns.
            let mut due = begin + every * n;
            callers.spawn(async move {
                let mut taken = Histogram::new(3)?;
                for n in (n as usize..).step_by(CONNECTIONS as usize) {
                    if due >= begin + lasts {
                        break;
                    }
                    sleep_until(due).await;
                    reads.read(n).await?;
                    taken.record(due.elapsed().as_micros().try_into()?)?;
                    due += every * CONNECTIONS;
                }
                Ok::<_, BoxError>(taken)
            });
        }
        let mut all = Histogram::new(3)?;
        while let Some(taken) = callers.join_next().await {
            all.add(taken??)?;
        }
        Ok(all)
    }

    /// Makes calls one after the other on each connection. Returns how many were answered a second.
    ///
    /// # Errors
    /// If a call fails, or is answered with another status.
    pub async fn flat_out(&self, lasts: Duration) -> Result<f64, BoxError> {
        let begin = Instant::now();
        let mut callers = JoinSet::new();
        for n in 0..CONNECTIONS {
            let reads = self.clone();
            callers.spawn(async move {
                let mut answered = 0_u32;
                let mut n = n as usize;
                while begin.elapsed() < lasts {
                    reads.read(n).await?;
                    n += CONNECTIONS as usize;
                    answered += 1;
                }
                Ok::<_, BoxError>(answered)
            });
        }
        let mut answered = 0_u32;
        while let Some(count) = callers.join_next().await {
            answered += count??;
        }
        Ok(f64::from(answered) / begin.elapsed().as_secs_f64())
    }

    async fn read(&self, n: usize) -> Result<(), BoxError> {
        let path = n
            .checked_rem(self.paths.len())
            .and_then(|n| self.paths.get(n));
        let read = Signed::get(&self.token, path.ok_or("there is no path to read")?);
        let status = self.connections.send(&read).await?.status;
        if status != self.expected {
            return Err(format!("{read} was answered {status} and not {}", self.expected).into());
        }
        Ok(())
    }
}
