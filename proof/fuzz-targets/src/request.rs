//! Any request, through the whole router.

use arbitrary::{Arbitrary, Unstructured};
use churnkey_integrator::{Mode, Operation};
use http::{HeaderName, HeaderValue, Method, Request, Uri};

use crate::merchant::{answer, signed};

/// Texts that lead further than random ones.
const WORDS: &[&str] = &[
    "cus_ada",
    "sub_ada_pro",
    "price_pro_month",
    "c_20off",
    "prod_pro",
    "fam_core",
    "email",
    "..",
    "%2e",
    "%00",
    "%F0%9F",
    "ada@example.com",
    "+441632960001",
    "actions",
    "churnkey",
];

const HEADERS: &[&str] = &[
    "authorization",
    "content-length",
    "content-type",
    "idempotency-key",
    "traceparent",
    "x-churnkey-mode",
    "x-churnkey-signature",
    "x-churnkey-timestamp",
    "x-request-id",
];

#[derive(Debug, Arbitrary)]
struct Call<'a> {
    method: u8,
    /// An operation of the table, or none.
    operation: Option<u8>,
    /// What stands for the parameters of its path, or what the path is made of.
    parts: Vec<Part<'a>>,
    query: Option<&'a str>,
    headers: Vec<(u8, &'a [u8])>,
    is_signed: bool,
    is_test: bool,
    body: &'a [u8],
}

#[derive(Debug, Arbitrary)]
enum Part<'a> {
    Word(u8),
    Text(&'a str),
}

impl Part<'_> {
    fn text(&self) -> String {
        match self {
            Self::Word(n) => pick(WORDS, *n).to_owned(),
            // As a caller has to write it. Control characters and such get in by their codes.
            Self::Text(text) => {
                percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                    .to_string()
            }
        }
    }
}

fn pick<'a, T: ?Sized>(all: &[&'a T], n: u8) -> &'a T {
    all[usize::from(n) % all.len()]
}

/// No request is a server error, every answer has the contract's shape, and none without a credential gets anything.
///
/// # Panics
/// If it is not so.
pub fn request(data: &[u8]) {
    let Ok(call) = Call::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let Some(request) = call.request() else {
        return;
    };
    let has_credential = ["authorization", "x-churnkey-signature"]
        .iter()
        .any(|name| request.headers().contains_key(*name));
    let answer = answer(request);
    if !has_credential {
        // A body that is announced as too large is refused before anything else.
        assert!(matches!(answer.status(), 401 | 413), "{call:?}: {answer:?}");
    }
}

impl Call<'_> {
    fn request(&self) -> Option<Request<Vec<u8>>> {
        let operations: Vec<Operation> = Operation::all().collect();
        let operation = self
            .operation
            .map(|n| operations[usize::from(n) % operations.len()]);
        let method = match (operation, self.method) {
            (Some(operation), 0..128) => operation.method(),
            (_, n) => pick(
                &[
                    &Method::GET,
                    &Method::HEAD,
                    &Method::POST,
                    &Method::PUT,
                    &Method::OPTIONS,
                ],
                n,
            )
            .clone(),
        };
        let mut uri = format!("/churnkey{}", self.path(operation));
        if let Some(query) = self.query {
            uri.push('?');
            uri.push_str(query);
        }
        let uri: Uri = uri.parse().ok()?;
        let sent = uri.path_and_query()?.as_str().to_owned();

        let mut request = Request::new(self.body.to_vec());
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri;
        if self.is_signed {
            let mode = if self.is_test { Mode::Test } else { Mode::Live };
            *request.headers_mut() = signed(&method, &sent, mode, self.body);
        }
        for (name, value) in &self.headers {
            let name = HeaderName::from_static(pick(HEADERS, *name));
            request
                .headers_mut()
                .append(name, HeaderValue::from_bytes(value).ok()?);
        }
        Some(request)
    }

    fn path(&self, operation: Option<Operation>) -> String {
        let mut parts = self.parts.iter().map(Part::text);
        let Some(operation) = operation else {
            return parts.map(|part| format!("/{part}")).collect();
        };
        let segments = operation.path().split('/').skip(1);
        let segments = segments.map(|segment| match segment.strip_prefix('{') {
            Some(_) => format!("/{}", parts.next().unwrap_or_default()),
            None => format!("/{segment}"),
        });
        segments.collect()
    }
}
