//! How a request reaches an integration, in process or not, and comes back: through a tower service.

use std::error::Error;

use bytes::Bytes;
use churnkey_integrator::testing::cause;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use tower::{BoxError, Service, ServiceExt, service_fn, util::BoxCloneSyncService};

/// The body of the requests that a [`Client`](crate::Client) makes. axum's router takes any body.
pub type RequestBody = Full<Bytes>;

/// More than any page can hold.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// An answer, read to its end.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    pub(crate) cause: Option<String>,
}

pub(crate) type Transport = BoxCloneSyncService<Request<RequestBody>, Received, BoxError>;

pub(crate) fn transport<S, B>(service: S) -> Transport
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    BoxCloneSyncService::new(service_fn(move |request| {
        let answer = service.clone().oneshot(request);
        async move { received(answer.await.map_err(Into::into)?).await }
    }))
}

async fn received<B>(response: Response<B>) -> Result<Received, BoxError>
where
    B: http_body::Body,
    B::Error: Into<BoxError>,
{
    let cause = cause(&response);
    let (parts, body) = response.into_parts();
    Ok(Received {
        status: parts.status.as_u16(),
        headers: parts.headers,
        bytes: Limited::new(body, MAX_BODY_BYTES)
            .collect()
            .await?
            .to_bytes(),
        cause,
    })
}

/// The error and what caused it, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_without_an_end_is_not_read_for_ever() {
        let of_bytes = |count: usize| {
            let service = service_fn(move |_| async move {
                let body = Full::new(Bytes::from(vec![b' '; count]));
                Ok::<_, BoxError>(Response::new(body))
            });
            transport(service).oneshot(Request::new(RequestBody::default()))
        };
        let received = of_bytes(MAX_BODY_BYTES).await.unwrap();
        assert_eq!(received.bytes.len(), MAX_BODY_BYTES);
        assert!(of_bytes(MAX_BODY_BYTES + 1).await.is_err());
    }
}
