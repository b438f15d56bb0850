//! `churnkey list`: the records of a list as JSON lines, and what is wrong with its pages.

use serde_json::{Value, json};

use crate::{
    arguments::{ListArguments, Resource},
    connection::Connection,
    crawl::Crawl,
    exit::{Failure, Outcome},
    operations::segment,
    output::{self, BAD, printable, styled},
};

pub(crate) async fn run(
    arguments: &ListArguments,
    connection: &Connection,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let path = match (arguments.resource, &arguments.customer) {
        (Resource::Subscriptions, customer) => {
            let customer = customer.as_deref().unwrap_or_default();
            format!("/customers/{}/subscriptions", segment(customer))
        }
        (resource, None) => format!("/{}", resource.name()),
        (_, Some(_)) => {
            return Err(Failure::Usage(
                "--customer is for subscriptions only: leave it out".to_owned(),
            ));
        }
    };
    let max = arguments.max.unwrap_or(u64::MAX);
    let mut crawl = Crawl::new(connection, &path, arguments.limit);
    let mut written = 0;
    let mut told = 0;
    while written < max
        && let Some(records) = crawl.page().await?
    {
        let progress = connection.progress();
        progress.say(format!("{} records", crawl.records()));
        progress.aside(|| {
            for record in records {
                if written < max {
                    output::json(&record)?;
                    written += 1;
                }
            }
            if !as_json {
                for wrong in crawl.wrong().iter().skip(told) {
                    let wrong = printable(&wrong.to_string());
                    output::note(format_args!("{} {wrong}", styled(BAD, "wrong:")))?;
                }
            }
            Ok::<(), Failure>(())
        })?;
        told = crawl.wrong().len();
    }
    connection.progress().end();

    let is_complete = crawl.is_at_end() && written == crawl.records();
    if as_json {
        let wrong: Vec<Value> = crawl.wrong().iter().map(|wrong| wrong.to_json()).collect();
        output::note(json!({
            "version": output::VERSION,
            "records": written,
            "pages": crawl.pages(),
            "complete": is_complete,
            "wrong": wrong,
        }))?;
    } else {
        let more = if is_complete {
            ""
        } else {
            ", and there are more"
        };
        let pages = crawl.pages();
        output::note(format_args!("records: {written}, pages: {pages}{more}"))?;
    }
    Ok(Outcome::good_if(crawl.wrong().is_empty()))
}

impl Resource {
    /// Its name in paths.
    fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Subscriptions => "subscriptions",
            Self::Prices => "prices",
            Self::Coupons => "coupons",
            Self::Products => "products",
            Self::Families => "families",
        }
    }
}
