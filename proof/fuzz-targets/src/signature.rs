//! The headers of a signature.

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use churnkey_integrator::{
    Credential, IntegrationToken, MODE_HEADER, Mode, SIGNATURE_HEADER, TIMESTAMP_HEADER, Timestamp,
    Verifier, sign,
};
use http::{HeaderValue, Method, Request};

const PATH: &str = "/churnkey/customers/cus_ada";
const SECONDS: i64 = 1_767_225_600;

struct Known {
    verifier: Verifier,
    now: Timestamp,
    signature: String,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let token = IntegrationToken::new("a-token-for-the-fuzzer-only").unwrap();
    let now = Timestamp::from_unix_seconds(SECONDS).unwrap();
    let signature = sign(&token, &Method::GET, PATH, Mode::Live, b"", now);
    Known {
        verifier: Verifier::new(token),
        now,
        signature: signature.signature().to_owned(),
    }
});

#[derive(Debug, Arbitrary)]
struct Sent<'a> {
    signatures: Vec<Element<'a>>,
    timestamp: Option<&'a [u8]>,
    mode: Option<&'a [u8]>,
    authorization: Option<&'a [u8]>,
}

#[derive(Debug, Arbitrary)]
enum Element<'a> {
    Right,
    Text(&'a [u8]),
}

/// A request is let in exactly if it has the right signature among at most eight, at the right time and in the right mode.
///
/// # Panics
/// If it is not so.
pub fn signature(data: &[u8]) {
    let Ok(sent) = Sent::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let known = &*KNOWN;
    let elements = sent.signatures.iter().map(|element| match element {
        Element::Right => known.signature.as_bytes(),
        Element::Text(text) => text,
    });
    let header = elements.collect::<Vec<_>>().join(b",".as_slice());
    let timestamp = sent
        .timestamp
        .map_or_else(|| SECONDS.to_string().into_bytes(), <[u8]>::to_vec);

    let (mut parts, ()) = Request::get(PATH).body(()).unwrap().into_parts();
    let mut add = |name, value: &[u8]| {
        HeaderValue::from_bytes(value).map(|value| parts.headers.append(name, value))
    };
    if add(SIGNATURE_HEADER, &header).is_err() || add(TIMESTAMP_HEADER, &timestamp).is_err() {
        return;
    }
    let sent_mode = sent.mode.unwrap_or(b"live");
    if sent
        .mode
        .is_some_and(|mode| add(MODE_HEADER, mode).is_err())
    {
        return;
    }
    // A signed request is judged by its signature alone.
    if sent
        .authorization
        .is_some_and(|value| add(http::header::AUTHORIZATION, value).is_err())
    {
        return;
    }

    let in_header: Vec<&[u8]> = header.split(|byte| *byte == b',').collect();
    let right = known.signature.as_bytes();
    let is_right = in_header.len() <= 8
        && in_header
            .iter()
            .any(|element| element.trim_ascii() == right)
        && timestamp == SECONDS.to_string().as_bytes()
        && sent_mode == b"live";
    let verdict = known.verifier.verify(&parts, b"", known.now);
    assert_eq!(verdict == Ok(Credential::Signature), is_right, "{parts:?}");
    assert!(is_right || verdict.is_err());
}
