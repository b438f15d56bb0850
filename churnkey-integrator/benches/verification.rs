//! What the authentication of a signed request costs beyond the HMAC that it can't do without.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark that can't run should stop"
)]

mod ratio;

use std::hint::black_box;

use churnkey_integrator::{
    AuthenticationError, Credential, IntegrationToken, Mode, Timestamp, Verifier, sign,
};
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request};
use ratio::{Goals, compare};
use sha2::Sha256;

const TOKEN: &str = "a-token-for-the-benchmarks-only!";
const PATH: &str = "/churnkey/subscriptions/sub_1/cancel";

fn main() {
    let token = IntegrationToken::new(TOKEN).unwrap();
    let now = Timestamp::from_unix_seconds(1_767_225_600).unwrap();
    let body = [b'a'; 256];
    let signature = sign(&token, &Method::POST, PATH, Mode::Live, &body, now);
    let (mut parts, ()) = Request::post(PATH).body(()).unwrap().into_parts();
    parts.headers.extend(signature.headers());
    let verifier = Verifier::new(token.clone());

    let mut message = format!("v1\n1767225600\nPOST\n{PATH}\nlive\n").into_bytes();
    message.extend_from_slice(&body);
    let tag = hex::decode(signature.signature().trim_start_matches("v1=")).unwrap();
    let key = Hmac::<Sha256>::new_from_slice(TOKEN.as_bytes()).unwrap();

    let ours = || verifier.verify(black_box(&parts), black_box(&body), black_box(now));
    let rival = || {
        let mac = key.clone().chain_update(black_box(message.as_slice()));
        mac.verify_slice(black_box(&tag))
    };
    assert_eq!(ours(), Ok(Credential::Signature));
    assert!(rival().is_ok());
    let spoilt = verifier.verify(&parts, b"{}", now);
    assert_eq!(spoilt, Err(AuthenticationError::WrongSignature));

    let goals = Goals {
        instructions: Some(1.6),
        time: None,
    };
    compare(
        "verification of 256 bytes",
        2_000,
        &goals,
        |n| (0..n).for_each(|_| assert!(ours().is_ok())),
        |n| (0..n).for_each(|_| assert!(rival().is_ok())),
    );
    let count = allocation_counter::measure(|| assert!(ours().is_ok())).count_total;
    let verdict = if count == 0 { "kept" } else { "MISSED" };
    println!(
        "  {:<32} {count:>10} {:>10} {:>6} {:>6} {verdict}",
        "allocations", "", "", 0
    );
}
