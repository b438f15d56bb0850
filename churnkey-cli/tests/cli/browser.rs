//! The HTML report in a browser: Chromium without a window.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{check::broken, foreign::Foreign, tool::churnkey};

/// Chromium's own clock runs faster than that.
const MOST_SECONDS: u64 = 60;

pub(crate) fn chromium() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let programs = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ];
    let mut places = programs
        .iter()
        .flat_map(|program| env::split_paths(&path).map(move |folder| folder.join(program)));
    places
        .find(|place| place.is_file())
        .unwrap_or_else(|| panic!("Chromium is not there; run scripts/setup, which installs it"))
}

/// What the browser made of the page, as HTML.
fn dom_of(page: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let dom = folder.path().join("dom.html");
    let profile = folder.path().join("profile");
    let mut browser = Command::new(chromium())
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--virtual-time-budget=1000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .stdout(File::create(&dom).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while browser.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(MOST_SECONDS) {
            browser.kill().unwrap();
            panic!("Chromium has not ended in {MOST_SECONDS} seconds");
        }
        thread::sleep(Duration::from_millis(50));
    }
    fs::read_to_string(dom).unwrap()
}

/// The page names nothing that a browser would fetch or run.
#[track_caller]
fn assert_loads_nothing(dom: &str) {
    let folded = dom.to_lowercase();
    for loads in [
        "<script",
        "<link",
        "<img",
        "<iframe",
        "<object",
        "<embed",
        "<form",
        "<base",
        " src=",
        "srcset=",
        " href=",
        " style=",
        " onload=",
        "@import",
        "url(",
        "http-equiv=\"refresh\"",
    ] {
        assert!(!folded.contains(loads), "{loads} in {dom}");
    }
}

/// The text of each element of this name, without the elements in it.
fn texts<'a>(dom: &'a str, element: &str) -> Vec<&'a str> {
    let (start, end) = (format!("<{element}>"), format!("</{element}>"));
    let rest = dom.split(start.as_str()).skip(1);
    rest.map(|rest| rest.split(end.as_str()).next().unwrap())
        .collect()
}

#[test]
fn a_browser_shows_what_failed_what_it_costs_and_what_was_not_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let merchant = Foreign::start(Some("plus-in-a-path-is-a-blank"));
    let output = ["--report", "html", "--output", file.to_str().unwrap()];
    let ran = churnkey([&["check", "--url", merchant.url()], &output[..]].concat()).run();
    ran.assert(1, "", "");

    let dom = dom_of(&file);
    assert_loads_nothing(&dom);
    assert_eq!(texts(&dom, "h1"), ["Python shop"]);
    assert_eq!(texts(&dom, "title"), ["Python shop: churnkey check"]);
    assert_eq!(
        texts(&dom, "h2"),
        [
            "What failed",
            "What was not checked",
            "What it was checked with"
        ]
    );
    assert_eq!(texts(&dom, "h3"), ["This costs the managed flow by e-mail"]);
    assert_eq!(texts(&dom, "h4"), ["customers.find_by_email: found"]);
    assert_eq!(
        texts(&dom, "dd"),
        [
            "the customer cus_bo, or 409, for the email of the listed customer cus_bo",
            "404: Customer not found",
            "section 4"
        ]
    );
    assert_eq!(
        texts(&dom, "td")[..4],
        [
            "apply_coupon",
            "--disposable apply-coupon=CUSTOMER/SUBSCRIPTION/COUPON",
            "cancel with scheduledAt immediate",
            "--disposable cancel=CUSTOMER/SUBSCRIPTION"
        ]
    );
    assert_eq!(texts(&dom, "summary"), ["What was kept"]);
    assert!(dom.contains("<td>prices.list</td><td>each-record-once</td>"));
}

#[test]
fn what_an_integration_calls_itself_is_text_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let server = broken();
    let output = ["--report", "html", "--output", file.to_str().unwrap()];
    let ran = churnkey([&["check", "--url", &server.url()], &output[..]].concat()).run();
    ran.assert(1, "", "");
    let dom = dom_of(&file);
    assert_loads_nothing(&dom);
    assert_eq!(
        texts(&dom, "h1"),
        ["&lt;script&gt;alert(1)&lt;/script&gt; &amp; 'co'"]
    );
    assert_eq!(texts(&dom, "b"), [""; 0]);
}
