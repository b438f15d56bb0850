//! A crawl lists every record once and in order, for any page size, while others are inserted and deleted.

use std::collections::BTreeSet;

use churnkey_integrator::{CustomerId, model::Customer};
use proptest::prelude::*;

use example_app::Clock;

use crate::merchants::{client_of, token};

fn customer(n: usize) -> Customer {
    Customer::new(CustomerId::new(format!("cus_{n:04}")).unwrap())
}

/// What happens to the store between two pages.
#[derive(Debug, Clone)]
enum Change {
    Insert,
    Delete(usize),
    Nothing,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Insert),
        (0usize..60).prop_map(Change::Delete),
        Just(Change::Nothing)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_customer_who_exists_during_the_whole_crawl_is_listed_exactly_once(
        size in 0usize..60,
        limit in 1usize..20,
        changes in proptest::collection::vec(change(), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let store = in_memory::store::Store::new(Clock::System);
        store.live.customers.extend((0..size).map(customer));
        let integration = in_memory::churnkey::integration(&store, token()).unwrap();
        let client = client_of(&integration);

        let mut all_along: BTreeSet<String> =
            (0..size).map(|n| customer(n).id().to_string()).collect();
        let mut came = Vec::new();
        let first = format!("/churnkey/customers?limit={limit}");
        let mut path = first.clone();
        let mut changes = changes.into_iter();
        let mut newcomer = 1000;
        loop {
            let page = runtime.block_on(client.get(&path));
            prop_assert_eq!(page.status(), 200);
            let data = page.body()["data"].as_array().unwrap().clone();
            prop_assert!(data.len() <= limit);
            came.extend(data.iter().map(|c| c["id"].as_str().unwrap().to_owned()));
            let Some(next) = page.body()["next"].as_str() else { break };
            path = format!("{first}&cursor={next}");
            match changes.next() {
                Some(Change::Insert) => {
                    newcomer += 1;
                    store.live.customers.extend([customer(newcomer)]);
                }
                Some(Change::Delete(n)) => {
                    store.live.customers.remove(customer(n).id());
                    all_along.remove(&customer(n).id().to_string());
                }
                Some(Change::Nothing) | None => {}
            }
        }
        let once: BTreeSet<String> = came.iter().cloned().collect();
        prop_assert_eq!(once.len(), came.len(), "no customer is listed twice");
        prop_assert!(once.is_superset(&all_along), "no customer is missing");
        let mut sorted = came.clone();
        sorted.sort();
        prop_assert_eq!(came, sorted, "one order");
    }
}
