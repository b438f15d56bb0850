//! One of the callers, on its own connection, which it opens again when it breaks.

use std::{error::Error, sync::Arc, time::Duration};

use churnkey_integrator::{Mode, Timestamp, sign};
use example_app::demo_token;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::{merchant::SUBSCRIPTIONS, tally::Tally};

type BoxError = Box<dyn Error + Send + Sync>;

/// How long an action is retried: shorter than its signature is valid.
const PATIENCE: Duration = Duration::from_secs(280);

/// A signed request that can be sent any number of times.
#[derive(Clone)]
struct Signed {
    method: Method,
    path: String,
    body: String,
    headers: http::HeaderMap,
}

impl Signed {
    fn new(method: Method, path: String, body: String) -> Result<Self, BoxError> {
        let (now, token) = (Timestamp::now(), demo_token()?);
        let signature = sign(&token, &method, &path, Mode::Live, body.as_bytes(), now);
        Ok(Self {
            headers: signature.headers().collect(),
            method,
            path,
            body,
        })
    }

    fn get(path: String) -> Result<Self, BoxError> {
        Self::new(Method::GET, path, String::new())
    }

    fn with_key(&self, key: &str) -> Result<Self, BoxError> {
        let mut keyed = self.clone();
        keyed.headers.insert("idempotency-key", key.parse()?);
        Ok(keyed)
    }

    fn without_key(&self) -> Self {
        let mut bare = self.clone();
        bare.headers.remove("idempotency-key");
        bare
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder().method(&self.method).uri(&self.path);
        if let Some(headers) = request.headers_mut() {
            headers.extend(self.headers.clone());
            headers.insert("host", http::HeaderValue::from_static("merchant"));
        }
        request.body(Full::from(self.body.clone()))
    }
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    task: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) struct Caller {
    address: String,
    connection: Option<Connection>,
    tally: Arc<Tally>,
}

impl Caller {
    pub(crate) fn new(address: String, tally: Arc<Tally>) -> Self {
        Self {
            address,
            connection: None,
            tally,
        }
    }

    /// The call of this number: every second one is an action, in every twentieth the caller disconnects, and every twentieth is
    /// captured and sent again with other keys.
    pub(crate) async fn call(&mut self, n: u32) {
        if let Err(error) = self.make_call(n).await {
            self.tally.violation(format!("call {n}: {error}"));
        }
    }

    async fn make_call(&mut self, n: u32) -> Result<(), BoxError> {
        // One action in twenty and one read in twenty.
        let hangs_up = n % 40 < 2;
        let is_replayed = (20..22).contains(&(n % 40));
        if !n.is_multiple_of(2) {
            return self.read(n, hangs_up, is_replayed).await;
        }
        let subscription = usize::try_from(n / 2)? % SUBSCRIPTIONS;
        let body = format!(
            r#"{{"customerId":"cus_grace","subscriptionId":"sub_soak_{subscription}","duration":{{"amount":1,"unit":"day"}}}}"#
        );
        // An unused parameter makes signatures within one second differ.
        let path = format!("/churnkey/actions/subscription/extend-trial?call={n}");
        let signed = Signed::new(Method::POST, path, body)?;
        // Half of them have a key.
        let signed = if n.is_multiple_of(4) {
            signed.with_key(&format!("key {n}"))?
        } else {
            signed
        };
        self.tally.count("actions");
        if hangs_up {
            self.hang_up(&signed, Duration::from_millis(u64::from(n / 20 % 16)))
                .await?;
        }
        self.settle(&signed).await?;
        self.tally.extended(subscription);
        if is_replayed {
            for copy in [
                signed.with_key(&format!("a replay of {n}"))?,
                signed.without_key(),
                signed.with_key(&format!("key {}", n.saturating_sub(4)))?,
            ] {
                self.tally.count("replays with another key");
                self.settle(&copy).await?;
            }
        }
        Ok(())
    }

    async fn read(&mut self, n: u32, hangs_up: bool, again: bool) -> Result<(), BoxError> {
        let path = match n % 6 {
            1 => "/churnkey/customers/cus_grace".to_owned(),
            3 => "/churnkey/customers?limit=5".to_owned(),
            _ => "/churnkey/customers/cus_grace/subscriptions?limit=20".to_owned(),
        };
        self.tally.count("reads");
        let signed = Signed::get(path)?;
        if hangs_up {
            return self
                .hang_up(&signed, Duration::from_millis(u64::from(n % 5)))
                .await;
        }
        for _ in 0..=u8::from(again) {
            self.settle(&signed).await?;
        }
        Ok(())
    }

    /// Sends it until it is answered 200, as a caller would.
    async fn settle(&mut self, signed: &Signed) -> Result<(), BoxError> {
        let began = Instant::now();
        let mut first = true;
        loop {
            let sent = Instant::now();
            let wait = match self.send(signed).await {
                Ok((200, _)) => {
                    self.tally.took(sent.elapsed());
                    self.tally.count(if first {
                        "200 at once"
                    } else {
                        "200 after a retry"
                    });
                    return Ok(());
                }
                Ok((409, _)) => {
                    self.tally.count("409 while it runs");
                    Duration::from_millis(200)
                }
                Ok((503, _)) => {
                    self.tally.count("503");
                    Duration::from_secs(1)
                }
                Ok((status, body)) => {
                    let body = String::from_utf8_lossy(&body).into_owned();
                    return Err(
                        format!("{} {}: {status} {body}", signed.method, signed.path).into(),
                    );
                }
                Err(_) => {
                    self.tally.count("broken connections");
                    Duration::from_millis(200)
                }
            };
            if began.elapsed() > PATIENCE {
                return Err(format!("{} {} was never done", signed.method, signed.path).into());
            }
            first = false;
            sleep(wait).await;
        }
    }

    /// The body of a read.
    pub(crate) async fn get(&mut self, path: String) -> Result<Bytes, BoxError> {
        let (_, body) = self.send(&Signed::get(path)?).await?;
        Ok(body)
    }

    /// The status and the body.
    async fn send(&mut self, signed: &Signed) -> Result<(u16, Bytes), BoxError> {
        let answered = self.try_to_send(signed).await;
        if answered.is_err() {
            self.connection = None;
        }
        answered
    }

    async fn try_to_send(&mut self, signed: &Signed) -> Result<(u16, Bytes), BoxError> {
        let known = self
            .connection
            .take()
            .filter(|known| !known.sender.is_closed());
        let connection = match known {
            Some(known) => known,
            None => self.connect().await?,
        };
        let connection = self.connection.insert(connection);
        connection.sender.ready().await?;
        let answer = connection.sender.send_request(signed.request()?).await?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }

    /// Sends it, and disconnects before or after the answer arrives.
    async fn hang_up(&mut self, signed: &Signed, after: Duration) -> Result<(), BoxError> {
        self.tally.count("callers who disconnected");
        let mut connection = self.connect().await?;
        connection.sender.ready().await?;
        let answer = connection.sender.send_request(signed.request()?);
        // It may or may not have arrived in time.
        let _ = timeout(after, answer).await;
        Ok(())
    }

    async fn connect(&self) -> Result<Connection, BoxError> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let task = tokio::spawn(async move {
            // It ends when the caller or the server closes it, and the caller notices.
            let _ = connection.await;
        });
        Ok(Connection { sender, task })
    }
}
