//! Runs the conformance suite against the in-memory example.

use std::{
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
};

use churnkey_integrator::{
    CustomerId, FamilyId,
    model::{Customer, Family},
};
use example_app::{Clock, demo_token};
use in_memory::{churnkey, store::Store};
use mutants::{BoxError, run};

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let demo = suite_fixtures::demo()?;
    let store = Store::new(Clock::Frozen(demo.clock));
    store.live.extend(demo.live);
    store.test.extend(demo.test);
    let integration = churnkey::integration(&store, demo_token()?)?;

    let (clock, calls) = (store.clone(), AtomicUsize::new(0));
    let fixtures = suite_fixtures::fixtures()
        .advance_clock(move |moment| {
            clock.set_clock(Clock::Frozen(moment));
            async {}
        })
        .between_pages(move || {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            if let Ok(new) = CustomerId::new(format!("cus_new_{call}")) {
                store.live.customers.extend([Customer::new(new)]);
            }
            if let Ok(gone) = CustomerId::new("cus_ada") {
                store.live.customers.remove(&gone);
            }
            if let Ok(new) = FamilyId::new(format!("fam_new_{call}")) {
                let new = Family::new(new, "New plans");
                store.live.books.write(|tables| tables.families.put(new));
            }
            async {}
        });
    run(integration, &fixtures).await
}
