//! Lists: page by page, in several page sizes, while the store changes, and with cursors of all kinds.

use std::collections::BTreeSet;

use churnkey_integrator::{
    CouponsOperation, CustomersOperation, FamiliesOperation, Operation, PricesOperation,
    ProductsOperation, SubscriptionsOperation,
};
use serde_json::Value;

use crate::{
    answer::Answer,
    client::Client,
    records::{self, Kind},
    rule::Rule,
    suite::{Suite, encoded},
    verdict::{Verdict, described, same_record, status_is},
};

/// A list, and what is known to be in it.
#[derive(Clone)]
pub(crate) struct Listing {
    pub(crate) operation: Operation,
    pub(crate) kind: Kind,
    /// What it is a list of.
    pub(crate) of: String,
    /// Where it is, with the prefix; a record is there behind one more slash.
    pub(crate) path: String,
    /// A record of live mode only.
    pub(crate) live: Option<String>,
    /// A record of test mode only.
    pub(crate) test: Option<String>,
}

impl Listing {
    /// Whether it is of one customer, who need not be there in the other mode.
    fn is_nested(&self) -> bool {
        matches!(self.operation, Operation::Subscriptions(_))
    }
}

/// More pages than this, and the crawl is taken for endless.
const MOST_PAGES: usize = 20_000;
/// So many pages on end without a record that is new, and it is endless as well.
const MOST_STALE_PAGES: usize = 100;
/// How often the store changes during a crawl.
const MOST_CHANGES: usize = 3;
/// How many listed records are compared with what `retrieve` says.
const COMPARED: usize = 10;
/// How many listed customers are asked for their subscriptions, and how many of these are compared in all.
pub(crate) const SAMPLED: usize = 100;
/// The page that is asked for to have as few as possible; a merchant whose maximum is lower cuts it down.
const LARGE_PAGE: u16 = 500;

/// What a crawl brought.
struct Crawl {
    ids: Vec<String>,
    /// The first of the records.
    records: Vec<Value>,
    /// What is wrong with the first of them that the model can't read.
    malformed: Option<(String, String)>,
    pages: usize,
    first_next: Option<String>,
}

impl Suite {
    /// What the operation lists, if it is a list and the fixtures name something in it.
    pub(crate) fn listing(&self, operation: Operation) -> Option<Listing> {
        let fixtures = &self.fixtures;
        let (kind, path, live, test) = match operation {
            Operation::Customers(CustomersOperation::List) => {
                let test = fixtures.test_customer.clone();
                let live = fixtures.customer.clone();
                (
                    records::CUSTOMERS,
                    "/customers".to_owned(),
                    Some(live),
                    test,
                )
            }
            Operation::Subscriptions(SubscriptionsOperation::List) => {
                let subject = fixtures.subscription.clone()?;
                let path = format!("/customers/{}/subscriptions", encoded(&subject.customer));
                (
                    records::SUBSCRIPTIONS,
                    path,
                    Some(subject.subscription),
                    None,
                )
            }
            Operation::Prices(PricesOperation::List)
            | Operation::Coupons(CouponsOperation::List)
            | Operation::Products(ProductsOperation::List)
            | Operation::Families(FamiliesOperation::List) => {
                let (kind, live) = self.catalogue(operation)?;
                (kind, operation.path().to_owned(), live, None)
            }
            _ => return None,
        };
        let of = match (operation, &fixtures.subscription) {
            (Operation::Subscriptions(_), Some(subject)) => {
                format!("{} of the customer {}", kind.several, subject.customer)
            }
            _ => kind.several.to_owned(),
        };
        Some(Listing {
            operation,
            kind,
            of,
            path: self.path(&path),
            live,
            test,
        })
    }

    pub(crate) async fn list(&mut self, list: &Listing) {
        let live = self.client.clone();
        let whole = Self::whole(list);
        let Some(reference) = self.crawl(list, &live, &whole, false).await else {
            return;
        };
        self.once(list, &reference);
        let verdict = reference.malformed.clone().map_or(Ok(()), Err);
        self.check(list.operation, Rule::WellFormed, verdict);
        self.holds_the_fixture(list, &reference);
        self.compare(list, &reference.records).await;
        if list.operation == CustomersOperation::List.into() {
            let first = reference.ids.iter().take(SAMPLED);
            self.listed_customers = first.cloned().collect();
        }
        self.lists_apart(list, &reference).await;

        for limit in [1, 2, 3, 7] {
            // A large store is crawled page by page in the larger sizes only.
            if reference.ids.len() / limit > MOST_PAGES / 20 {
                continue;
            }
            let path = format!("{}?limit={limit}", list.path);
            let Some(crawl) = self.crawl(list, &live, &path, false).await else {
                return;
            };
            self.once(list, &crawl);
            let (all, these) = (set(&reference), set(&crawl));
            let verdict = if all == these {
                Ok(())
            } else {
                Err((
                    format!("the same {} {} with limit={limit}", all.len(), list.of),
                    differing(&all, &these),
                ))
            };
            self.check(list.operation, Rule::EachRecordOnce, verdict);
            let verdict = if all != these || in_order(&reference) == in_order(&crawl) {
                Ok(())
            } else {
                Err((
                    format!(
                        "the same order of {} with limit={limit} as in one page",
                        list.of
                    ),
                    "another order".to_owned(),
                ))
            };
            self.check(list.operation, Rule::StableOrder, verdict);
            self.cursors(list, &crawl).await;
        }
        self.limits(list).await;
    }

    /// The path of pages as large as they may be.
    fn whole(list: &Listing) -> String {
        format!("{}?limit={LARGE_PAGE}", list.path)
    }

    /// Follows `next` to the end.
    async fn crawl(
        &mut self,
        list: &Listing,
        client: &Client,
        first: &str,
        with_changes: bool,
    ) -> Option<Crawl> {
        let mut crawl = Crawl {
            ids: Vec::new(),
            records: Vec::new(),
            malformed: None,
            pages: 0,
            first_next: None,
        };
        let limit = first
            .rsplit_once('=')
            .and_then(|(_, n)| n.parse().ok())
            .unwrap_or(usize::MAX);
        let (mut seen, mut known) = (BTreeSet::new(), BTreeSet::new());
        let mut stale_pages = 0;
        let mut path = first.to_owned();
        loop {
            let answer = client.get_unchecked(&path).await;
            crawl.pages += 1;
            let records = match page_of(&answer, limit, &list.of) {
                Ok(records) => records,
                Err(verdict) => {
                    self.check(list.operation, Rule::PageWithinLimit, Err(verdict));
                    return None;
                }
            };
            self.check(list.operation, Rule::PageWithinLimit, Ok(()));
            let has_next = answer.body().get("next").is_some_and(Value::is_string);
            let page = crawl.pages;
            let verdict = match (records.is_empty() && !with_changes, has_next) {
                (true, true) => Err((
                    format!("some of the {} on every page that has a next", list.of),
                    format!("an empty page {page} with a next"),
                )),
                (true, false) if page > 1 => Err((
                    format!("no next on the last page of {}", list.of),
                    format!("an empty page {page} behind a next"),
                )),
                _ => Ok(()),
            };
            self.check(list.operation, Rule::NoEmptyPage, verdict);
            let malformed = records
                .iter()
                .find_map(|record| list.kind.is_well_formed(record).err());
            crawl.malformed = crawl.malformed.or(malformed);
            let id = |record: &Value| record["id"].as_str().unwrap_or_default().to_owned();
            let ids: Vec<String> = records.iter().map(id).collect();
            let is_new = ids.iter().filter(|id| known.insert((*id).clone())).count() > 0;
            stale_pages = if is_new { 0 } else { stale_pages + 1 };
            crawl.ids.extend(ids);
            let room = COMPARED.saturating_sub(crawl.records.len());
            crawl.records.extend(records.into_iter().take(room));

            let Some(next) = answer.body().get("next").and_then(Value::as_str) else {
                self.check(list.operation, Rule::CrawlEnds, Ok(()));
                return Some(crawl);
            };
            let repeated = !seen.insert(next.to_owned());
            if repeated || stale_pages >= MOST_STALE_PAGES || crawl.pages >= MOST_PAGES {
                let pages = crawl.pages;
                let got = if repeated {
                    format!("the same next again after {pages} pages")
                } else {
                    format!(
                        "still a next after {pages} pages, {stale_pages} of them without a new record"
                    )
                };
                let verdict = Err((format!("a crawl of {} that comes to its end", list.of), got));
                self.check(list.operation, Rule::CrawlEnds, verdict);
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

    fn once(&mut self, list: &Listing, crawl: &Crawl) {
        let mut seen = BTreeSet::new();
        let twice: Vec<&String> = crawl.ids.iter().filter(|id| !seen.insert(*id)).collect();
        let verdict = match twice.first() {
            None => Ok(()),
            Some(id) => Err((
                format!("each of the {} once", list.of),
                format!("{id} again ({} in all that came again)", twice.len()),
            )),
        };
        self.check(list.operation, Rule::EachRecordOnce, verdict);
    }

    fn holds_the_fixture(&mut self, list: &Listing, crawl: &Crawl) {
        let Some(id) = &list.live else {
            return;
        };
        let what = list.kind.what;
        let verdict = if crawl.ids.contains(id) {
            Ok(())
        } else {
            Err((
                format!("the {what} {id} among the listed"),
                format!("{} others", crawl.ids.len()),
            ))
        };
        self.check(list.operation, Rule::Found, verdict);
    }

    /// What is listed is what `retrieve` says, and what it refers to is there.
    pub(crate) async fn compare(&mut self, list: &Listing, records: &[Value]) {
        let what = list.kind.what;
        for record in records {
            let id = record["id"].as_str().unwrap_or_default();
            let path = format!("{}/{}", list.path, encoded(id));
            let answer = self.client.get_unchecked(&path).await;
            let expected = format!("retrieve to have the listed {what} {id}");
            if !self.failed(list.kind.retrieve, &expected, &answer) {
                let verdict = match answer.status() {
                    200 => {
                        let of = format!("list and retrieve for the {what} {id}");
                        same_record(record, answer.body(), &of)
                    }
                    _ => Err((expected, described(&answer))),
                };
                self.check(list.operation, Rule::SameRecord, verdict);
            }
            self.is_of_the_declared_type(list.operation, record);
            self.references(list.operation, list.kind, record).await;
            let is_customer = list.operation == CustomersOperation::List.into();
            if is_customer && list.kind.is_well_formed(record).is_ok() {
                self.is_found_by_contact(record).await;
            }
        }
    }

    async fn lists_apart(&mut self, list: &Listing, live: &Crawl) {
        if self.is_shared(list.operation) {
            return;
        }
        let what = list.kind.what;
        if let Some(id) = &list.test {
            let verdict = absent(live, what, id, "live");
            self.check(list.operation, Rule::ModesApart, verdict);
        }
        if self.live_only {
            return;
        }
        let client = self.in_test_mode();
        let whole = Self::whole(list);
        if list.is_nested() && client.get_unchecked(&whole).await.status() == 404 {
            self.check(list.operation, Rule::ModesApart, Ok(()));
            return;
        }
        let Some(test) = self.crawl(list, &client, &whole, false).await else {
            return;
        };
        if let Some(id) = &list.live {
            let verdict = absent(&test, what, id, "test");
            let is_mixed = verdict.is_err();
            self.check(list.operation, Rule::ModesApart, verdict);
            if is_mixed {
                return;
            }
        }
        if let Some(id) = &list.test {
            let verdict = if test.ids.contains(id) {
                Ok(())
            } else {
                Err((
                    format!("the {what} {id} among those listed in test mode"),
                    format!("{} others", test.ids.len()),
                ))
            };
            self.check(list.operation, Rule::Found, verdict);
        }
    }

    async fn limits(&mut self, list: &Listing) {
        let base = format!("{}?limit=", list.path);
        for limit in ["0", "-1", "abc", "1.5", ""] {
            let answer = self.client.get_unchecked(&format!("{base}{limit}")).await;
            let when = format!("for limit={limit}");
            let verdict = status_is(&answer, 400, &when);
            self.check(list.operation, Rule::LimitBounds, verdict);
        }
        for limit in ["1000000000", "18446744073709551616"] {
            let answer = self.client.get_unchecked(&format!("{base}{limit}")).await;
            let verdict = page_of(&answer, usize::MAX, &list.of).map(|_| ());
            self.check(list.operation, Rule::LimitBounds, verdict);
        }
    }

    async fn cursors(&mut self, list: &Listing, crawl: &Crawl) {
        let Some(next) = &crawl.first_next else {
            return;
        };
        let base = format!("{}?cursor=", list.path);
        let mut damaged = next.clone();
        let last = damaged.pop();
        damaged.push(if last == Some('A') { 'B' } else { 'A' });
        // Proxies refuse longer lines on their own.
        let long = "A".repeat(4_000);
        for (what, cursor) in [
            ("an empty cursor", ""),
            ("a cursor cut short", next.get(1..).unwrap_or_default()),
            ("a damaged cursor", &damaged),
            ("an invented cursor", "eyJpZCI6MX0"),
            ("a cursor of 4,000 characters", &long),
        ] {
            let path = format!("{base}{}", encoded(cursor));
            let answer = self.client.get_unchecked(&path).await;
            let when = format!("for {what}");
            let verdict = status_is(&answer, 400, &when);
            self.check(list.operation, Rule::ForeignCursor, verdict);
        }
        let path = format!("{base}{}", encoded(next));
        let answer = self.in_test_mode().get_unchecked(&path).await;
        let status = if list.is_nested() && answer.status() == 404 {
            404
        } else {
            400
        };
        let verdict = status_is(&answer, status, "in test mode for a cursor of live mode");
        self.check(list.operation, Rule::ForeignCursor, verdict);
    }

    /// Every list once more, while the merchant's hook changes the store.
    pub(crate) async fn lists_under_change(&mut self) {
        if self.fixtures.between_pages.is_none() {
            return;
        }
        for operation in self.served.clone() {
            if !self.is_asked_for(operation) {
                continue;
            }
            if let Some(list) = self.listing(operation) {
                self.under_change(&list).await;
            }
        }
    }

    /// A crawl while the store changes, between two quiet ones.
    async fn under_change(&mut self, list: &Listing) {
        // What a quiet crawl loses or repeats, no change is to blame for.
        if self.report.is_broken(list.operation, Rule::EachRecordOnce) {
            return;
        }
        let whole = Self::whole(list);
        let live = self.client.clone();
        let Some(before) = self.crawl(list, &live, &whole, false).await else {
            return;
        };
        let limit = (before.ids.len() / 4).clamp(1, usize::from(LARGE_PAGE));
        let path = format!("{}?limit={limit}", list.path);
        let Some(during) = self.crawl(list, &live, &path, true).await else {
            return;
        };
        let Some(after) = self.crawl(list, &live, &whole, false).await else {
            return;
        };
        let after = set(&after);
        let all_along: BTreeSet<&str> = set(&before).intersection(&after).copied().collect();
        let came: Vec<&str> = during.ids.iter().map(String::as_str).collect();
        let mut seen = BTreeSet::new();
        let twice = came.iter().find(|id| !seen.insert(**id));
        let lost = all_along.difference(&seen).next();
        let expected = format!(
            "each of the {} that are there during the whole crawl, exactly once",
            list.of
        );
        let verdict = match (twice, lost) {
            (None, None) => Ok(()),
            (Some(id), _) => Err((expected, format!("{id} twice after the store had changed"))),
            (None, Some(id)) => Err((
                expected,
                format!("{id} not at all after the store had changed"),
            )),
        };
        self.check(list.operation, Rule::StableUnderChange, verdict);
    }
}

fn absent(crawl: &Crawl, what: &str, id: &str, mode: &str) -> Verdict {
    if crawl.ids.iter().any(|listed| listed == id) {
        return Err((
            format!("a list in {mode} mode without the other mode's {what} {id}"),
            format!("the {what} in it"),
        ));
    }
    Ok(())
}

fn set(crawl: &Crawl) -> BTreeSet<&str> {
    crawl.ids.iter().map(String::as_str).collect()
}

/// The ids in the order in which they came first.
fn in_order(crawl: &Crawl) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    let ids = crawl.ids.iter().map(String::as_str);
    ids.filter(|id| seen.insert(*id)).collect()
}

fn differing(all: &BTreeSet<&str>, these: &BTreeSet<&str>) -> String {
    let lost = all.difference(these).next();
    let more = these.difference(all).next();
    match (lost, more) {
        (Some(id), _) => format!("{} of them, {id} is missing", these.len()),
        (None, Some(id)) => format!("{} of them, {id} is new", these.len()),
        (None, None) => "the same".to_owned(),
    }
}

fn page_of(answer: &Answer, limit: usize, of: &str) -> Result<Vec<Value>, (String, String)> {
    let expected = match limit {
        usize::MAX => format!("200 and a page of {of}"),
        _ => format!("200 and at most {limit} {of}"),
    };
    let records = answer.body().get("data").and_then(Value::as_array);
    match records {
        Some(records) if answer.status() == 200 && records.len() <= limit => Ok(records.clone()),
        Some(records) if answer.status() == 200 => {
            Err((expected, format!("200 and {} of them", records.len())))
        }
        _ => Err((expected, described(answer))),
    }
}
