//! The figures, as Prometheus would read them: whole sets with exact values.

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use churnkey_integrator::{
    CustomerId, CustomersController, Integration, IntegrationBuilder, IntegrationToken,
    PauseAction, RequestContext, Result, Tenant, TenantId, TenantRequest, TenantResolver,
    actions::{Durations, PauseFeatures, PauseRequest, Schedules},
    async_trait, controller, metrics,
    model::Customer,
    replays::{InMemoryReplays, ReplayStore, SignedRead},
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::{
    io::AsyncWriteExt,
    sync::{Semaphore, mpsc},
};

use crate::{
    demo, dirty_rows,
    merchants::token,
    socket::{Reply, Server},
};

/// What has been counted so far.
#[derive(Clone)]
struct Figures(PrometheusHandle);

impl Figures {
    /// The lines of a scrape, but for the durations' sums and buckets, which vary.
    fn lines(&self) -> Vec<String> {
        let scrape = self.0.render();
        let lines = scrape.lines().filter(|line| line.starts_with("churnkey_"));
        let varies = |line: &&str| line.contains("_bucket{") || line.contains("_sum{");
        let mut lines: Vec<_> = lines
            .filter(|line| !varies(line))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    }

    /// Those of one figure.
    fn of(&self, name: &str) -> Vec<String> {
        let lines = self.lines().into_iter();
        let of = lines.filter_map(|line| Some(line.strip_prefix(name)?.to_owned()));
        of.collect()
    }

    /// Waits until a gauge has this value.
    async fn wait(&self, name: &str, value: u32) {
        let reached = async {
            while self.of(name) != [format!(" {value}")] {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = tokio::time::timeout(Duration::from_secs(10), reached).await;
        assert!(
            reached.is_ok(),
            "{name} is not {value}: {:?}",
            self.of(name)
        );
    }
}

/// Does the work with a recorder of its own.
fn counted<F: Future<Output = ()>>(work: impl FnOnce(Figures) -> F) {
    let duration = Matcher::Full(metrics::REQUEST_DURATION.to_owned());
    let builder = PrometheusBuilder::new();
    let builder = builder
        .set_buckets_for_metric(duration, &[0.1, 1.0])
        .unwrap();
    let recorder = builder.build_recorder();
    let figures = Figures(recorder.handle());
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    ::metrics::with_local_recorder(&recorder, || runtime.block_on(work(figures)));
}

async fn served(builder: IntegrationBuilder) -> Server {
    Server::start(builder.build().unwrap().into_router(), &token()).await
}

/// Fails, panics and waits, each for one customer.
struct Moody {
    begun: Mutex<mpsc::UnboundedSender<()>>,
    let_go: Arc<Semaphore>,
}

#[controller]
impl CustomersController for Moody {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        match id.as_str() {
            "cus_fails" => return Err("hunter2".into()),
            "cus_panics" => panic!("a broken rule"),
            "cus_waits" => {
                self.begun.lock().unwrap().send(())?;
                self.let_go.acquire().await?.forget();
            }
            "cus_nobody" => return Ok(None),
            _ => {}
        }
        Ok(Some(Customer::new(id.clone())))
    }
}

struct Merchant {
    begun: mpsc::UnboundedReceiver<()>,
    let_go: Arc<Semaphore>,
    builder: IntegrationBuilder,
}

fn moody() -> Merchant {
    let (begun, begins) = mpsc::unbounded_channel();
    let let_go = Arc::new(Semaphore::new(0));
    let moody = Moody {
        begun: Mutex::new(begun),
        let_go: Arc::clone(&let_go),
    };
    Merchant {
        begun: begins,
        let_go,
        builder: Integration::builder("Moody", token()).customers(moody),
    }
}

#[test]
fn answers_are_counted_by_operation_and_status_and_so_are_their_durations() {
    counted(|figures| async move {
        let server = served(moody().builder).await;
        for (path, status) in [
            ("/churnkey/customers/cus_ada", 200),
            ("/churnkey/customers/cus_ada?secret=hunter2", 200),
            ("/churnkey/customers/cus_nobody", 404),
            ("/churnkey/customers/cus_fails", 500),
            ("/churnkey/customers/cus_panics", 500),
            ("/churnkey/features", 200),
            ("/churnkey/hunter2", 404),
        ] {
            assert_eq!(server.get(path).await.status, status, "{path}");
        }
        let wrong_method = server.request("HUNTER2", "/churnkey/features").signed();
        assert_eq!(wrong_method.send().await.status, 405);
        assert_eq!(
            figures.lines(),
            [
                "churnkey_request_duration_seconds_count{operation=\"customers.retrieve\"} 5",
                "churnkey_request_duration_seconds_count{operation=\"features\"} 2",
                "churnkey_request_duration_seconds_count{operation=\"none\"} 1",
                "churnkey_requests_in_flight 0",
                "churnkey_requests_total{operation=\"customers.retrieve\",status=\"200\"} 2",
                "churnkey_requests_total{operation=\"customers.retrieve\",status=\"404\"} 1",
                "churnkey_requests_total{operation=\"customers.retrieve\",status=\"500\"} 2",
                "churnkey_requests_total{operation=\"features\",status=\"200\"} 1",
                "churnkey_requests_total{operation=\"features\",status=\"405\"} 1",
                "churnkey_requests_total{operation=\"none\",status=\"404\"} 1",
            ]
        );
    });
}

#[test]
fn a_duration_is_in_seconds_and_ends_with_the_answer() {
    counted(|figures| async move {
        let mut merchant = moody();
        let server = served(merchant.builder).await;
        let waiting = server
            .request("GET", "/churnkey/customers/cus_waits")
            .signed()
            .start()
            .await;
        merchant.begun.recv().await.unwrap();
        tokio::time::sleep(Duration::from_millis(150)).await;
        merchant.let_go.add_permits(1);
        assert_eq!(Reply::of(waiting).await.status, 200);
        let scrape = figures.0.render();
        let of = "churnkey_request_duration_seconds_bucket{operation=\"customers.retrieve\",le=";
        let buckets = scrape.lines().filter_map(|line| line.strip_prefix(of));
        assert_eq!(
            buckets.collect::<Vec<_>>(),
            ["\"0.1\"} 0", "\"1\"} 1", "\"+Inf\"} 1"]
        );
    });
}

#[test]
fn requests_are_in_flight_until_they_are_answered_or_their_caller_leaves() {
    counted(|figures| async move {
        let mut merchant = moody();
        let server = served(merchant.builder).await;
        let request = server
            .request("GET", "/churnkey/customers/cus_waits")
            .signed();
        let (stays, leaves) = (request.clone().start().await, request.start().await);
        merchant.begun.recv().await.unwrap();
        merchant.begun.recv().await.unwrap();
        assert_eq!(figures.lines(), ["churnkey_requests_in_flight 2"]);
        drop(leaves);
        figures.wait(metrics::REQUESTS_IN_FLIGHT, 1).await;
        merchant.let_go.add_permits(1);
        assert_eq!(Reply::of(stays).await.status, 200);
        assert_eq!(
            figures.lines(),
            [
                "churnkey_request_duration_seconds_count{operation=\"customers.retrieve\"} 1",
                "churnkey_requests_in_flight 0",
                "churnkey_requests_total{operation=\"customers.retrieve\",status=\"200\"} 1",
            ]
        );
    });
}

/// Pauses once it is let go, or panics.
struct Paused(Arc<Semaphore>);

#[controller]
impl PauseAction for Paused {
    fn features(&self) -> PauseFeatures {
        PauseFeatures::new(Schedules::Immediate, Durations::Period)
    }

    async fn pause(&self, _: &RequestContext, request: &PauseRequest) -> Result<()> {
        self.0.acquire().await?.forget();
        assert!(
            !format!("{:?}", request.duration()).contains("amount: 2"),
            "a broken rule"
        );
        Ok(())
    }
}

fn pause(days: u32) -> String {
    format!(
        r#"{{"customerId":"cus_1","subscriptionId":"sub_1","duration":{{"amount":{days},"unit":"day"}}}}"#
    )
}

const PAUSE: &str = "/churnkey/actions/subscription/pause";

#[test]
fn an_action_runs_until_its_end_even_if_its_caller_leaves_and_a_panic_ends_it() {
    counted(|figures| async move {
        let let_go = Arc::new(Semaphore::new(0));
        let builder = demo::cancelling(Integration::builder("Slow", token()));
        let server = served(builder.pause(Paused(Arc::clone(&let_go)))).await;
        let mut answers = Vec::new();
        for days in [1, 2, 3] {
            let request = server.request("POST", PAUSE).body(pause(days)).signed();
            answers.push(request.start().await);
        }
        figures.wait(metrics::ACTIONS_RUNNING, 3).await;
        drop(answers.pop());
        figures.wait(metrics::REQUESTS_IN_FLIGHT, 2).await;
        assert_eq!(figures.of(metrics::ACTIONS_RUNNING), [" 3"]);
        let_go.add_permits(3);
        figures.wait(metrics::ACTIONS_RUNNING, 0).await;
        let panicked = Reply::of(answers.pop().unwrap()).await;
        let paused = Reply::of(answers.pop().unwrap()).await;
        assert_eq!((paused.status, panicked.status), (200, 500));
        assert_eq!(
            figures.lines(),
            [
                "churnkey_actions_running 0",
                "churnkey_request_duration_seconds_count{operation=\"pause\"} 2",
                "churnkey_requests_in_flight 0",
                "churnkey_requests_total{operation=\"pause\",status=\"200\"} 1",
                "churnkey_requests_total{operation=\"pause\",status=\"500\"} 1",
            ]
        );
    });
}

#[test]
fn a_repeated_action_is_counted_if_it_did_not_run_again() {
    counted(|figures| async move {
        let let_go = Arc::new(Semaphore::new(2));
        let builder = demo::cancelling(Integration::builder("Slow", token()));
        let server = served(builder.pause(Paused(Arc::clone(&let_go)))).await;
        let once = server.request("POST", PAUSE).body(pause(1)).signed();
        for _ in 0..3 {
            assert_eq!(once.clone().send().await.status, 200);
        }
        assert_eq!(let_go.available_permits(), 1);
        // One that failed is run again.
        let fails = server.request("POST", PAUSE).body(pause(2)).signed();
        assert_eq!(fails.clone().send().await.status, 500);
        let_go.add_permits(1);
        assert_eq!(fails.send().await.status, 500);
        let repeated = figures.of(metrics::ACTIONS_REPEATED);
        assert_eq!(repeated, ["{operation=\"pause\"} 2"]);
    });
}

#[test]
fn rows_that_do_not_fit_are_counted_and_those_the_merchant_leaves_out_are_not() {
    counted(|figures| async move {
        let server = served(dirty_rows::builder(300)).await;
        let page = server.get("/churnkey/customers?limit=500").await;
        assert_eq!(page.status, 200);
        assert_eq!(figures.of(metrics::ROWS_LEFT_OUT), [" 3"]);
    });
}

/// Knows one tenant, and fails for another.
struct Tenants;

#[async_trait]
impl TenantResolver for Tenants {
    async fn resolve(&self, request: &TenantRequest<'_>) -> Result<Option<Tenant>> {
        match request.header("x-tenant") {
            Some("north") => {
                let id = TenantId::new("north")?;
                Ok(Some(Tenant::new(id, "North", token())))
            }
            Some(_) => Err("hunter2".into()),
            None => Ok(None),
        }
    }
}

/// Can't tell.
struct NoReplays;

#[async_trait]
impl ReplayStore for NoReplays {
    async fn is_first(&self, _: &SignedRead) -> Result<bool> {
        Err("hunter2".into())
    }
}

/// Has a call refused for each fault of a credential, once.
async fn refuse_for_its_credential(path: &str) {
    let server = served(moody().builder.refuse_replays(InMemoryReplays::default())).await;
    let get = || server.request("GET", path);
    let other = IntegrationToken::new("a-token-of-somebody-else").unwrap();
    let now = churnkey_integrator::Timestamp::now();
    let live = churnkey_integrator::Mode::Live;
    let read = get().signed();
    assert_eq!(read.clone().send().await.status, 200);
    let signature = "x-churnkey-signature";
    let timestamp = "x-churnkey-timestamp";
    let unsigned_at = |at: &str| get().header(timestamp, at).header(signature, "v1=");
    let at = now.unix_seconds().to_string();
    for refused in [
        get(),
        get()
            .header("Authorization", "a")
            .header("Authorization", "b"),
        unsigned_at("yesterday"),
        get().signed_ahead(3600),
        unsigned_at(&at),
        get()
            .header(timestamp, &at)
            .header(signature, &["v1=a"; 9].join(",")),
        get().signed_with(&other, live, now),
        read,
        get().header("Authorization", "a-token-of-somebody-else"),
    ] {
        assert_eq!(refused.send().await.status, 401);
    }
    let server = served(moody().builder.require_signature()).await;
    let plain = server
        .request("GET", path)
        .header("Authorization", "ck-demo-integration-token-0001");
    assert_eq!(plain.send().await.status, 401);
}

/// Has a call refused for each other cause, once.
async fn refuse_for_other_causes(path: &str) {
    let tenants = Integration::for_tenants(Tenants).customers(demo::Shop);
    let server = served(tenants.refuse_replays(NoReplays)).await;
    let get = |tenant| {
        server
            .request("GET", path)
            .signed()
            .header("x-tenant", tenant)
    };
    assert_eq!(server.get(path).await.status, 401);
    assert_eq!(get("south").send().await.status, 500);
    assert_eq!(get("north").send().await.status, 503);

    let mut merchant = moody();
    let builder = merchant.builder.max_in_flight(1).max_body_bytes(10);
    let server = served(builder.deadline(Duration::from_millis(200))).await;
    let large = server.request("POST", path).body("x".repeat(11)).signed();
    assert_eq!(large.send().await.status, 413);
    let other_mode = server
        .request("GET", path)
        .header("x-churnkey-mode", "hunter2");
    let other_mode = other_mode.header("Authorization", "ck-demo-integration-token-0001");
    assert_eq!(other_mode.send().await.status, 400);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: m\r\nContent-Length: 10\r\nConnection: close\r\n\
         Authorization: ck-demo-integration-token-0001\r\n\r\n{{"
    );
    let slow = server.exchange(head.as_bytes()).await;
    assert_eq!(slow.status, 408);
    let mut interrupted = server.connect().await;
    interrupted.write_all(head.as_bytes()).await.unwrap();
    interrupted.shutdown().await.unwrap();
    // The caller who only stops sending gets the answer.
    assert_eq!(Reply::of(interrupted).await.status, 400);
    let waits = server
        .request("GET", "/churnkey/customers/cus_waits")
        .signed();
    let waits = waits.start().await;
    merchant.begun.recv().await.unwrap();
    assert_eq!(server.get(path).await.status, 503);
    merchant.let_go.add_permits(1);
    assert_eq!(Reply::of(waits).await.status, 200);
}

/// The causes that the documentation of the figure lists.
fn documented_causes() -> BTreeSet<String> {
    let source = include_str!("../../churnkey-integrator/src/metrics.rs");
    let (before, _) = source.split_once("pub const REFUSALS").unwrap();
    let (_, list) = before.rsplit_once("by `cause`.").unwrap();
    let words = list.split('`').skip(1).step_by(2);
    let is_cause = |word: &&str| *word != "max_in_flight";
    words.filter(is_cause).map(str::to_owned).collect()
}

#[test]
fn refusals_are_counted_by_each_of_the_documented_causes() {
    counted(|figures| async move {
        let path = "/churnkey/customers/cus_ada";
        refuse_for_its_credential(path).await;
        refuse_for_other_causes(path).await;
        let counted: BTreeSet<String> = figures.of(metrics::REFUSALS).into_iter().collect();
        let causes = documented_causes().into_iter();
        let expected = causes
            .map(|cause| format!("{{cause=\"{cause}\"}} 1"))
            .collect();
        assert_eq!(counted, expected);
        assert_eq!(counted.len(), 18);
    });
}

#[test]
fn every_figure_is_described() {
    counted(|figures| async move {
        metrics::describe();
        let server = served(dirty_rows::builder(300)).await;
        assert_eq!(
            server.get("/churnkey/customers?limit=500").await.status,
            200
        );
        assert_eq!(
            server
                .request("GET", "/churnkey/customers")
                .send()
                .await
                .status,
            401
        );
        let let_go = Arc::new(Semaphore::new(1));
        let builder = demo::cancelling(Integration::builder("Slow", token()));
        let server = served(builder.pause(Paused(let_go))).await;
        let once = server.request("POST", PAUSE).body(pause(1)).signed();
        assert_eq!(once.clone().send().await.status, 200);
        assert_eq!(once.send().await.status, 200);

        let scrape = figures.0.render();
        let of = |kind: &str| -> BTreeSet<String> {
            let lines = scrape.lines().filter_map(|line| line.strip_prefix(kind));
            lines
                .map(|line| line.split(' ').next().unwrap().to_owned())
                .collect()
        };
        let all: BTreeSet<String> = metrics::ALL.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!((of("# HELP "), of("# TYPE ")), (all.clone(), all));
        let types: BTreeSet<_> = scrape
            .lines()
            .filter(|line| line.starts_with("# TYPE"))
            .collect();
        let expected = [
            "# TYPE churnkey_actions_repeated_total counter",
            "# TYPE churnkey_actions_running gauge",
            "# TYPE churnkey_refusals_total counter",
            "# TYPE churnkey_request_duration_seconds histogram",
            "# TYPE churnkey_requests_in_flight gauge",
            "# TYPE churnkey_requests_total counter",
            "# TYPE churnkey_rows_left_out_total counter",
        ];
        assert_eq!(types, expected.into());
    });
}

#[test]
fn the_guide_lists_every_figure_in_the_order_of_the_constant() {
    let guide = include_str!("../../churnkey-integrator/docs/metrics.md");
    let rows = guide
        .lines()
        .filter_map(|line| line.strip_prefix("| `churnkey_"));
    let names = rows.map(|row| format!("churnkey_{}", row.split_once('`').unwrap().0));
    assert_eq!(names.collect::<Vec<_>>(), metrics::ALL);
}
