//! The billing rules of the in-memory, the Postgres and the SaaS example: what an action does to a subscription, and the
//! state of a subscription at a given time. They are pure functions over records. Each example stores the records in its
//! own way.
//!
//! A real merchant has a billing system instead. It renews periods, ends trials and collects payments. Here nothing changes
//! but what an action changed or planned.
#![forbid(unsafe_code)]

mod actions;
mod subscription;

pub use actions::{Redeemed, cancel_all, pause_all, redeemed_once_more};
pub use subscription::{
    Catalogue, Item, Missing, Planned, PlannedPrice, Redemption, Referred, Subscription,
};
