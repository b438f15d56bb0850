//! `cargo run --release -p proof --bin timing`: whether the time of a refusal tells how much of a token or of a signature was
//! right. The method is that of dudect (Reparaz, Balasch and Verbauwhede: "Dude, is my code constant time?", 2017): two classes
//! of wrong values, one that differs from the right one in its last character alone and one of random characters, come in a
//! random order. Welch's t-test compares their times, once for all of them and a hundred times without the slowest ones.
//!
//! A comparison that stops at the first difference is measured as well, and must be found out.

use std::{hint::black_box, process::ExitCode, time::Instant};

use churnkey_integrator::{
    AuthenticationError, IntegrationToken, Mode, Timestamp, Verifier, WebhookSecret, sign, webhooks,
};
use clap::Parser;
use http::{HeaderName, HeaderValue, Method, Request, header, request::Parts};
use proof::{BoxError, statistics::welch_t};

/// From here on, the times differ (as in the paper's and dudect's own evaluation).
const MAX_T: f64 = 4.5;
/// How many values are prepared at a time.
const BATCH: usize = 1000;
const PATH: &str = "/churnkey/customers/cus_ada";
const TOKEN: &str = "6f1d2c3b4a59687786954a3b2c1d0e0f6f1d2c3b4a59687786954a3b2c1d0e0f";

/// Whether the time of a refusal tells how much of a token or of a signature was right.
#[derive(Debug, Clone, Copy, Parser)]
struct Options {
    /// How many times are measured for each comparison
    #[arg(long, default_value_t = 1_000_000)]
    samples: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    proof::main(async |options| run(options)).await
}

/// Whether no time tells anything, and the measurement can see a difference.
fn run(options: Options) -> Result<bool, BoxError> {
    let now = Timestamp::now();
    let token = IntegrationToken::new(TOKEN)?;
    let verifier = Verifier::new(token.clone());
    let secrets = [WebhookSecret::new(TOKEN)?];

    println!(
        "largest |t| of {} refusals each; from {MAX_T} on they differ",
        options.samples
    );
    let of_token = largest_t(
        options.samples,
        |class| {
            let wrong = class.value(TOKEN)?;
            request(PATH, header::AUTHORIZATION, b"Bearer ", &wrong)
        },
        |parts| verifier.verify(parts, b"", now) == Err(AuthenticationError::WrongToken),
    )?;
    println!("token                         {of_token:.2}");
    // Each signature is of a request of its own. If the digits of one class were always the same, then reading them would take
    // less time, which tells a caller nothing that was not sent.
    let of_signature = largest_t(
        options.samples,
        |class| {
            let path = format!("{PATH}?{}", str::from_utf8(&digits()?)?);
            let signed = sign(&token, &Method::GET, &path, Mode::Live, b"", now);
            let right = signed.signature().strip_prefix("v1=");
            let wrong = class.value(right.ok_or("the signature is not of version 1")?)?;
            let mut parts = request(&path, SIGNATURE, b"v1=", &wrong)?;
            let timestamp = signed.timestamp().parse()?;
            parts.headers.insert(TIMESTAMP, timestamp);
            Ok(parts)
        },
        |parts| verifier.verify(parts, b"", now) == Err(AuthenticationError::WrongSignature),
    )?;
    println!("signature                     {of_signature:.2}");
    let of_webhook = largest_t(
        options.samples,
        |class| {
            let body = digits()?;
            let [secret] = &secrets;
            let wrong = class.value(&webhooks::sign(secret, &body))?;
            Ok((
                request(PATH, webhooks::SIGNATURE_HEADER, b"", &wrong)?,
                body,
            ))
        },
        |(parts, body)| {
            let refused = webhooks::verify(&secrets, &parts.headers, body);
            refused == Err(webhooks::WebhookError::WrongSignature)
        },
    )?;
    println!("signature of a webhook        {of_webhook:.2}");
    let of_leak = largest_t(
        options.samples,
        |class| class.value(TOKEN),
        |wrong| {
            !black_box(TOKEN)
                .bytes()
                .zip(wrong)
                .all(|(right, sent)| right == *sent)
        },
    )?;
    println!("one that stops early          {of_leak:.2}");
    if of_leak < MAX_T {
        println!("the comparison that stops early was not found out: this machine is too noisy");
    }
    Ok([of_token, of_signature, of_webhook]
        .into_iter()
        .all(|t| t < MAX_T)
        && of_leak >= MAX_T)
}

/// How a wrong value differs from the right one.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    /// In its last character alone.
    Near,
    /// In most of its characters.
    Random,
}

/// What a token and a signature are made of here: hexadecimal digits.
type Digits = [u8; 64];

impl Class {
    /// A wrong value for a right one. It takes no memory that is allocated: the requests of both classes have to lie in memory
    /// alike, or they would be read at different speeds.
    fn value(self, right: &str) -> Result<Digits, BoxError> {
        let random = digits()?;
        let mut near = Digits::try_from(right.as_bytes())?;
        let [.., last] = &mut near;
        // Not always the same one, which would be quicker to read.
        if let Some(other) = random.iter().find(|other| *other != last) {
            *last = *other;
        }
        Ok(match self {
            Self::Near => near,
            Self::Random => random,
        })
    }

    /// The classes of a batch, in a random order.
    fn of_batch() -> Result<impl Iterator<Item = Self>, BoxError> {
        let mut bytes = vec![0_u8; BATCH];
        getrandom::fill(&mut bytes)?;
        Ok(bytes.into_iter().map(|byte| match byte & 1 {
            0 => Self::Near,
            _ => Self::Random,
        }))
    }
}

/// Digits at random.
fn digits() -> Result<Digits, BoxError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    let mut digits = [0; 64];
    hex::encode_to_slice(bytes, &mut digits)?;
    Ok(digits)
}

const TIMESTAMP: HeaderName = HeaderName::from_static("x-churnkey-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("x-churnkey-signature");

/// A request with a header of these digits.
fn request(
    path: &str,
    name: HeaderName,
    scheme: &[u8],
    digits: &Digits,
) -> Result<Parts, BoxError> {
    let (mut parts, ()) = Request::get(path).body(())?.into_parts();
    let value = HeaderValue::from_bytes(&[scheme, digits].concat())?;
    parts.headers.insert(name, value);
    Ok(parts)
}

/// How far apart the times of the two classes are at most, in standard errors. `is_refused` is what is measured, and has to be
/// true.
fn largest_t<T>(
    samples: usize,
    prepare: impl Fn(Class) -> Result<T, BoxError>,
    is_refused: impl Fn(&T) -> bool,
) -> Result<f64, BoxError> {
    let (mut near, mut random) = (Vec::new(), Vec::new());
    // The first batch warms the caches up, and does not count.
    for batch in 0..=samples.div_ceil(BATCH) {
        let prepared = Class::of_batch()?.map(|class| Ok((class, prepare(class)?)));
        let prepared: Result<Vec<(Class, T)>, BoxError> = prepared.collect();
        for (class, value) in &prepared? {
            let begin = Instant::now();
            let refused = black_box(is_refused(black_box(value)));
            let took = begin.elapsed();
            if !refused {
                return Err("a wrong value was not refused".into());
            }
            if batch > 0 {
                let times = match class {
                    Class::Near => &mut near,
                    Class::Random => &mut random,
                };
                times.push(u64::try_from(took.as_nanos())?);
            }
        }
    }
    Ok(largest_cropped_t(&near, &random))
}

/// The largest |t|, of all times and of those below each of a hundred percentiles. The slowest times are those of interrupts,
/// which hide everything else.
fn largest_cropped_t(left: &[u64], right: &[u64]) -> f64 {
    let mut sorted: Vec<u64> = left.iter().chain(right).copied().collect();
    sorted.sort_unstable();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position in a list of samples"
    )]
    let crops = (1..=100).map(|n| {
        let below = 1.0 - 0.5_f64.powf(f64::from(n) / 10.0);
        sorted.get((sorted.len() as f64 * below) as usize).copied()
    });
    let crops = crops.chain([Some(u64::MAX)]).flatten();
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds")]
    fn below(times: &[u64], crop: u64) -> impl Iterator<Item = f64> {
        let kept = times.iter().filter(move |time| **time < crop);
        kept.map(|time| *time as f64)
    }
    crops
        .map(|crop| welch_t(below(left, crop), below(right, crop)).abs())
        .filter(|t| t.is_finite())
        .fold(0.0, f64::max)
}
