//! The billing rules that the in-memory and the Postgres example share: what an action does to a subscription, and how a
//! subscription looks at a moment. Pure functions over records; the stores keep the records, each in its way.
//!
//! A real merchant has a billing system in the place of this. It renews periods, ends trials and collects
//! payments; here the data stay as they were written, but for what an action has changed or planned.
#![forbid(unsafe_code)]

mod actions;
mod subscription;

pub use actions::{Redeemed, cancel_all, pause_all, redeemed_once_more};
pub use subscription::{Catalogue, Item, Missing, Planned, PlannedPrice, Redemption, Subscription};
