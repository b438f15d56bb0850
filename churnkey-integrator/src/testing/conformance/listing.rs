//! Lists: page by page, in several page sizes, while the store changes, and with cursors of all kinds.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Rule, Suite,
    customers::same_record,
    encoded,
    wire::{described, status_is},
};
use crate::{
    operation::CustomersOperation::List,
    testing::{Answer, Client},
};

/// More pages than this, and the crawl is taken for endless.
const MOST_PAGES: usize = 20_000;
/// How often the store changes during a crawl.
const MOST_CHANGES: usize = 3;
/// How many listed records are compared with what `retrieve` says.
const COMPARED: usize = 10;

/// What a crawl brought.
struct Crawl {
    ids: Vec<String>,
    records: Vec<Value>,
    pages: usize,
    first_next: Option<String>,
}

impl Suite {
    pub(super) async fn list(&mut self) {
        let whole = self.path(&format!("/customers?limit={}", self.max_page));
        let live = self.client.clone();
        let Some(reference) = self.crawl(&live, &whole, false).await else {
            return;
        };
        self.once(&reference);
        self.holds_the_fixture(&reference).await;
        self.lists_apart(&whole, &reference).await;

        for limit in [1, 2, 3, 7] {
            // A large store is crawled page by page in the larger sizes only.
            if reference.ids.len() / limit > MOST_PAGES / 20 {
                continue;
            }
            let path = self.path(&format!("/customers?limit={limit}"));
            let Some(crawl) = self.crawl(&live, &path, false).await else {
                return;
            };
            self.once(&crawl);
            let (all, these) = (set(&reference), set(&crawl));
            let verdict = if all == these {
                Ok(())
            } else {
                Err((
                    format!("the same {} records with limit={limit}", all.len()),
                    differing(&all, &these),
                ))
            };
            self.check(List, Rule::EachRecordOnce, verdict);
            let verdict = if all != these || reference.ids == crawl.ids {
                Ok(())
            } else {
                Err((
                    format!("the same order with limit={limit} as in one page"),
                    "another order".to_owned(),
                ))
            };
            self.check(List, Rule::StableOrder, verdict);
            self.cursors(&crawl).await;
        }
        self.limits().await;
        self.under_change(&reference).await;
    }

    /// Follows `next` to the end.
    async fn crawl(&mut self, client: &Client, first: &str, with_changes: bool) -> Option<Crawl> {
        let mut crawl = Crawl {
            ids: Vec::new(),
            records: Vec::new(),
            pages: 0,
            first_next: None,
        };
        let limit = first
            .rsplit_once('=')
            .and_then(|(_, n)| n.parse().ok())
            .unwrap_or(usize::MAX);
        let mut seen = BTreeSet::new();
        let mut path = first.to_owned();
        loop {
            let answer = client.get_unchecked(&path).await;
            crawl.pages += 1;
            let records = match page_of(&answer, limit) {
                Ok(records) => records,
                Err(verdict) => {
                    self.check(List, Rule::PageWithinLimit, Err(verdict));
                    return None;
                }
            };
            self.check(List, Rule::PageWithinLimit, Ok(()));
            let verdict = if records.is_empty() && crawl.pages > 1 && !with_changes {
                Err((
                    "no next on the last page that holds records".to_owned(),
                    format!("an empty page {} behind a next", crawl.pages),
                ))
            } else {
                Ok(())
            };
            self.check(List, Rule::NoEmptyLastPage, verdict);
            let id = |record: &Value| record["id"].as_str().unwrap_or_default().to_owned();
            crawl.ids.extend(records.iter().map(id));
            crawl.records.extend(records);

            let Some(next) = answer.body.get("next").and_then(Value::as_str) else {
                self.check(List, Rule::CrawlEnds, Ok(()));
                return Some(crawl);
            };
            let repeated = !seen.insert(next.to_owned());
            if repeated || crawl.pages >= MOST_PAGES {
                let pages = crawl.pages;
                let got = if repeated {
                    format!("the same next again after {pages} pages")
                } else {
                    format!("still a next after {pages} pages")
                };
                let verdict = Err(("a crawl that comes to its end".to_owned(), got));
                self.check(List, Rule::CrawlEnds, verdict);
                return None;
            }
            crawl.first_next.get_or_insert_with(|| next.to_owned());
            path = format!("{first}&cursor={}", encoded(next));
            // A store that grows as fast as it is read has no last page.
            if with_changes
                && crawl.pages <= MOST_CHANGES
                && let Some(change) = &self.fixtures.between_pages
            {
                change().await;
            }
        }
    }

    fn once(&mut self, crawl: &Crawl) {
        let mut seen = BTreeSet::new();
        let twice: Vec<&String> = crawl.ids.iter().filter(|id| !seen.insert(*id)).collect();
        let verdict = match twice.first() {
            None => Ok(()),
            Some(id) => Err((
                "every record once".to_owned(),
                format!("{id} again (records that came again: {})", twice.len()),
            )),
        };
        self.check(List, Rule::EachRecordOnce, verdict);
    }

    async fn holds_the_fixture(&mut self, crawl: &Crawl) {
        let id = &self.fixtures.customer;
        let verdict = if crawl.ids.contains(id) {
            Ok(())
        } else {
            Err((
                format!("the customer {id} among the listed"),
                format!("{} others", crawl.ids.len()),
            ))
        };
        self.check(List, Rule::Found, verdict);
        for record in crawl.records.iter().take(COMPARED) {
            let id = record["id"].as_str().unwrap_or_default();
            let path = self.path(&format!("/customers/{}", encoded(id)));
            let answer = self.client.get_unchecked(&path).await;
            let verdict = match answer.status {
                200 => same_record(record, &answer.body, "list and retrieve"),
                _ => Err((
                    format!("retrieve to have the listed customer {id}"),
                    described(&answer),
                )),
            };
            self.check(List, Rule::SameRecord, verdict);
        }
    }

    async fn lists_apart(&mut self, whole: &str, live: &Crawl) {
        let test_customer = self.fixtures.test_customer.clone();
        if let Some(id) = &test_customer {
            self.check(List, Rule::ModesApart, absent(live, id, "live"));
        }
        if self.live_only {
            return;
        }
        let client = self.in_test_mode();
        let Some(test) = self.crawl(&client, whole, false).await else {
            return;
        };
        let live_customer = self.fixtures.customer.clone();
        self.check(
            List,
            Rule::ModesApart,
            absent(&test, &live_customer, "test"),
        );
        if let Some(id) = test_customer {
            let verdict = if test.ids.contains(&id) {
                Ok(())
            } else {
                Err((
                    format!("the customer {id} among those listed in test mode"),
                    format!("{} others", test.ids.len()),
                ))
            };
            self.check(List, Rule::ModesApart, verdict);
        }
    }

    async fn limits(&mut self) {
        let base = self.path("/customers?limit=");
        for limit in ["0", "-1", "abc", "1.5", ""] {
            let answer = self.client.get_unchecked(&format!("{base}{limit}")).await;
            let when = format!("for limit={limit}");
            self.check(List, Rule::LimitBounds, status_is(&answer, 400, &when));
        }
        for limit in ["1000000000", "18446744073709551616"] {
            let answer = self.client.get_unchecked(&format!("{base}{limit}")).await;
            let most = usize::from(self.max_page);
            let verdict = page_of(&answer, most).map(|_| ());
            self.check(List, Rule::LimitBounds, verdict);
        }
    }

    async fn cursors(&mut self, crawl: &Crawl) {
        let Some(next) = &crawl.first_next else {
            return;
        };
        let base = self.path("/customers?cursor=");
        let mut damaged = next.clone();
        let last = damaged.pop();
        damaged.push(if last == Some('A') { 'B' } else { 'A' });
        let long = "A".repeat(10_000);
        for (what, cursor) in [
            ("an empty cursor", ""),
            ("a cursor cut short", next.get(1..).unwrap_or_default()),
            ("a damaged cursor", &damaged),
            ("an invented cursor", "eyJpZCI6MX0"),
            ("a cursor of 10,000 characters", &long),
        ] {
            let answer = self.client.get_unchecked(&format!("{base}{cursor}")).await;
            let when = format!("for {what}");
            self.check(List, Rule::ForeignCursor, status_is(&answer, 400, &when));
        }
        let answer = self
            .in_test_mode()
            .get_unchecked(&format!("{base}{next}"))
            .await;
        let verdict = status_is(&answer, 400, "in test mode for a cursor of live mode");
        self.check(List, Rule::ForeignCursor, verdict);
    }

    /// One more crawl while the merchant's hook changes the store, between two quiet ones.
    async fn under_change(&mut self, before: &Crawl) {
        if self.fixtures.between_pages.is_none() {
            return;
        }
        let limit = (before.ids.len() / 4).clamp(1, usize::from(self.max_page));
        let path = self.path(&format!("/customers?limit={limit}"));
        let live = self.client.clone();
        let Some(during) = self.crawl(&live, &path, true).await else {
            return;
        };
        let whole = self.path(&format!("/customers?limit={}", self.max_page));
        let Some(after) = self.crawl(&live, &whole, false).await else {
            return;
        };
        let after = set(&after);
        let all_along: BTreeSet<&str> = set(before).intersection(&after).copied().collect();
        let came: Vec<&str> = during.ids.iter().map(String::as_str).collect();
        let mut seen = BTreeSet::new();
        let twice = came.iter().find(|id| !seen.insert(**id));
        let lost = all_along.difference(&seen).next();
        let expected = "every record that is there during the whole crawl, exactly once".to_owned();
        let verdict = match (twice, lost) {
            (None, None) => Ok(()),
            (Some(id), _) => Err((expected, format!("{id} twice after the store had changed"))),
            (None, Some(id)) => Err((
                expected,
                format!("{id} not at all after the store had changed"),
            )),
        };
        self.check(List, Rule::StableUnderChange, verdict);
    }
}

fn absent(crawl: &Crawl, id: &str, mode: &str) -> Result<(), (String, String)> {
    if crawl.ids.iter().any(|listed| listed == id) {
        return Err((
            format!("a list in {mode} mode without the other mode's customer {id}"),
            "the customer in it".to_owned(),
        ));
    }
    Ok(())
}

fn set(crawl: &Crawl) -> BTreeSet<&str> {
    crawl.ids.iter().map(String::as_str).collect()
}

fn differing(all: &BTreeSet<&str>, these: &BTreeSet<&str>) -> String {
    let lost = all.difference(these).next();
    let more = these.difference(all).next();
    match (lost, more) {
        (Some(id), _) => format!("{} records, {id} is missing", these.len()),
        (None, Some(id)) => format!("{} records, {id} is new", these.len()),
        (None, None) => "the same".to_owned(),
    }
}

fn page_of(answer: &Answer, limit: usize) -> Result<Vec<Value>, (String, String)> {
    let expected = format!("200 and at most {limit} records");
    let records = answer.body.get("data").and_then(Value::as_array);
    match records {
        Some(records) if answer.status == 200 && records.len() <= limit => Ok(records.clone()),
        Some(records) if answer.status == 200 => {
            Err((expected, format!("200 and {} records", records.len())))
        }
        _ => Err((expected, described(answer))),
    }
}
