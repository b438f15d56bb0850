//! Calls at a steady rate over some connections.

use std::{error::Error, time::Duration};

use churnkey_integrator::{IntegrationToken, Mode, Timestamp, sign};
use example_app::demo_token;
use hdrhistogram::Histogram;
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::{
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep_until},
};

type BoxError = Box<dyn Error + Send + Sync>;

const CONNECTIONS: u32 = 16;
const PATH: &str = "/churnkey/customers/cus_ada";

/// What the calls are, and so how each of them must be answered.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Good,
    WrongSignature,
}

pub(crate) struct Calls {
    address: String,
    kind: Kind,
    rate: u32,
    lasts: Duration,
}

impl Calls {
    pub(crate) fn new(address: &str, kind: Kind, rate: u32, lasts: Duration) -> Self {
        Self {
            address: address.to_owned(),
            kind,
            rate,
            lasts,
        }
    }

    /// Makes the calls. How long each took from when it was due, in microseconds.
    pub(crate) async fn run(&self) -> Result<Histogram<u64>, Box<dyn Error>> {
        let mut connections = JoinSet::new();
        let begin = Instant::now() + Duration::from_millis(50);
        let every = Duration::from_secs(1) / self.rate.max(1);
        for n in 0..CONNECTIONS {
            let (address, kind, lasts) = (self.address.clone(), self.kind, self.lasts);
            // The connections take the calls in turns.
            let begin = begin + every * n;
            let every = every * CONNECTIONS;
            connections.spawn(async move { steady(&address, kind, begin, every, lasts).await });
        }
        let mut all = Histogram::new(3)?;
        while let Some(taken) = connections.join_next().await {
            all.add(taken?.map_err(|error| error.to_string())?)?;
        }
        Ok(all)
    }
}

async fn steady(
    address: &str,
    kind: Kind,
    begin: Instant,
    every: Duration,
    lasts: Duration,
) -> Result<Histogram<u64>, BoxError> {
    let (mut sender, connection) =
        handshake(TokioIo::new(TcpStream::connect(address).await?)).await?;
    tokio::spawn(connection);
    let token = match kind {
        Kind::Good => demo_token()?,
        Kind::WrongSignature => IntegrationToken::new("not-the-token-of-the-demo")?,
    };
    let expected = match kind {
        Kind::Good => StatusCode::OK,
        Kind::WrongSignature => StatusCode::UNAUTHORIZED,
    };
    let mut taken = Histogram::new(3)?;
    let mut due = begin;
    while due < begin + lasts {
        sleep_until(due).await;
        let status = call(&mut sender, &token).await?;
        if status != expected {
            return Err(format!("a call was answered {status} and not {expected}").into());
        }
        taken.record(due.elapsed().as_micros().try_into()?)?;
        due += every;
    }
    Ok(taken)
}

async fn call(
    sender: &mut SendRequest<Empty<Bytes>>,
    token: &IntegrationToken,
) -> Result<StatusCode, BoxError> {
    let signature = sign(token, &Method::GET, PATH, Mode::Live, b"", Timestamp::now());
    let mut request = Request::get(PATH);
    if let Some(headers) = request.headers_mut() {
        headers.extend(signature.headers());
        headers.insert("host", HeaderValue::from_static("merchant"));
    }
    sender.ready().await?;
    let answer = sender.send_request(request.body(Empty::new())?).await?;
    let status = answer.status();
    answer.into_body().collect().await?;
    Ok(status)
}
