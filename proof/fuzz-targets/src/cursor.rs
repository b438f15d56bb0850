//! Cursors, signed as part of a request.

use std::sync::LazyLock;

use churnkey_conformance::Answer;
use churnkey_integrator::Mode;
use http::{Method, Request};

use crate::merchant::{answer, signed};

/// Cursors that the integration has issued, of two lists.
static ISSUED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let of = |path: &str| {
        let answer = get(&format!("{path}?limit=1"));
        answer.body()["next"].as_str().unwrap().to_owned()
    };
    vec![of("/churnkey/customers"), of("/churnkey/prices")]
});

fn get(path: &str) -> Answer {
    let mut request = Request::get(path).body(Vec::new()).unwrap();
    *request.headers_mut() = signed(&Method::GET, path, Mode::Live, b"");
    answer(request)
}

/// A cursor is taken by the list that issued it, and any other is a 400.
///
/// The first byte chooses: any text, or an issued cursor with some bytes changed.
///
/// # Panics
/// If it is not so.
pub fn cursor(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let issued = &*ISSUED;
    let cursor: Vec<u8> = match usize::from(*first) % 3 {
        2 => rest.to_vec(),
        n => {
            let mut changed = issued[n].clone().into_bytes();
            for change in rest.chunks_exact(2) {
                let at = usize::from(change[0]) % changed.len();
                changed[at] = change[1];
            }
            changed
        }
    };
    let sent = percent_encoding::percent_encode(&cursor, percent_encoding::NON_ALPHANUMERIC);
    let answer = get(&format!("/churnkey/customers?limit=2&cursor={sent}"));
    match cursor == issued[0].as_bytes() {
        true => assert_eq!(answer.status(), 200),
        false => assert_eq!(answer.status(), 400, "{cursor:?}"),
    }
}
