//! `--metrics`, read as Prometheus does, and the dashboard over it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use churnkey_integrator::metrics;
use serde_json::Value;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_in-memory"));
    command
        .args(["--listen", "127.0.0.1:0"])
        .args(arguments)
        .env_remove("CK_INTEGRATION_TOKEN")
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The running program. It is killed at the end of the test.
struct Running {
    child: Child,
    url: String,
    metrics_url: String,
}

impl Running {
    fn start() -> Self {
        let mut child = program(&["--metrics", "127.0.0.1:0"]).spawn().unwrap();
        let mut first = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut first).unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = log.map(Result::unwrap);
        let metrics_url = log.find_map(|line| {
            let (_, url) = line.split_once("metrics are at ")?;
            Some(url.to_owned())
        });
        // The program writes on.
        std::thread::spawn(move || log.for_each(drop));
        std::thread::spawn(move || output.lines().for_each(drop));
        Self {
            child,
            url: first
                .trim()
                .strip_prefix("listening on ")
                .unwrap()
                .to_owned(),
            metrics_url: metrics_url.unwrap(),
        }
    }

    /// Calls the integration, and returns the status.
    fn call(&self, path: &str, arguments: &[&str]) -> String {
        let url = format!("{}/churnkey/{path}", self.url);
        let status = ["-o", "/dev/null", "-w", "%{http_code}"];
        curl(&[&status, arguments, &[&*url]].concat())
    }

    fn scrape(&self) -> String {
        curl(&[&self.metrics_url])
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn curl(arguments: &[&str]) -> String {
    let output = Command::new("curl")
        .arg("-sS")
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

const TOKEN: &str = "Authorization: ck-demo-integration-token-0001";

fn names() -> BTreeSet<&'static str> {
    metrics::ALL.iter().copied().collect()
}

#[test]
fn prometheus_reads_every_figure_and_its_linter_finds_nothing_wrong() {
    let running = Running::start();
    let body =
        r#"{"customerId":"cus_ada","subscriptionId":"sub_ada_pro","scheduledAt":"immediate"}"#;
    let cancel = ["-H", TOKEN, "-H", "Idempotency-Key: one", "-d", body];
    for (path, arguments, status) in [
        ("customers/cus_ada", &["-H", TOKEN][..], "200"),
        ("customers/cus_nobody", &["-H", TOKEN], "404"),
        ("customers/cus_ada", &[], "401"),
        ("actions/subscription/cancel", &cancel, "200"),
        ("actions/subscription/cancel", &cancel, "200"),
    ] {
        assert_eq!(running.call(path, arguments), status, "{path}");
    }
    let scrape = running.scrape();
    let types = scrape
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let types: BTreeSet<_> = types.map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(types, names());
    let samples = scrape
        .lines()
        .filter(|line| !line.starts_with('#') && !line.contains("seconds_"));
    let samples: BTreeSet<_> = samples.filter(|line| !line.is_empty()).collect();
    let expected = [
        "churnkey_actions_repeated_total{operation=\"cancel\"} 1",
        "churnkey_actions_running 0",
        "churnkey_refusals_total{cause=\"no_credential\"} 1",
        "churnkey_requests_in_flight 0",
        "churnkey_requests_total{operation=\"cancel\",status=\"200\"} 2",
        "churnkey_requests_total{operation=\"customers.retrieve\",status=\"200\"} 1",
        "churnkey_requests_total{operation=\"customers.retrieve\",status=\"401\"} 1",
        "churnkey_requests_total{operation=\"customers.retrieve\",status=\"404\"} 1",
        "churnkey_rows_left_out_total 0",
    ];
    assert_eq!(samples, expected.into());
    let last = "churnkey_request_duration_seconds_bucket{operation=\"cancel\",le=\"10\"} 2";
    assert!(scrape.lines().any(|line| line == last), "{scrape}");
    check(&scrape);
}

fn promtool() -> Command {
    Command::new("promtool")
}

fn not_started(error: &io::Error) -> ! {
    panic!("promtool, Prometheus's linter, can't be started ({error}): run scripts/setup")
}

/// Prometheus's own linter.
fn check(scrape: &str) {
    let mut promtool = promtool()
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| not_started(&error));
    let mut input = promtool.stdin.take().unwrap();
    input.write_all(scrape.as_bytes()).unwrap();
    drop(input);
    let output = promtool.wait_with_output().unwrap();
    let found = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!((output.status.code(), &*found), (Some(0), ""));
}

#[test]
fn the_public_socket_never_has_the_figures_and_without_the_option_no_other_has() {
    let running = Running::start();
    let public = format!("{}/metrics", running.url);
    let status = curl(&["-o", "/dev/null", "-w", "%{http_code}", &public]);
    assert_eq!(status, "404");
    let mut silent = program(&[]).spawn().unwrap();
    let mut first = String::new();
    let mut output = BufReader::new(silent.stdout.take().unwrap());
    output.read_line(&mut first).unwrap();
    silent.kill().unwrap();
    let log = silent.wait_with_output().unwrap().stderr;
    let log = String::from_utf8(log).unwrap();
    assert!(
        first.starts_with("listening on ") && !log.contains("metrics are at"),
        "{log}"
    );
}

#[test]
fn an_address_that_is_taken_is_an_error_that_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = program(&["--metrics", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(
        log.contains(&format!("can't serve the metrics on {address}: ")),
        "{log}"
    );
    assert!(log.contains("; choose another --metrics"), "{log}");
}

/// The alerts of the guide.
fn alerts() -> &'static str {
    let guide = include_str!("../../../churnkey-integrator/docs/metrics.md");
    let (_, block) = guide.split_once("```yaml\n").unwrap();
    block.split_once("```").unwrap().0
}

#[test]
fn prometheus_takes_the_alerts_of_the_guide_and_they_are_about_figures_that_exist() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("alerts.yaml");
    fs::write(&file, alerts()).unwrap();
    let output = promtool().args(["check", "rules"]).arg(&file).output();
    let output = output.unwrap_or_else(|error| not_started(&error));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && said.contains("SUCCESS: 4 rules found"),
        "{said}"
    );
    let unknown: Vec<&str> = names_in(alerts())
        .filter(|name| !names().contains(name))
        .collect();
    assert_eq!(unknown, [""; 0]);
}

const DASHBOARD: &str = include_str!("../grafana.json");

/// All values of this key, at any depth.
fn values_of<'a>(key: &str, of: &'a Value, found: &mut Vec<&'a Value>) {
    match of {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == key {
                    found.push(value);
                }
                values_of(key, value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| values_of(key, item, found)),
        _ => {}
    }
}

/// The names of figures in an expression.
fn names_in(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let words = words.filter(|word| word.starts_with("churnkey_"));
    // The buckets are what quantiles are made of.
    words.map(|word| word.strip_suffix("_bucket").unwrap_or(word))
}

#[test]
fn the_dashboard_shows_every_figure_and_no_other() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut expressions = Vec::new();
    values_of("expr", &dashboard["panels"], &mut expressions);
    let expressions = expressions
        .into_iter()
        .map(|expression| expression.as_str().unwrap());
    let shown: Vec<&str> = expressions.flat_map(names_in).collect();
    assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), names());
    // Those of the variables exist, too.
    let named: BTreeSet<&str> = names_in(DASHBOARD).collect();
    assert_eq!(named, names());
}

#[test]
fn the_dashboard_has_what_grafana_imports() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    assert_eq!(dashboard["id"], Value::Null);
    assert_eq!(dashboard["uid"], "churnkey-integrator");
    assert_eq!(dashboard["title"], "Churnkey integration");
    assert!(
        dashboard["schemaVersion"].as_u64() >= Some(36),
        "data sources by uid"
    );
    let variable = &dashboard["templating"]["list"][0];
    assert_eq!(
        (&variable["name"], &variable["type"]),
        (&"datasource".into(), &"datasource".into())
    );
    assert_eq!(variable["query"], "prometheus");
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels
        .iter()
        .map(|panel| panel["id"].as_u64().unwrap())
        .collect();
    assert_eq!((ids.len(), panels.len()), (7, 7));
    for panel in panels {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty() && panel["title"].is_string(), "{panel}");
        let place = &panel["gridPos"];
        let end = place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap();
        assert!(
            end <= 24 && place["h"].is_u64() && place["y"].is_u64(),
            "{panel}"
        );
    }
    let mut sources = Vec::new();
    values_of("datasource", &dashboard["panels"], &mut sources);
    assert_eq!(sources.len(), panels.len());
    for source in sources {
        assert_eq!(
            (&source["type"], &source["uid"]),
            (&"prometheus".into(), &"${datasource}".into())
        );
    }
}
