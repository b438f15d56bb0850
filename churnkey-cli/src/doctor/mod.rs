//! Finding out from outside why calls are refused: what a few requests and variants of their signatures show.
//!
//! The causes and the variants are the library's own, which the integration's log uses as well
//! (`churnkey_integrator::diagnose`).

mod locate;
mod particulars;
mod probe;
mod search;
mod unanswered;

use churnkey_integrator::{
    IntegrationToken, Mode, Signature, Timestamp,
    diagnose::{Cause, Guesses, Side, SignedParts, Variant, variants},
    sign,
};

use self::probe::{Credential, Ended, Probe, Prober, Reply};
use crate::{exit::Failure, progress::Progress, settings::Settings};

/// A customer that no merchant has.
const NOBODY: &str = "churnkey-doctor";
/// A clock this far off may be the reason that a signature is refused: some servers allow less than the contract's 300 s.
const SUSPICIOUS_SECONDS: u64 = 30;
/// A clock this far off is a cause (contract, section 2.2).
const TOLERANCE_SECONDS: u64 = 300;

/// A cause, and what it looks like here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) cause: Cause,
    pub(crate) detail: String,
}

impl Finding {
    fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            cause,
            detail: detail.into(),
        }
    }

    fn is_of(&self, cause: Cause) -> bool {
        self.cause == cause
    }
}

/// What came out.
pub(crate) struct Diagnosis {
    /// The most important first.
    pub(crate) findings: Vec<Finding>,
    pub(crate) requests: u32,
    /// Positive if the server's clock is ahead.
    pub(crate) clock_offset_seconds: Option<i64>,
    /// Whether any answer came.
    pub(crate) was_answered: bool,
}

/// What the command line adds to the settings.
pub(crate) struct Suspects {
    pub(crate) prefixes: Vec<String>,
    pub(crate) old_token: Option<IntegrationToken>,
}

/// Sends at most 40 requests, none of which changes a record.
///
/// # Errors
/// [`Failure::Usage`] if the client can't be set up. That nothing answers is a finding.
pub(crate) async fn diagnose(
    settings: &Settings,
    suspects: Suspects,
    progress: Progress,
    verbose: bool,
) -> Result<Diagnosis, Failure> {
    let prefix = settings.target.prefix().to_owned();
    let prefixes = prefixes(suspects.prefixes, &prefix);
    let guesses = prefixes.iter().fold(Guesses::new(), |guesses, prefix| {
        guesses.prefix(prefix.clone())
    });
    let mut examination = Examination {
        prober: Prober::new(settings, progress, verbose)?,
        token: &settings.token,
        old_token: suspects.old_token,
        guesses,
        prefixes,
        prefix,
        below: "/features".to_owned(),
        mode: settings.mode,
        way: Way::default(),
        findings: Vec::new(),
        clock_offset_seconds: None,
        takes_token: None,
    };
    if let Err(Ended::Unanswered(finding) | Ended::Hindered(finding)) = examination.run().await {
        examination.add(finding);
    }
    // A server that has white space around its token can't take the token without it.
    let has_white_space = |finding: &Finding| finding.is_of(Cause::TokenWhitespace);
    if examination.takes_token == Some(false)
        && examination.way.is_known
        && !examination.findings.iter().any(has_white_space)
    {
        examination.add(Finding::new(
            Cause::AuthorizationDropped,
            "signed requests are accepted, the token itself is not: something in front removes or replaces \
             Authorization, or the server accepts signed requests only",
        ));
    }
    Ok(Diagnosis {
        requests: examination.prober.sent(),
        was_answered: examination.prober.was_answered(),
        clock_offset_seconds: examination.clock_offset_seconds,
        findings: examination.findings,
    })
}

/// The prefixes that something in front may add or remove, the likely ones first.
fn prefixes(named: Vec<String>, own: &str) -> Vec<String> {
    let mut prefixes = Vec::new();
    let slashes = own.rmatch_indices('/');
    let parents = slashes
        .filter_map(|(at, _)| own.get(..at))
        .map(str::to_owned);
    let usual = ["/churnkey", "/api"].map(str::to_owned);
    let all = named.into_iter().chain([own.to_owned()]);
    for prefix in all.chain(parents).chain(usual) {
        let prefix = prefix.trim_end_matches('/').to_owned();
        if !prefix.is_empty() && !prefixes.contains(&prefix) {
            prefixes.push(prefix);
        }
    }
    prefixes.truncate(6);
    prefixes
}

/// How a request has to be sent so that the server takes it.
#[derive(Debug, Clone, Default)]
struct Way {
    /// Whether any is known.
    is_known: bool,
    /// By the token itself, as no signature is accepted.
    by_token: bool,
    /// The variant of the signature.
    variant: Option<Finding>,
    /// What is added to the time.
    shift_seconds: i64,
}

struct Examination<'s> {
    prober: Prober<'s>,
    token: &'s IntegrationToken,
    old_token: Option<IntegrationToken>,
    guesses: Guesses,
    prefixes: Vec<String>,
    /// In front of each path that is sent.
    prefix: String,
    /// A path that the integration answers.
    below: String,
    mode: Mode,
    way: Way,
    findings: Vec<Finding>,
    clock_offset_seconds: Option<i64>,
    takes_token: Option<bool>,
}

impl Examination<'_> {
    async fn run(&mut self) -> Result<(), Ended> {
        let probe = self.known();
        let reply = self.signed(&probe).await?;
        let reply = self.at_the_servers_time(&probe, reply).await?;
        // Some servers answer plain HTTP at their TLS port.
        if reply.status == 400
            && !reply.is_contract_error()
            && self.prober.is_http()
            && self.prober.speaks_the_other_scheme().await
        {
            let finding = self.prober.other_scheme();
            self.add(finding);
            return Ok(());
        }
        if let Some(finding) = obstacle(&reply, "/features") {
            self.add(finding);
            return Ok(());
        }
        if reply.is_manifest() {
            self.way.is_known = true;
        } else if reply.is_refusal() {
            self.search(&probe, &reply).await?;
        } else {
            self.locate(&reply).await?;
        }
        if self.way.is_known {
            self.particulars().await?;
        }
        Ok(())
    }

    /// Says it, unless the cause has been said.
    fn add(&mut self, finding: Finding) {
        if !self.findings.iter().any(|known| known.is_of(finding.cause)) {
            self.findings.push(finding);
        }
    }

    /// A request that the integration answers, if all is well.
    fn known(&self) -> Probe {
        self.get(&self.below)
    }

    fn get(&self, below: &str) -> Probe {
        Probe::get(format!("{}{below}", self.prefix), self.mode)
    }

    /// Looks at the `Date` of the first answer, and signs once more for that time if the clocks differ.
    async fn at_the_servers_time(&mut self, probe: &Probe, reply: Reply) -> Result<Reply, Ended> {
        let now = Timestamp::now().unix_seconds();
        let Some(date) = reply.date() else {
            return Ok(reply);
        };
        let offset = date.unix_seconds().saturating_sub(now);
        self.clock_offset_seconds = Some(offset);
        if !reply.is_refusal() || offset.unsigned_abs() < SUSPICIOUS_SECONDS {
            return Ok(reply);
        }
        self.way.shift_seconds = offset;
        let shifted = self.signed(probe).await?;
        if offset.unsigned_abs() <= TOLERANCE_SECONDS && shifted.is_refusal() {
            self.way.shift_seconds = 0;
        } else {
            self.add(clock(offset));
        }
        Ok(shifted)
    }

    fn timestamp(&self) -> Timestamp {
        let seconds = Timestamp::now().unix_seconds();
        let shifted = seconds.saturating_add(self.way.shift_seconds);
        Timestamp::from_unix_seconds(shifted).unwrap_or_else(|_| Timestamp::now())
    }

    /// Signs a request in the way that is known to be accepted.
    fn signature(&self, probe: &Probe) -> Signature {
        let now = self.timestamp();
        let timestamp = now.unix_seconds().to_string();
        let parts = probe.parts(&timestamp);
        match self.variant(&parts) {
            Some(variant) => variant.sign(self.token),
            None => {
                let Probe {
                    method,
                    path,
                    mode,
                    body,
                } = probe;
                sign(self.token, method, path, *mode, body, now)
            }
        }
    }

    /// The variant of this request that is known to be accepted, if it is one.
    fn variant<'p>(&self, parts: &SignedParts<'p>) -> Option<Variant<'p>> {
        let known = self.way.variant.as_ref()?;
        let is_known = |variant: &Variant<'_>| {
            variant.cause() == known.cause && variant.detail() == known.detail
        };
        variants(Side::Outside, parts, &self.guesses)
            .into_iter()
            .find(is_known)
    }

    /// The other ways in which this request may have to be signed.
    fn variants<'p>(&self, parts: &SignedParts<'p>) -> Vec<Variant<'p>> {
        match self.variant(parts) {
            Some(variant) => variant.variants(Side::Outside, &self.guesses),
            None => variants(Side::Outside, parts, &self.guesses),
        }
    }

    async fn signed(&self, probe: &Probe) -> Result<Reply, Ended> {
        let signature = self.signature(probe);
        let credential = Credential::Signature(&signature);
        self.prober.send(probe, credential).await
    }

    /// Sends a request as the server is known to take it.
    async fn send(&self, probe: &Probe) -> Result<Reply, Ended> {
        if self.way.by_token {
            return self.prober.send(probe, Credential::Token(self.token)).await;
        }
        self.signed(probe).await
    }

    /// The first of these ways to sign a request that is accepted.
    async fn accepted(
        &self,
        probe: &Probe,
        ways: impl IntoIterator<Item = (Finding, Signature)>,
    ) -> Result<Option<Finding>, Ended> {
        for (finding, signature) in ways {
            let reply = self.prober.send(probe, Credential::Signature(&signature));
            let reply = reply.await?;
            if is_accepted(&reply) {
                return Ok(Some(finding));
            }
            // Before, the request was refused. So this is no answer to the signature.
            if let Some(obstacle) = obstacle(&reply, "the same request with another signature") {
                return Err(Ended::Hindered(obstacle));
            }
        }
        Ok(None)
    }
}

fn clock(offset: i64) -> Finding {
    let detail = match offset {
        0.. => format!("the server's clock is {offset} s ahead"),
        _ => format!("the server's clock is {} s behind", offset.unsigned_abs()),
    };
    Finding::new(Cause::ClockOffset, detail)
}

/// Whether the credential was accepted, whatever became of the request.
fn is_accepted(reply: &Reply) -> bool {
    !reply.is_refusal() && obstacle(reply, "").is_none()
}

/// What keeps a request from being answered, whoever asks.
fn obstacle(reply: &Reply, what: &str) -> Option<Finding> {
    let status = reply.status;
    match status {
        300..=399 => {
            let to = reply.header(http::header::LOCATION).unwrap_or("nowhere");
            // The query may hold what was asked for.
            let to: String = to
                .split('?')
                .next()
                .unwrap_or_default()
                .chars()
                .take(200)
                .collect();
            let detail = format!("{what} is answered {status}, which leads to {to}");
            Some(Finding::new(Cause::Redirect, detail))
        }
        413 => Some(Finding::new(
            Cause::BodyCap,
            format!("{what} is answered 413"),
        )),
        429 => Some(Finding::new(
            Cause::NotThisIntegration,
            format!(
                "{what} is answered 429: something in front limits the number of requests, and 40 are needed"
            ),
        )),
        501 => None,
        500.. => Some(Finding::new(
            Cause::ServerError,
            format!("{what} is answered {}", reply.kind()),
        )),
        _ => None,
    }
}
