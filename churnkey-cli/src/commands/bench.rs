//! `churnkey bench`: a steady load of signed reads, and how long the answers take.
//!
//! The load is open: calls are due at fixed times, whether earlier ones were answered or not, and a call's time counts
//! from when it was due. So a server that stalls is charged with every call that had to wait for it, and not only with
//! those that were under way (coordinated omission).

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use churnkey_conformance::Answer;
use hdrhistogram::Histogram;
use http::Method;
use serde_json::{Value, json};
use tokio::{
    sync::{
        Mutex,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
    task::{JoinSet, spawn_blocking},
};

use crate::{
    arguments::BenchArguments,
    connection::Connection,
    exit::{Failure, Outcome},
    operations::{operation_of, segment},
    output::{self, BAD, GOOD, styled},
    settings::Settings,
};

/// A page of the list that is read unless paths are named.
const LIST: &str = "/customers?limit=20";

pub(crate) async fn run(
    arguments: &BenchArguments,
    settings: &Settings,
    connection: &Connection,
    as_json: bool,
) -> Result<Outcome, Failure> {
    if !arguments.i_own_this_host {
        only_loopback(settings)?;
    }
    let paths = match &*arguments.path {
        [] => listed(connection).await?,
        named => named.to_vec(),
    };
    // A wrong token, for example, is no result.
    for path in &paths {
        connection.get(path).await?;
    }
    let load = Load {
        rate: arguments.rate,
        calls: u64::from(arguments.rate) * u64::from(arguments.duration),
        connections: arguments.connections,
        patience: settings.timeout,
    };
    connection.progress().out_of(load.calls);
    let begun = Instant::now();
    let measured = load.run(connection, &paths).await;
    let seconds = begun.elapsed().as_secs_f64();
    connection.progress().end();
    if as_json {
        output::json(&measured.to_json(&load, &paths, seconds))?;
    } else {
        measured.print(&load, seconds)?;
    }
    Ok(Outcome::good_if(measured.errors() == 0))
}

/// Refuses to load a host of somebody else.
fn only_loopback(settings: &Settings) -> Result<(), Failure> {
    let addresses = settings.target.addresses(settings.resolve.as_ref())?;
    if addresses.iter().all(IpAddr::is_loopback) {
        return Ok(());
    }
    Err(Failure::Usage(
        "the URL is not that of this machine, and a load can take a server down: give --i-own-this-host if its owner \
         agrees"
            .to_owned(),
    ))
}

/// The list of customers, and one of those on its first page.
async fn listed(connection: &Connection) -> Result<Vec<String>, Failure> {
    let list = connection.answer(LIST).await?;
    let mut paths = vec![LIST.to_owned()];
    match list.status() {
        200 => {
            let id = list.body().pointer("/data/0/id").and_then(Value::as_str);
            paths.extend(id.map(|id| format!("/customers/{}", segment(id))));
        }
        404 => {
            return Err(Failure::Usage(
                "the list of customers is answered 404: correct the URL's prefix, or name what to read with --path \
                 /customers/ID"
                    .to_owned(),
            ));
        }
        // Said in detail by the call that comes before the load.
        _ => {}
    }
    Ok(paths)
}

/// When calls are due, and how many there are at once.
#[derive(Debug, Clone, Copy)]
struct Load {
    /// Calls a second.
    rate: u32,
    calls: u64,
    connections: u16,
    /// A call that can't begin within this time after it was due is not sent.
    patience: Duration,
}

/// A call that is due: when, and which path.
type Due = (Instant, Arc<str>);

impl Load {
    /// Makes all calls, the paths in turn.
    async fn run(self, connection: &Connection, paths: &[String]) -> Measured {
        let (due, dues) = unbounded_channel();
        let dues = Arc::new(Mutex::new(dues));
        let mut callers = JoinSet::new();
        for _ in 0..self.connections {
            let measured = Measured::new();
            callers.spawn(self.take_turns(connection.clone(), dues.clone(), measured));
        }
        let paths: Vec<Arc<str>> = paths.iter().map(|path| path.as_str().into()).collect();
        // On a thread of its own, because the runtime's timer counts in milliseconds.
        spawn_blocking(move || self.pace(&paths, &due));
        let mut all = Measured::new();
        for measured in callers.join_all().await {
            all.add(measured);
        }
        all
    }

    /// Says when each call is due. Ends early if nobody listens.
    fn pace(self, paths: &[Arc<str>], due: &UnboundedSender<Due>) {
        const NANOSECONDS: u64 = 1_000_000_000;
        let (begun, rate) = (Instant::now(), u64::from(self.rate));
        for (number, path) in (0..self.calls).zip(paths.iter().cycle()) {
            let at = begun
                + Duration::from_secs(number / rate)
                + Duration::from_nanos(number % rate * NANOSECONDS / rate);
            thread::sleep(at.saturating_duration_since(Instant::now()));
            if due.send((at, path.clone())).is_err() {
                return;
            }
        }
    }

    /// Makes one call after the other.
    async fn take_turns(
        self,
        connection: Connection,
        dues: Arc<Mutex<UnboundedReceiver<Due>>>,
        mut measured: Measured,
    ) -> Measured {
        loop {
            let next = dues.lock().await.recv().await;
            let Some((due, path)) = next else {
                return measured;
            };
            if due.elapsed() > self.patience {
                measured.not_sent += 1;
                continue;
            }
            let call = connection.client.call(Method::GET, &connection.path(&path));
            let answer = call.signed().send_unchecked().await;
            measured.count(&answer, due.elapsed(), &path);
        }
    }
}

/// What came of the calls.
#[derive(Debug)]
struct Measured {
    /// Microseconds from when a call was due until it was answered.
    times: Histogram<u64>,
    statuses: BTreeMap<u16, u64>,
    wrong_status: u64,
    wrong_shape: u64,
    no_answer: u64,
    not_sent: u64,
}

impl Measured {
    fn new() -> Self {
        #[expect(clippy::expect_used, reason = "up to five digits are possible")]
        let times = Histogram::new(3).expect("a histogram may have three digits");
        Self {
            times,
            statuses: BTreeMap::new(),
            wrong_status: 0,
            wrong_shape: 0,
            no_answer: 0,
            not_sent: 0,
        }
    }

    fn count(&mut self, answer: &Answer, took: Duration, path: &str) {
        let status = answer.status();
        if status == 0 {
            self.no_answer += 1;
            return;
        }
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        // It grows, so that every time fits.
        let _ = self.times.record(microseconds);
        *self.statuses.entry(status).or_default() += 1;
        if status != 200 {
            self.wrong_status += 1;
        } else if !answer
            .wrong_shapes(operation_of(&Method::GET, path))
            .is_empty()
        {
            self.wrong_shape += 1;
        }
    }

    fn add(&mut self, other: Self) {
        // As above.
        let _ = self.times.add(other.times);
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.wrong_status += other.wrong_status;
        self.wrong_shape += other.wrong_shape;
        self.no_answer += other.no_answer;
        self.not_sent += other.not_sent;
    }

    fn errors(&self) -> u64 {
        self.wrong_status + self.wrong_shape + self.no_answer + self.not_sent
    }

    /// Milliseconds within which this part of the answers came.
    fn percentile(&self, percent: f64) -> Option<f64> {
        if self.times.is_empty() {
            return None;
        }
        let time = Duration::from_micros(self.times.value_at_percentile(percent));
        Some(time.as_secs_f64() * 1e3)
    }

    fn to_json(&self, load: &Load, paths: &[String], seconds: f64) -> Value {
        json!({
            "version": output::VERSION,
            "paths": paths,
            "rate": load.rate,
            "connections": load.connections,
            "calls": load.calls,
            "seconds": seconds,
            "milliseconds": {
                "p50": self.percentile(50.0),
                "p99": self.percentile(99.0),
                "p99.9": self.percentile(99.9),
                "max": self.percentile(100.0),
            },
            "statuses": self.statuses,
            "errors": {
                "status": self.wrong_status,
                "shape": self.wrong_shape,
                "noAnswer": self.no_answer,
                "notSent": self.not_sent,
            },
        })
    }

    fn print(&self, load: &Load, seconds: f64) -> Result<(), Failure> {
        output::line(format_args!(
            "{} calls in {seconds:.1} s, {} due each second, {} at once at most",
            load.calls, load.rate, load.connections
        ))?;
        let names = ["p50", "p99", "p99.9", "max"];
        let times = names.iter().zip([50.0, 99.0, 99.9, 100.0]);
        let times: Vec<String> = times
            .filter_map(|(name, percent)| {
                let milliseconds = self.percentile(percent)?;
                Some(format!("{name} {milliseconds:.2} ms"))
            })
            .collect();
        if !times.is_empty() {
            output::line(times.join(", "))?;
        }
        if self.errors() == 0 {
            return output::line(styled(GOOD, "every answer was a 200 of the right shape"));
        }
        output::line(styled(BAD, format_args!("errors: {}", self.errors())))?;
        let statuses = self.statuses.iter().filter(|(status, _)| **status != 200);
        for (status, count) in statuses {
            output::line(format_args!("  status {status}: {count}"))?;
        }
        for (what, count) in [
            (
                "wrong shape; `churnkey call` names what is wrong",
                self.wrong_shape,
            ),
            ("no answer", self.no_answer),
            (
                "not sent, as all connections were busy for too long",
                self.not_sent,
            ),
        ] {
            if count > 0 {
                output::line(format_args!("  {what}: {count}"))?;
            }
        }
        Ok(())
    }
}
