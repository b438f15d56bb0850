//! What an error of the database means: whether it is tried again, what the caller of a request is told, and what the
//! operator of the program is told.
//!
//! The codes are those of appendix A of PostgreSQL's manual (SQLSTATE). What may pass by itself is a 503 with
//! `Retry-After`: a refused or broken connection, an exhausted pool, a lock that somebody keeps, a cancelled statement, a
//! server that takes only reads, one that has no space left. Everything else is a 500.

use std::{error::Error, io};

use churnkey_integrator::ErrorClass;
use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

use super::tls;

/// What the caller of a request is told, for `classify_errors`. It gets the error of the pool, and then that of the
/// connection.
pub(crate) fn error_class(error: &(dyn Error + 'static)) -> Option<ErrorClass> {
    let is_temporary = match error.downcast_ref() {
        Some(error) => matches!(error, PoolError::Timeout(_)),
        None => error.downcast_ref().is_some_and(is_away),
    };
    is_temporary.then_some(ErrorClass::Unavailable)
}

/// Whether the connection is of no more use, as after a restart. A new one may do.
pub(super) fn is_broken(error: &tokio_postgres::Error) -> bool {
    error.is_closed()
        // 57P01 to 57P05: the server shuts down, starts up or has dropped the session.
        || has_class(error, "57P")
        // After a migration, a prepared statement may not fit the tables any more.
        || error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)
}

fn is_away(error: &tokio_postgres::Error) -> bool {
    is_broken(error)
        || error.source().is_some_and(|source| source.is::<io::Error>())
        // 08: the connection failed.
        || has_class(error, "08")
        // 53: the server has no connections, no memory or no space on its disk left.
        || has_class(error, "53")
        // It takes only reads, as a standby does, or one whose disk is nearly full.
        || error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)
        // The statement took too long, or waited too long for a lock.
        || error.code() == Some(&SqlState::QUERY_CANCELED)
        || error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
        // 40: the transaction was undone because of another one, as in a deadlock.
        || has_class(error, "40")
}

fn has_class(error: &tokio_postgres::Error, class: &str) -> bool {
    error
        .code()
        .is_some_and(|state| state.code().starts_with(class))
}

/// Why a store can't be opened, migrated or filled. Shows nothing of the database's address, of a statement or of
/// anybody's data. What PostgreSQL said is logged at debug level.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is not valid.
    #[error(
        "the database's address is not valid: write postgres://user:password@host:port/database, \
         with special characters in the password percent-encoded"
    )]
    Address,
    /// What the address says of TLS is not possible.
    #[error("the database's address can't be used: {0}")]
    Tls(&'static str),
    /// PostgreSQL refused.
    #[error("{doing} failed: PostgreSQL answered SQLSTATE {code}: {advice}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// What is wrong, as one of the codes in appendix A of PostgreSQL's manual.
        code: String,
        /// What it means or what to do.
        advice: &'static str,
    },
    /// PostgreSQL could not be asked.
    #[error("{doing} failed: {why}")]
    Unreachable {
        /// What was being done.
        doing: &'static str,
        /// What happened.
        why: String,
    },
}

impl StoreError {
    pub(super) fn new(doing: &'static str, error: &tokio_postgres::Error) -> Self {
        tracing::debug!(?error, doing, "the database failed");
        if let Some(why) = tls::advice(error) {
            let why = why.to_owned();
            return Self::Unreachable { doing, why };
        }
        match (error.code(), error.source()) {
            (Some(state), _) => Self::Refused {
                doing,
                code: state.code().to_owned(),
                advice: advice(state),
            },
            (None, Some(source)) if source.is::<io::Error>() => Self::Unreachable {
                doing,
                why: format!("{error}: {source}"),
            },
            _ => Self::Unreachable {
                doing,
                why: error.to_string(),
            },
        }
    }
}

/// What to do about the codes that a first start meets.
fn advice(state: &SqlState) -> &'static str {
    match state.code() {
        "3D000" => "the database does not exist, create it with createdb",
        "28P01" | "28000" => "the user or the password was refused",
        "22003" => {
            "a number is larger than its column can hold: 9223372036854775807 for an amount, a quantity or a count, \
            2147483647 for a duration"
        }
        "42501" => "the user lacks a right, such as that to create schemas in the database",
        _ => "RUST_LOG=debug shows its message",
    }
}
