use churnkey_integrator::{
    CustomerId, CustomersController, RequestContext, Result, async_trait, model::Customer,
};

struct Shop;

#[async_trait]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Ok(None)
    }
}

fn main() {}
