//! A server on a loopback socket, and requests that are written byte by byte, so that no client library normalizes them.

use std::net::SocketAddr;

use axum::Router;
use churnkey_integrator::{IntegrationToken, Mode, Timestamp, sign};
use http::Method;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A running server. It ends with the test's runtime.
pub(crate) struct Server {
    address: SocketAddr,
    token: IntegrationToken,
}

impl Server {
    pub(crate) async fn start(app: Router, token: &IntegrationToken) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            address,
            token: token.clone(),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request<'_> {
        Request {
            server: self,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A signed GET in live mode.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.request("GET", path).signed().send().await
    }
}

#[derive(Clone)]
pub(crate) struct Request<'a> {
    server: &'a Server,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn path(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    pub(crate) fn method(mut self, method: &str) -> Self {
        self.method = method.to_owned();
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| header != name);
        self
    }

    /// Signs the request so far, for the current time and live mode.
    pub(crate) fn signed(self) -> Self {
        let token = self.server.token.clone();
        self.signed_with(&token, Mode::Live, Timestamp::now())
    }

    pub(crate) fn signed_in(self, mode: Mode) -> Self {
        let token = self.server.token.clone();
        self.signed_with(&token, mode, Timestamp::now())
    }

    /// Signs with a clock that is this many seconds ahead.
    pub(crate) fn signed_ahead(self, seconds: i64) -> Self {
        let token = self.server.token.clone();
        let at = Timestamp::now().unix_seconds() + seconds;
        self.signed_with(
            &token,
            Mode::Live,
            Timestamp::from_unix_seconds(at).unwrap(),
        )
    }

    pub(crate) fn signed_with(self, token: &IntegrationToken, mode: Mode, at: Timestamp) -> Self {
        let method: Method = self.method.parse().unwrap();
        let signature = sign(token, &method, &self.path, mode, &self.body, at);
        let call = self
            .header("X-Churnkey-Timestamp", signature.timestamp())
            .header("X-Churnkey-Signature", signature.signature());
        match mode {
            Mode::Live => call,
            Mode::Test => call.header("X-Churnkey-Mode", "test"),
        }
    }

    pub(crate) async fn send(self) -> Reply {
        let bytes = self.bytes();
        self.server.exchange(&bytes).await
    }

    /// Writes it without waiting for the answer. Dropping the stream disconnects.
    pub(crate) async fn start(self) -> TcpStream {
        let mut stream = TcpStream::connect(self.server.address).await.unwrap();
        stream.write_all(&self.bytes()).await.unwrap();
        stream
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: merchant\r\n",
            self.method, self.path
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("Connection: close\r\n\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(&self.body);
        bytes
    }
}

impl Server {
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Writes these bytes and reads until the server closes the connection.
    pub(crate) async fn exchange(&self, bytes: &[u8]) -> Reply {
        let mut stream = self.connect().await;
        // The server may answer and close before it has read everything, as it should with a body that is too large.
        let _ = stream.write_all(bytes).await;
        Reply::of(stream).await
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// What comes until the server closes the connection.
    pub(crate) async fn of(mut stream: impl AsyncRead + Unpin) -> Self {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        Self::parse(&answer)
    }

    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(bytes)));
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Self {
            status: status.parse().unwrap(),
            headers: headers.collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(header, _)| header == name);
        found.next().map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The status, and the message if it is an error in the contract's shape.
    #[track_caller]
    pub(crate) fn error(&self) -> (u16, String) {
        let body = self.json();
        let shape = body.as_object().map(|body| body.len());
        assert_eq!(shape, Some(2), "no error of the contract: {self:?}");
        assert_eq!(body["code"], self.status);
        assert_eq!(self.header("content-type"), Some("application/json"));
        (self.status, body["message"].as_str().unwrap().to_owned())
    }
}
