//! Which operation of the contract a request is for.

use churnkey_conformance::churnkey_integrator::Operation;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The operation with this method and path below the prefix, if it is one of the contract's.
pub(crate) fn operation_of(method: &Method, path: &str) -> Option<Operation> {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    let matches = |operation: &Operation| {
        let pattern: Vec<&str> = operation.path().split('/').collect();
        let is_head_of_get = *method == Method::HEAD && operation.method() == Method::GET;
        (operation.method() == *method || is_head_of_get)
            && pattern.len() == parts.len()
            && pattern.iter().zip(&parts).all(|(pattern, part)| {
                pattern == part || pattern.starts_with('{') && !part.is_empty()
            })
    };
    // A look-up by a contact wins over the subscriptions of a customer: the first literal part decides.
    let literals = |operation: &Operation| -> Vec<bool> {
        let parts = operation.path().split('/');
        parts.map(|part| !part.starts_with('{')).collect()
    };
    Operation::all().filter(matches).max_by_key(literals)
}

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    const PLAIN: AsciiSet = NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    utf8_percent_encode(text, &PLAIN).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_for_the_operation_with_its_path() {
        for (method, path, name) in [
            (Method::GET, "/features", Some("features")),
            (
                Method::GET,
                "/customers/cus_1?x=/y",
                Some("customers.retrieve"),
            ),
            (Method::HEAD, "/customers", Some("customers.list")),
            (
                Method::GET,
                "/customers/email/a%2Fb",
                Some("customers.find_by_email"),
            ),
            (
                Method::GET,
                "/customers/email/subscriptions",
                Some("customers.find_by_email"),
            ),
            (
                Method::GET,
                "/customers/c/subscriptions",
                Some("subscriptions.list"),
            ),
            (
                Method::GET,
                "/customers/c/subscriptions/s",
                Some("subscriptions.retrieve"),
            ),
            (Method::POST, "/actions/customer/cancel", Some("cancel_all")),
            (Method::GET, "/actions/customer/cancel", None),
            (Method::GET, "/customers/", None),
            (Method::GET, "/", None),
        ] {
            assert_eq!(
                operation_of(&method, path).map(Operation::name),
                name,
                "{method} {path}"
            );
        }
    }
}
