//! Follows a list from page to page, and looks for what is wrong with its pages on the way.

use std::{collections::HashSet, fmt};

use churnkey_conformance::churnkey_integrator::Operation;
use serde_json::{Value, json};

use crate::{
    connection::Connection,
    exit::Failure,
    operations::{operation_of, segment},
};

/// So many pages on end without a new record, and the list is taken for endless.
const MOST_STALE_PAGES: u32 = 100;

/// Something wrong with a page or a record of it.
#[derive(Debug)]
pub(crate) struct Wrong {
    page: u64,
    field: String,
    expected: String,
    got: String,
    section: &'static str,
}

impl Wrong {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "page": self.page,
            "field": self.field,
            "expected": self.expected,
            "got": self.got,
            "section": self.section,
        })
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            page,
            field,
            expected,
            got,
            section,
        } = self;
        write!(
            f,
            "page {page}, {field}: expected {expected}; got {got} (contract, section {section})"
        )
    }
}

/// A list that is being read.
pub(crate) struct Crawl<'a> {
    connection: &'a Connection,
    path: String,
    operation: Option<Operation>,
    limit: Option<u32>,
    next: Next,
    cursors: HashSet<String>,
    ids: HashSet<String>,
    stale_pages: u32,
    pages: u64,
    records: u64,
    wrong: Vec<Wrong>,
}

enum Next {
    First,
    Cursor(String),
    End,
}

impl<'a> Crawl<'a> {
    /// Nothing is sent yet. The path is below the prefix.
    pub(crate) fn new(connection: &'a Connection, path: &str, limit: Option<u32>) -> Self {
        Self {
            connection,
            path: path.to_owned(),
            operation: operation_of(&http::Method::GET, path),
            limit,
            next: Next::First,
            cursors: HashSet::new(),
            ids: HashSet::new(),
            stale_pages: 0,
            pages: 0,
            records: 0,
            wrong: Vec::new(),
        }
    }

    pub(crate) fn pages(&self) -> u64 {
        self.pages
    }

    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    pub(crate) fn wrong(&self) -> &[Wrong] {
        &self.wrong
    }

    /// Whether there is nothing behind the pages that were read.
    pub(crate) fn is_at_end(&self) -> bool {
        matches!(self.next, Next::End)
    }

    /// The records of the next page, if there is one.
    pub(crate) async fn page(&mut self) -> Result<Option<Vec<Value>>, Failure> {
        let cursor = match &self.next {
            Next::First => None,
            Next::Cursor(cursor) => Some(format!("cursor={}", segment(cursor))),
            Next::End => return Ok(None),
        };
        let limit = self.limit.map(|limit| format!("limit={limit}"));
        let parameters: Vec<String> = limit.into_iter().chain(cursor).collect();
        let query = match parameters.is_empty() {
            true => String::new(),
            false => format!("?{}", parameters.join("&")),
        };
        let answer = self
            .connection
            .get(&format!("{}{query}", self.path))
            .await?;
        self.pages += 1;
        for wrong in answer.wrong_shapes(self.operation) {
            self.found(
                wrong.field(),
                wrong.expected(),
                wrong.got(),
                wrong.section(),
            );
        }
        let mut body = answer.into_body();
        let next = match body.get("next") {
            Some(Value::String(next)) => Some(next.clone()),
            _ => None,
        };
        let records = match body.get_mut("data").map(Value::take) {
            Some(Value::Array(records)) => records,
            _ => Vec::new(),
        };
        self.look_at(&records, next.is_some());
        self.next = match next {
            None => Next::End,
            Some(next) => self.follow(next),
        };
        Ok(Some(records))
    }

    fn look_at(&mut self, records: &[Value], has_next: bool) {
        if let Some(limit) = self.limit
            && records.len() > usize::try_from(limit).unwrap_or(usize::MAX)
        {
            self.found(
                "data",
                &format!("{limit} records at most"),
                &records.len().to_string(),
                "2.5",
            );
        }
        if records.is_empty() && (has_next || self.pages > 1) {
            self.found(
                "data",
                "a record on every page but an only one",
                "none",
                "2.5",
            );
        }
        let mut is_new = false;
        for (index, record) in records.iter().enumerate() {
            self.records += 1;
            let Some(id) = record.get("id").and_then(Value::as_str) else {
                continue;
            };
            if self.ids.insert(id.to_owned()) {
                is_new = true;
            } else {
                let got = format!("{id} again");
                self.found(
                    &format!("data[{index}].id"),
                    "every record once",
                    &got,
                    "2.5",
                );
            }
        }
        self.stale_pages = if is_new { 0 } else { self.stale_pages + 1 };
    }

    fn follow(&mut self, next: String) -> Next {
        let got = if !self.cursors.insert(next.clone()) {
            "the cursor of an earlier page".to_owned()
        } else if self.stale_pages >= MOST_STALE_PAGES {
            format!("{MOST_STALE_PAGES} pages without a new record")
        } else {
            return Next::Cursor(next);
        };
        self.found("next", "a list that comes to its end", &got, "2.5");
        Next::End
    }

    fn found(&mut self, field: &str, expected: &str, got: &str, section: &'static str) {
        self.wrong.push(Wrong {
            page: self.pages,
            field: field.to_owned(),
            expected: expected.to_owned(),
            got: got.to_owned(),
            section,
        });
    }
}
