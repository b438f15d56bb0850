//! Chromium without a window, moved by its WebDriver.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    error::CmdError,
    wd::WebDriverCompatibleCommand,
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::browser::chromium;

/// A name of this machine that only the browser knows, as that of a site that gives itself the address 127.0.0.1.
pub(super) const REBOUND: &str = "rebound.example";

pub(super) const TAB: char = '\u{e004}';
pub(super) const ENTER: char = '\u{e007}';
pub(super) const SPACE: char = ' ';

/// For what should take a second, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Browser {
    runtime: Runtime,
    client: Client,
    _watchdog: ChildStdin,
}

/// Chromium takes seconds to start, and half of a test's time is spent in waiting for it. So there are two, and one test at a
/// time has each.
pub(super) fn browser() -> MutexGuard<'static, Browser> {
    static BROWSERS: [OnceLock<Mutex<Browser>>; 2] = [const { OnceLock::new() }; 2];
    let [first, second] = BROWSERS.each_ref();
    let start = || Mutex::new(Browser::start());
    let browser = match first.get_or_init(start).try_lock() {
        Ok(browser) => browser,
        Err(TryLockError::Poisoned(browser)) => browser.into_inner(),
        Err(TryLockError::WouldBlock) => {
            let second = second.get_or_init(start).lock();
            second.unwrap_or_else(PoisonError::into_inner)
        }
    };
    // What a failed test has left is cleared now.
    browser.clear();
    browser
}

impl Browser {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (mut driver, mut said) = driver(folder.path());
        let watchdog = watchdog(&driver, &folder.keep());
        let port = port(&mut said).unwrap_or_else(|| {
            let _ = driver.kill();
            panic!("chromedriver does not start; run it by hand to see why")
        });
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--no-proxy-server",
            "--disable-background-networking",
            // The browser is gone with its driver, and listens nowhere.
            "--remote-debugging-pipe",
            &format!(
                "--host-resolver-rules=MAP {REBOUND} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
            ),
        ];
        let capabilities = json!({
            "goog:chromeOptions": { "binary": chromium(), "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" }
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("an object")
        };
        let runtime = Runtime::new().unwrap();
        let client = runtime.block_on(connect(port, capabilities));
        Self {
            client,
            runtime,
            _watchdog: watchdog,
        }
    }

    /// As if it had just been started.
    fn clear(&self) {
        self.wait(async {
            let mut windows = self.client.windows().await?;
            let first = windows.remove(0);
            for other in windows {
                self.client.switch_to_window(other).await?;
                self.client.close_window().await?;
            }
            self.client.switch_to_window(first).await?;
            self.client.goto("about:blank").await
        });
        self.complaints();
    }

    #[track_caller]
    fn wait<T>(&self, asked: impl Future<Output = Result<T, CmdError>>) -> T {
        match self.runtime.block_on(asked) {
            Ok(answer) => answer,
            Err(error) => panic!("{error}"),
        }
    }

    #[track_caller]
    pub(super) fn open(&self, url: &str) {
        self.wait(self.client.goto(url));
    }

    fn url(&self) -> url::Url {
        self.wait(self.client.current_url())
    }

    #[track_caller]
    pub(super) fn click(&self, css: &str) {
        self.wait(async { self.client.find(Locator::Css(css)).await?.click().await });
    }

    /// What a person reads there.
    #[track_caller]
    pub(super) fn text(&self, css: &str) -> String {
        let texts = self.texts(css);
        let first = texts.into_iter().next();
        first.unwrap_or_else(|| panic!("there is no {css} in {}", self.url()))
    }

    /// The same of each of them, in order.
    #[track_caller]
    pub(super) fn texts(&self, css: &str) -> Vec<String> {
        let css = json!(css);
        let texts = self.run(&format!(
            "return [...document.querySelectorAll({css})].map(each => each.innerText)"
        ));
        serde_json::from_value(texts).unwrap()
    }

    /// What a function with this body returns, of the page.
    #[track_caller]
    pub(super) fn run(&self, body: &str) -> Value {
        self.wait(self.client.execute(body, Vec::new()))
    }

    /// The same of an async function, which has `given`.
    #[track_caller]
    pub(super) fn run_async(&self, body: &str, given: Value) -> Value {
        let script = format!(
            "const [given, done] = arguments;
             (async () => {{ {body} }})().then(done, error => done({{ threw: String(error) }}));"
        );
        self.wait(self.client.execute_async(&script, vec![given]))
    }

    #[track_caller]
    pub(super) fn press(&self, key: char) {
        let down = KeyActions::new("keyboard".to_owned()).then(KeyAction::Down { value: key });
        self.wait(
            self.client
                .perform_actions(down.then(KeyAction::Up { value: key })),
        );
    }

    /// Does what makes the browser leave the page, and waits for the next one.
    #[track_caller]
    pub(super) fn leave(&self, go: impl FnOnce(&Self)) {
        self.run("window.isLeft = true");
        go(self);
        self.until("return !window.isLeft && document.readyState === 'complete'");
    }

    /// Waits for this text there, which comes without another page.
    #[track_caller]
    pub(super) fn once(&self, css: &str, text: &str) {
        let (css, text) = (json!(css), json!(text));
        self.until(&format!(
            "return document.querySelector({css}).innerText.includes({text})"
        ));
    }

    /// Waits for what a function with this body returns to be true.
    #[track_caller]
    pub(super) fn until(&self, condition: &str) {
        let begun = Instant::now();
        while self.run(condition) == false {
            assert!(begun.elapsed() < PATIENCE, "never: {condition}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks on what leads to another page, and waits for that.
    #[track_caller]
    pub(super) fn follow(&self, css: &str) {
        self.leave(|browser| browser.click(css));
    }

    /// Opens each in a window of its own, all at once, and says what a person reads there, in the order of the URLs.
    #[track_caller]
    pub(super) fn open_all(&self, urls: &[String], css: &str) -> Vec<String> {
        let mut texts = HashMap::new();
        self.wait(async {
            let before = self.client.windows().await?;
            let script = "for (const url of arguments[0]) { window.open(url) }";
            self.client.execute(script, vec![json!(urls)]).await?;
            for window in self.client.windows().await? {
                if !before.contains(&window) {
                    self.client.switch_to_window(window).await?;
                    let text = self.client.find(Locator::Css(css)).await?.text().await?;
                    texts.insert(self.client.current_url().await?.to_string(), text);
                }
            }
            Ok(())
        });
        urls.iter().map(|url| texts.remove(url).unwrap()).collect()
    }

    /// What is in the first frame of the page, and where that is from.
    #[track_caller]
    pub(super) fn framed(&self) -> (String, String) {
        self.wait(async {
            self.client.enter_frame(0).await?;
            let text = self.client.find(Locator::Css("html")).await?.text().await?;
            let url = self
                .client
                .execute("return location.href", Vec::new())
                .await?;
            self.client.enter_parent_frame().await?;
            Ok((text, url.as_str().unwrap_or_default().to_owned()))
        })
    }

    /// The errors and warnings of the console since the last time, but for the status of the page itself.
    #[track_caller]
    pub(super) fn complaints(&self) -> Vec<String> {
        let entries = self.extension("se/log", json!({ "type": "browser" }));
        let entries = entries.as_array().unwrap().iter();
        let bad = entries.filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        let messages = bad.map(|entry| entry["message"].as_str().unwrap().to_owned());
        let status = format!(
            "{} - Failed to load resource: the server responded",
            self.url()
        );
        messages
            .filter(|message| !message.starts_with(&status))
            .collect()
    }

    /// A command of Chromium's own protocol.
    #[track_caller]
    pub(super) fn chromium(&self, command: &str, parameters: &Value) -> Value {
        self.extension(
            "goog/cdp/execute",
            json!({ "cmd": command, "params": parameters }),
        )
    }

    /// The page, also what is below the window, but no more of it than a person looks at.
    #[track_caller]
    pub(super) fn screenshot(&self, file: &Path) {
        let size =
            "const page = document.documentElement; return [page.clientWidth, page.scrollHeight]";
        let (width, height): (u32, u32) = serde_json::from_value(self.run(size)).unwrap();
        let clip =
            json!({ "x": 0, "y": 0, "width": width, "height": height.min(4_000), "scale": 1 });
        let parameters =
            json!({ "clip": clip, "captureBeyondViewport": true, "optimizeForSpeed": true });
        let picture = self.chromium("Page.captureScreenshot", &parameters);
        let picture = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(file, picture).unwrap();
    }

    #[track_caller]
    fn extension(&self, path: &'static str, body: Value) -> Value {
        self.wait(self.client.issue_cmd(Extension { path, body }))
    }
}

/// A command that chromedriver has beside those of WebDriver.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _url: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

async fn connect(port: u16, capabilities: Map<String, Value>) -> Client {
    let mut builder = ClientBuilder::new(HttpConnector::new());
    builder.capabilities(capabilities);
    let client = builder.connect(&format!("http://127.0.0.1:{port}")).await;
    client.unwrap_or_else(|error| panic!("Chromium does not start: {error}"))
}

/// Chromium's WebDriver. What it and Chromium leave behind is in the folder.
fn driver(folder: &Path) -> (Child, BufReader<ChildStdout>) {
    let driver = Command::new("chromedriver")
        .arg("--port=0")
        .env("TMPDIR", folder)
        // Chromium's processes are in this group, too.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut driver = driver.unwrap_or_else(|error| {
        panic!("chromedriver can't be run ({error}); run scripts/setup, which installs it")
    });
    let said = BufReader::new(driver.stdout.take().unwrap());
    (driver, said)
}

/// It says so in a line such as `ChromeDriver was started successfully on port 40123.`
fn port(said: &mut impl BufRead) -> Option<u16> {
    for line in said.lines() {
        if let Some((_, rest)) = line.ok()?.split_once("successfully on port ") {
            return rest.trim_end_matches('.').parse().ok();
        }
    }
    None
}

/// Stops the driver with its browser and removes the folder once the test program is gone, which the shell learns from the end of a pipe that
/// only that program holds. Nothing else would: what is static is not dropped.
fn watchdog(driver: &Child, folder: &Path) -> ChildStdin {
    const SCRIPT: &str = r#"
        read -r line
        kill -KILL "-$1"
        for tenth in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$2" && break; sleep 0.1; done
    "#;
    let shell = Command::new("sh")
        .args(["-c", SCRIPT, "sh", &driver.id().to_string()])
        .arg(folder)
        // What kills the group of the test would kill it, too.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    shell.unwrap().stdin.take().unwrap()
}

/// Where the screenshots are.
pub(super) fn screenshots() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
