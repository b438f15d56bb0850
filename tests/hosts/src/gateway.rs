//! The router behind a gateway that removes its stage from the path.

// ANCHOR: stage
use churnkey_integrator::{BuildError, CustomersController, Integration, IntegrationToken};

/// Behind the stage `prod` of an API Gateway. Churnkey calls
/// `https://ID.execute-api.REGION.amazonaws.com/prod/churnkey/..`, and `/churnkey/..` arrives here.
///
/// # Errors
/// [`BuildError`] if something doesn't fit together.
pub fn integration(
    customers: impl CustomersController,
    token: IntegrationToken,
) -> Result<Integration, BuildError> {
    Integration::builder("Acme", token)
        .customers(customers)
        .external_prefix("/prod")
        .build()
}
// ANCHOR_END: stage
