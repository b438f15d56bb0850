//! The framework. In memory a small merchant over the table that the other servers have, too; over PostgreSQL the example,
//! as it is. The connection loop is that of the examples.

use churnkey_integrator::{
    Currency, CustomerId, CustomersController, Email, Integration, IntegrationToken, Mode, Page,
    PageRequest, Phone, RequestContext, Result, controller,
    model::{Address, Country, Customer},
};
use example_app::Limits;
use postgres::{churnkey, store::Store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    BoxError,
    customers::{CITY, COUNTRY, CURRENCY, Generated, METADATA, generated},
    source::Source,
    table::Table,
};

pub(crate) async fn serve(
    source: &Source,
    token: &str,
    listener: TcpListener,
) -> Result<(), BoxError> {
    let token = IntegrationToken::new(token)?;
    let integration = match source {
        Source::Memory { customers } => Integration::builder("Rivals", token)
            .customers(Merchant::with(*customers)?)
            .build()?,
        Source::Postgres { url } => churnkey::integration(&Store::connect(url)?, token)?,
    };
    let router = integration.into_router();
    let forever = CancellationToken::new();
    example_app::serve(listener, None, router, Limits::default(), forever).await;
    Ok(())
}

struct Merchant {
    live: Table<Customer>,
    test: Table<Customer>,
}

impl Merchant {
    fn with(customers: u32) -> Result<Self, BoxError> {
        let generated = generated(customers);
        let mut live = Table::with_capacity(generated.len());
        for generated in generated {
            live.push(generated.id.clone(), customer(generated)?);
        }
        Ok(Self {
            live,
            test: Table::with_capacity(0),
        })
    }

    fn customers(&self, cx: &RequestContext) -> &Table<Customer> {
        match cx.mode() {
            Mode::Live => &self.live,
            Mode::Test => &self.test,
        }
    }
}

#[controller]
impl CustomersController for Merchant {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        Ok(self.customers(cx).by_id(id.as_str()).cloned())
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let after: u64 = page.after()?.unwrap_or(0);
        let rows = self.customers(cx).after(after, page.limit() + 1);
        let rows = (after + 1..).zip(rows.iter().cloned()).collect();
        Ok(Page::from_overfetch(rows, page, |(number, _)| *number)?.map(|(_, customer)| customer))
    }
}

fn customer(generated: Generated) -> Result<Customer, BoxError> {
    let address = Address::new()
        .with_country(Country::new(COUNTRY)?)
        .with_city(CITY)
        .with_postal_code(generated.postal_code)
        .with_line1(generated.line1);
    Ok(Customer::new(CustomerId::new(generated.id)?)
        .with_name(generated.name)
        .with_email(Email::new(generated.email)?)
        .with_phone(Phone::new(generated.phone)?)
        .with_addresses([address])
        .with_currency(Currency::new(CURRENCY)?)
        .with_metadata([METADATA]))
}
