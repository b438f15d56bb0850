//! Two processes that share a Redis.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::join_all, stream};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use idempotency_tests::TRIAL_ENDS_AT;
use tempfile::TempDir;
use throwaway_redis::Redis;
use tokio::time::sleep;

use crate::shop::{Answer, Extension, TOKEN};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Processes of one merchant, with a file of what they have done.
struct Merchant {
    folder: TempDir,
    processes: [Process; 2],
    client: Client<HttpConnector, String>,
}

struct Process {
    address: String,
    child: Child,
}

impl Merchant {
    /// Whose action takes so many milliseconds.
    fn with_two_processes(redis: &Redis, takes: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let done = folder.path().join("done");
        fs::write(&done, "").unwrap();
        let process = || Process::start(redis, &done, takes);
        Self {
            processes: [process(), process()],
            folder,
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// To the processes in turn.
    async fn send(&self, n: usize, extension: &Extension) -> Answer {
        let [one, other] = &self.processes;
        let process = if n.is_multiple_of(2) { one } else { other };
        let request = extension.request(&process.address);
        let answer = self.client.request(request).await.unwrap();
        let seen = Answer::of(&answer);
        answer.into_body().collect().await.unwrap();
        seen
    }

    /// To the processes in turn, and no answer may be another than that it runs or that Redis can't be asked.
    async fn send_until_done(&self, extension: &Extension) {
        let patience = Instant::now() + Duration::from_secs(20);
        for n in extension.days.. {
            match self.send(n, extension).await {
                Answer::DONE => return,
                Answer::RUNNING | Answer::UNAVAILABLE => {}
                answer => panic!("{answer:?}"),
            }
            assert!(Instant::now() < patience, "an action waits for its lease");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// How often the trial was extended, by the number of days.
    fn done(&self) -> BTreeMap<i64, usize> {
        let file = self.folder.path().join("done");
        let mut done = BTreeMap::new();
        for line in fs::read_to_string(file).unwrap().lines() {
            let end: i64 = line.parse().unwrap();
            *done.entry((end - TRIAL_ENDS_AT) / DAY).or_default() += 1;
        }
        done
    }
}

impl Process {
    fn start(redis: &Redis, done: &Path, takes: u32) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_redis_merchant"))
            .env("REDIS_URL", redis.url())
            .env("DONE", done)
            .env("TAKES_MS", takes.to_string())
            .env("TOKEN", TOKEN)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut address).unwrap();
        let address = format!("http://{}", address.trim());
        Self { address, child }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_copies_of_an_action_one_is_done() {
    let redis = Redis::start();
    let merchant = Merchant::with_two_processes(&redis, 500);
    let extension = Extension::by(1);
    let send = async |n| merchant.send(n, &extension).await;
    let answers = stream::iter(0..1000).map(send).buffer_unordered(200);
    let answers: Vec<Answer> = answers.collect().await;
    let count = |wanted| answers.iter().filter(|answer| **answer == wanted).count();
    let (done, running) = (count(Answer::DONE), count(Answer::RUNNING));
    assert_eq!(done + running, 1000);
    assert!(done > 0 && running > 0, "{done} {running}");
    assert_eq!(merchant.done(), BTreeMap::from([(1, 1)]));
}

/// Callers send new actions to both processes, and repeat each until it is done. Meanwhile, Redis is killed and restarted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_killed_and_restarted_no_action_is_lost_or_done_twice() {
    const CALLERS: usize = 8;
    const OUTAGES: usize = 3;
    let mut redis = Redis::start();
    let merchant = Merchant::with_two_processes(&redis, 20);
    let (next, is_over) = (AtomicUsize::new(1), AtomicBool::new(false));
    let new = || Extension::by(next.fetch_add(1, Ordering::SeqCst));
    let caller = async |_: usize| {
        let mut sent = Vec::new();
        while !is_over.load(Ordering::SeqCst) {
            let extension = new();
            merchant.send_until_done(&extension).await;
            sent.push(extension);
        }
        sent
    };
    let outages = async {
        let mut sent = Vec::new();
        for n in 0..OUTAGES {
            sleep(Duration::from_millis(500)).await;
            redis.kill();
            // The callers may all wait for the record of an action that had begun.
            let extension = new();
            assert_eq!(merchant.send(n, &extension).await, Answer::UNAVAILABLE);
            redis.restart();
            merchant.send_until_done(&extension).await;
            sent.push(extension);
        }
        is_over.store(true, Ordering::SeqCst);
        sent
    };
    let callers = join_all((0..CALLERS).map(caller));
    let (by_callers, mut sent) = tokio::join!(callers, outages);
    sent.extend(by_callers.into_iter().flatten());
    assert!(sent.len() > CALLERS * OUTAGES, "{}", sent.len());

    // All of them again, to the other process too.
    for n in 0..2 {
        let again = sent.iter().map(|extension| merchant.send(n, extension));
        for answer in join_all(again).await {
            assert_eq!(answer, Answer::DONE);
        }
    }
    let once = (1..next.load(Ordering::SeqCst)).map(|days| (i64::try_from(days).unwrap(), 1));
    assert_eq!(merchant.done(), once.collect());
}
