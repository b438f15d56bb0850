//! Merchants whose customers controller is broken.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use churnkey_conformance::{Fixtures, Report, Rule, check};
use churnkey_integrator::Cursor;
use churnkey_integrator::{
    CustomerId, CustomersController, CustomersOperation, Email, HandlerError, Integration, Mode,
    Page, PageRequest, Phone, RequestContext, Result, Serves, async_trait, controller,
    model::Customer,
};

use super::broken_merchants;
use crate::merchants::{billing_store, client_of, demo_fixtures, in_memory_store, token};
use in_memory::store::Store;

/// Delegates every call to a good merchant, except for its one fault.
struct Broken {
    good: Store,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    OffsetPaging,
    PageOverLimit,
    AnotherId,
    EmptyLastPage,
    LeaksItsStore,
    EchoesTheAddress,
    InventsCustomers,
    FailsOnMissing,
    PanicsOnMissing,
    RepeatsTheLastRow,
    SkipsARow,
    IgnoresTheCursor,
    NeverComesToAnEnd,
    MixesModes,
    ListsLiveAlways,
    ListsTestToo,
    HidesTheAddress,
    EmailIgnoresMode,
    PhoneIgnoresMode,
    IdsIgnoreCase,
    ListsLess,
    ForgetsTheFirst,
    OrderByPageSize,
    MindsLetterCase,
    MindsLetterCaseOfItsOwn,
    FindsNobodyByAFormattedNumber,
    SearchesSubstrings,
    GuessesAmongOwners,
    FindsSomebodyElse,
    PastesIdsIntoSql,
    NeverAnswers,
}

impl Broken {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn all(&self, cx: &RequestContext) -> Vec<(u64, Customer)> {
        match cx.mode() {
            Mode::Live => self.good.live.customers.after(0, usize::MAX),
            Mode::Test => self.good.test.customers.after(0, usize::MAX),
        }
    }
}

#[controller]
impl CustomersController for Broken {
    async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        if self.is(Fault::NeverAnswers) {
            std::future::pending::<()>().await;
        }
        if self.is(Fault::PastesIdsIntoSql) && id.as_str().contains('\'') {
            return Err("unterminated quoted string".into());
        }
        let found = self.good.retrieve(cx, id).await?;
        let found = match (found, self.fault) {
            (None, Fault::IdsIgnoreCase) => {
                let mut all = self.all(cx).into_iter();
                let same = |c: &Customer| c.id().as_str().eq_ignore_ascii_case(id.as_str());
                all.find_map(|(_, customer)| same(&customer).then(|| Customer::new(id.clone())))
            }
            (None, Fault::MixesModes) => self.good.test.customers.by_id(id).or(self
                .good
                .live
                .customers
                .by_id(id)),
            (found, _) => found,
        };
        match (&found, self.fault) {
            (Some(_), Fault::HidesTheAddress) => Ok(Some(Customer::new(id.clone()))),
            (Some(_), Fault::AnotherId) => Ok(Some(Customer::new(CustomerId::new("cus_else")?))),
            (None, Fault::InventsCustomers) => Ok(Some(Customer::new(id.clone()))),
            (None, Fault::FailsOnMissing) => Err("no rows returned".into()),
            (None, Fault::PanicsOnMissing) => panic!("called `Option::unwrap()` on a `None` value"),
            (None, Fault::LeaksItsStore) => Err(HandlerError::not_found(
                "no rows for: SELECT * FROM customers WHERE id = $1",
            )),
            _ => Ok(found),
        }
    }

    async fn list(&self, cx: &RequestContext, page: &PageRequest) -> Result<Page<Customer>> {
        match self.fault {
            // Newest first by OFFSET: a new customer moves everybody by one.
            Fault::OffsetPaging => {
                let offset: usize = page.after()?.unwrap_or(0);
                let rows = self
                    .all(cx)
                    .into_iter()
                    .rev()
                    .skip(offset)
                    .take(page.limit() + 1);
                let rows: Vec<_> = rows.map(|(_, customer)| customer).collect();
                Ok(Page::from_overfetch(rows, page, |_| offset + page.limit())?)
            }
            Fault::PageOverLimit => {
                let rows = self.all(cx).into_iter().map(|(_, customer)| customer);
                Ok(Page::new(rows.collect(), None))
            }
            // The sample in Churnkey's own documentation: `next` whenever the page came back full.
            Fault::EmptyLastPage => {
                let after: u64 = page.after()?.unwrap_or(0);
                let mut rows = self.all(cx);
                rows.retain(|(seq, _)| *seq > after);
                rows.truncate(page.limit());
                let next = match rows.last() {
                    Some((seq, _)) if rows.len() == page.limit() => Some(Cursor::new(seq)?),
                    _ => None,
                };
                Ok(Page::new(
                    rows.into_iter().map(|(_, customer)| customer).collect(),
                    next,
                ))
            }
            // A page of one would never come to an end.
            Fault::RepeatsTheLastRow | Fault::SkipsARow if page.limit() > 1 => {
                let after: u64 = page.after()?.unwrap_or(0);
                let first = match self.fault {
                    _ if after == 0 => 1,
                    Fault::SkipsARow => after + 2,
                    _ => after,
                };
                let mut rows = self.all(cx);
                rows.retain(|(seq, _)| *seq >= first);
                rows.truncate(page.limit() + 1);
                let page = Page::from_overfetch(rows, page, |(seq, _)| *seq)?;
                Ok(page.map(|(_, customer)| customer))
            }
            Fault::IgnoresTheCursor => {
                let rows = self.all(cx);
                let page = Page::from_overfetch(rows, page, |(seq, _)| *seq)?;
                Ok(page.map(|(_, customer)| customer))
            }
            Fault::ListsLiveAlways | Fault::ListsTestToo => {
                let after: u64 = page.after()?.unwrap_or(0);
                let mut rows = self.good.live.customers.after(0, usize::MAX);
                if self.is(Fault::ListsTestToo) {
                    let last = rows.len() as u64;
                    let test = self.good.test.customers.after(0, usize::MAX).into_iter();
                    rows.extend(test.map(|(seq, customer)| (last + seq, customer)));
                }
                rows.retain(|(seq, _)| *seq > after);
                let page = Page::from_overfetch(rows, page, |(seq, _)| *seq)?;
                Ok(page.map(|(_, customer)| customer))
            }
            // An endless loop, each time with a new cursor.
            Fault::NeverComesToAnEnd => {
                let turn: u64 = page.after()?.unwrap_or(0) + 1;
                let rows = self
                    .all(cx)
                    .into_iter()
                    .take(1)
                    .map(|(_, customer)| customer);
                Ok(Page::new(rows.collect(), Some(Cursor::new(&turn)?)))
            }
            Fault::ListsLess => {
                let page = self.good.list(cx, page).await?;
                Ok(page.map(|customer| Customer::new(customer.id().clone())))
            }
            Fault::ForgetsTheFirst => {
                let after: u64 = page.after()?.unwrap_or(1);
                let rows = self.all(cx).into_iter().filter(|(seq, _)| *seq > after);
                let page = Page::from_overfetch(rows.collect(), page, |(seq, _)| *seq)?;
                Ok(page.map(|(_, customer)| customer))
            }
            Fault::OrderByPageSize if page.limit() % 2 == 1 => {
                let before: u64 = page.after()?.unwrap_or(u64::MAX);
                let rows = self
                    .all(cx)
                    .into_iter()
                    .rev()
                    .filter(|(seq, _)| *seq < before);
                let page = Page::from_overfetch(rows.collect(), page, |(seq, _)| *seq)?;
                Ok(page.map(|(_, customer)| customer))
            }
            _ => self.good.list(cx, page).await,
        }
    }

    async fn find_by_email(&self, cx: &RequestContext, email: &Email) -> Result<Option<Customer>> {
        let all = || self.all(cx).into_iter().map(|(_, customer)| customer);
        let has = |customer: &Customer, part: &str| {
            let address = customer.email().map(Email::lookup_key);
            address.is_some_and(|address| address.contains(part))
        };
        match self.fault {
            Fault::MindsLetterCase => {
                let exactly = |customer: &Customer| customer.email() == Some(email);
                match self.good.find_by_email(cx, email).await? {
                    Some(found) if !exactly(&found) => Ok(None),
                    found => Ok(found),
                }
            }
            // `WHERE email = lower($1)`, over a column as it was typed.
            Fault::MindsLetterCaseOfItsOwn => {
                let is_lower = |customer: &Customer| {
                    let address = customer.email().map(Email::as_str);
                    address.is_some_and(|address| address == address.to_ascii_lowercase())
                };
                let found = self.good.find_by_email(cx, email).await?;
                Ok(found.filter(is_lower))
            }
            Fault::SearchesSubstrings => match self.good.find_by_email(cx, email).await? {
                None => Ok(all().find(|customer| has(customer, &email.lookup_key()))),
                found => Ok(found),
            },
            Fault::GuessesAmongOwners => {
                Ok(all().find(|c| c.email().map(Email::lookup_key) == Some(email.lookup_key())))
            }
            Fault::FindsSomebodyElse => match self.good.find_by_email(cx, email).await? {
                Some(_) => Ok(all().next()),
                None => Ok(None),
            },
            Fault::HidesTheAddress => {
                let found = self.good.find_by_email(cx, email).await?;
                Ok(found.map(|found| Customer::new(found.id().clone())))
            }
            Fault::EmailIgnoresMode => match self.good.find_by_email(cx, email).await? {
                None => Ok(match self.good.live.customers.by_email(email) {
                    in_memory::store::Match::One(customer) => Some(customer),
                    _ => None,
                }),
                found => Ok(found),
            },
            Fault::EchoesTheAddress => match self.good.find_by_email(cx, email).await? {
                None => Err(HandlerError::not_found(format!(
                    "nobody has {}",
                    email.as_str()
                ))),
                found => Ok(found),
            },
            _ => self.good.find_by_email(cx, email).await,
        }
    }

    async fn find_by_phone(&self, cx: &RequestContext, phone: &Phone) -> Result<Option<Customer>> {
        match self.good.find_by_phone(cx, phone).await? {
            // `WHERE phone = $1`, with the number's digits, over a column as it was typed.
            Some(found)
                if self.is(Fault::FindsNobodyByAFormattedNumber)
                    && found
                        .phone()
                        .is_some_and(|phone| phone.as_str().contains(' ')) =>
            {
                Ok(None)
            }
            None if self.is(Fault::PhoneIgnoresMode) => {
                Ok(match self.good.live.customers.by_phone(phone) {
                    in_memory::store::Match::One(customer) => Some(customer),
                    _ => None,
                })
            }
            found => Ok(found),
        }
    }
}

async fn report_on(fault: Fault) -> Report {
    let merchant = Arc::new(Broken {
        good: billing_store(),
        fault,
    });
    let integration = Integration::builder("Broken", token())
        .customers(merchant.clone())
        .coupons(merchant.good.clone())
        .deadline(Duration::from_millis(50))
        .build()
        .unwrap();
    let newcomers = AtomicUsize::new(0);
    let fixtures = demo_fixtures().coupon("coupon_stay20");
    let fixtures = fixtures.between_pages(move || {
        let n = newcomers.fetch_add(1, Ordering::Relaxed);
        let id = CustomerId::new(format!("cus_new_{n}")).unwrap();
        merchant.good.live.customers.extend([Customer::new(id)]);
        async {}
    });
    check(&client_of(&integration), &fixtures).await.unwrap()
}

broken_merchants! {
    offset_paging_under_inserts: OffsetPaging breaks StableUnderChange, "twice after the store had changed",
        in ["stable-under-change: customers.list"];
    a_page_over_the_limit: PageOverLimit breaks PageWithinLimit,
        "the page holds 11 records though",
        in ["page-within-limit: customers.list"];
    a_wrong_id: AnotherId breaks Found, "another id than the one that was asked for",
        in ["found: customers.retrieve"];
    an_empty_last_page: EmptyLastPage breaks NoEmptyPage, "an empty page",
        in ["no-empty-page: customers.list"];
    an_error_that_leaks_the_store: LeaksItsStore breaks ErrorsTellNothing, "SELECT * FROM customers",
        in ["errors-tell-nothing: customers.retrieve"];
    an_error_that_echoes_an_address: EchoesTheAddress breaks ErrorsTellNothing, "in the message \"nobody has",
        in ["errors-tell-nothing: customers.find_by_email"];
    a_customer_out_of_nothing: InventsCustomers breaks Missing,
        "expected 404 for the customer cus_nobody, an id that nobody has; got 200",
        in ["missing: customers.retrieve", "modes-apart: customers.retrieve", "odd-input: customers.retrieve"];
    an_error_instead_of_none: FailsOnMissing breaks Missing, "got 500: no rows returned",
        in ["missing: customers.retrieve", "odd-input: customers.retrieve"];
    a_panic_instead_of_none: PanicsOnMissing breaks Missing, "got 500: the controller panicked",
        in ["missing: customers.retrieve", "odd-input: customers.retrieve"];
    a_row_on_two_pages: RepeatsTheLastRow breaks EachRecordOnce, "again",
        in ["each-record-once: customers.list"];
    a_row_on_no_page: SkipsARow breaks EachRecordOnce, "is missing",
        in ["each-record-once: customers.list"];
    a_crawl_without_an_end: IgnoresTheCursor breaks CrawlEnds, "the same next again",
        in ["crawl-ends: customers.list"];
    a_crawl_with_ever_new_cursors: NeverComesToAnEnd breaks CrawlEnds, "still a next after 101 pages, 100 of them without a new record",
        in ["crawl-ends: customers.list"];
    live_and_test_mixed: MixesModes breaks ModesApart, "expected 404 for the live customer in test mode; got 200",
        in ["modes-apart: customers.retrieve"];
    a_list_of_live_customers_in_test_mode: ListsLiveAlways breaks ModesApart,
        "a list in test mode without the other mode's customer cus_ada",
        in ["modes-apart: customers.list"];
    a_list_of_test_customers_in_live_mode: ListsTestToo breaks ModesApart,
        "a list in live mode without the other mode's customer cus_test",
        in ["modes-apart: customers.list"];
    an_address_looked_up_in_the_wrong_mode: EmailIgnoresMode breaks ModesApart,
        "customers.find_by_email broke modes-apart (contract, section 2.4): expected 404 for the live customer in test mode",
        in ["modes-apart: customers.find_by_email"];
    a_number_looked_up_in_the_wrong_mode: PhoneIgnoresMode breaks ModesApart,
        "customers.find_by_phone broke modes-apart (contract, section 2.4): expected 404 for the live customer in test mode",
        in ["modes-apart: customers.find_by_phone"];
    an_id_compared_without_case: IdsIgnoreCase breaks Missing,
        "expected 404 for the customer CUS_ADA, an id in other letter case; got 200",
        in ["missing: customers.retrieve"];
    a_list_that_says_less: ListsLess breaks SameRecord, "records that differ in [\"addresses\", \"currency\", \"email\"",
        in ["same-record: customers.list"];
    a_list_without_somebody: ForgetsTheFirst breaks Found, "the customer cus_ada among the listed",
        in ["found: customers.list"];
    an_order_that_depends_on_the_page_size: OrderByPageSize breaks StableOrder, "another order",
        in ["stable-order: customers.list"];
    an_address_compared_with_case: MindsLetterCase breaks EmailIgnoresCase, "got 404: Customer not found",
        in ["email-ignores-case: customers.find_by_email"];
    an_address_stored_as_it_was_typed: MindsLetterCaseOfItsOwn breaks Found,
        "customers.find_by_email broke found (contract, section 4): expected the customer cus_mary, or 409, for the email of the listed customer cus_mary; got 404: Customer not found",
        in ["found: customers.find_by_email"];
    a_number_stored_as_it_was_typed: FindsNobodyByAFormattedNumber breaks Found,
        "customers.find_by_phone broke found (contract, section 4): expected the customer cus_mary, or 409, for the phone of the listed customer cus_mary; got 404: Customer not found",
        in ["found: customers.find_by_phone"];
    an_address_that_is_searched: SearchesSubstrings breaks Missing, "404 for a text that is not the whole email; got 200",
        in ["missing: customers.find_by_email"];
    a_guess_among_several_owners: GuessesAmongOwners breaks Ambiguous, "expected 409",
        in ["ambiguous: customers.find_by_email", "found: customers.find_by_email"];
    a_record_without_its_address: HidesTheAddress breaks ContactInRecord,
        "expected the email in the record of the customer cus_zoe, who was found by it; got a record without; this costs dunning and reactivation by e-mail",
        in ["contact-in-record: customers.find_by_email", "same-record: customers.find_by_phone customers.list"];
    somebody_elses_record: FindsSomebodyElse breaks Found, "expected 200 and the customer cus_zoe; got 200 and the customer cus_ada",
        in ["found: customers.find_by_email"];
    an_id_pasted_into_sql: PastesIdsIntoSql breaks OddInput, "404 or 400 for \"'\"; got 500: unterminated quoted string (texts that broke it: 2 of 17)",
        in ["odd-input: customers.retrieve"];
    a_merchant_that_hangs: NeverAnswers breaks Found, "the controller did not answer before the deadline",
        in ["found: customers.retrieve", "missing: customers.retrieve", "odd-input: customers.retrieve"];
}

#[tokio::test]
async fn a_merchant_may_rank_the_owners_of_an_address_if_the_fixtures_name_the_first() {
    let merchant = Arc::new(Broken {
        good: in_memory_store(),
        fault: Fault::GuessesAmongOwners,
    });
    let integration = Integration::builder("Ranks", token())
        .customers(merchant.clone())
        .coupons(merchant.good.clone())
        .build()
        .unwrap();
    let client = client_of(&integration);
    let fixtures = Fixtures::new("cus_ada", "cus_nobody")
        .test_customer("cus_test")
        .email("zoe+billing@example.com", "cus_zoe")
        .phone("+358401234567", "cus_linus")
        .coupon("coupon_stay20");
    let other = |id: &str, others: &str| {
        format!(
            "customers.find_by_email broke found (contract, section 4): expected the customer {id}, or 409, for the email of the listed customer {others}, or Fixtures::preferred_by_email(..) if another one is meant; got 200 and the customer cus_twin_a; this costs the managed flow by e-mail"
        )
    };
    for (fixtures, expected) in [
        (fixtures.clone(), Some(other("cus_twin_b", "cus_twin_b"))),
        (
            fixtures
                .clone()
                .preferred_by_email("SHARED@example.com", "cus_twin_a"),
            None,
        ),
        (
            fixtures.preferred_by_email("shared@example.com", "cus_twin_b"),
            Some(other("cus_twin_b", "cus_twin_a")),
        ),
    ] {
        let report = check(&client, &fixtures).await.unwrap();
        let findings: Vec<_> = report.findings().iter().map(ToString::to_string).collect();
        assert_eq!(findings.first(), expected.as_ref(), "{report}");
    }
}

#[tokio::test]
async fn a_served_operation_without_a_fixture_is_a_finding() {
    let integration = Integration::builder("Broken", token())
        .customers(in_memory_store())
        .subscriptions(in_memory_store())
        .prices(in_memory_store())
        .coupons(in_memory_store())
        .products(in_memory_store())
        .families(in_memory_store())
        .build()
        .unwrap();
    let fixtures = Fixtures::new("cus_ada", "cus_nobody");
    let report = check(&client_of(&integration), &fixtures).await.unwrap();
    let findings = report.findings().iter();
    let findings = findings.map(|finding| (finding.rule(), finding.expected()));
    let missing = [
        "email",
        "phone",
        "subscription",
        "subscription",
        "price",
        "coupon",
        "product",
        "family",
    ];
    let expected = missing.map(|name| format!("Fixtures::{name}(..), as the operation is served"));
    assert_eq!(
        findings.collect::<Vec<_>>(),
        expected
            .each_ref()
            .map(|text| (Rule::FixtureGiven, text.as_str())),
        "{report}"
    );
}

#[tokio::test]
async fn operations_listed_by_hand_without_a_method_are_named() {
    struct ListsTooMuch;

    impl Serves<CustomersOperation> for ListsTooMuch {
        fn operations(&self) -> &'static [CustomersOperation] {
            &[CustomersOperation::Retrieve, CustomersOperation::List]
        }
    }

    #[async_trait]
    impl CustomersController for ListsTooMuch {
        async fn retrieve(&self, cx: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
            in_memory_store().retrieve(cx, id).await
        }
    }

    let integration = Integration::builder("Broken", token())
        .customers(ListsTooMuch)
        .build()
        .unwrap();
    let fixtures = Fixtures::new("cus_ada", "cus_nobody");
    let report = check(&client_of(&integration), &fixtures).await.unwrap();
    let finding = report.findings()[0].to_string();
    assert_eq!(
        finding,
        "customers.list broke page-within-limit (contract, section 2.5): expected 200 and at most 500 customers; \
         got 500: operations() lists customers.list, but the controller does not implement it: add the method, \
         or let #[controller] write operations(); \
         this costs segments and campaigns over all customers"
    );
}
