//! What an integration keeps of the tenants that were called.

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use tower::ServiceExt;

use super::Integration;
use crate::{
    context::RequestContext,
    controllers::CustomersController,
    error::Result,
    id::{CustomerId, TenantId},
    model::Customer,
    secret::IntegrationToken,
    tenants::{Tenant, TenantRequest, TenantResolver},
};

const TENANTS: usize = 10_000;

/// Every text is a tenant. The resolver keeps none of them.
struct Numbers;

fn token(number: &str) -> String {
    format!("token-of-the-tenant-{number}")
}

#[async_trait]
impl TenantResolver for Numbers {
    async fn resolve(&self, request: &TenantRequest<'_>) -> Result<Option<Tenant>> {
        let Some(number) = request.path_parameter("tenant") else {
            return Ok(None);
        };
        let token = IntegrationToken::new(token(number))?;
        Ok(Some(Tenant::new(TenantId::new(number)?, "Acme", token)))
    }
}

struct Shop;

#[crate::controller(crate = crate)]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        Ok(Some(Customer::new(id.clone())))
    }
}

async fn call(app: &Router, number: usize) -> StatusCode {
    let path = format!("/{number:05}/churnkey/customers/cus_1");
    let request = Request::get(path).header("authorization", token(&format!("{number:05}")));
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap().status()
}

#[test]
fn an_integration_keeps_nothing_of_ten_thousand_tenants() {
    let integration = Integration::for_tenants(Numbers).customers(Shop);
    let app = integration.build().unwrap().into_router();
    let app: Router = Router::new().nest("/{tenant}", app);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().build().unwrap();
    let call_all = |numbers: std::ops::Range<usize>| {
        runtime.block_on(async {
            for number in numbers {
                assert_eq!(call(&app, number).await, StatusCode::OK);
            }
        });
    };
    // So that what is allocated once is not counted.
    call_all(0..100);
    let measured = allocation_counter::measure(|| call_all(100..TENANTS));
    assert!(measured.count_total > TENANTS as u64, "it measures");
    assert_eq!(measured.count_current, 0);
    assert_eq!(measured.bytes_current, 0);
}
