use churnkey_integrator::{
    CustomerId, CustomersController, RequestContext, Result, controller, model::Customer,
};

struct Shop;

#[controller(name = "shop")]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Ok(None)
    }
}

fn main() {}
