//! `churnkey ambiguity`: the e-mail addresses and phone numbers that several customers have.

use std::collections::BTreeMap;

use churnkey_conformance::{
    churnkey_integrator::{CustomersOperation, Email, Operation, Phone},
    served,
};
use serde_json::{Map, Value, json};

use crate::{
    arguments::AmbiguityArguments,
    connection::Connection,
    crawl::Crawl,
    exit::{Failure, Outcome},
    output::{self, BAD, GOOD, printable, styled},
};

/// The ids of the customers with each address, by the form in which it is looked up.
type Owners = BTreeMap<String, Vec<String>>;

pub(crate) async fn run(
    arguments: &AmbiguityArguments,
    connection: &Connection,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let manifest = connection.manifest().await?;
    let list = Operation::from(CustomersOperation::List);
    if !served(&manifest).any(|operation| operation == list) {
        return Err(Failure::Usage(
            "this integration does not list its customers, so they can't be compared: serve `customers.list`, or count \
             the owners of each address in the store"
                .to_owned(),
        ));
    }

    let (mut emails, mut phones) = (Owners::new(), Owners::new());
    let mut crawl = Crawl::new(connection, "/customers", Some(500));
    while let Some(customers) = crawl.page().await? {
        let progress = connection.progress();
        progress.say(format!("{} customers", crawl.records()));
        for customer in &customers {
            let text = |field: &str| customer.get(field).and_then(Value::as_str);
            let Some(id) = text("id") else { continue };
            let email = text("email").and_then(|text| Email::new(text).ok());
            let phone = text("phone").and_then(|text| Phone::new(text).ok());
            add(&mut emails, email.map(|email| email.lookup_key()), id);
            add(&mut phones, phone.and_then(|phone| phone.lookup_key()), id);
        }
    }
    connection.progress().end();
    let wrong = crawl.wrong().len();
    for owners in [&mut emails, &mut phones] {
        owners.retain(|_, ids| ids.len() > 1);
    }
    let is_clear = emails.is_empty() && phones.is_empty();

    if as_json {
        let shared = |owners: &Owners| {
            let shared = owners.iter().map(|(key, ids)| {
                let mut shared = Map::from_iter([("customers".to_owned(), json!(ids))]);
                if arguments.show {
                    shared.insert("value".to_owned(), key.as_str().into());
                }
                Value::Object(shared)
            });
            shared.collect::<Vec<_>>()
        };
        output::json(&json!({
            "version": output::VERSION,
            "customers": crawl.records(),
            "emails": shared(&emails),
            "phones": shared(&phones),
            "wrong": wrong,
        }))?;
        return Ok(Outcome::good_if(is_clear && wrong == 0));
    }

    output::line(format_args!("{} customers", crawl.records()))?;
    for (what, owners) in [("e-mail addresses", &emails), ("phone numbers", &phones)] {
        let style = if owners.is_empty() { GOOD } else { BAD };
        let count = styled(style, owners.len());
        output::line(format_args!("{what} with several owners: {count}"))?;
        for (key, ids) in owners {
            let key = if arguments.show {
                format!("{key}: ")
            } else {
                String::new()
            };
            let line = format!("  {key}{}", ids.join(" "));
            output::line(printable(&line))?;
        }
    }
    if !is_clear {
        output::line(
            "A look-up by one of these is answered 409, unless you rank its owners: see \"errors\" in the guide.",
        )?;
    }
    if wrong > 0 {
        output::note(format_args!(
            "{} wrong with the list's pages: {wrong}; `churnkey list customers` names it",
            styled(BAD, "wrong:")
        ))?;
    }
    Ok(Outcome::good_if(is_clear && wrong == 0))
}

/// A customer who comes twice is one owner.
fn add(owners: &mut Owners, key: Option<String>, id: &str) {
    if let Some(key) = key {
        let ids = owners.entry(key).or_default();
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    }
}
