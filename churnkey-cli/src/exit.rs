//! How a command ends: its exit code, and the errors that end it early.

use std::{io, process::ExitCode};

use serde_json::json;

use crate::output;

/// How a command that came to its end found things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Good,
    Findings,
    /// No answer came, and the command has said why.
    Unanswered,
}

impl Outcome {
    pub(crate) fn good_if(is_good: bool) -> Self {
        if is_good { Self::Good } else { Self::Findings }
    }

    pub(crate) fn code(self) -> ExitCode {
        match self {
            Self::Good => ExitCode::SUCCESS,
            Self::Findings => ExitCode::from(1),
            Self::Unanswered => ExitCode::from(3),
        }
    }
}

/// Why a command did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The integration answered, but not as the command needs it.
    #[error("{0}")]
    Answer(String),
    /// The command can't be run with these arguments and settings.
    #[error("{0}")]
    Usage(String),
    /// No answer came.
    #[error("{0}")]
    Unreachable(String),
    /// What was found can't be written.
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// Says why, and returns the exit code.
    pub(crate) fn report(&self, as_json: bool) -> ExitCode {
        // Whoever reads only the first lines of the output, such as `head`, has what they wanted.
        if let Self::Output(error) = self
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            return ExitCode::SUCCESS;
        }
        let (code, kind) = match self {
            Self::Answer(_) => (1, "answer"),
            Self::Usage(_) => (2, "usage"),
            Self::Unreachable(_) => (3, "unreachable"),
            Self::Output(_) => (2, "output"),
        };
        let message = self.to_string();
        // If this can't be written either, the exit code still says it.
        let _ = if as_json {
            let error = json!({ "kind": kind, "message": message });
            output::json(&json!({ "version": output::VERSION, "error": error }))
        } else {
            output::problem(&message)
        };
        ExitCode::from(code)
    }
}
