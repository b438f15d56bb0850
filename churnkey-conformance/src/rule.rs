//! The rules, where the contract has them, and what it costs to break one.

use churnkey_integrator::{CustomersOperation, Operation};

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident = $name:literal, $section:literal;)*) => {
        /// A rule of the contract that a merchant's code can break.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[doc = $doc])+ $rule,)*
        }

        impl Rule {
            /// Every rule.
            pub fn all() -> impl Iterator<Item = Self> {
                [$(Self::$rule),*].into_iter()
            }

            fn row(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$rule => ($name, $section),)*
                }
            }
        }
    };
}

// Each with its name, and the section of the contract.
rules! {
    /// The manifest lists what answers, and nothing else.
    ManifestMatchesRoutes = "manifest-matches-routes", "2.3";
    /// Without a valid credential, every answer is the same 401.
    Unauthorized = "unauthorized", "2.2";
    /// A mode that is neither live nor test is a 400.
    UnknownMode = "unknown-mode", "2.4";
    /// Live and test data never mix.
    ModesApart = "modes-apart", "2.4";
    /// A record that is there is answered with 200 and its own id.
    Found = "found", "4";
    /// A listed record has the shape of its model: a country is a code of two letters.
    WellFormed = "well-formed", "3";
    /// A record that is not there is a 404.
    Missing = "missing", "2.6";
    /// A subscription is there for its own customer only.
    OwnersOnly = "owners-only", "4";
    /// A record is the same, whichever operation returns it.
    SameRecord = "same-record", "4";
    /// What a record refers to is served as well.
    ReferenceResolves = "reference-resolves", "1.3";
    /// Prices and products are of the type that the manifest declares.
    DeclaredType = "declared-type", "4";
    /// Who is found by an e-mail address or a phone number has it in their record.
    ContactInRecord = "contact-in-record", "3.1";
    /// Odd ids, addresses and numbers find nobody, and break nothing.
    OddInput = "odd-input", "2.6";
    /// What an error says holds nothing of the store or of what was asked for.
    ErrorsTellNothing = "errors-tell-nothing", "2.6";
    /// The letter case of an e-mail address makes no difference.
    EmailIgnoresCase = "email-ignores-case", "4";
    /// A contact that several customers share is a 409.
    Ambiguous = "ambiguous", "4";
    /// A page is answered with 200 and holds at most `limit` records.
    PageWithinLimit = "page-within-limit", "2.5";
    /// No page is empty but that of an empty list, which has no `next`.
    NoEmptyPage = "no-empty-page", "2.5";
    /// A crawl comes to its end.
    CrawlEnds = "crawl-ends", "2.5";
    /// Every record comes exactly once, in any page size.
    EachRecordOnce = "each-record-once", "2.5";
    /// The order does not depend on the page size.
    StableOrder = "stable-order", "2.5";
    /// Records that come and go during a crawl don't disturb the others.
    StableUnderChange = "stable-under-change", "2.5";
    /// A `limit` that is not a positive integer is a 400, a large one is cut down.
    LimitBounds = "limit-bounds", "2.5";
    /// Cursors that were not issued for this list and mode are a 400.
    ForeignCursor = "foreign-cursor", "2.5";
    /// A body that an action can't read is a 400 that names the field.
    BadBody = "bad-body", "5";
    /// An option that the manifest does not declare is a 400 that names the field.
    OutsideFeatures = "outside-features", "5";
    /// An action that can be done is answered with 200 and an empty body.
    ActionDone = "action-done", "5";
    /// What an action has done can be read at once, and what it has planned can be read when it takes effect, but not yet.
    EffectVisible = "effect-visible", "5";
    /// The same action again is a 200 and changes nothing.
    RepeatChangesNothing = "repeat-changes-nothing", "7.5";
    /// An `Idempotency-Key` stands for one request, and runs it once.
    IdempotencyKey = "idempotency-key", "7.5";
    /// What is rejected for the state of a subscription or a coupon is a 400, and changes nothing.
    Rejected = "rejected", "5";
    /// Every served operation has something to be checked with.
    FixtureGiven = "fixture-given", "4";
}

impl Rule {
    /// The rule's name, for searching.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The section of the contract that it comes from. Where that depends on the operation,
    /// [`section_of`](Self::section_of) knows it better.
    #[must_use]
    pub fn section(self) -> &'static str {
        self.row().1
    }

    /// Where the contract has the rule for this operation.
    #[must_use]
    pub fn section_of(self, operation: Operation) -> &'static str {
        match (self.section(), operation) {
            ("3", Operation::Customers(_)) => "3.1",
            ("3", Operation::Subscriptions(_)) => "3.7",
            ("3", Operation::Prices(_)) => "3.5",
            ("3", Operation::Coupons(_)) => "3.4",
            ("3", Operation::Products(_)) => "3.9",
            ("3", Operation::Families(_)) => "3.10",
            ("5", Operation::Cancel(_)) => "5.1",
            ("5", Operation::Pause(_)) => "5.2",
            ("5", Operation::ApplyCoupon(_)) => "5.3",
            ("5", Operation::ExtendTrial(_)) => "5.4",
            ("5", Operation::ChangePrice(_)) => "5.5",
            (section, _) => section,
        }
    }

    /// What Churnkey can't do for a merchant who breaks the rule with this operation.
    pub(crate) fn costs(self, operation: Operation) -> &'static str {
        match (self, operation) {
            (Self::Unauthorized, _) => "publishing the integration: whoever finds it could call it",
            (Self::UnknownMode | Self::ModesApart, _) => "test mode",
            (Self::ContactInRecord, Operation::Customers(CustomersOperation::FindByPhone)) => {
                "dunning by SMS"
            }
            (Self::ContactInRecord, _) => "dunning and reactivation by e-mail",
            (Self::ReferenceResolves, Operation::Customers(_)) => "discounts and discount offers",
            _ => feature(operation),
        }
    }
}

/// Of an operation that is newer than this suite.
const UNKNOWN: &str = "whatever Churnkey needs this operation for";

/// The feature of Churnkey that needs the operation (contract, sections 1.2 and 4).
fn feature(operation: Operation) -> &'static str {
    use churnkey_integrator::{
        CancelOperation::{Cancel, CancelAll},
        CustomersOperation as Customers,
        PauseOperation::{Pause, PauseAll},
        SubscriptionsOperation as Subscriptions,
    };
    match operation {
        Operation::Features
        | Operation::Customers(Customers::Retrieve)
        | Operation::Subscriptions(Subscriptions::Retrieve)
        | Operation::Prices(_) => "publishing the integration",
        Operation::Customers(Customers::List) => "segments and campaigns over all customers",
        Operation::Customers(Customers::FindByEmail) => "the managed flow by e-mail",
        Operation::Customers(Customers::FindByPhone) => "the managed flow by phone",
        Operation::Subscriptions(Subscriptions::List) => {
            "the cancel flow for customers with several subscriptions"
        }
        Operation::Coupons(_) => "discounts and discount offers",
        Operation::Products(_) => "the names of products in offers",
        Operation::Families(_) => "the names of families in offers",
        Operation::Cancel(Cancel) => "the cancel flow, and every offer in it",
        Operation::Cancel(CancelAll) => "cancelling all subscriptions of a customer in one call",
        Operation::Pause(Pause) => "pause offers",
        Operation::Pause(PauseAll) => "pausing all subscriptions of a customer in one call",
        Operation::ApplyCoupon(_) => "discount offers",
        Operation::ExtendTrial(_) => "trial extension offers",
        Operation::ChangePrice(_) => "plan change offers",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use churnkey_integrator::{CancelOperation, PauseOperation, SubscriptionsOperation};

    #[test]
    fn a_finding_costs_the_feature_that_needs_the_operation() {
        for (operation, rule, section, costs) in [
            (
                SubscriptionsOperation::Retrieve.into(),
                Rule::Found,
                "4",
                "publishing the integration",
            ),
            (
                PauseOperation::Pause.into(),
                Rule::BadBody,
                "5.2",
                "pause offers",
            ),
            (
                CancelOperation::Cancel.into(),
                Rule::RepeatChangesNothing,
                "7.5",
                "the cancel flow, and every offer in it",
            ),
            (
                CustomersOperation::FindByEmail.into(),
                Rule::Found,
                "4",
                "the managed flow by e-mail",
            ),
            (
                CustomersOperation::FindByPhone.into(),
                Rule::ContactInRecord,
                "3.1",
                "dunning by SMS",
            ),
            (
                CustomersOperation::List.into(),
                Rule::ReferenceResolves,
                "1.3",
                "discounts and discount offers",
            ),
            (Operation::Features, Rule::UnknownMode, "2.4", "test mode"),
        ] {
            let came = (rule.section_of(operation), rule.costs(operation));
            assert_eq!(came, (section, costs), "{operation:?} {rule:?}");
        }
        let costs: BTreeSet<&str> = Operation::all().map(feature).collect();
        assert_eq!(costs.len(), 15);
        assert!(!costs.contains(UNKNOWN));
    }
}
