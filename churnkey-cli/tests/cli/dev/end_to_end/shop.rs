//! A merchant, and what is in their store.

use axum::Router;
use churnkey_integrator::{SubscriptionId, Timestamp, model::Pause};
use tokio::runtime::Runtime;
use tokio_postgres::NoTls;

use crate::merchants::{Server, in_memory_store, postgres, token};

/// One of both examples, with the demo data.
pub(super) struct Shop {
    pub(super) server: Server,
    store: Store,
}

enum Store {
    InMemory(in_memory::store::Store),
    Postgres,
}

impl Shop {
    pub(super) fn in_memory() -> Self {
        let store = in_memory_store();
        let integration = in_memory::churnkey::integration(&store, token()).unwrap();
        Self {
            server: Server::start(Router::new().merge(integration.into_router())),
            store: Store::InMemory(store),
        }
    }

    pub(super) fn postgres() -> Self {
        Self {
            server: postgres(),
            store: Store::Postgres,
        }
    }

    /// A subscription as the store has it, not as it is served: its status, the prices, the coupons, and what is planned.
    pub(super) fn subscription(&self, mode: &str, id: &str) -> String {
        match &self.store {
            Store::InMemory(store) => in_memory_subscription(store, mode, id),
            Store::Postgres => postgres_subscription(self.server.database().unwrap(), mode, id),
        }
    }
}

fn in_memory_subscription(store: &in_memory::store::Store, mode: &str, id: &str) -> String {
    let shop = match mode {
        "live" => &store.live,
        _ => &store.test,
    };
    let id = SubscriptionId::new(id).unwrap();
    let found = shop
        .books
        .read(|tables| tables.subscriptions().by_id(&id).cloned());
    let found = found.unwrap();
    let day = |at: Timestamp| at.to_string()[..10].to_owned();
    let mut parts = vec![found.status.name().to_owned()];
    parts.extend(
        found
            .items
            .iter()
            .map(|item| item.price.as_str().to_owned()),
    );
    let coupons = found.discounts.iter();
    parts.extend(coupons.map(|discount| discount.coupon.as_str().to_owned()));
    let planned = &found.planned;
    let trial = found.status.trial_period();
    parts.extend(trial.map(|trial| format!("trial to {}", day(trial.end()))));
    let resumes = planned.pause.and_then(Pause::end);
    parts.extend(resumes.map(|end| format!("pause to {}", day(end))));
    parts.extend(
        planned
            .price
            .as_ref()
            .map(|next| format!("then {}", next.price.as_str())),
    );
    parts.extend(planned.cancel_at.map(|at| format!("ends {}", day(at))));
    parts.join("; ")
}

fn postgres_subscription(database: &str, mode: &str, id: &str) -> String {
    let sql = format!(
        "SELECT concat_ws('; ', status,
            (SELECT string_agg(price_id, '; ' ORDER BY position) FROM churnkey_{mode}.subscription_items
                WHERE subscription_seq = seq),
            (SELECT string_agg(coupon_id, '; ' ORDER BY position) FROM churnkey_{mode}.subscription_discounts
                WHERE subscription_seq = seq),
            'trial to ' || to_char(trial_ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
            'pause to ' || to_char(resumes_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
            'then ' || next_price_id,
            'ends ' || to_char(cancels_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'))
        FROM churnkey_{mode}.subscriptions WHERE id = $1"
    );
    Runtime::new().unwrap().block_on(async {
        let (client, connection) = tokio_postgres::connect(database, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.query_one(&sql, &[&id]).await.unwrap().get(0)
    })
}
