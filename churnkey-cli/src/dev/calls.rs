//! What was sent in both directions, newest first.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use churnkey_conformance::{Answer, WrongShape};
use churnkey_integrator::{Mode, Operation};
use http::{Method, Response, StatusCode};
use tokio::sync::watch;

use crate::{
    exchange::{Exchange, Received},
    operations::operation_of,
};

/// How many calls are kept.
const MAX_CALLS: usize = 2_000;
/// How much of an answer is kept, and of a request that anybody may have sent.
const MAX_KEPT_BYTES: usize = 64 * 1024;

/// Who was called, or who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    /// The integration, by a signed call.
    Integration(Mode),
    /// The integration, by the conformance suite, which also sends what has to be refused.
    Suite(Mode),
    /// The page of a customer, which calls the tool.
    Browser,
    /// The webhook's receiver.
    Webhook,
}

/// A call that was made.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) number: u64,
    pub(crate) party: Party,
    /// The body of the answer may be cut.
    pub(crate) exchange: Exchange,
    /// How many bytes the body of the answer has.
    pub(crate) answer_bytes: usize,
    pub(crate) operation: Option<Operation>,
    /// What is wrong with the answer of the integration.
    pub(crate) wrong: Vec<WrongShape>,
}

impl Call {
    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.exchange
            .came
            .as_ref()
            .ok()
            .map(|received| received.status)
    }

    /// Whether the credential was refused.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(
            self.status(),
            Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        )
    }

    /// Whether no answer came, or one that is an error or has the wrong shape.
    pub(crate) fn has_failed(&self) -> bool {
        let is_good = self.status().is_some_and(|status| status.as_u16() < 400);
        !is_good || !self.wrong.is_empty()
    }
}

/// The latest calls.
pub(crate) struct Calls {
    prefix: String,
    kept: Mutex<Kept>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    last: u64,
    calls: VecDeque<Arc<Call>>,
}

impl Calls {
    /// None yet, of an integration that is mounted at this prefix.
    pub(crate) fn new(prefix: String) -> Self {
        Self {
            prefix,
            kept: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }

    /// Keeps a call, and returns its number.
    pub(crate) fn add(&self, party: Party, mut exchange: Exchange) -> u64 {
        let operation = match party {
            Party::Integration(_) | Party::Suite(_) => self.operation(&exchange),
            Party::Browser | Party::Webhook => None,
        };
        let (mut wrong, mut answer_bytes) = (Vec::new(), 0);
        if let Ok(received) = &mut exchange.came {
            answer_bytes = received.body.len();
            if matches!(party, Party::Integration(_) | Party::Suite(_)) {
                wrong = answer(&exchange.method, received).wrong_shapes(operation);
            }
            received.body = cut(&received.body);
        }
        if party == Party::Browser {
            exchange.body = cut(&exchange.body);
        }
        let mut kept = self.kept();
        kept.last = kept.last.saturating_add(1);
        let number = kept.last;
        kept.calls.push_front(Arc::new(Call {
            number,
            party,
            exchange,
            answer_bytes,
            operation,
            wrong,
        }));
        kept.calls.truncate(MAX_CALLS);
        drop(kept);
        self.tell();
        number
    }

    /// Tells whoever looks that there is something new.
    pub(crate) fn tell(&self) {
        self.changed
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Changes whenever there is something new.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The number of the latest call; 0 if there is none.
    pub(crate) fn last(&self) -> u64 {
        self.kept().last
    }

    pub(crate) fn get(&self, number: u64) -> Option<Arc<Call>> {
        let kept = self.kept();
        kept.calls
            .iter()
            .find(|call| call.number == number)
            .cloned()
    }

    /// The calls that are wanted, newest first.
    pub(crate) fn all(&self, is_wanted: impl Fn(&Call) -> bool) -> Vec<Arc<Call>> {
        let kept = self.kept();
        kept.calls
            .iter()
            .filter(|call| is_wanted(call))
            .cloned()
            .collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing is half done while it is locked.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn operation(&self, exchange: &Exchange) -> Option<Operation> {
        let below = exchange.path.strip_prefix(&self.prefix)?;
        operation_of(&exchange.method, below)
    }
}

fn cut(body: &Bytes) -> Bytes {
    match body.get(..MAX_KEPT_BYTES) {
        Some(beginning) => Bytes::copy_from_slice(beginning),
        None => body.clone(),
    }
}

/// The answer, to look at it as the conformance suite does.
pub(crate) fn answer(method: &Method, received: &Received) -> Answer {
    let mut response = Response::new(received.body.clone());
    *response.status_mut() = received.status;
    *response.headers_mut() = received.headers.clone();
    Answer::of(method.clone(), response)
}
