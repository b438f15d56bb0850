//! A controller, an action and a store work the same behind an `Arc` or a `Box`.

use std::sync::Arc;

use churnkey_integrator::{
    CancelAction, CustomerId, CustomersController, Email, Integration, RequestContext, Result,
    actions::{CancelAllRequest, CancelFeatures, CancelRequest, Schedules},
    controller,
    idempotency::{IdempotencyStore, InMemoryIdempotency},
    model::Customer,
};

use crate::{
    demo,
    merchants::{client_of, token},
};

struct Shop;

#[controller]
impl CustomersController for Shop {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        Ok(Some(Customer::new(id.clone())))
    }

    async fn find_by_email(&self, _: &RequestContext, _: &Email) -> Result<Option<Customer>> {
        Ok(Some(Customer::new(CustomerId::new("found")?)))
    }
}

#[controller]
impl CancelAction for Shop {
    fn features(&self) -> CancelFeatures {
        CancelFeatures::new(Schedules::EndOfPeriod)
    }

    async fn cancel(&self, _: &RequestContext, _: &CancelRequest) -> Result<()> {
        Err("the wrong form".into())
    }

    async fn cancel_all(&self, _: &RequestContext, _: &CancelAllRequest) -> Result<()> {
        Ok(())
    }
}

async fn serves_all(
    customers: impl CustomersController,
    cancel: impl CancelAction,
    store: impl IdempotencyStore,
) {
    let integration = Integration::builder("Shop", token())
        .customers(customers)
        .prices(demo::Shop)
        .subscriptions(demo::Shop)
        .cancel(cancel)
        .idempotency(store)
        .build()
        .unwrap();
    let client = client_of(&integration);
    let found = client.get("/churnkey/customers/email/a@b").await;
    assert_eq!(
        (found.status(), &found.body()["id"]),
        (200, &"found".into())
    );
    assert_eq!(client.get("/churnkey/customers").await.status(), 404);
    let path = "/churnkey/actions/customer/cancel";
    assert_eq!(
        client
            .post(path, r#"{"customerId":"cus_1"}"#)
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn everything_is_forwarded_by_an_arc_and_by_a_box() {
    let store = InMemoryIdempotency::default;
    let (customers, cancel): (Box<dyn CustomersController>, Box<dyn CancelAction>) =
        (Box::new(Shop), Box::new(Shop));
    serves_all(customers, cancel, Box::new(store())).await;
    let (customers, cancel): (Arc<dyn CustomersController>, Arc<dyn CancelAction>) =
        (Arc::new(Shop), Arc::new(Shop));
    serves_all(customers, cancel, Arc::new(store())).await;
}
