//! A request is refused: which way to sign it is accepted?

use churnkey_integrator::{Mode, diagnose::Cause, sign};
use http::header;

use super::{
    Examination, Finding, clock, is_accepted,
    probe::{Credential, Ended, Probe, Reply},
};

/// Offsets of a clock that no `Date` tells, because something in front writes it. Each covers 300 s around it.
const UNTOLD_OFFSETS: [i64; 10] = [
    600, -600, 1_200, -1_200, 3_600, -3_600, 7_200, -7_200, 86_400, -86_400,
];

impl Examination<'_> {
    /// Leaves the way that was found, and says what it means.
    pub(super) async fn search(&mut self, probe: &Probe, refusal: &Reply) -> Result<(), Ended> {
        match self.finds_a_way(probe).await {
            Ok(true) => {}
            // If all requests were sent, what was not tried is not the likely cause.
            Ok(false) | Err(Ended::Enough) => {
                self.unexplained(self.takes_token == Some(true), refusal);
            }
            Err(ended) => return Err(ended),
        }
        Ok(())
    }

    /// Whether any cause was found.
    async fn finds_a_way(&mut self, probe: &Probe) -> Result<bool, Ended> {
        let token = Credential::Token(self.token);
        let takes_token = is_accepted(&self.prober.send(probe, token).await?);
        self.takes_token = Some(takes_token);
        if takes_token {
            let both = Credential::TokenAndWrongSignature(self.token);
            if is_accepted(&self.prober.send(probe, both).await?) {
                self.add(Finding::new(
                    Cause::SignatureHeaderDropped,
                    "the token itself is accepted, and a signature is not looked at: it does not arrive, or the server \
                     does not know it",
                ));
                self.use_token();
                return Ok(true);
            }
        }

        let timestamp = self.timestamp().unix_seconds().to_string();
        let parts = probe.parts(&timestamp);
        let ways = self.variants(&parts).into_iter().map(|variant| {
            let finding = Finding::new(variant.cause(), variant.detail());
            (finding, variant.sign(self.token))
        });
        if let Some(mut finding) = self.accepted(probe, ways).await? {
            self.way.is_known = true;
            self.way.variant = Some(finding.clone());
            if finding.is_of(Cause::PrefixAdded) {
                finding.detail = format!("{} ({})", finding.detail, self.tried());
            }
            self.add(finding);
            return Ok(true);
        }

        if let Some(replaced) = self.replaced_prefix(probe).await? {
            self.add(replaced);
            if takes_token {
                self.use_token();
            }
            return Ok(true);
        }

        if let Some(old) = self.old_token.clone() {
            let (method, path, now) = (&probe.method, &probe.path, self.timestamp());
            let signature = sign(&old, method, path, probe.mode, &probe.body, now);
            let reply = self.prober.send(probe, Credential::Signature(&signature));
            if is_accepted(&reply.await?) {
                self.add(Finding::new(
                    Cause::ReplacedToken,
                    "the server still has the token that was replaced",
                ));
                return Ok(true);
            }
        }
        if !takes_token && self.other_mode().await? {
            return Ok(true);
        }
        Ok(self.findings.is_empty() && self.untold_clock(probe).await?)
    }

    /// Whether something in front puts another prefix in the place of the URL's.
    async fn replaced_prefix(&self, probe: &Probe) -> Result<Option<Finding>, Ended> {
        let own = &self.prefix;
        let Some(below) = probe.path.strip_prefix(own.as_str()) else {
            return Ok(None);
        };
        let (method, now) = (&probe.method, self.timestamp());
        let places = self.prefixes.iter().filter(|prefix| {
            // One that holds the other was tried by what is stripped and added.
            !own.is_empty() && !own.ends_with(prefix.as_str()) && !own.starts_with(prefix.as_str())
        });
        let ways = places.map(|prefix| {
            let detail = format!(
                "the server sees a path with {prefix} in the place of {own}: something in front replaces it"
            );
            let path = format!("{prefix}{below}");
            let signature = sign(self.token, method, &path, probe.mode, &probe.body, now);
            (Finding::new(Cause::PrefixStripped, detail), signature)
        });
        self.accepted(probe, ways).await
    }

    /// The token is right, so the rest is found out with it.
    fn use_token(&mut self) {
        self.way.is_known = true;
        self.way.by_token = true;
    }

    fn tried(&self) -> String {
        format!("tried were {}", self.prefixes.join(", "))
    }

    /// Whether the token is that of the other mode.
    async fn other_mode(&mut self) -> Result<bool, Ended> {
        let asked = self.mode;
        self.mode = other(asked);
        if is_accepted(&self.signed(&self.known()).await?) {
            let detail = format!(
                "the token is accepted for {} data, and not for {asked} data",
                self.mode
            );
            self.add(Finding::new(Cause::OtherMode, detail));
            self.way.is_known = true;
            // What the token is for is not known in the other mode.
            self.takes_token = None;
            return Ok(true);
        }
        self.mode = asked;
        Ok(false)
    }

    async fn untold_clock(&mut self, probe: &Probe) -> Result<bool, Ended> {
        for offset in UNTOLD_OFFSETS {
            self.way.shift_seconds = offset;
            if is_accepted(&self.signed(probe).await?) {
                self.add(clock(offset).about());
                self.clock_offset_seconds = Some(offset);
                self.way.is_known = true;
                return Ok(true);
            }
        }
        self.way.shift_seconds = 0;
        Ok(false)
    }

    /// What is left, if no way is accepted.
    fn unexplained(&mut self, takes_token: bool, refusal: &Reply) {
        if takes_token {
            let detail = format!(
                "the token itself is accepted, and no signature is: either the timestamp does not arrive, or something \
                 in front changes the path in a way that was not tried ({}; --try-prefix names others)",
                self.tried()
            );
            self.add(Finding::new(Cause::TimestampHeaderDropped, detail));
            return self.use_token();
        }
        let asks = refusal.header(header::WWW_AUTHENTICATE).unwrap_or_default();
        let is_of_another =
            refusal.json().is_none() || asks.to_ascii_lowercase().starts_with("basic");
        if is_of_another && !refusal.is_contract_error() {
            let detail = format!(
                "another program answers {}: it asks for a credential of its own",
                refusal.kind()
            );
            return self.add(Finding::new(Cause::NotThisIntegration, detail));
        }
        let detail = format!(
            "the server accepts neither this token nor any signature by it ({}; --try-prefix names others); what else is \
             wrong shows once the tokens are the same",
            self.tried()
        );
        self.add(Finding::new(Cause::WrongToken, detail));
    }
}

impl Finding {
    /// Of a time that was found by trying.
    fn about(mut self) -> Self {
        self.detail = format!("{}, give or take five minutes", self.detail);
        self
    }
}

/// The mode that is not this one.
pub(super) fn other(mode: Mode) -> Mode {
    match mode {
        Mode::Live => Mode::Test,
        Mode::Test => Mode::Live,
    }
}
