//! What a connection waits for, and until when.

// ANCHOR: activity
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use super::connections::Limits;

/// What a connection waits for. A clone is of the same connection.
#[derive(Clone)]
pub(super) struct Activity {
    limits: Limits,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy)]
struct State {
    phase: Phase,
    until: Instant,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// A request's head is being read.
    Head,
    /// So many requests run. Their answers are not written yet.
    Running(usize),
    /// Every request is answered.
    Idle,
}

impl Activity {
    pub(super) fn new(limits: Limits) -> Self {
        let state = State {
            phase: Phase::Head,
            until: Instant::now() + limits.head,
        };
        Self {
            limits,
            state: watch::Sender::new(state),
        }
    }

    /// Bytes have arrived on a connection of HTTP/1.1. If no request runs, they begin the next one.
    pub(super) fn received(&self) {
        self.state.send_if_modified(|state| {
            let begins = state.phase == Phase::Idle;
            if begins {
                state.phase = Phase::Head;
                state.until = Instant::now() + self.limits.head;
            }
            begins
        });
    }

    /// A head is complete. Its request runs until the value that is returned is dropped.
    pub(super) fn begin(&self) -> Running {
        self.state.send_modify(|state| {
            let before = match state.phase {
                Phase::Running(count) => count,
                Phase::Head | Phase::Idle => 0,
            };
            state.phase = Phase::Running(before + 1);
            state.until = Instant::now() + self.limits.answer;
        });
        Running(self.clone())
    }

    /// Ends when the connection has waited for too long.
    pub(super) async fn over_time(&self) {
        let mut state = self.state.subscribe();
        loop {
            let until = state.borrow_and_update().until;
            if timeout_at(until, state.changed()).await.is_err() {
                return;
            }
        }
    }
}

/// A request that is not answered yet.
pub(super) struct Running(Activity);

impl Drop for Running {
    fn drop(&mut self) {
        let Activity { limits, state } = &self.0;
        state.send_modify(|state| match state.phase {
            Phase::Running(count) if count > 1 => state.phase = Phase::Running(count - 1),
            _ => {
                state.phase = Phase::Idle;
                state.until = Instant::now() + limits.idle;
            }
        });
    }
}
// ANCHOR_END: activity
