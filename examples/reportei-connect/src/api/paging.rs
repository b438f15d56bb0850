//! Numbered pages, and their metadata.

use serde::Serialize;

use super::{PublicUrl, fields::Fields};
use crate::store::{PageNumber, Paged};

const DEFAULT_PER_PAGE: i64 = 15;
const MAX_PER_PAGE: i64 = 100;

/// A page as lists answer it.
#[derive(Serialize)]
pub(super) struct PageView<T> {
    data: Vec<T>,
    meta: Meta,
}

#[derive(Serialize)]
struct Meta {
    current_page: i64,
    /// The number of the page's first row, from 1.
    from: Option<i64>,
    last_page: i64,
    path: String,
    per_page: i64,
    to: Option<i64>,
    total: i64,
    #[serde(flatten)]
    sorting: Option<Sorting>,
}

/// The order of the list, if it can be sorted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sorting {
    pub(super) sort_by: Option<&'static str>,
    pub(super) descending: bool,
}

/// `page` and `per_page`.
pub(super) fn page_number(fields: &mut Fields) -> Option<PageNumber> {
    let page = fields.integer("page", 1, 1..=i64::MAX);
    let per_page = fields.integer("per_page", DEFAULT_PER_PAGE, 1..=MAX_PER_PAGE);
    Some(PageNumber {
        page: page?,
        per_page: per_page?,
    })
}

impl<T> PageView<T> {
    /// `path` is the path of the list after `/api`.
    pub(super) fn new<R>(
        paged: Paged<R>,
        page: PageNumber,
        sorting: Option<Sorting>,
        public_url: &PublicUrl,
        path: &str,
        view: impl FnMut(R) -> T,
    ) -> Self {
        let rows = i64::try_from(paged.rows.len()).unwrap_or(i64::MAX);
        let row = |number: i64| (rows > 0).then(|| page.offset().saturating_add(number));
        let full_pages = paged.total / page.per_page;
        let begun_pages = i64::from(paged.total % page.per_page != 0);
        Self {
            meta: Meta {
                current_page: page.page,
                from: row(1),
                last_page: full_pages.saturating_add(begun_pages).max(1),
                path: format!("{}/api/{path}", public_url.0),
                per_page: page.per_page,
                to: row(rows),
                total: paged.total,
                sorting,
            },
            data: paged.rows.into_iter().map(view).collect(),
        }
    }
}
