//! Signed calls over connections that are kept open.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use churnkey_integrator::{IntegrationToken, Mode, Timestamp, sign};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::BoxError;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// For how long an idle connection is used again. The examples close one after 30 seconds.
const FRESH: Duration = Duration::from_secs(20);

/// A signed request of live mode, which can be sent any number of times.
#[derive(Debug, Clone)]
pub struct Signed {
    method: Method,
    path: String,
    body: Bytes,
    headers: HeaderMap,
}

impl Signed {
    /// Signs a GET now.
    #[must_use]
    pub fn get(token: &IntegrationToken, path: &str) -> Self {
        Self::new(token, Method::GET, path, String::new())
    }

    /// Signs a POST of a JSON body now.
    #[must_use]
    pub fn post(token: &IntegrationToken, path: &str, body: String) -> Self {
        Self::new(token, Method::POST, path, body)
    }

    fn new(token: &IntegrationToken, method: Method, path: &str, body: String) -> Self {
        let now = Timestamp::now();
        let signature = sign(token, &method, path, Mode::Live, body.as_bytes(), now);
        let mut headers: HeaderMap = signature.headers().collect();
        headers.insert(header::HOST, HeaderValue::from_static("merchant"));
        if method == Method::POST {
            let json = HeaderValue::from_static("application/json");
            headers.insert(header::CONTENT_TYPE, json);
        }
        Self {
            method,
            path: path.to_owned(),
            body: body.into(),
            headers,
        }
    }

    /// The same with an `Idempotency-Key`, which is not signed.
    ///
    /// # Errors
    /// If the key can't be the value of a header.
    pub fn with_key(&self, key: &str) -> Result<Self, BoxError> {
        let mut keyed = self.clone();
        keyed.headers.insert(IDEMPOTENCY_KEY, key.parse()?);
        Ok(keyed)
    }

    /// The same without an `Idempotency-Key`.
    #[must_use]
    pub fn without_key(&self) -> Self {
        let mut bare = self.clone();
        bare.headers.remove(IDEMPOTENCY_KEY);
        bare
    }

    /// Head and body as they are sent.
    #[must_use]
    pub fn bytes(&self) -> (Vec<u8>, Bytes) {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        let end = format!("content-length: {}\r\n\r\n", self.body.len());
        head.extend_from_slice(end.as_bytes());
        (head, self.body.clone())
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder().method(&self.method).uri(&self.path);
        if let Some(headers) = request.headers_mut() {
            headers.extend(self.headers.clone());
        }
        request.body(Full::new(self.body.clone()))
    }
}

/// Shows the request's line.
impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// What a call was answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The whole body.
    pub body: Bytes,
}

/// Connections to one address, each of which makes one call at a time. A clone shares them.
#[derive(Debug, Clone)]
pub struct Connections {
    address: Arc<str>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

#[derive(Debug)]
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    task: JoinHandle<()>,
    last_used: Instant,
}

impl Connection {
    fn is_usable(&self) -> bool {
        !self.sender.is_closed() && self.last_used.elapsed() < FRESH
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connections {
    /// Opens connections to this address as they are needed.
    #[must_use]
    pub fn to(address: &str) -> Self {
        Self {
            address: address.into(),
            idle: Arc::default(),
        }
    }

    /// Makes a call over an idle connection, or over a new one.
    ///
    /// # Errors
    /// If the connection can't be opened, or breaks before the whole answer has come.
    pub async fn send(&self, signed: &Signed) -> Result<Answer, BoxError> {
        let mut connection = match self.take_idle() {
            Some(idle) => idle,
            None => self.open().await?,
        };
        connection.sender.ready().await?;
        let answer = connection.sender.send_request(signed.request()?).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        connection.last_used = Instant::now();
        self.idle().push(connection);
        Ok(Answer { status, body })
    }

    /// Makes a call over a new connection, and disconnects after this time at the latest, whether it was answered or not.
    ///
    /// # Errors
    /// If the connection can't be opened.
    pub async fn hang_up(&self, signed: &Signed, after: Duration) -> Result<(), BoxError> {
        let mut connection = self.open().await?;
        connection.sender.ready().await?;
        let answer = connection.sender.send_request(signed.request()?);
        // Nobody cares whether it came in time.
        let _ = timeout(after, answer).await;
        Ok(())
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that was used last, so that those that nobody needs grow old.
    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle();
        idle.retain(Connection::is_usable);
        idle.pop()
    }

    async fn open(&self) -> Result<Connection, BoxError> {
        let stream = TcpStream::connect(&*self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let task = tokio::spawn(async move {
            // Whoever makes a call over it notices its end.
            let _ = connection.await;
        });
        Ok(Connection {
            sender,
            task,
            last_used: Instant::now(),
        })
    }
}
