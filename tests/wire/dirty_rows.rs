//! A merchant whose table holds rows that can't be served: what is listed, and what the log says of the others.

use churnkey_conformance::{Fixtures, check};
use churnkey_integrator::{
    Currency, CustomerId, CustomersController, Email, Integration, IntegrationBuilder, Page,
    PageRequest, RequestContext, Result, controller,
    model::{Customer, OptionalText},
};
use tracing::Level;

use crate::{
    logs::{log_through, log_while, warnings_with_spans},
    merchants::{client_of, token},
};

/// A row as the table has it. Nothing in it may reach the log but its key.
#[derive(Clone)]
struct Row {
    seq: u32,
    name: &'static str,
    email: String,
    currency: &'static str,
    is_confirmed: bool,
}

/// Of each hundred rows one is dirty, two can't be expressed, and some have blank columns.
fn row(seq: u32) -> Row {
    let email = format!("{seq}@example.com");
    let (email, currency) = match seq % 300 {
        7 => (format!("secret\0{email}"), "usd"),
        107 => (email, "BTC"),
        207 => ("x".repeat(321), "usd"),
        n if n % 10 == 0 => (String::new(), ""),
        _ => (email, "usd"),
    };
    Row {
        seq,
        name: if seq.is_multiple_of(3) { "  " } else { "Ada" },
        email,
        currency,
        is_confirmed: seq % 50 != 3,
    }
}

fn is_dirty(seq: u32) -> bool {
    seq % 100 == 7
}

fn is_served(seq: u32) -> bool {
    !is_dirty(seq) && row(seq).is_confirmed
}

fn customer(row: &Row) -> Result<Option<Customer>> {
    if !row.is_confirmed {
        return Ok(None);
    }
    let customer = Customer::new(CustomerId::new(format!("cus_{}", row.seq))?)
        .with_name(OptionalText::from_column(row.name))
        .with_email(Email::from_column(row.email.as_str())?)
        .with_currency(Currency::from_column(row.currency)?);
    Ok(Some(customer))
}

/// Rows from 1 to `rows`.
struct Table {
    rows: u32,
}

impl Table {
    async fn after(&self, seq: u32, limit: i64) -> Result<Vec<Row>> {
        // As a pool would.
        tokio::task::yield_now().await;
        let rows = (seq + 1..=self.rows).map(row);
        Ok(rows.take(usize::try_from(limit)?).collect())
    }
}

#[controller]
impl CustomersController for Table {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        let seq = id.as_str().strip_prefix("cus_");
        let seq = seq.and_then(|seq| seq.parse().ok());
        let seq = seq.filter(|seq| (1..=self.rows).contains(seq));
        Ok(match seq {
            Some(seq) => customer(&row(seq))?,
            None => None,
        })
    }

    async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        Page::fill_valid(
            page,
            |after, limit| self.after(after.unwrap_or(0), limit),
            |row| row.seq,
            |row| customer(&row),
        )
        .await
    }
}

fn serving(controller: impl CustomersController) -> IntegrationBuilder {
    let builder = Integration::builder("Dirty", token());
    builder.customers(controller).live_only()
}

fn integration(controller: impl CustomersController) -> Integration {
    serving(controller).build().unwrap()
}

/// A merchant with so many rows, of which each hundredth is dirty.
pub(crate) fn builder(rows: u32) -> IntegrationBuilder {
    serving(Table { rows })
}

/// The ids of a whole list, and what was logged meanwhile. No page behind the first one is empty.
fn crawled(integration: &Integration, limit: u32) -> (Vec<String>, String) {
    let client = client_of(integration);
    let mut ids = Vec::new();
    let log = log_through(warnings_with_spans(), async {
        let first = format!("/churnkey/customers?limit={limit}");
        let mut path = first.clone();
        loop {
            let page = client.get(&path).await;
            assert_eq!(page.status(), 200);
            let data = page.body()["data"].as_array().unwrap();
            assert!(!data.is_empty());
            ids.extend(
                data.iter()
                    .map(|one| one["id"].as_str().unwrap().to_owned()),
            );
            match page.body()["next"].as_str() {
                Some(next) => path = format!("{first}&cursor={next}"),
                None => break,
            }
        }
    });
    (ids, log)
}

#[test]
fn a_crawl_brings_every_clean_row_once_and_reports_every_dirty_one_once() {
    const ROWS: u32 = 100_000;
    let (ids, log) = crawled(&integration(Table { rows: ROWS }), 500);
    let served = (1..=ROWS).filter(|seq| is_served(*seq));
    assert_eq!(
        ids,
        served.map(|seq| format!("cus_{seq}")).collect::<Vec<_>>()
    );

    let reported: Vec<u32> = log
        .lines()
        .map(|line| key_of(line).parse().unwrap())
        .collect();
    let dirty = (1..=ROWS).filter(|seq| is_dirty(*seq));
    assert_eq!(reported, dirty.collect::<Vec<_>>());
}

/// What stands behind `key=` in a line.
fn key_of(line: &str) -> &str {
    let (_, rest) = line.split_once(" key=").unwrap();
    rest.split(' ').next().unwrap()
}

#[test]
fn a_row_that_is_left_out_is_a_warning_with_its_key_field_and_rule_within_its_request() {
    let (_, log) = crawled(&integration(Table { rows: 300 }), 500);
    let lines: Vec<&str> = log.lines().collect();
    let of = |line: &str| {
        let (request, says) = line
            .split_once("}: churnkey_integrator::page::fill: ")
            .unwrap();
        assert!(
            request.starts_with(" WARN churnkey{operation=customers.list request_id="),
            "{line}"
        );
        says.to_owned()
    };
    assert_eq!(
        lines.into_iter().map(of).collect::<Vec<_>>(),
        [
            "a row was left out of the page key=7 reason=\"an e-mail address must not contain control characters\"",
            "a row was left out of the page key=107 reason=\"the currency is not a valid ISO 4217 code: use one like usd or EUR\"",
            "a row was left out of the page key=207 reason=\"an e-mail address must have at most 320 bytes\"",
        ]
    );
}

#[tokio::test]
async fn a_merchant_who_leaves_rows_out_conforms() {
    let fixtures = Fixtures::new("cus_1", "cus_0");
    let report = check(&client_of(&integration(Table { rows: 450 })), &fixtures)
        .await
        .unwrap();
    report.assert_passed();
}

/// Pages by e-mail address, which nobody should.
struct ByAddress;

#[controller]
impl CustomersController for ByAddress {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Ok(None)
    }

    async fn list(&self, _: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        let address = Email::new("ada@example.com")?;
        Page::fill_valid(
            page,
            async |_: Option<Email>, _| Ok(vec![""]),
            |_| address.clone(),
            |id| Ok(Some(Customer::new(CustomerId::new(id)?))),
        )
        .await
    }
}

#[test]
fn an_address_that_is_a_key_is_not_logged() {
    let client = client_of(&integration(ByAddress));
    let log = log_while(Level::TRACE, async {
        assert_eq!(client.get("/churnkey/customers").await.status(), 200);
    });
    assert!(
        log.contains("key=Email([redacted]) reason=\"a customer id must not be empty\""),
        "{log}"
    );
    assert!(!log.contains("example.com"), "{log}");
}
