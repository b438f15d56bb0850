use churnkey_integrator::{
    CustomerId, CustomersController, Email, RequestContext, Result, controller, model::Customer,
};

struct Shop;

#[controller]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Ok(None)
    }

    async fn find_by_mail(&self, _: &RequestContext, _: &Email) -> Result<Option<Customer>> {
        Ok(None)
    }
}

fn main() {}
