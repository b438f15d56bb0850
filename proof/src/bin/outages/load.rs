//! A steady load of reads and actions, and what became of each call.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use example_app::demo_token;
use proof::{BoxError, Connections, Signed, Trials};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep, sleep_until},
};

/// A request's deadline in the example, and what the machine may add to it.
const DEADLINE: Duration = Duration::from_secs(11);
/// How long after its return the database may still be of no use to a call.
const RECOVERY: Duration = Duration::from_secs(1);
/// For how long an action is tried again: shorter than its signature is valid, and longer than an action's lease.
const PATIENCE: Duration = Duration::from_secs(200);

/// What happened to a call.
struct Call {
    sent: Instant,
    took: Duration,
    /// Whether the same bytes were sent before.
    is_retry: bool,
    /// The status, or why there is none.
    answer: Result<u16, String>,
}

/// The calls that are made until the end is asked for.
pub(crate) struct Load {
    callers: Callers,
    making: JoinHandle<Result<JoinSet<Result<(), BoxError>>, BoxError>>,
    end: watch::Sender<()>,
}

#[derive(Clone)]
struct Callers {
    connections: Connections,
    trials: Trials,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    calls: Vec<Call>,
    /// How many extensions of each trial were answered 200.
    extensions: Vec<i64>,
}

impl Load {
    /// Makes so many reads and actions a second. A call that takes long delays no other.
    pub(crate) fn start(
        connections: Connections,
        trials: Trials,
        reads: u32,
        actions: u32,
    ) -> Self {
        let seen = Seen {
            calls: Vec::new(),
            extensions: vec![0; trials.count()],
        };
        let callers = Callers {
            connections,
            trials,
            seen: Arc::new(Mutex::new(seen)),
        };
        let (end, ended) = watch::channel(());
        let making = tokio::spawn(callers.clone().make(reads, actions, ended));
        Self {
            callers,
            making,
            end,
        }
    }

    /// Makes no more calls, waits until every action is done, and tells what became of the calls. The database was away from
    /// `began` until `returned`.
    pub(crate) async fn end(self, began: Instant, returned: Instant) -> Result<Summary, BoxError> {
        drop(self.end);
        let mut calls = self.making.await??;
        while let Some(done) = calls.join_next().await {
            done??;
        }
        let Callers {
            connections,
            trials,
            seen,
        } = self.callers;
        let Seen { calls, extensions } =
            std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        let wrong = trials.wrong(&connections, &extensions).await?;
        Ok(Summary::of(
            &calls,
            extensions.iter().sum(),
            wrong,
            began,
            returned,
        ))
    }
}

impl Callers {
    async fn make(
        self,
        reads: u32,
        actions: u32,
        ended: watch::Receiver<()>,
    ) -> Result<JoinSet<Result<(), BoxError>>, BoxError> {
        let begin = Instant::now();
        let rate = (reads + actions).max(1);
        let mut calls = JoinSet::new();
        for n in 0.. {
            sleep_until(begin + Duration::from_secs(1) * n / rate).await;
            if ended.has_changed().is_err() {
                break;
            }
            // As evenly as the two go together.
            let is_action = (n + 1) * actions / rate > n * actions / rate;
            let callers = self.clone();
            if is_action {
                calls.spawn(async move { callers.extend(n).await });
            } else {
                calls.spawn(async move { callers.read().await });
            }
        }
        Ok(calls)
    }

    async fn read(self) -> Result<(), BoxError> {
        let read = Signed::get(&demo_token()?, "/churnkey/customers/cus_grace");
        self.call(&read, false).await;
        Ok(())
    }

    /// Extends a trial. The same signed bytes are sent until they are answered 200.
    async fn extend(self, n: u32) -> Result<(), BoxError> {
        let trial = n as usize % self.trials.count();
        let signed = self.trials.extension(trial, n)?;
        let began = Instant::now();
        let mut is_retry = false;
        while !self.call(&signed, is_retry).await {
            if began.elapsed() > PATIENCE {
                return Err(format!("{signed} was never done").into());
            }
            is_retry = true;
            sleep(Duration::from_secs(1)).await;
        }
        if let Some(extensions) = self.seen().extensions.get_mut(trial) {
            *extensions += 1;
        }
        Ok(())
    }

    /// Makes a call, and keeps what became of it. Returns whether it was answered 200.
    async fn call(&self, signed: &Signed, is_retry: bool) -> bool {
        let sent = Instant::now();
        let answer = self.connections.send(signed).await;
        let answer = answer.map(|answer| answer.status.as_u16());
        let answer = answer.map_err(|error| format!("{signed}: {error}"));
        let is_done = answer == Ok(200);
        self.seen().calls.push(Call {
            sent,
            took: sent.elapsed(),
            is_retry,
            answer,
        });
        is_done
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of the calls of one outage.
pub(crate) struct Summary {
    answered: [(u16, usize); 3],
    unexpected: Vec<String>,
    longest: Duration,
    /// Calls that were refused although the database had not gone yet.
    refused_before: usize,
    refused_during: usize,
    /// How long after the database's return the first call was served.
    first_served: Option<Duration>,
    /// How long after the database's return the last call was made that was refused.
    last_refused: Option<Duration>,
    extensions: i64,
    wrong: Vec<String>,
}

impl Summary {
    fn of(
        calls: &[Call],
        extensions: i64,
        wrong: Vec<String>,
        began: Instant,
        returned: Instant,
    ) -> Self {
        let answered = |status| calls.iter().filter(move |call| call.answer == Ok(status));
        // While its first attempt still counts as running, an action is a 409 as long as its lease lasts.
        let is_refused = |call: &&Call| match &call.answer {
            Ok(200) => false,
            Ok(409) => !call.is_retry,
            _ => true,
        };
        let after = calls.iter().filter(|call| call.sent >= returned);
        let served = after.clone().filter(|call| call.answer == Ok(200));
        Self {
            answered: [200, 409, 503].map(|status| (status, answered(status).count())),
            unexpected: calls
                .iter()
                .filter(|call| !matches!(call.answer, Ok(200 | 409 | 503)))
                .map(|call| match &call.answer {
                    Ok(status) => format!("answered {status}"),
                    Err(error) => error.clone(),
                })
                .collect(),
            longest: calls.iter().map(|call| call.took).max().unwrap_or_default(),
            refused_before: calls
                .iter()
                .filter(|call| call.sent + call.took < began)
                .filter(is_refused)
                .count(),
            refused_during: calls
                .iter()
                .filter(|call| call.sent >= began && call.sent < returned)
                .filter(is_refused)
                .count(),
            first_served: served.map(|call| call.sent + call.took - returned).min(),
            last_refused: after
                .filter(is_refused)
                .map(|call| call.sent - returned)
                .max(),
            extensions,
            wrong,
        }
    }

    /// Whether the outage was one, and nothing went wrong in it.
    pub(crate) fn is_well(&self) -> bool {
        self.refused_before == 0
            && self.refused_during > 0
            && self.unexpected.is_empty()
            && self.wrong.is_empty()
            && self.longest < DEADLINE
            && self.first_served.is_some_and(|after| after < RECOVERY)
            && self.last_refused.is_none_or(|after| after < RECOVERY)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (status, count) in self.answered {
            writeln!(f, "  answered {status}                  {count}")?;
        }
        writeln!(
            f,
            "  other answers                 {}",
            self.unexpected.len()
        )?;
        writeln!(f, "  refused before the outage     {}", self.refused_before)?;
        writeln!(f, "  refused during the outage     {}", self.refused_during)?;
        writeln!(f, "  longest answer                {:.1?}", self.longest)?;
        let after = |time: Option<Duration>| match time {
            Some(time) => format!("after {time:.0?}"),
            None => "none".to_owned(),
        };
        writeln!(
            f,
            "  first call served again       {}",
            after(self.first_served)
        )?;
        writeln!(
            f,
            "  last call refused after it    {}",
            after(self.last_refused)
        )?;
        writeln!(f, "  extensions answered 200       {}", self.extensions)?;
        writeln!(f, "  trials that ended wrong       {}", self.wrong.len())?;
        for line in self.unexpected.iter().chain(&self.wrong).take(10) {
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}
