//! The progress of what takes longer than a second, on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shorter work is not worth a line.
const QUIET: Duration = Duration::from_secs(1);

/// A line on standard error that counts requests. It draws nothing if standard error is no terminal.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Begins, and is shown once a second has passed.
    pub(crate) fn begin() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed}, {pos} requests {msg}")
        {
            bar.set_style(style);
        }
        let shown = bar.clone();
        tokio::spawn(async move {
            tokio::time::sleep(QUIET).await;
            if !shown.is_finished() {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(Duration::from_millis(200));
            }
        });
        Self { bar }
    }

    /// Never shown.
    pub(crate) fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
        }
    }

    /// One more request was sent.
    pub(crate) fn sent(&self) {
        self.bar.inc(1);
    }

    /// From here on, so many requests are expected.
    pub(crate) fn out_of(&self, expected: u64) {
        let template = "{elapsed} {wide_bar} {pos} of {len} requests";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_position(0);
        self.bar.set_length(expected);
    }

    /// What has been found so far.
    pub(crate) fn say(&self, message: String) {
        self.bar.set_message(message);
    }

    /// Writes something else meanwhile.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Takes the line away, so that it does not mix with the result.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
