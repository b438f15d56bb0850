//! What goes wrong between a merchant's process and Redis.

use std::time::Duration;

use redis::RedisError;

/// An address of Redis that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the address of Redis can't be used: it must look like redis://user:password@host:6379/0")]
pub struct InvalidAddress(#[source] pub(crate) RedisError);

/// Why nothing is known of a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error(
        "Redis did not answer within {0:?}: see that it runs, that its address and password are right, and what keeps it busy"
    )]
    Late(Duration),
    #[error("Redis could not be asked, or refused to answer")]
    Failed(#[source] RedisError),
}

impl NoAnswer {
    /// A text without any data, for the log.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Late(_) => self.to_string(),
            Self::Failed(error) => format!("{self}: {}", error.code().unwrap_or(error.category())),
        }
    }
}
