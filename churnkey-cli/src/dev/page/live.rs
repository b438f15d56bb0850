//! Pages that show what is new as it comes: an event says that there is something, and the page asks for itself again.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use http::header;
use tokio::time::sleep;

use crate::dev::Dev;

const SCRIPT: &str = include_str!("live.js");
/// Calls come faster than a person reads.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) async fn script() -> impl IntoResponse {
    let kind = "text/javascript; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], SCRIPT)
}

/// An event at once, as something may have come since the page was written, and one for each change.
pub(super) async fn events(State(dev): State<Arc<Dev>>) -> impl IntoResponse {
    let changes = dev.merchant.calls().changes();
    let ended = dev.ended.subscribe();
    let events = stream::unfold(
        (changes, ended, true),
        |(mut changes, mut ended, is_first)| async move {
            if !is_first {
                tokio::select! {
                    changed = changes.changed() => changed.ok()?,
                    _ = ended.wait_for(|ended| *ended) => return None,
                }
                sleep(PAUSE).await;
            }
            let count = *changes.borrow_and_update();
            let event = Event::default().event("changed").data(count.to_string());
            Some((Ok::<_, Infallible>(event), (changes, ended, false)))
        },
    );
    Sse::new(events).keep_alive(KeepAlive::default())
}
