//! The integration answers. What shows only under certain calls?

use churnkey_integrator::{Mode, diagnose::Cause};
use http::Method;

use super::{
    Examination, Finding, NOBODY, is_accepted, obstacle,
    probe::{Credential, Ended, Probe, Reply},
    search::other,
};

/// Above 400 bytes, written as no program writes JSON: blanks around colons, a character beyond ASCII, keys unsorted.
const ODD_BODY_BYTES: usize = 600;
/// Far below the 64 KiB that an integration takes.
const LARGE_BODY_BYTES: usize = 16 * 1024;

impl Examination<'_> {
    pub(super) async fn particulars(&mut self) -> Result<(), Ended> {
        if self.takes_token.is_none() {
            let credential = Credential::Token(self.token);
            let reply = self.prober.send(&self.known(), credential).await?;
            self.takes_token = Some(is_accepted(&reply));
        }
        if !self.way.by_token && self.mode == Mode::Live {
            self.test_mode().await?;
        }
        // Both parameters are none that this path takes.
        let query = self.get(&format!("{}?limit=1&cursor=none", self.below));
        self.check(
            &query,
            "a query",
            &[Cause::QueryDropped, Cause::QueryReordered],
        )
        .await?;
        let retrieve = self.get(&format!("/customers/{NOBODY}"));
        let customer = self.check(&retrieve, "a customer", &[]).await?;
        if let Some(reply) = customer.filter(|reply| !reply.is_json()) {
            let detail = format!(
                "a customer is answered {}, and the manifest is right: only some paths reach the integration",
                reply.kind()
            );
            self.add(Finding::new(Cause::NotThisIntegration, detail));
        }
        let encoded = self.get(&format!("/customers/email/{NOBODY}%40example.com"));
        let path = [Cause::PathDecoded, Cause::PathEncoded];
        self.check(&encoded, "a path with %40", &path).await?;
        let raw = self.get(&format!("/customers/email/{NOBODY}@example.com"));
        let path = [Cause::PathEncoded, Cause::PathDecoded];
        self.check(&raw, "a path with @", &path).await?;
        let body = [Cause::BodyChanged, Cause::MethodChanged];
        let odd = self.cancel(ODD_BODY_BYTES);
        let odd = self.check(&odd, "a POST of 600 bytes", &body).await?;
        if odd.is_some() {
            let large = self.cancel(LARGE_BODY_BYTES);
            self.check(&large, "a POST of 16 KiB", &body).await?;
        }
        Ok(())
    }

    /// A cancellation for a customer that no merchant has.
    fn cancel(&self, bytes: usize) -> Probe {
        let start = format!(
            "{{ \"subscriptionId\" : \"{NOBODY}\",\"customerId\": \"{NOBODY}\" ,\n\t\"scheduledAt\":\"immediate\", \
             \"note\" : \"d\u{e9}j\u{e0} vu "
        );
        let end = "\" }";
        let filled = bytes.saturating_sub(start.len()).saturating_sub(end.len());
        let body = format!("{start}{}{end}", "x".repeat(filled));
        let path = format!("{}/actions/subscription/cancel", self.prefix);
        Probe::post(path, self.mode, body.into_bytes())
    }

    /// A live request does not show that the header is missing. A server may have another token for test data, so that a
    /// refusal alone means nothing.
    async fn test_mode(&mut self) -> Result<(), Ended> {
        let probe = Probe {
            mode: other(self.mode),
            ..self.known()
        };
        if !self.send(&probe).await?.is_refusal() {
            return Ok(());
        }
        let found = self.first_of(&probe, &[Cause::ModeHeaderDropped]).await?;
        if let Some(finding) = found {
            self.add(finding);
        }
        Ok(())
    }

    /// The answer to the request. If there is none, says why: for one of these causes, if it is the credential that is refused.
    async fn check(
        &mut self,
        probe: &Probe,
        what: &str,
        causes: &[Cause],
    ) -> Result<Option<Reply>, Ended> {
        let reply = self.send(probe).await?;
        if let Some(finding) = obstacle(&reply, what) {
            self.add(finding);
            return Ok(None);
        }
        if !reply.is_refusal() {
            return Ok(Some(reply));
        }
        let found = match self.way.by_token {
            true => None,
            false => self.first_of(probe, causes).await?,
        };
        let finding = found.unwrap_or_else(|| match causes.first() {
            Some(cause) if reply.status == 401 && !self.way.by_token => Finding::new(
                *cause,
                format!("{what} is refused, and other requests are not: it arrives in another form, which was not found"),
            ),
            _ => Finding::new(
                Cause::NotThisIntegration,
                format!("{what} is answered {}: something in front refuses it", reply.kind()),
            ),
        });
        self.add(finding);
        Ok(None)
    }

    /// The first variant for one of these causes that is accepted.
    async fn first_of(&self, probe: &Probe, causes: &[Cause]) -> Result<Option<Finding>, Ended> {
        let timestamp = self.timestamp().unix_seconds().to_string();
        let parts = probe.parts(&timestamp);
        let variants = self.variants(&parts).into_iter();
        let ways = variants.filter(|variant| causes.contains(&variant.cause()));
        let ways = ways.map(|variant| {
            let finding = Finding::new(variant.cause(), variant.detail());
            (finding, variant.sign(self.token))
        });
        // A method without a body takes the body with it.
        let emptied = Probe {
            method: Method::GET,
            body: Vec::new(),
            ..probe.clone()
        };
        let emptied = causes.contains(&Cause::MethodChanged).then(|| {
            let finding = Finding::new(Cause::MethodChanged, "the server sees GET without a body");
            (finding, self.signature(&emptied))
        });
        self.accepted(probe, ways.chain(emptied)).await
    }
}
