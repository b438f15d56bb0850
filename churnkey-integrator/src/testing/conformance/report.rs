//! What the suite found, as text for people.

use std::fmt;

use crate::operation::Operation;

/// A rule of the contract that a merchant's code can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The manifest lists what answers, and nothing else.
    ManifestMatchesRoutes,
    /// Without a valid proof there is only the one 401.
    Unauthorized,
    /// A mode that is neither live nor test is a 400.
    UnknownMode,
    /// Live and test data never mix.
    ModesApart,
    /// A record that is there is answered with 200 and its own id.
    Found,
    /// A record that is not there is a 404.
    Missing,
    /// A record is the same, whichever operation returns it.
    SameRecord,
    /// Odd ids, addresses and numbers find nobody, and break nothing.
    OddInput,
    /// What an error says holds nothing of the store or of what was asked for.
    ErrorsTellNothing,
    /// The letter case of an e-mail address makes no difference.
    EmailIgnoresCase,
    /// A contact that several customers share is a 409.
    Ambiguous,
    /// A page is answered with 200 and holds at most `limit` records.
    PageWithinLimit,
    /// No page after the first is empty; the last one has no `next`.
    NoEmptyLastPage,
    /// A crawl comes to its end.
    CrawlEnds,
    /// Every record comes exactly once, in any page size.
    EachRecordOnce,
    /// The order does not depend on the page size.
    StableOrder,
    /// Records that come and go during a crawl don't disturb the others.
    StableUnderChange,
    /// A `limit` that is no whole number from 1 up is a 400, a large one is cut down.
    LimitBounds,
    /// Cursors that were not issued for this list and mode are a 400.
    ForeignCursor,
    /// Every served operation has something to be checked with.
    FixtureGiven,
}

impl Rule {
    /// The rule's name, for searching.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The section of the contract that it comes from.
    #[must_use]
    pub fn section(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::ManifestMatchesRoutes => ("manifest-matches-routes", "2.3"),
            Self::Unauthorized => ("unauthorized", "2.2"),
            Self::UnknownMode => ("unknown-mode", "2.4"),
            Self::ModesApart => ("modes-apart", "2.4"),
            Self::Found => ("found", "4"),
            Self::Missing => ("missing", "2.6"),
            Self::SameRecord => ("same-record", "4"),
            Self::OddInput => ("odd-input", "2.6"),
            Self::ErrorsTellNothing => ("errors-tell-nothing", "2.6"),
            Self::EmailIgnoresCase => ("email-ignores-case", "4"),
            Self::Ambiguous => ("ambiguous", "4"),
            Self::PageWithinLimit => ("page-within-limit", "2.5"),
            Self::NoEmptyLastPage => ("no-empty-last-page", "2.5"),
            Self::CrawlEnds => ("crawl-ends", "2.5"),
            Self::EachRecordOnce => ("each-record-once", "2.5"),
            Self::StableOrder => ("stable-order", "2.5"),
            Self::StableUnderChange => ("stable-under-change", "2.5"),
            Self::LimitBounds => ("limit-bounds", "2.5"),
            Self::ForeignCursor => ("foreign-cursor", "2.5"),
            Self::FixtureGiven => ("fixture-given", "4"),
        }
    }
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The operation that broke it.
    pub operation: Operation,
    /// The rule.
    pub rule: Rule,
    /// What should have come.
    pub expected: String,
    /// What came.
    pub got: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            rule,
            expected,
            got,
        } = self;
        write!(
            f,
            "{} broke {} (contract, section {}): expected {expected}; got {got}",
            operation.name(),
            rule.name(),
            rule.section()
        )
    }
}

/// What was checked, and what was found. `Display` gives it as text, a line each.
#[derive(Debug, Clone, Default)]
pub struct Report {
    passed: Vec<(Operation, Rule)>,
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn add(
        &mut self,
        operation: Operation,
        rule: Rule,
        verdict: Result<(), (String, String)>,
    ) {
        match verdict {
            Ok(()) if self.passed.contains(&(operation, rule)) => {}
            Ok(()) => self.passed.push((operation, rule)),
            Err((expected, got)) => self.findings.push(Finding {
                operation,
                rule,
                expected,
                got,
            }),
        }
    }

    /// What was broken; empty if all is well.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The operations and rules that were checked and kept at least once.
    #[must_use]
    pub fn passed(&self) -> &[(Operation, Rule)] {
        &self.passed
    }

    /// Panics with the whole report if anything was broken.
    ///
    /// # Panics
    /// If there are findings.
    #[expect(clippy::panic, reason = "for tests, where a panic is the verdict")]
    pub fn assert_passed(&self) {
        if !self.findings.is_empty() {
            panic!("\n{self}");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (operation, rule) in &self.passed {
            let broken =
                |finding: &Finding| (finding.operation, finding.rule) == (*operation, *rule);
            if !self.findings.iter().any(broken) {
                writeln!(f, "ok      {}: {}", operation.name(), rule.name())?;
            }
        }
        for finding in &self.findings {
            writeln!(f, "BROKEN  {finding}")?;
        }
        Ok(())
    }
}
