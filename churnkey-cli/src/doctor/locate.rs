//! Something else than a features manifest was answered: is the integration elsewhere, or behind another prefix?

use churnkey_integrator::diagnose::Cause;

use super::{
    Examination, Finding, NOBODY, Way,
    probe::{Ended, Reply},
};

/// A place to look at: the prefix to send, and what it means if the integration is there.
struct Place {
    prefix: String,
    means: Finding,
    /// Whether the meaning is a variant of the signature.
    is_variant: bool,
}

impl Examination<'_> {
    /// Leaves the prefix under which the integration was found, and says what it means.
    pub(super) async fn locate(&mut self, reply: &Reply) -> Result<(), Ended> {
        let own = self.prefix.clone();
        for place in self.places() {
            self.prefix = place.prefix;
            self.way.variant = place.is_variant.then(|| place.means.clone());
            if self.signed(&self.known()).await?.is_manifest() {
                self.way.is_known = true;
                self.add(place.means);
                return Ok(());
            }
        }
        self.prefix = own;
        self.way.variant = None;

        // An integration may have no manifest.
        let probe = self.get(&format!("/customers/{NOBODY}"));
        let customer = self.signed(&probe).await?;
        if customer.is_refusal() {
            self.below = format!("/customers/{NOBODY}");
            return self.search(&probe, &customer).await;
        }
        if customer.status == 404 && customer.is_contract_error() {
            self.below = format!("/customers/{NOBODY}");
            self.way = Way {
                is_known: true,
                ..Way::default()
            };
            return Ok(());
        }
        let detail = format!(
            "{}/features is answered {}, which is no features manifest, and none is at {} or the root; something in \
             front may forward a path at which the integration is not mounted",
            self.prefix,
            reply.kind(),
            self.prefixes.join(", ")
        );
        self.add(Finding::new(Cause::NotThisIntegration, detail));
        Ok(())
    }

    fn places(&self) -> Vec<Place> {
        let own = &self.prefix;
        let mut places = Vec::new();
        let stripped = self.prefixes.iter().filter(|prefix| {
            let rest = own.strip_prefix(prefix.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        for prefix in stripped {
            let detail =
                format!("the server sees a path without {prefix}: something in front removes it");
            places.push(Place {
                prefix: format!("{prefix}{own}"),
                means: Finding::new(Cause::PrefixStripped, detail),
                is_variant: true,
            });
        }
        if !own.is_empty() {
            let detail =
                format!("the server sees a path with {own} in front: something in front adds it");
            places.push(Place {
                prefix: String::new(),
                means: Finding::new(Cause::PrefixAdded, detail),
                is_variant: true,
            });
        }
        let elsewhere = [format!("{own}/churnkey"), String::new()];
        let elsewhere = self.prefixes.iter().chain(&elsewhere);
        for prefix in elsewhere.filter(|prefix| *prefix != own) {
            let place = match prefix.as_str() {
                "" => "the root",
                prefix => prefix,
            };
            let detail =
                format!("the integration answers at {place}: change the URL's path to that");
            if places
                .iter()
                .any(|known| known.prefix == *prefix && !known.is_variant)
            {
                continue;
            }
            places.push(Place {
                prefix: prefix.clone(),
                means: Finding::new(Cause::NotThisIntegration, detail),
                is_variant: false,
            });
        }
        places
    }
}
