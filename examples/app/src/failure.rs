//! Failures of a store that are not the caller's fault.

use std::{borrow::Cow, error::Error, fmt};

use axum::http::StatusCode;
use churnkey_integrator::ErrorClass;

use crate::NoRandomness;

/// The store failed. `Display` and `Debug` say nothing more, because SQLite's message may quote a statement or a customer's data.
#[derive(thiserror::Error)]
pub enum StoreFailure {
    /// There are no random numbers for a new id or token.
    #[error("the system has no random numbers")]
    Randomness(#[from] NoRandomness),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl fmt::Debug for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl StoreFailure {
    /// Whether a retry may work: somebody else is writing, or all connections are in use.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Database(error) if is_busy(error))
    }

    /// 503 for a temporary failure, 500 for any other.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        if self.is_temporary() {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }

    /// SQLite's error code, which says nothing of the data.
    #[must_use]
    pub fn code(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.code(),
            _ => None,
        }
    }

    /// Logs it as an error, with the code and without the database's message.
    pub fn log(&self) {
        tracing::error!(code = self.code().as_deref(), "{self}");
    }
}

/// What Churnkey is answered, for `classify_errors`: a 503 for a temporary failure of the database.
#[must_use]
pub fn error_class(error: &(dyn Error + 'static)) -> Option<ErrorClass> {
    is_busy(error.downcast_ref()?).then_some(ErrorClass::Unavailable)
}

fn is_busy(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut => true,
        // SQLITE_BUSY and SQLITE_LOCKED, with their extended codes in the upper bytes.
        sqlx::Error::Database(error) => error
            .code()
            .and_then(|code| code.parse::<i32>().ok())
            .is_some_and(|code| matches!(code & 0xff, 5 | 6)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

    use super::*;

    async fn busy() -> sqlx::Error {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("shop.db"))
            .create_if_missing(true)
            .busy_timeout(Duration::ZERO);
        let mut first = options.connect().await.unwrap();
        let mut second = options.connect().await.unwrap();
        let writing = first.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let refused = second.begin_with("BEGIN IMMEDIATE").await.map(drop);
        drop(writing);
        refused.unwrap_err()
    }

    async fn broken() -> sqlx::Error {
        let mut db = SqliteConnectOptions::new().connect().await.unwrap();
        let refused = sqlx::query("SELECT secret FROM nothing").execute(&mut db);
        refused.await.unwrap_err()
    }

    #[tokio::test]
    async fn only_what_is_busy_may_work_in_a_moment() {
        let failure = StoreFailure::from(busy().await);
        assert!(failure.is_temporary());
        assert_eq!(failure.status(), 503);
        assert_eq!(failure.code().as_deref(), Some("5"));
        assert!(StoreFailure::from(sqlx::Error::PoolTimedOut).is_temporary());
        assert!(!StoreFailure::from(sqlx::Error::PoolClosed).is_temporary());
        let failure = StoreFailure::from(broken().await);
        assert!(!failure.is_temporary());
        assert_eq!(failure.status(), 500);
        assert_eq!(failure.code().as_deref(), Some("1"));
    }

    #[tokio::test]
    async fn churnkey_is_told_to_come_again_if_the_database_is_busy() {
        assert_eq!(error_class(&busy().await), Some(ErrorClass::Unavailable));
        assert_eq!(error_class(&broken().await), None);
        assert_eq!(error_class(&fmt::Error), None);
    }

    #[tokio::test]
    async fn no_text_quotes_a_statement() {
        let failure = StoreFailure::from(broken().await);
        assert_eq!(
            format!("{failure} {failure:?}"),
            "the database failed the database failed"
        );
    }
}
