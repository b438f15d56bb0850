//! Actions that arrive twice: by what a request is told, and what becomes of the second one. The store is the
//! merchant's ([`crate::idempotency`]).

use std::{future::Future, sync::Arc, time::Duration};

use axum::{
    http::{HeaderName, StatusCode},
    response::Response,
};
use sha2::{Digest, Sha256};

use super::{
    authenticate::{Proven, path_as_sent},
    extract::Call,
    observe::Cause,
    response,
};
use crate::{
    auth::{Proof, TIMESTAMP_HEADER},
    error::{HandlerError, Result},
    idempotency::{Attempt, Fingerprint, FirstAnswer, IdempotencyKey, IdempotencyStore, Known},
    operation::Operation,
};

const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_KEY_BYTES: usize = 255;
/// For how long an answer is remembered.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// By what the request is told from every other one: the header, else what its signature covers.
pub(super) fn key(proven: &Proven) -> Result<Option<IdempotencyKey>> {
    let mut digest = Sha256::new();
    let mut part = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    part(proven.mode.as_str().as_bytes());
    let mut sent = proven.request.headers.get_all(KEY_HEADER).iter();
    match (sent.next(), sent.next(), proven.proof) {
        (Some(_), Some(_), _) => {
            return Err(HandlerError::bad_request(
                "Idempotency-Key must not be repeated",
            ));
        }
        (Some(sent), None, _) => {
            let sent = sent.as_bytes();
            let is_visible = sent.iter().all(|byte| (b' '..=b'~').contains(byte));
            if sent.is_empty() || sent.len() > MAX_KEY_BYTES || !is_visible {
                return Err(HandlerError::bad_request(
                    "Idempotency-Key must be 1 to 255 visible ASCII characters",
                ));
            }
            part(b"header");
            part(sent);
        }
        (None, _, Proof::Signature) => {
            part(b"signature");
            let timestamp = proven.request.headers.get(TIMESTAMP_HEADER);
            part(timestamp.map_or(b"".as_slice(), |timestamp| timestamp.as_bytes()));
            part(path_as_sent(&proven.request).as_bytes());
            part(&proven.body);
        }
        (None, _, Proof::Token) => return Ok(None),
    }
    Ok(Some(IdempotencyKey(hex::encode(digest.finalize()))))
}

fn fingerprint(operation: Operation, body: &[u8]) -> Fingerprint {
    let mut digest = Sha256::new();
    digest.update(operation.name());
    digest.update(b"\n");
    digest.update(body);
    Fingerprint(hex::encode(digest.finalize()))
}

/// Runs an action, unless it has run before: then its first answer is given again.
pub(super) async fn once(
    store: &Arc<dyn IdempotencyStore>,
    call: &Call,
    action: impl Future<Output = Result<()>>,
) -> Result<Response> {
    let cx = &call.context;
    let Some(key) = cx.idempotency_key() else {
        return action.await.map(|()| response::done());
    };
    let attempt = Attempt {
        key: key.clone(),
        fingerprint: fingerprint(call.operation, &call.body),
        now: (call.shared.clock)(),
        lease: cx.time_left(),
        keep: KEEP,
    };
    match store.begin(cx, &attempt).await? {
        Known::New => {}
        Known::Running(other) | Known::Answered(other, _) if other != attempt.fingerprint => {
            return Err(HandlerError::unprocessable(
                "The Idempotency-Key was used for another request",
            ));
        }
        Known::Running(_) => {
            return Err(HandlerError::conflict("The same request is still running")
                .with_retry_after(Duration::from_secs(1)));
        }
        Known::Answered(_, answer) => return again(&answer),
    }
    let answer = action.await;
    let remembered = match &answer {
        Ok(()) => Some(FirstAnswer::done()),
        Err(error) if error.status() < 500 => Some(FirstAnswer::from_stored(
            error.status(),
            Some(error.message().to_owned()),
        )),
        Err(_) => None,
    };
    if let Err(error) = store.finish(cx, &attempt, remembered.as_ref()).await {
        // The action is done, and its caller should know.
        tracing::error!("the first answer of an action could not be recorded");
        if let (_, Some(source)) = error.into_parts() {
            Cause::Failed(Arc::from(source)).explain();
        }
    }
    answer.map(|()| response::done())
}

fn again(answer: &FirstAnswer) -> Result<Response> {
    let Some(message) = answer.message() else {
        return Ok(response::done());
    };
    let status = StatusCode::from_u16(answer.status())?;
    Ok(response::with_message(status, message))
}
