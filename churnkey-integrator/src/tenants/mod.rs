//! Whose tokens count for a request: those of the one merchant of an integration, or those of one of its tenants.

mod resolver;
mod tenant;
mod token_use;

pub(crate) use resolver::Merchants;
pub use resolver::{TenantRequest, TenantResolver};
pub(crate) use tenant::Merchant;
pub use tenant::Tenant;
