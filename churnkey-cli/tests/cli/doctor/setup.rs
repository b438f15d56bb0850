//! An integration with something in front of it, and what doctor says about it.

use std::{
    any::Any,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::Request, http::Extensions};
use churnkey_integrator::{IntegrationBuilder, diagnose::Cause};
use serde_json::Value;
use throwaway_nginx::Nginx;
use tower::{ServiceExt, service_fn};

use crate::{
    merchants::{Server, in_memory_store, token},
    tool::{Ran, churnkey},
};

/// The most requests that doctor may send.
const MOST_REQUESTS: u64 = 40;

/// No HTTP answer comes.
const WITHOUT_AN_ANSWER: [Cause; 7] = [
    Cause::Dns,
    Cause::ConnectionRefused,
    Cause::TlsExpired,
    Cause::TlsName,
    Cause::TlsIssuer,
    Cause::PlainHttpOnTls,
    Cause::Timeout,
];

/// What doctor is pointed at.
pub(super) struct Setup {
    scheme: &'static str,
    host: String,
    address: SocketAddr,
    prefix: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// Whether an HTTP answer comes in any case.
    is_answered: bool,
    seen: Seen,
    /// What runs, the outermost last.
    running: Vec<Box<dyn Any>>,
}

/// The requests that reached the server, for the message of a failed test.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, request: &Request) {
        let names: Vec<&str> = request.headers().keys().map(|name| name.as_str()).collect();
        let line = format!("{} {} {}", request.method(), request.uri(), names.join(" "));
        self.0.lock().unwrap().push(line);
    }
}

/// The in-memory example with the demo data, with further settings.
pub(super) fn merchant(more: impl FnOnce(IntegrationBuilder) -> IntegrationBuilder) -> Router {
    let builder = in_memory::churnkey::builder(&in_memory_store(), token());
    Router::new().merge(more(builder).build().unwrap().into_router())
}

/// An app, and something in the same process that changes the requests before they reach it.
pub(super) fn rewritten<F: Future<Output = Request> + Send>(
    app: Router,
    rewrite: impl Fn(Request) -> F + Clone + Send + Sync + 'static,
) -> Router {
    Router::new().fallback_service(service_fn(move |request| {
        let (app, rewrite) = (app.clone(), rewrite.clone());
        async move {
            let mut request = rewrite(request).await;
            // Behind a proxy it is another request, and nothing remembers the path that was sent.
            *request.extensions_mut() = Extensions::new();
            app.oneshot(request).await
        }
    }))
}

/// An nginx that answers 429 above so many requests.
pub(super) fn limited(rate: &str, burst: &str) -> String {
    format!(
        "limit_req_zone $binary_remote_addr zone=all:32k {rate}; limit_req_status 429;\n\
         server {{ listen 8080; limit_req zone=all {burst} nodelay;\n\
         location / {{ proxy_pass http://127.0.0.1:3000; }} }}"
    )
}

/// The example as it is.
pub(super) fn direct() -> Setup {
    serving(merchant(|builder| builder))
}

/// Any server.
pub(super) fn serving(app: Router) -> Setup {
    let seen = Seen::default();
    let sees = seen.clone();
    let app = Router::new().fallback_service(service_fn(move |mut request: Request| {
        sees.add(&request);
        let app = app.clone();
        *request.extensions_mut() = Extensions::new();
        app.oneshot(request)
    }));
    let server = Server::start(app);
    Setup {
        seen,
        ..at(server.address()).keeping(server)
    }
}

/// Whatever listens there.
pub(super) fn at(address: SocketAddr) -> Setup {
    Setup {
        scheme: "http",
        host: address.ip().to_string(),
        address,
        prefix: "/churnkey".to_owned(),
        arguments: Vec::new(),
        environment: Vec::new(),
        is_answered: false,
        seen: Seen::default(),
        running: Vec::new(),
    }
}

impl Setup {
    pub(super) fn keeping(mut self, running: impl Any) -> Self {
        self.running.push(Box::new(running));
        self
    }

    /// With nginx in front. These are the directives of its server, written as if what is behind had port 3000.
    pub(super) fn behind(self, directives: &str) -> Self {
        self.behind_nginx(&format!("server {{\nlisten 8080;\n{directives}\n}}\n"))
    }

    /// The same, with the whole content of nginx's `http` block.
    pub(super) fn behind_nginx(self, configuration: &str) -> Self {
        let nginx = Nginx::start(configuration, self.address);
        Self {
            address: nginx.address(),
            ..self
        }
        .keeping(nginx)
    }

    /// With another prefix in the URL.
    pub(super) fn under(self, prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            ..self
        }
    }

    /// With `https` in the URL, and this name.
    pub(super) fn over_tls(self, host: &str) -> Self {
        Self {
            scheme: "https",
            ..self.named(host)
        }
        .resolving()
    }

    /// With `http` in the URL, although TLS is spoken there. nginx has an answer to that.
    pub(super) fn over_http(self) -> Self {
        Self {
            scheme: "http",
            is_answered: true,
            ..self
        }
    }

    /// With this name in the URL.
    pub(super) fn named(self, host: &str) -> Self {
        Self {
            host: host.to_owned(),
            ..self
        }
    }

    /// The name in the URL has no address of its own.
    fn resolving(self) -> Self {
        let Self { host, address, .. } = &self;
        let resolve = format!("{host}:{}:{}", address.port(), address.ip());
        self.with(&["--resolve", &resolve])
    }

    /// With further options.
    pub(super) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// With a variable in the tool's environment.
    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn url(&self) -> String {
        let Self {
            scheme,
            host,
            address,
            prefix,
            ..
        } = self;
        format!("{scheme}://{host}:{}{prefix}", address.port())
    }

    /// What `churnkey call` sees of the manifest.
    pub(super) fn call(&self) -> Ran {
        let url = self.url();
        let call = ["call", "GET", "/features", "--json", "-v", "--url", &url];
        churnkey(
            call.into_iter()
                .chain(self.arguments.iter().map(String::as_str)),
        )
        .run()
    }

    /// Runs doctor, and returns its exit code and what it says.
    fn diagnosis(&self) -> (i32, Value) {
        let url = self.url();
        let mut tool = churnkey(
            ["doctor", "--json", "--url", &url]
                .into_iter()
                .chain(self.arguments.iter().map(String::as_str)),
        );
        for (name, value) in &self.environment {
            tool = tool.env(name, value);
        }
        let ran = tool.run();
        assert_eq!(ran.stderr, "");
        for (_, value) in &self.environment {
            assert!(!ran.stdout.contains(value), "a token is shown: {ran:?}");
        }
        let said = ran.json();
        let keys: Vec<&String> = said.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "cause",
                "clock_offset_seconds",
                "healthy",
                "other_causes",
                "requests",
                "version"
            ]
        );
        assert!(
            said["requests"].as_u64().unwrap() <= MOST_REQUESTS,
            "{said:#}"
        );
        (ran.code, said)
    }

    /// Panics unless doctor names this cause and no other one. Returns what it says.
    #[track_caller]
    pub(super) fn is(&self, cause: Cause) -> Value {
        self.is_all(&[cause])
    }

    /// Panics unless doctor names the first of these causes, and the others besides.
    #[track_caller]
    pub(super) fn is_all(&self, expected: &[Cause]) -> Value {
        let (code, said) = self.diagnosis();
        let cause = &said["cause"];
        let others = said["other_causes"].as_array().unwrap();
        let named = || [cause].into_iter().chain(others);
        let names: Vec<&str> = named().filter_map(|cause| cause["name"].as_str()).collect();
        let expected_names: Vec<&str> = expected.iter().map(|cause| cause.name()).collect();
        assert_eq!(
            names,
            expected_names,
            "{said:#}\nThe server saw:\n{:#?}",
            self.seen.0.lock().unwrap()
        );
        let is_answered = self.is_answered
            || !expected
                .iter()
                .any(|cause| WITHOUT_AN_ANSWER.contains(cause));
        assert_eq!(
            (code, &said["healthy"]),
            (if is_answered { 1 } else { 3 }, &Value::Bool(false)),
            "{said:#}"
        );
        for cause in named() {
            for key in ["name", "detail", "advice"] {
                assert!(!cause[key].as_str().unwrap().is_empty(), "{said:#}");
            }
            assert_eq!(cause.as_object().unwrap().len(), 3, "{said:#}");
        }
        said
    }

    /// Panics unless doctor finds nothing.
    #[track_caller]
    pub(super) fn is_healthy(&self) {
        let (code, said) = self.diagnosis();
        assert_eq!(
            (
                code,
                &said["healthy"],
                &said["cause"],
                &said["other_causes"]
            ),
            (
                0,
                &Value::Bool(true),
                &Value::Null,
                &Value::Array(Vec::new())
            ),
            "{said:#}\nThe server saw:\n{:#?}",
            self.seen.0.lock().unwrap()
        );
    }
}
