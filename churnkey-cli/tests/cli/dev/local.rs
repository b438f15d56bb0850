//! A local Churnkey, and a page that calls it as Churnkey's component does.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use churnkey_integrator::{ApiKey, CustomerId, cancel_flow::auth_hash};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::tool::TOKEN;

pub(super) const API_KEY: &str = "ck-demo-api-key";
pub(super) const ORIGIN: &str = "http://localhost:5173";

/// `churnkey dev`, which runs until it is dropped.
pub(super) struct Local {
    child: Child,
    address: String,
    said: Arc<Mutex<String>>,
}

impl Local {
    pub(super) fn start(url: &str, arguments: &[&str]) -> Self {
        Self::start_in(url, arguments, &std::env::temp_dir())
    }

    pub(super) fn start_in(url: &str, arguments: &[&str], folder: &Path) -> Self {
        Self::start_with(url, arguments, folder, TOKEN)
    }

    pub(super) fn start_with(url: &str, arguments: &[&str], folder: &Path, token: &str) -> Self {
        let mut command = command(url, token);
        command.args(arguments).current_dir(folder);
        Self::run(command)
    }

    /// Whose pages ask for a password.
    pub(super) fn start_with_password(url: &str, password: &str) -> Self {
        let mut command = command(url, TOKEN);
        command.env("CHURNKEY_DEV_PASSWORD", password);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let mut stderr = child.stderr.take().unwrap();
        let saying = Arc::clone(&said);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stderr.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                saying.lock().unwrap().push_str(&text);
            }
        });
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{line:?}, {:?}", said.lock()));
        Self {
            address: address.to_owned(),
            child,
            said,
        }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// What it has said on standard error, once that has this text.
    pub(super) fn said(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let said = self.said.lock().unwrap().clone();
            if said.contains(text) {
                return said;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "{text:?} in {said:?}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn page(&self, customer: &str) -> Page<'_> {
        Page {
            local: self,
            customer: customer.to_owned(),
            subscription: None,
            mode: "live",
            key: API_KEY,
            app: "demo-app",
            origin: Some(ORIGIN),
            base: "/v1",
        }
    }

    pub(super) fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Option<&Value>,
    ) -> Answer {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.send_text(method, path, headers, body)
    }

    /// Redirects are not followed.
    pub(super) fn send_text(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: String,
    ) -> Answer {
        let url = format!("http://{}{path}", self.address);
        // The client wants one, also without TLS. A second time it is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Runtime::new().unwrap().block_on(async {
            let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
            let request = client
                .build()
                .unwrap()
                .request(method, url)
                .headers(headers);
            let answer = request.body(body).send().await.unwrap();
            Answer {
                status: answer.status().as_u16(),
                headers: answer.headers().clone(),
                body: answer.text().await.unwrap(),
            }
        })
    }
}

/// On loopback, in an environment of its own.
fn command(url: &str, token: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_churnkey"));
    command
        .args(["dev", "--listen", "127.0.0.1:0", "--url", url])
        .env_clear()
        .env("CK_INTEGRATION_TOKEN", token)
        .env("CK_WEBHOOK_SECRET", "ck-demo-webhook-secret")
        .current_dir(std::env::temp_dir());
    command
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The status and the message of a refusal.
    pub(super) fn refusal(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(body["code"], self.status);
        (self.status, body["message"].as_str().unwrap().to_owned())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A page with a session token, as the component uses it: a preflight, and then the call.
pub(super) struct Page<'l> {
    local: &'l Local,
    pub(super) customer: String,
    pub(super) subscription: Option<&'static str>,
    pub(super) mode: &'static str,
    pub(super) key: &'static str,
    pub(super) app: &'static str,
    pub(super) origin: Option<&'static str>,
    pub(super) base: &'static str,
}

impl Page<'_> {
    pub(super) fn of(mut self, subscription: &'static str) -> Self {
        self.subscription = Some(subscription);
        self
    }

    pub(super) fn headers(&self) -> HeaderMap {
        let key = ApiKey::new(self.key).unwrap();
        let hash = auth_hash(&key, &CustomerId::new(&*self.customer).unwrap());
        let mut headers = HeaderMap::new();
        let mut add = |name: &'static str, value: &[u8]| {
            headers.insert(name, HeaderValue::from_bytes(value).unwrap());
        };
        add("content-type", b"application/json");
        add("x-ck-app", self.app.as_bytes());
        add("x-ck-customer", self.customer.as_bytes());
        add("x-ck-authorization", hash.as_bytes());
        add("x-ck-mode", self.mode.as_bytes());
        if let Some(subscription) = self.subscription {
            add("x-ck-subscription", subscription.as_bytes());
        }
        if let Some(origin) = self.origin {
            add("origin", origin.as_bytes());
        }
        headers
    }

    pub(super) fn config(&self) -> Answer {
        let path = format!("/api/orgs/{}/cancel-flow/config", self.app);
        self.post(&path, None)
    }

    pub(super) fn act(&self, action: &str, body: &Value) -> Answer {
        let path = format!("/api/orgs/{}/cancel-flow/actions/{action}", self.app);
        self.post(&path, Some(body))
    }

    pub(super) fn record(&self, record: &Value) -> Answer {
        self.post("/api/sessions/sdk", Some(record))
    }

    pub(super) fn post(&self, path: &str, body: Option<&Value>) -> Answer {
        let path = format!("{}{path}", self.base);
        if let Some(origin) = self.origin {
            let allowed = self.preflight(&path, origin);
            if allowed.status != 204 {
                return allowed;
            }
        }
        self.local.send(Method::POST, &path, self.headers(), body)
    }

    fn preflight(&self, path: &str, origin: &str) -> Answer {
        let mut headers = HeaderMap::new();
        let names =
            "content-type,x-ck-app,x-ck-authorization,x-ck-customer,x-ck-mode,x-ck-subscription";
        headers.insert("origin", origin.parse().unwrap());
        headers.insert(
            "access-control-request-method",
            HeaderValue::from_static("POST"),
        );
        headers.insert("access-control-request-headers", names.parse().unwrap());
        let answer = self.local.send(Method::OPTIONS, path, headers, None);
        if answer.status == 204 {
            // What a browser checks before it sends the call.
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            assert_eq!(answer.header("vary"), Some("Origin"));
            assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
            let allowed = answer.header("access-control-allow-headers").unwrap();
            let allowed: Vec<&str> = allowed.split(", ").collect();
            assert!(
                names.split(',').all(|name| allowed.contains(&name)),
                "{allowed:?}"
            );
        }
        answer
    }
}

/// The record that the component sends at the end.
pub(super) fn accepted(offer_type: &str) -> Value {
    json!({
        "blueprintId": "built-in", "canceled": false, "mode": "LIVE", "embedVersion": "sdk-react-0.1.2",
        "surveyChoiceId": "pause", "surveyChoiceValue": "I don't need it at the moment",
        "acceptedOffer": { "offerType": offer_type }
    })
}
