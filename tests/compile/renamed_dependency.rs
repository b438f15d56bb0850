//! The library under another name: re-exported by another crate, or renamed in `Cargo.toml`.
mod facade {
    pub(crate) extern crate churnkey_integrator as churnkey;
}

use self::facade::churnkey::{
    CustomerId, CustomersController, CustomersOperation, RequestContext, Result, Serves,
    controller, model::Customer,
};

struct Shop;

#[controller(crate = crate::renamed_dependency::facade::churnkey)]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Ok(None)
    }
}

#[test]
fn a_dependency_may_have_another_name() {
    let served: &[CustomersOperation] = Shop.operations();
    assert_eq!(served, [CustomersOperation::Retrieve]);
}
