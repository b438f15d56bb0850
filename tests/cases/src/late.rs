//! What an app answers when something takes too long. tokio's clock is paused and jumps to the deadline, so that the test does
//! not wait.

use std::{
    future::{Future, pending, poll_fn},
    io,
    task::Poll,
    time::Duration,
};

use axum::{Router, body::Body};
use futures_util::{StreamExt, stream};
use http::request;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::Answer;

/// Longer than anybody should have to wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// The answer to a request whose body begins with these bytes and never ends, if there is one within a minute.
///
/// # Panics
/// If the test's runtime has several threads.
pub async fn answer_to_unfinished_body(
    app: &Router,
    request: request::Builder,
    begin: &'static str,
) -> Option<Answer> {
    let rest = stream::once(async {
        tokio::time::pause();
        pending().await
    });
    let body = stream::iter([Ok::<_, io::Error>(begin)]).chain(rest);
    let answer = answer(app, request, Body::from_stream(body)).await;
    tokio::time::resume();
    answer
}

/// The answer to a request while another one, which hangs, holds the only connection of a store in memory, if there is one within
/// a minute. The connection is free again afterwards.
///
/// # Panics
/// If the test's runtime has several threads, or the other request needs no connection.
pub async fn answer_behind_hanging(
    app: &Router,
    hanging: request::Builder,
    request: request::Builder,
) -> Option<Answer> {
    let mut hanging = Box::pin(answer(app, hanging, Body::empty()));
    // From its first step on it has the connection. It takes no other.
    poll_fn(|context| {
        assert!(hanging.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    tokio::time::pause();
    let answer = answer(app, request, Body::empty()).await;
    tokio::time::resume();
    answer
}

async fn answer(app: &Router, request: request::Builder, body: Body) -> Option<Answer> {
    let answered = async {
        let response = app.clone().oneshot(request.body(body).ok()?).await;
        let (parts, body) = response.ok()?.into_parts();
        Some(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.collect().await.ok()?.to_bytes().to_vec(),
        })
    };
    tokio::time::timeout(PATIENCE, answered).await.ok()?
}
