//! As much of HTTP/1.1 as a caller of these servers needs: signed calls, and answers whose length is announced.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::by_hand::{Headers, SigningKey, now};

/// A GET as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    bytes: Vec<u8>,
}

impl Call {
    /// A call with these headers, or without any.
    #[must_use]
    pub fn new(path: &str, headers: Option<&Headers>) -> Self {
        let mut text = format!("GET {path} HTTP/1.1\r\nHost: merchant\r\n");
        if let Some(headers) = headers {
            for (name, value) in [
                ("Timestamp", &headers.timestamp),
                ("Signature", &headers.signature),
                ("Mode", &headers.mode),
            ] {
                text.push_str("X-Churnkey-");
                text.push_str(name);
                text.push_str(": ");
                text.push_str(value);
                text.push_str("\r\n");
            }
        }
        text.push_str("\r\n");
        Self {
            bytes: text.into_bytes(),
        }
    }

    /// A call in live mode that is signed now.
    #[must_use]
    pub fn signed(path: &str, key: &SigningKey) -> Self {
        Self::new(path, Some(&key.sign(path, "live", now())))
    }
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A connection that is kept open, for one call at a time.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// What one read may take.
    buffer: Vec<u8>,
    received: Vec<u8>,
}

impl Connection {
    /// Connects. An answer may take ten seconds.
    ///
    /// # Errors
    /// If nothing listens there.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self {
            stream,
            buffer: vec![0; 64 * 1024],
            received: Vec::new(),
        })
    }

    /// From now on, nothing waits: [`answer`](Self::answer) is `None` until the answer is there.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn never_wait(&self) -> io::Result<()> {
        self.stream.set_nonblocking(true)
    }

    /// Sends a call.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn send(&mut self, call: &Call) -> io::Result<()> {
        self.received.clear();
        self.stream.write_all(&call.bytes)
    }

    /// The answer to the call that was sent, if it is there.
    ///
    /// # Errors
    /// If the connection is broken, or the answer is not HTTP as it is read here.
    pub fn answer(&mut self) -> io::Result<Option<Answer>> {
        loop {
            match self.stream.read(&mut self.buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.received.extend(self.buffer.iter().take(read)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
            if let Some(answer) = read(&self.received)? {
                return Ok(Some(answer));
            }
        }
    }

    /// Sends a call and waits for its answer.
    ///
    /// # Errors
    /// As of the two steps, or if the answer takes too long.
    pub fn call(&mut self, call: &Call) -> io::Result<Answer> {
        self.send(call)?;
        self.answer()?.ok_or(io::ErrorKind::TimedOut.into())
    }
}

/// An answer, if all of it has been received.
fn read(received: &[u8]) -> io::Result<Option<Answer>> {
    let invalid = || {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "the answer has no status or length",
        )
    };
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let (head, rest) = received.split_at(end);
    let body = rest.get(4..).unwrap_or_default();
    let head = std::str::from_utf8(head).map_err(|_| invalid())?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    let (Some(status), Some(length)) = (status, length) else {
        return Err(invalid());
    };
    Ok(body.get(..length).map(|body| Answer {
        status,
        body: body.to_vec(),
    }))
}
