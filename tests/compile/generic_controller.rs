//! `#[controller]` on an `impl` with type parameters, and with methods that `cfg` leaves out.

use churnkey_integrator::{
    CustomerId, CustomersController, CustomersOperation, Page, PageRequest, RequestContext, Result,
    Serves, controller, model::Customer,
};

trait Store: Send + Sync + 'static {}

struct Shop<S>(S);

#[controller]
impl<S> CustomersController for Shop<S>
where
    S: Store,
{
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Ok(None)
    }

    #[cfg(false)]
    async fn find_by_phone(&self, _: &RequestContext, _: &Phone) -> Result<Option<Customer>> {
        Ok(None)
    }

    #[cfg(true)]
    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Customer>> {
        Ok(Page::new(Vec::new(), None))
    }
}

struct Map;

impl Store for Map {}

#[test]
fn a_generic_controller_serves_the_methods_that_are_compiled() {
    let served = Shop(Map).operations();
    assert_eq!(
        served,
        [CustomersOperation::Retrieve, CustomersOperation::List]
    );
}
