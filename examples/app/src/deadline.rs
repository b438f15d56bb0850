//! The deadline of requests to a merchant's own API.

use std::{future::Future, time::Duration};

use axum::response::{IntoResponse, Response};

/// The same as an integration's for Churnkey's requests. It is longer than a body may take, so that a slow body has an answer of
/// its own.
const DEADLINE: Duration = Duration::from_secs(10);

/// The answer, or `late` after ten seconds. The request is then dropped, and its transaction rolled back.
pub async fn in_time(answer: impl Future<Output = Response>, late: impl IntoResponse) -> Response {
    match tokio::time::timeout(DEADLINE, answer).await {
        Ok(answer) => answer,
        Err(_) => {
            tracing::warn!("a request was dropped after {} s", DEADLINE.as_secs());
            late.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use axum::http::StatusCode;
    use tokio::time::Instant;

    use super::*;
    use crate::{Database, is_empty};

    #[tokio::test(start_paused = true)]
    async fn an_answer_has_ten_seconds() {
        let late = StatusCode::SERVICE_UNAVAILABLE;
        let answered = in_time(ready(StatusCode::OK.into_response()), late).await;
        assert_eq!(answered.status(), StatusCode::OK);

        for (millis, status) in [(9_999, StatusCode::OK), (10_001, late)] {
            let started = Instant::now();
            let answer = async {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                StatusCode::OK.into_response()
            };
            assert_eq!(in_time(answer, late).await.status(), status);
            assert_eq!(started.elapsed(), Duration::from_millis(millis.min(10_000)));
        }
    }

    #[tokio::test]
    async fn what_a_late_request_wrote_is_undone_and_others_may_write() {
        let notes = &[("notes", "CREATE TABLE notes (id INTEGER PRIMARY KEY)")];
        let database = Database::open(None, notes).await.unwrap();
        let slow = async {
            let mut tx = database.writing().await.unwrap();
            let insert = sqlx::query("INSERT INTO notes VALUES (1)");
            insert.execute(&mut *tx).await.unwrap();
            // Nothing else is left to do, so the paused clock jumps to the deadline.
            tokio::time::pause();
            pending::<Response>().await
        };
        let answer = in_time(slow, StatusCode::SERVICE_UNAVAILABLE).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        tokio::time::resume();
        let mut tx = database.writing().await.unwrap();
        assert!(is_empty(&mut *tx, "notes").await.unwrap());
    }
}
