//! A client that takes its time.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use example_app::demo_token;
use proof::{BoxError, Signed};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::sleep,
};

/// The shortest segment of TCP, in bytes.
const SEGMENT: u32 = 536;

/// How many pages a slow reader asks for: more than the merchant's system takes off its hands.
const PAGES: usize = 4;

/// What the client does slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// It sends the head of a request byte by byte.
    Head,
    /// It sends the body of an action byte by byte.
    Body,
    /// It asks for some long pages at once, and reads a little at a time.
    Reading,
}

/// How the requests of the slow clients ended.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<BTreeMap<(Kind, String), u64>>);

impl Tally {
    fn count(&self, kind: Kind, end: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((kind, end.to_owned())).or_default() += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ((kind, end), count) in &*counts {
            let kind = match kind {
                Kind::Head => "slow heads",
                Kind::Body => "slow bodies",
                Kind::Reading => "slow readers",
            };
            writeln!(f, "{:<30}{count}", format!("{kind}, {end}"))?;
        }
        Ok(())
    }
}

/// One of the slow clients.
pub(crate) struct Client {
    address: SocketAddr,
    kind: Kind,
    pause: Duration,
    tally: Arc<Tally>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, kind: Kind, pause: Duration, tally: Arc<Tally>) -> Self {
        Self {
            address,
            kind,
            pause,
            tally,
        }
    }

    /// Makes one request after the other, for ever.
    pub(crate) async fn run(self) {
        loop {
            let end = match self.request().await {
                Ok(Some(status)) => format!("answered {status}"),
                Ok(None) => "cut off".to_owned(),
                Err(_) => {
                    // The merchant takes no further connection now.
                    sleep(self.pause).await;
                    "not connected".to_owned()
                }
            };
            self.tally.count(self.kind, &end);
        }
    }

    /// The status of the first answer, if the whole of it came.
    async fn request(&self) -> Result<Option<String>, BoxError> {
        let token = demo_token()?;
        let path = "/churnkey/customers?limit=500";
        let signed = match self.kind {
            Kind::Head | Kind::Reading => Signed::get(&token, path),
            Kind::Body => {
                let body = r#"{"customerId":"cus_grace","subscriptionId":"sub_grace_trial","duration":{"amount":1,"unit":"day"}}"#;
                let path = "/churnkey/actions/subscription/extend-trial";
                Signed::post(&token, path, body.to_owned())
            }
        };
        let (head, body) = signed.bytes();
        let (mut reading, mut writing) = self.connect().await?.into_split();
        // An error from here on is a connection that was closed.
        let answer = match self.kind {
            Kind::Head => tokio::select! {
                answer = read(&mut reading, Duration::ZERO) => answer,
                Err(_) = self.write_slowly(&mut writing, &head) => return Ok(None),
            },
            Kind::Body => {
                let sent = async {
                    writing.write_all(&head).await?;
                    self.write_slowly(&mut writing, &body).await
                };
                tokio::select! {
                    answer = read(&mut reading, Duration::ZERO) => answer,
                    Err(_) = sent => return Ok(None),
                }
            }
            Kind::Reading => match writing.write_all(&head.repeat(PAGES)).await {
                Ok(()) => read(&mut reading, self.pause).await,
                Err(_) => return Ok(None),
            },
        };
        Ok(answer.unwrap_or_default())
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        if self.kind == Kind::Reading {
            // With a short window and short segments, as of a distant caller, the answer stays with the merchant until it is
            // read. Otherwise the two systems would hold the whole of it.
            socket.set_recv_buffer_size(4096)?;
            SockRef::from(&socket).set_tcp_mss(SEGMENT)?;
        }
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn write_slowly(&self, writing: &mut OwnedWriteHalf, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes {
            writing.write_all(&[*byte]).await?;
            sleep(self.pause).await;
        }
        Ok(())
    }
}

/// Reads an answer, with a pause after each part. Returns its status, or nothing if the connection ends before.
async fn read(reading: &mut OwnedReadHalf, pause: Duration) -> io::Result<Option<String>> {
    let (mut answer, mut announced) = (Vec::new(), None);
    let mut part = [0; 256];
    loop {
        let length = reading.read(&mut part).await?;
        if length == 0 {
            return Ok(None);
        }
        answer.extend(part.iter().take(length));
        announced = announced.or_else(|| status_and_length(&answer));
        if let Some((status, length)) = &announced
            && answer.len() >= *length
        {
            return Ok(Some(status.clone()));
        }
        sleep(pause).await;
    }
}

/// The status of an answer and the length of the whole of it, once its head has come.
fn status_and_length(answer: &[u8]) -> Option<(String, usize)> {
    let text = String::from_utf8_lossy(answer);
    let (head, _) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.to_owned();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "))?;
    let length: usize = length.parse().ok()?;
    Some((status, head.len() + "\r\n\r\n".len() + length))
}
