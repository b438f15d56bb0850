//! The library under another name: re-exported by another crate, or renamed in `Cargo.toml`.
mod facade {
    pub extern crate churnkey_integrator as churnkey;
}

use facade::churnkey::{
    CustomerId, CustomersController, CustomersOperation, RequestContext, Result, Serves,
    controller, model::Customer,
};

struct Shop;

#[controller(crate = crate::facade::churnkey)]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Ok(None)
    }
}

fn main() {
    let served: &[CustomersOperation] = Shop.operations();
    assert_eq!(served, [CustomersOperation::Retrieve]);
}
