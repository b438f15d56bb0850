//! The connection to an integration: an HTTP client of our own below the signed client of the conformance suite.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    path::Path,
    str::FromStr,
    sync::Arc,
};

use bytes::Bytes;
use churnkey_conformance::{
    Answer, Client, RequestBody,
    churnkey_integrator::{Mode, Operation},
};
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use reqwest::{Url, redirect};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde_json::Value;
use tower::service_fn;

use crate::{
    arguments::HttpVersion,
    exchange::Exchange,
    exit::Failure,
    output::{self, FAINT, chain, styled},
    progress::Progress,
    settings::Settings,
};

/// Where an integration is: the URL's origin, and the prefix behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    scheme: String,
    host: String,
    port: u16,
    origin: String,
    prefix: String,
}

impl Target {
    pub(crate) fn scheme(&self) -> &str {
        &self.scheme
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The URL without its path.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The path of every request begins with it; empty if the integration is at the root.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The addresses of the host.
    pub(crate) fn addresses(&self, resolve: Option<&Override>) -> Result<Vec<IpAddr>, Failure> {
        if let Some(resolve) = resolve {
            return Ok(vec![resolve.address]);
        }
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        match (host, self.port).to_socket_addrs() {
            Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
            Err(error) => Err(Failure::Unreachable(format!(
                "{} has no address: {error}; correct the URL",
                self.host
            ))),
        }
    }

    /// The URL of a path below the prefix.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.prefix)
    }
}

impl FromStr for Target {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        // It is not repeated, because what has a user name has a password, too.
        let invalid = || {
            Failure::Usage(
                "this is not the URL of an integration: write it like https://billing.example.com/churnkey, without a \
                 user name and a query"
                    .to_owned(),
            )
        };
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(invalid());
        };
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(invalid()),
        };
        if authority.host().is_empty()
            || authority.as_str().contains('@')
            || uri.query().is_some()
            || text.contains('#')
        {
            return Err(invalid());
        }
        Ok(Self {
            scheme: scheme.to_owned(),
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().unwrap_or(default_port),
            origin: format!("{scheme}://{authority}"),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

/// An address to connect to instead of the one that a name has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Override {
    host: String,
    port: u16,
    address: IpAddr,
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.host, self.port, self.address)
    }
}

impl FromStr for Override {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = "write it as HOST:PORT:ADDRESS, such as billing.example.com:443:127.0.0.1";
        let mut parts = text.splitn(3, ':');
        let (Some(host), Some(port), Some(address)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(invalid);
        };
        let address = address.trim_start_matches('[').trim_end_matches(']');
        let (Ok(port), Ok(address)) = (port.parse(), address.parse()) else {
            return Err(invalid);
        };
        Ok(Self {
            host: host.to_ascii_lowercase(),
            port,
            address,
        })
    }
}

/// More of an answer is not read.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Is told of each exchange.
pub(crate) type Observer = Arc<dyn Fn(Exchange) + Send + Sync>;

/// A signed client of the integration, with the settings of the run.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    target: Target,
    mode: Mode,
    progress: Progress,
}

impl Connection {
    /// Nothing is sent yet.
    pub(crate) fn open(settings: &Settings, verbose: bool) -> Result<Self, Failure> {
        let says = move |exchange: Exchange| {
            if verbose {
                say(&exchange);
            }
        };
        Self::new(settings, Arc::new(says), Progress::begin())
    }

    /// A connection that shows nothing, whose exchanges something else is told of. Nothing is sent yet.
    pub(crate) fn observed(settings: &Settings, observer: Observer) -> Result<Self, Failure> {
        Self::new(settings, observer, Progress::hidden())
    }

    fn new(settings: &Settings, observer: Observer, progress: Progress) -> Result<Self, Failure> {
        let target = settings.target.clone();
        let sender = Arc::new(Sender {
            http: http_client(settings)?,
            origin: target.origin.clone(),
            observer,
            progress: progress.clone(),
        });
        let service = service_fn(move |request| {
            let sender = sender.clone();
            async move { sender.send(request).await }
        });
        let client = Client::new(service, settings.token.clone());
        Ok(Self {
            client: client.mounted_at(target.prefix()).in_mode(settings.mode),
            target,
            mode: settings.mode,
            progress,
        })
    }

    /// The path of a request, which begins with the prefix.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("{}{below}", self.target.prefix())
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// What is shown while requests are sent.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// The same for the other data.
    pub(crate) fn in_mode(&self, mode: Mode) -> Self {
        Self {
            client: self.client.in_mode(mode),
            mode,
            ..self.clone()
        }
    }

    /// The answer to a signed GET of a path below the prefix, whatever it is.
    pub(crate) async fn answer(&self, below: &str) -> Result<Answer, Failure> {
        let call = self.client.call(Method::GET, &self.path(below)).signed();
        self.answered(call.send_unchecked().await)
    }

    /// The answer to a signed GET of a path below the prefix, if it is a 200.
    pub(crate) async fn get(&self, below: &str) -> Result<Answer, Failure> {
        let answer = self.answer(below).await?;
        let advice = match answer.status() {
            200 => return Ok(answer),
            401 => {
                "give the integration's own token, and compare the clocks, which may differ by minutes at most"
            }
            404 => {
                "give the URL with its prefix, and compare what `churnkey call GET /features` lists"
            }
            300..=399 => "give the URL that it redirects to, as a credential does not follow",
            _ => "look into the integration's log for the request id",
        };
        let status = answer.status();
        let url = self.target.url(below.split('?').next().unwrap_or_default());
        let id = output::printable(answer.header("x-request-id").unwrap_or("none"));
        Err(Failure::Answer(format!(
            "{url} answered {status} (request id {id}): {advice}"
        )))
    }

    /// The features manifest.
    pub(crate) async fn manifest(&self) -> Result<Value, Failure> {
        let answer = self.get("/features").await?;
        match answer.wrong_shapes(Some(Operation::Features)).first() {
            // Its headers have no part in what it says.
            Some(wrong) if wrong.section() == "2.3" || !answer.body().is_object() => {
                Err(Failure::Answer(format!(
                    "{} is no features manifest: {wrong}; give the URL of the integration with its prefix",
                    self.target.url("/features")
                )))
            }
            _ => Ok(answer.into_body()),
        }
    }

    /// The answer, unless nothing came.
    pub(crate) fn answered(&self, answer: Answer) -> Result<Answer, Failure> {
        if answer.status() != 0 {
            return Ok(answer);
        }
        let reason = answer.cause().unwrap_or("the connection was closed");
        Err(Failure::Unreachable(format!(
            "nothing answered at {}: {reason}; start the integration, or correct the URL",
            self.target.origin
        )))
    }
}

/// A client that keeps credentials to the target.
pub(crate) fn http_client(settings: &Settings) -> Result<reqwest::Client, Failure> {
    let target = &settings.target;
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("churnkey/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls(settings, target.scheme == "https")?)
        // The signature and the token are for this host alone.
        .redirect(redirect::Policy::none())
        .timeout(settings.timeout);
    builder = match settings.http {
        None => builder,
        Some(HttpVersion::Http1) => builder.http1_only(),
        Some(HttpVersion::Http2) => builder.http2_prior_knowledge(),
    };
    if let Some(resolve) = &settings.resolve {
        if (&resolve.host, resolve.port) != (&target.host, target.port) {
            return Err(Failure::Usage(format!(
                "--resolve names {}:{}, but the URL is that of {}:{}: name the same host and port",
                resolve.host, resolve.port, target.host, target.port
            )));
        }
        let address = SocketAddr::new(resolve.address, resolve.port);
        builder = builder.resolve(&resolve.host, address);
    }
    builder.build().map_err(|error| {
        Failure::Usage(format!(
            "the HTTP client can't be set up: {}; look at the proxies in the environment",
            chain(&error)
        ))
    })
}

/// A client for any host, which gets no credential of the integration.
pub(crate) fn any_host(settings: &Settings) -> Result<reqwest::Client, Failure> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("churnkey/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .timeout(settings.timeout);
    let builder = builder.tls_backend_preconfigured(tls(settings, true)?);
    builder.build().map_err(|error| {
        Failure::Usage(format!(
            "the HTTP client can't be set up: {}",
            chain(&error)
        ))
    })
}

/// Certificates are looked for only where they are needed: a machine may have none.
fn tls(settings: &Settings, needs_certificates: bool) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    if needs_certificates {
        if let Some(file) = &settings.ca {
            roots.add_parsable_certificates(certificates(file)?);
        }
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let reason = found
                .errors
                .first()
                .map_or("none were found".to_owned(), |error| chain(error));
            return Err(Failure::Usage(format!(
                "there are no certificates to trust ({reason}): install this machine's package of them, often \
                 ca-certificates, or name a PEM file with --ca or SSL_CERT_FILE"
            )));
        }
    }
    // The provider is named, because a build with several has no default.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::Usage(format!("TLS can't be set up: {}", chain(&error))))?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = match settings.http {
        None => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Some(HttpVersion::Http1) => vec![b"http/1.1".to_vec()],
        Some(HttpVersion::Http2) => vec![b"h2".to_vec()],
    };
    Ok(config)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let found =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(Failure::Usage(format!(
            "{} holds no certificate: give a PEM file with `BEGIN CERTIFICATE` in it",
            file.display()
        ))),
        Err(error) => Err(Failure::Usage(format!(
            "the certificates in {} can't be read: {error}",
            file.display()
        ))),
    }
}

/// Sends what the client above it has signed.
struct Sender {
    http: reqwest::Client,
    origin: String,
    observer: Observer,
    progress: Progress,
}

impl Sender {
    async fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Result<Response<Full<Bytes>>, io::Error> {
        let (parts, body) = request.into_parts();
        let url = url_as_written(&self.origin, &parts.uri.to_string()).ok_or_else(|| {
            io::Error::other(
                "this path can't be sent as it is written: leave out dot segments, and percent-encode it",
            )
        })?;
        let Ok(body) = body.collect().await;
        let request = Request::from_parts(parts, body.to_bytes());
        let exchange = Exchange::run(&self.http, url, request, MAX_ANSWER_BYTES).await;
        self.progress.sent();
        (self.observer)(exchange.clone());
        let received = exchange
            .came
            .map_err(|unanswered| io::Error::other(unanswered.to_string()))?;
        let mut response = Response::new(Full::new(received.body));
        *response.status_mut() = received.status;
        *response.headers_mut() = received.headers;
        Ok(response)
    }
}

/// Writes an exchange to standard error.
fn say(exchange: &Exchange) {
    let Exchange {
        method, path, came, ..
    } = exchange;
    let came = match came {
        Ok(received) => format!("{} {:?}", received.status.as_u16(), received.version),
        Err(_) => "no answer".to_owned(),
    };
    let took = exchange.took.as_millis();
    let line = format!("{method} {path} -> {came}, {took} ms");
    // A closed standard error is no reason to stop.
    let _ = output::note(styled(FAINT, line));
}

/// The URL of a path, unless it would be sent in another form: dot segments, for example, are resolved in a URL, and the
/// signature is for the path as it was written.
pub(crate) fn url_as_written(origin: &str, path: &str) -> Option<Url> {
    let url: Url = format!("{origin}{path}").parse().ok()?;
    let query = url
        .query()
        .map_or(String::new(), |query| format!("?{query}"));
    (format!("{}{query}", url.path()) == path).then_some(url)
}
