//! Runs an action once and to its end, and answers a repeated request. The records are in the merchant's store
//! ([`crate::idempotency`]).

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    extract::RawPathParams,
    http::{HeaderName, StatusCode},
    response::Response,
};
use futures_util::future::FutureExt;
use sha2::{Digest, Sha256};
use tokio::{sync::oneshot, time::timeout};
use tracing::{Instrument, instrument::WithSubscriber};

use super::{
    Shared,
    authenticated_request::AuthenticatedRequest,
    digest::RequestDigest,
    metrics,
    response::{self, Cause},
};
use crate::{
    attempt::{Attempt, Fingerprint, IdempotencyKey},
    context::RequestContext,
    error::{ContractViolation, HandlerError, Result},
    idempotency::{IdempotencyStore, Known},
    operation::Operation,
};

const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_KEY_BYTES: usize = 255;
/// How long a completed action is remembered.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the store may take to record how an action ended.
const RECORD_DEADLINE: Duration = Duration::from_secs(5);

/// An attempt at this request. `None` without a signature and a key, because then a retry can't be recognized.
pub(super) fn attempt(
    operation: Operation,
    shared: &Shared,
    authenticated: &AuthenticatedRequest,
    parameters: &RawPathParams,
) -> Result<Option<Attempt>> {
    let key = |kind: &[u8], parts: &[&[u8]]| {
        let count = parameters.iter().count() as u64;
        let mut digest =
            RequestDigest::new(shared, authenticated.merchant()).part(&count.to_be_bytes());
        for (name, value) in parameters {
            digest = digest.part(name.as_bytes()).part(value.as_bytes());
        }
        let digest = digest.part(authenticated.mode().as_str().as_bytes());
        let digest = parts
            .iter()
            .copied()
            .fold(digest.part(kind), RequestDigest::part);
        IdempotencyKey(digest.finish())
    };
    let signature_key = authenticated.is_signed().then(|| {
        let timestamp = &shared.schemes.headers().timestamp;
        let timestamp = authenticated.headers().get(timestamp);
        let timestamp = timestamp.map_or(b"".as_slice(), |timestamp| timestamp.as_bytes());
        let path = authenticated.path_as_sent(shared);
        let parts = [timestamp, path.as_bytes(), authenticated.body()];
        key(b"signature", &parts)
    });
    let header_key = sent_key(authenticated)?.map(|sent| key(b"header", &[sent]));
    Ok(Attempt::new(
        signature_key,
        header_key,
        fingerprint(operation, authenticated.body()),
        (shared.clock)(),
        shared.limits.action_deadline,
        KEEP,
    ))
}

fn sent_key(authenticated: &AuthenticatedRequest) -> Result<Option<&[u8]>> {
    let mut sent = authenticated.headers().get_all(KEY_HEADER).iter();
    let sent = match (sent.next(), sent.next()) {
        (_, Some(_)) => {
            return Err(HandlerError::bad_request(
                "Idempotency-Key must not be repeated",
            ));
        }
        (None, None) => return Ok(None),
        (Some(sent), None) => sent.as_bytes(),
    };
    let is_visible = sent.iter().all(|byte| (b' '..=b'~').contains(byte));
    if sent.is_empty() || sent.len() > MAX_KEY_BYTES || !is_visible {
        return Err(HandlerError::bad_request(
            "Idempotency-Key must be 1 to 255 visible ASCII characters",
        ));
    }
    Ok(Some(sent))
}

fn fingerprint(operation: Operation, body: &[u8]) -> Fingerprint {
    let mut digest = Sha256::new();
    digest.update(operation.name());
    digest.update(b"\n");
    digest.update(body);
    Fingerprint(hex::encode(digest.finalize()))
}

/// Runs an action on a task of its own, unless it was done before. So neither a caller who disconnects nor the request's
/// deadline stops it halfway.
pub(super) async fn once(
    store: Arc<dyn IdempotencyStore>,
    shared: Arc<Shared>,
    cx: Arc<RequestContext>,
    operation: Operation,
    action: impl Future<Output = Result<()>> + Send + 'static,
) -> Result<Response> {
    let (answer, answered) = oneshot::channel();
    let running = shared.running.clone();
    let in_progress = metrics::InProgress::action();
    let task = async move {
        let _in_progress = in_progress;
        let done = run(&*store, &cx, operation, action).await;
        if let Err(unheard) = answer.send(done) {
            report_unheard(unheard.map_err(|error| shared.classifiers.apply(error)));
        }
    };
    running.spawn(task.in_current_span().with_current_subscriber());
    // There is no answer only if the runtime shuts down.
    answered.await?.map(|()| response::done())
}

async fn run(
    store: &dyn IdempotencyStore,
    cx: &RequestContext,
    operation: Operation,
    action: impl Future<Output = Result<()>> + Send,
) -> Result<()> {
    let Some(attempt) = cx.attempt() else {
        return within(cx.time_left(), ContractViolation::ActionDeadline, action).await;
    };
    let begun = store.begin(cx, attempt);
    match within(cx.time_left(), ContractViolation::StoreDeadline, begun).await? {
        Known::New => {}
        Known::Done => {
            metrics::repeated(operation);
            return Ok(());
        }
        Known::Running => {
            return Err(HandlerError::conflict("The same request is still running")
                .with_retry_after(Duration::from_secs(1)));
        }
        Known::AnotherRequest => {
            return Err(HandlerError::unprocessable(
                "The Idempotency-Key was used for another request",
            ));
        }
    }
    let done = within(cx.time_left(), ContractViolation::ActionDeadline, action).await;
    let recorded = match &done {
        Ok(()) => store.complete(cx, attempt),
        Err(_) => store.forget(cx, attempt),
    };
    // The caller gets the result of the action, even if it could not be recorded.
    if let Err(error) = within(RECORD_DEADLINE, ContractViolation::StoreDeadline, recorded).await {
        tracing::error!("the idempotency store could not record how an action ended");
        if let (_, Some(source)) = error.into_parts() {
            Cause::Failed(Arc::from(source)).explain();
        }
    }
    done
}

/// A panic and a missed deadline are errors like any other.
async fn within<T>(
    time: Duration,
    late: ContractViolation,
    work: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    match timeout(time, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(ContractViolation::Panic.into()),
        Err(_) => Err(HandlerError::unavailable(Duration::from_secs(1), late)),
    }
}

/// Logs how an action ended whose caller has disconnected. The request's own line has the status that the caller got.
fn report_unheard(done: Result<()>) {
    let Err(error) = done else {
        tracing::info!(
            status = StatusCode::OK.as_u16(),
            "an action ended after its caller had left"
        );
        return;
    };
    let status = error.status();
    let (_, source) = error.into_parts();
    let cause = source.map(|source| Cause::Failed(Arc::from(source)));
    let reason = cause.as_ref().and_then(Cause::safe_text);
    if status >= 500 {
        tracing::error!(status, reason, "an action failed after its caller had left");
    } else {
        tracing::info!(
            status,
            reason,
            "an action was rejected after its caller had left"
        );
    }
    if let Some(cause) = cause {
        cause.explain();
    }
}
