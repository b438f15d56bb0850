//! The router in other servers, and behind real proxies: what a caller sends is what the signature covers.
#![expect(clippy::unwrap_used, reason = "a test that panics has done its work")]

mod guide;
mod nginx;
mod servers;
mod wire;
