//! Reading a request's body.

use std::time::Duration;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use http_body_util::BodyExt;

/// How long a body may take to arrive: less than the whole request may take.
const ARRIVAL: Duration = Duration::from_secs(8);

/// Why a body can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is larger than allowed.
    #[error("the body is too large")]
    TooLarge,
    /// The connection broke off before its end.
    #[error("the body broke off")]
    BrokeOff,
    /// It did not arrive in time.
    #[error("the body did not arrive within 8 seconds")]
    TooSlow,
    /// Its content type is not accepted.
    #[error("the content type is not accepted")]
    WrongType,
}

impl Unreadable {
    /// The status to answer with.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BrokeOff => StatusCode::BAD_REQUEST,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::WrongType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }
}

/// [`read_body`] of a request with the content type of JSON, or none. With another content type the body is read all the same:
/// a caller who is still sending would not see the answer.
///
/// # Errors
/// [`Unreadable`].
pub async fn read_json(request: Request, most: usize) -> Result<Vec<u8>, Unreadable> {
    let is_json = says_json(request.headers());
    let bytes = read_body(request.into_body(), most).await?;
    if is_json {
        Ok(bytes)
    } else {
        Err(Unreadable::WrongType)
    }
}

/// The body, if it has at most `most` bytes and arrives within eight seconds.
///
/// Of a longer body, up to eight times as much is read and discarded: a caller who is still sending would not see the answer.
///
/// # Errors
/// [`Unreadable`].
pub async fn read_body(body: Body, most: usize) -> Result<Vec<u8>, Unreadable> {
    let read = tokio::time::timeout(ARRIVAL, read_all(body, most)).await;
    read.unwrap_or(Err(Unreadable::TooSlow))
}

async fn read_all(mut body: Body, most: usize) -> Result<Vec<u8>, Unreadable> {
    let (mut kept, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unreadable::BrokeOff)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len());
        if length <= most {
            kept.extend_from_slice(&data);
        } else if length > most.saturating_mul(8) {
            break;
        }
    }
    if length > most {
        return Err(Unreadable::TooLarge);
    }
    Ok(kept)
}

/// Whether the content type is that of JSON, or there is none.
#[must_use]
pub fn says_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let content_type = content_type.to_str().unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use futures_util::{StreamExt, stream};
    use tokio::time::Instant;

    use super::*;

    /// A body of this many times ten bytes, and how many bytes of it were read.
    fn tens(number: usize) -> (Body, Arc<AtomicUsize>) {
        let read = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&read);
        let chunks = (0..number).map(move |_| {
            counted.fetch_add(10, Ordering::Relaxed);
            Ok::<_, io::Error>("0123456789")
        });
        (Body::from_stream(stream::iter(chunks)), read)
    }

    #[tokio::test]
    async fn a_body_may_be_as_long_as_is_said_and_no_longer() {
        assert_eq!(read_body(Body::empty(), 0).await.unwrap(), b"");
        assert_eq!(read_body(tens(2).0, 20).await.unwrap().len(), 20);
        let longer = read_body(tens(2).0, 19).await;
        assert_eq!(longer.unwrap_err(), Unreadable::TooLarge);
    }

    #[tokio::test]
    async fn what_is_too_long_is_read_eight_times_as_far_and_no_further() {
        for (sent, expected) in [(8, 80), (9, 90), (1_000, 90)] {
            let (body, read) = tens(sent);
            let refused = read_body(body, 10).await;
            assert_eq!(refused.unwrap_err(), Unreadable::TooLarge);
            assert_eq!(read.load(Ordering::Relaxed), expected);
        }
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_none() {
        let chunks = [Ok("{"), Err(io::ErrorKind::ConnectionReset)];
        let chunks = chunks.map(|chunk| chunk.map_err(io::Error::from));
        let body = read_body(Body::from_stream(stream::iter(chunks)), 10).await;
        assert_eq!(body.unwrap_err(), Unreadable::BrokeOff);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_arrives_within_eight_seconds() {
        for (every, expected) in [
            (1_999, Ok(b"....".to_vec())),
            (2_001, Err(Unreadable::TooSlow)),
        ] {
            let drops = stream::iter(0..4).then(move |_| async move {
                tokio::time::sleep(Duration::from_millis(every)).await;
                Ok::<_, io::Error>(".")
            });
            assert_eq!(read_body(Body::from_stream(drops), 10).await, expected);
        }
        // The limit also applies while the rest of a body that is too long is discarded.
        let begun = stream::iter([Ok::<_, io::Error>("0123456789"), Ok("0")]);
        let endless = begun.chain(stream::pending());
        let started = Instant::now();
        let read = read_body(Body::from_stream(endless), 10).await;
        assert_eq!(read, Err(Unreadable::TooSlow));
        assert_eq!(started.elapsed(), ARRIVAL);
    }

    #[tokio::test]
    async fn a_body_of_another_type_is_refused_once_it_was_read() {
        for (sent, content_type, expected) in [
            (2, "application/json", Ok(b"01234567890123456789".to_vec())),
            (2, "text/plain", Err(Unreadable::WrongType)),
            (3, "text/plain", Err(Unreadable::TooLarge)),
        ] {
            let (body, read) = tens(sent);
            let request = Request::builder().header(header::CONTENT_TYPE, content_type);
            assert_eq!(read_json(request.body(body).unwrap(), 20).await, expected);
            assert_eq!(read.load(Ordering::Relaxed), sent * 10);
        }
    }

    #[test]
    fn json_is_what_says_so_or_says_nothing() {
        assert!(says_json(&HeaderMap::new()));
        for (content_type, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("text/json", false),
            ("image/svg+json", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ] {
            let headers = [(header::CONTENT_TYPE, content_type.parse().unwrap())];
            assert_eq!(says_json(&headers.into_iter().collect()), expected);
        }
    }
}
