//! Where the records are: in memory, or in the tables of the Postgres example.

use std::sync::Arc;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::{NoTls, Row, types::Json};

use super::{Mode, query::Asked, record::Customer};
use crate::{
    BoxError,
    customers::generated,
    source::{MAX_CONNECTIONS, Source},
    table::Table,
};

/// A page, and the number of its last record if there are further ones.
pub(super) struct Page<R> {
    pub(super) data: Vec<R>,
    pub(super) last: Option<u64>,
}

pub(super) enum Store {
    Memory(Memory),
    Postgres(Database),
}

impl Store {
    pub(super) fn open(source: &Source) -> Result<Self, BoxError> {
        Ok(match source {
            Source::Memory { customers } => Self::Memory(Memory::with(*customers)),
            Source::Postgres { url } => Self::Postgres(Database::connect(url)?),
        })
    }
}

pub(super) struct Memory {
    live: Table<Arc<Customer>>,
    test: Table<Arc<Customer>>,
}

impl Memory {
    fn with(customers: u32) -> Self {
        let generated = generated(customers);
        let mut live = Table::with_capacity(generated.len());
        for generated in generated {
            live.push(generated.id.clone(), Arc::new(generated.into()));
        }
        Self {
            live,
            test: Table::with_capacity(0),
        }
    }

    pub(super) fn by_id(&self, mode: Mode, id: &str) -> Option<Arc<Customer>> {
        self.table(mode).by_id(id).cloned()
    }

    pub(super) fn page(&self, mode: Mode, asked: &Asked) -> Page<Arc<Customer>> {
        let rows = self.table(mode).after(asked.after, asked.limit + 1);
        let data: Vec<_> = rows.iter().take(asked.limit).cloned().collect();
        let last = (rows.len() > data.len()).then_some(asked.after + data.len() as u64);
        Page { data, last }
    }

    fn table(&self, mode: Mode) -> &Table<Arc<Customer>> {
        match mode {
            Mode::Live => &self.live,
            Mode::Test => &self.test,
        }
    }
}

pub(super) struct Database {
    pool: Pool,
    live: Statements,
    test: Statements,
}

struct Statements {
    by_id: String,
    page: String,
}

impl Statements {
    fn of(schema: &str) -> Self {
        let select = format!(
            "SELECT seq, id, name, last_name, email, phone, currency, addresses, discounts, metadata
            FROM {schema}.customer_records"
        );
        Self {
            by_id: format!("{select} WHERE id = $1"),
            page: format!("{select} WHERE seq > $1 ORDER BY seq LIMIT $2"),
        }
    }
}

impl Database {
    fn connect(url: &str) -> Result<Self, BoxError> {
        let fast = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(url.parse()?, NoTls, fast);
        let pool = Pool::builder(manager)
            .max_size(MAX_CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .build()?;
        Ok(Self {
            pool,
            live: Statements::of("churnkey_live"),
            test: Statements::of("churnkey_test"),
        })
    }

    pub(super) async fn by_id(&self, mode: Mode, id: &str) -> Result<Option<Customer>, BoxError> {
        let connection = self.pool.get().await?;
        let by_id = connection.prepare_cached(&self.of(mode).by_id).await?;
        let row = connection.query_opt(&by_id, &[&id]).await?;
        Ok(row.as_ref().map(customer).transpose()?)
    }

    pub(super) async fn page(&self, mode: Mode, asked: &Asked) -> Result<Page<Customer>, BoxError> {
        let connection = self.pool.get().await?;
        let page = connection.prepare_cached(&self.of(mode).page).await?;
        let after = i64::try_from(asked.after)?;
        let fetched = i64::try_from(asked.limit + 1)?;
        let mut rows = connection.query(&page, &[&after, &fetched]).await?;
        let further = rows.len() > asked.limit;
        rows.truncate(asked.limit);
        let last = rows.last().filter(|_| further).map(|row| row.try_get(0));
        let last: Option<i64> = last.transpose()?;
        Ok(Page {
            data: rows.iter().map(customer).collect::<Result<_, _>>()?,
            last: last.map(u64::try_from).transpose()?,
        })
    }

    fn of(&self, mode: Mode) -> &Statements {
        match mode {
            Mode::Live => &self.live,
            Mode::Test => &self.test,
        }
    }
}

/// A row of `customer_records`. By position: a look-up by name costs more.
fn customer(row: &Row) -> Result<Customer, tokio_postgres::Error> {
    let addresses: Option<Json<Vec<_>>> = row.try_get(7)?;
    let discounts: Vec<Json<_>> = row.try_get(8)?;
    let metadata: Json<_> = row.try_get(9)?;
    Ok(Customer {
        id: row.try_get(1)?,
        name: row.try_get(2)?,
        last_name: row.try_get(3)?,
        email: row.try_get(4)?,
        phone: row.try_get(5)?,
        addresses: addresses.map_or_else(Vec::new, |addresses| addresses.0),
        discounts: discounts.into_iter().map(|discount| discount.0).collect(),
        currency: row.try_get(6)?,
        metadata: metadata.0,
    })
}
