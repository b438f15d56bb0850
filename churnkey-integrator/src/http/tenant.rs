//! Calls the tenant resolver, before the caller is authenticated.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{extract::RawPathParams, http::request::Parts};
use tokio::time::timeout_at;

use crate::{
    error::{ContractViolation, HandlerError, Result},
    tenants::{Merchant, Tenant, TenantRequest, TenantResolver},
};

/// The tenant's merchant, if there is such a tenant.
///
/// The last parameters of the path are the route's own, and not for the resolver.
pub(super) async fn resolve(
    resolver: &dyn TenantResolver,
    request: &Parts,
    path_as_sent: &str,
    parameters: Option<&RawPathParams>,
    own_parameters: usize,
    deadline: Instant,
) -> Result<Option<Arc<Merchant>>> {
    let mut outer: Vec<_> = parameters.into_iter().flatten().collect();
    outer.truncate(outer.len().saturating_sub(own_parameters));
    let request = TenantRequest::new(request, path_as_sent, &outer);
    match timeout_at(deadline.into(), resolver.resolve(&request)).await {
        Ok(Ok(tenant)) => Ok(tenant.map(Tenant::into_merchant)),
        Ok(Err(error)) if error.status_code().is_client_error() => {
            Err(ContractViolation::ResolverRejected.into())
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(HandlerError::unavailable(
            Duration::from_secs(1),
            ContractViolation::ResolverDeadline,
        )),
    }
}
