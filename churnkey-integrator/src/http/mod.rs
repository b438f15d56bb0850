//! HTTP, and the only files that know axum.
//!
//! A request passes these steps: [`mod@observe`] (request id, [`mod@span`], one log line), [`mod@deadline`] (and capacity),
//! [`mod@authenticated_request`] (body cap, tenant, signature or token, mode), then its route, or the prefix's 404 or 405.
//! The steps wrap every route, so a caller without a credential can't find out which paths exist.

pub(crate) mod actions;
mod authenticated_request;
mod body;
mod capacity;
pub(crate) mod coupons;
pub(crate) mod customers;
mod deadline;
mod digest;
mod extract;
pub(crate) mod families;
mod idempotency;
mod metrics;
mod observe;
mod part;
mod payload;
pub(crate) mod prices;
pub(crate) mod products;
mod record;
#[cfg(feature = "diagnose")]
mod refusal;
mod replay;
mod response;
mod routes;
mod span;
pub(crate) mod subscriptions;
mod tenant;
mod trace_parent;
mod webhook;

pub(crate) use capacity::Capacity;
pub(crate) use observe::RequestIds;
pub(crate) use part::{About, Part, Parts, Without};
#[cfg(feature = "testing")]
pub(crate) use response::full_cause;
pub(crate) use routes::{Routes, router};

use std::{sync::Arc, time::Duration};

use tokio_util::task::TaskTracker;

#[cfg(feature = "diagnose")]
use crate::diagnose::Refusals;
use crate::{
    auth::Schemes, error::Classifiers, features::Manifest, replays::ReplayStore,
    tenants::Merchants, time::Timestamp,
};

/// The settings and the state of an integration, which all of its requests share.
pub(crate) struct Shared {
    pub(crate) manifest: Manifest,
    pub(crate) merchants: Merchants,
    pub(crate) schemes: Schemes,
    /// None if a signed read may come again.
    pub(crate) replays: Option<Arc<dyn ReplayStore>>,
    /// None if refusals are not explained.
    #[cfg(feature = "diagnose")]
    pub(crate) refusals: Option<Arc<Refusals>>,
    /// What a proxy takes off the path, so that a signature covers it; empty if it takes nothing.
    pub(crate) external_prefix: String,
    pub(crate) limits: Limits,
    pub(crate) capacity: Arc<Capacity>,
    pub(crate) live_only: bool,
    pub(crate) classifiers: Classifiers,
    /// Separates this integration's actions from those of others that share its idempotency store.
    pub(crate) namespace: String,
    pub(crate) running: TaskTracker,
    pub(crate) clock: Clock,
    pub(crate) request_ids: RequestIds,
}

/// The clock that the timestamp of a signature is compared with.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The limits on what a caller may send and ask for.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) body_bytes: usize,
    pub(crate) id_bytes: usize,
    pub(crate) cursor_bytes: usize,
    pub(crate) default_page: u16,
    pub(crate) max_page: u16,
    pub(crate) deadline: Duration,
    pub(crate) action_deadline: Duration,
    /// `None` is no limit.
    pub(crate) max_in_flight: Option<usize>,
}
