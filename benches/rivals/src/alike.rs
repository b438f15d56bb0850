//! Whether servers answer alike: without that, their speed can't be compared.

use std::{io, net::SocketAddr};

use serde_json::Value;

use crate::{
    by_hand::{CursorKeys, Mode, SigningKey, now},
    client::{Answer, Call, Connection},
    customers::id,
};

/// A call, and the status that every server has to answer it with.
#[derive(Debug)]
pub struct Case {
    name: &'static str,
    call: Call,
    status: u16,
}

/// Calls for servers of this many customers, at least 1000.
#[must_use]
pub fn cases(token: &str, customers: u64) -> Vec<Case> {
    let list = "/churnkey/customers";
    let first = &format!("{list}/{}", id(1));
    let key = SigningKey::new(token);
    let cursors = CursorKeys::new(token);
    let cursor = |after| cursors.sign(Mode::Live, after);
    let page = |limit: u64, after| format!("{list}?limit={limit}&cursor={}", cursor(after));
    let of_test = format!("{list}?cursor={}", cursors.sign(Mode::Test, 100));
    let now = now();

    let signed = |name, path: &str, status| Case {
        name,
        call: Call::signed(path, &key),
        status,
    };
    let in_mode = |name, path: &str, mode: &str, status| Case {
        name,
        call: Call::new(path, Some(&key.sign(path, mode, now))),
        status,
    };
    let with = |name, headers| Case {
        name,
        call: Call::new(first, headers),
        status: 401,
    };
    let of_another_token = SigningKey::new("another-token-for-the-rivals").sign(first, "live", now);
    let of_another_path = key.sign(list, "live", now);
    let too_old = key.sign(first, "live", now - 400);
    let mut in_upper_case = key.sign(first, "live", now);
    in_upper_case.signature = in_upper_case.signature.to_uppercase().replace("V1", "v1");
    let mut one_of_two = key.sign(first, "live", now);
    one_of_two.signature = format!("v1={}, {}", "0".repeat(64), one_of_two.signature);
    let mut changed = cursor(100);
    changed.replace_range(
        5..6,
        if changed.get(5..6) == Some("A") {
            "B"
        } else {
            "A"
        },
    );

    vec![
        signed("the first customer", first, 200),
        signed(
            "a customer in the middle",
            &format!("{list}/{}", id(customers / 2)),
            200,
        ),
        signed(
            "the last customer",
            &format!("{list}/{}", id(customers)),
            200,
        ),
        signed("the first page without parameters", list, 200),
        signed("the first page", &format!("{list}?limit=100"), 200),
        signed("the second page", &page(100, 100), 200),
        signed("the third page", &page(100, 200), 200),
        signed("a page in the middle", &page(100, customers / 2), 200),
        signed("a short page", &page(7, 300), 200),
        signed(
            "a page with a limit above the highest",
            &page(10_000, 5),
            200,
        ),
        signed("the last full page", &page(100, customers - 100), 200),
        signed("the last page", &page(100, customers - 30), 200),
        signed("the page after the last", &page(100, customers), 200),
        in_mode("a customer in test mode", first, "test", 404),
        in_mode("the page of test mode", list, "test", 200),
        with("no signature", None),
        with("the signature of another token", Some(&of_another_token)),
        with("the signature of another path", Some(&of_another_path)),
        with("a signature that is too old", Some(&too_old)),
        with("a signature in upper case", Some(&in_upper_case)),
        Case {
            name: "one right signature of two",
            call: Call::new(first, Some(&one_of_two)),
            status: 200,
        },
        Case {
            name: "an unknown path without a signature",
            call: Call::new("/churnkey/nothing", None),
            status: 401,
        },
        signed("an unknown path", "/churnkey/nothing", 404),
        signed("an unknown customer", &format!("{list}/cus_nobody"), 404),
        signed(
            "an id that is too long",
            &format!("{list}/{}", "x".repeat(256)),
            400,
        ),
        signed(
            "a cursor with a changed character",
            &format!("{list}?cursor={changed}"),
            400,
        ),
        signed("a cursor of test mode", &of_test, 400),
        signed("an invented cursor", &format!("{list}?cursor=%20eyJ"), 400),
        signed("an empty cursor", &format!("{list}?cursor="), 400),
        signed("a limit of 0", &format!("{list}?limit=0"), 400),
        signed("a limit in words", &format!("{list}?limit=all"), 400),
        signed("a repeated limit", &format!("{list}?limit=1&limit=2"), 400),
        in_mode("an unknown mode", first, "lively", 400),
    ]
}

/// How a server's answers differ from those of another one, and from the statuses of the cases.
///
/// # Errors
/// If one of the two can't be called.
pub fn differences(one: SocketAddr, other: SocketAddr, cases: &[Case]) -> io::Result<Vec<String>> {
    let (mut one, mut other) = (Connection::open(one)?, Connection::open(other)?);
    let mut differences = Vec::new();
    for Case { name, call, status } in cases {
        let (one, other) = (one.call(call)?, other.call(call)?);
        if one.status != *status || other.status != *status {
            let (one, other) = (one.status, other.status);
            differences.push(format!("{name}: expected {status}, got {one} and {other}"));
        } else if json(&one)? != json(&other)? {
            let (one, other) = (text(&one), text(&other));
            differences.push(format!("{name}: {one}\n is not {other}"));
        }
    }
    Ok(differences)
}

fn json(answer: &Answer) -> io::Result<Value> {
    Ok(serde_json::from_slice(&answer.body)?)
}

/// The beginning of a body.
fn text(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    text.chars().take(400).collect()
}
