use churnkey_integrator::{
    CustomerId, CustomersController, CustomersOperation, Page, PageRequest, RequestContext, Result, Serves,
    controller, model::Customer,
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

    #[cfg(any())]
    async fn find_by_phone(&self, _: &RequestContext, _: &Phone) -> Result<Option<Customer>> {
        Ok(None)
    }

    #[cfg(all())]
    async fn list(&self, _: &RequestContext, _: &PageRequest) -> Result<Page<Customer>> {
        Ok(Page::new(Vec::new(), None))
    }
}

struct Map;

impl Store for Map {}

fn main() {
    let served = Shop(Map).operations();
    assert_eq!(served, [CustomersOperation::Retrieve, CustomersOperation::List]);
}
