//! Reads a body up to a size and within a time, and lets a caller who sends more read the 413.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, StatusCode, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;

/// How much of a body over the cap is read and discarded.
const DRAINED_BYTES: usize = 16 * 1024 * 1024;
/// How long that may take.
const DRAINED_FOR: Duration = Duration::from_secs(5);
/// How long the caller may send nothing meanwhile.
const SILENCE: Duration = Duration::from_millis(500);

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    Interrupted,
    TimedOut,
}

impl Unread {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Interrupted => StatusCode::BAD_REQUEST,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
        }
    }
}

/// Rejects a body whose announced length is over the cap.
pub(super) async fn unless_announced_too_large(
    headers: &HeaderMap,
    mut body: Body,
    max_bytes: usize,
) -> Result<Body, Unread> {
    if body.size_hint().lower() <= max_bytes as u64 {
        return Ok(body);
    }
    // A caller who waits for `100 Continue` has sent nothing yet, and reading would make the server send it.
    if !headers.contains_key(header::EXPECT) {
        drain(&mut body).await;
    }
    Err(Unread::TooLarge)
}

pub(super) async fn read(
    mut body: Body,
    max_bytes: usize,
    within: Duration,
) -> Result<Bytes, Unread> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match timeout(within, Limited::new(&mut body, max_bytes).collect()).await {
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            drain(&mut body).await;
            Err(Unread::TooLarge)
        }
        Ok(Err(_)) => Err(Unread::Interrupted),
        Err(_) => Err(Unread::TimedOut),
    }
}

/// Reads what is in flight and discards it. A connection that is closed with unread bytes is reset, and the caller loses the
/// answer.
async fn drain(body: &mut Body) {
    let drained = async {
        let mut left = DRAINED_BYTES;
        while let Ok(Some(Ok(frame))) = timeout(SILENCE, body.frame()).await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(length) else {
                return;
            };
            left = rest;
        }
    };
    // The answer is the same whether the body has ended or not.
    let _ = timeout(DRAINED_FOR, drained).await;
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use futures_util::stream;
    use tokio::time::{Instant, sleep};

    use super::*;

    const FRAME: usize = 64 * 1024;

    /// A body that sends a frame every so often, and counts the bytes.
    fn endless(bytes: usize, every: Duration, sent: &'static AtomicUsize) -> Body {
        Body::from_stream(stream::unfold((), move |()| async move {
            if !every.is_zero() {
                sleep(every).await;
            }
            sent.fetch_add(bytes, Ordering::Relaxed);
            Some((Ok::<_, Infallible>(Bytes::from(vec![0; bytes])), ()))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn draining_is_bounded_in_bytes_time_and_silence() {
        static FAST: AtomicUsize = AtomicUsize::new(0);
        static SLOW: AtomicUsize = AtomicUsize::new(0);
        static SILENT: AtomicUsize = AtomicUsize::new(0);
        let milliseconds = Duration::from_millis;
        for (bytes, every, sent, most, lasts) in [
            (FRAME, 0, &FAST, DRAINED_BYTES + 2 * FRAME, 0),
            (1, 100, &SLOW, 51, 5_000),
            (1, 60_000, &SILENT, 0, 500),
        ] {
            let started = Instant::now();
            drain(&mut endless(bytes, milliseconds(every), sent)).await;
            assert_eq!(
                started.elapsed(),
                milliseconds(lasts),
                "{bytes} every {every}"
            );
            assert!(
                sent.load(Ordering::Relaxed) <= most,
                "{bytes} every {every}"
            );
        }
        assert!(FAST.load(Ordering::Relaxed) > DRAINED_BYTES);
    }

    #[test]
    fn drained_bytes_are_not_kept() {
        static SENT: AtomicUsize = AtomicUsize::new(0);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().unwrap();
        let measured = allocation_counter::measure(|| {
            let body = endless(FRAME, Duration::ZERO, &SENT);
            let read = runtime.block_on(read(body, FRAME, Duration::from_secs(10)));
            assert_eq!(read, Err(Unread::TooLarge));
        });
        assert!(SENT.load(Ordering::Relaxed) > DRAINED_BYTES);
        assert!(
            measured.bytes_max < 8 * FRAME as u64,
            "{}",
            measured.bytes_max
        );
    }
}
