//! What the merchant tells the suite about their store.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use churnkey_integrator::{
    ApplyCouponOperation::ApplyCoupon,
    CancelOperation::{Cancel, CancelAll},
    ChangePriceOperation::ChangePrice,
    ExtendTrialOperation::ExtendTrial,
    Operation,
    PauseOperation::{Pause, PauseAll},
    Timestamp,
};

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;
type Hook = Arc<dyn Fn() -> Running + Send + Sync>;
type ClockHook = Arc<dyn Fn(Timestamp) -> Running + Send + Sync>;

/// What the suite may look for in the merchant's store, and what it may change there: records of live mode, unless it
/// says otherwise.
#[derive(Clone)]
#[must_use]
pub struct Fixtures {
    pub(crate) customer: String,
    pub(crate) missing_customer: String,
    pub(crate) test_customer: Option<String>,
    pub(crate) email: Option<Contact>,
    pub(crate) phone: Option<Contact>,
    pub(crate) shared_email: Option<String>,
    pub(crate) shared_phone: Option<String>,
    pub(crate) preferred_by_email: Vec<Contact>,
    pub(crate) preferred_by_phone: Vec<Contact>,
    pub(crate) subscription: Option<Subject>,
    pub(crate) price: Option<String>,
    pub(crate) coupon: Option<String>,
    pub(crate) expired_coupons: Vec<String>,
    pub(crate) product: Option<String>,
    pub(crate) family: Option<String>,
    pub(crate) shared: Shared,
    pub(crate) disposables: Vec<Disposable>,
    pub(crate) between_pages: Option<Hook>,
    pub(crate) advance_clock: Option<ClockHook>,
    pub(crate) only: Option<Vec<Operation>>,
}

/// What both modes have the same of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shared {
    pub(crate) prices: bool,
    pub(crate) coupons: bool,
    pub(crate) products: bool,
    pub(crate) families: bool,
}

/// A contact and the id of who is found by it.
#[derive(Clone)]
pub(crate) struct Contact {
    pub(crate) value: String,
    pub(crate) owner: String,
}

/// A subscription and whose it is; without the id of one, all of the customer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) customer: String,
    pub(crate) subscription: String,
}

/// As a finding names it.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subscription.as_str() {
            "" => write!(f, "all subscriptions of the customer {}", self.customer),
            id => write!(f, "the subscription {id}"),
        }
    }
}

impl Fixtures {
    /// The id of a customer who exists in live mode only, and one that nobody has: no customer, and no subscription,
    /// price, coupon, product or family either.
    pub fn new(customer: impl Into<String>, missing_customer: impl Into<String>) -> Self {
        Self {
            customer: customer.into(),
            missing_customer: missing_customer.into(),
            test_customer: None,
            email: None,
            phone: None,
            shared_email: None,
            shared_phone: None,
            preferred_by_email: Vec::new(),
            preferred_by_phone: Vec::new(),
            subscription: None,
            price: None,
            coupon: None,
            expired_coupons: Vec::new(),
            product: None,
            family: None,
            shared: Shared::default(),
            disposables: Vec::new(),
            between_pages: None,
            advance_clock: None,
            only: None,
        }
    }

    /// The id of a customer who exists in test mode only.
    pub fn test_customer(mut self, id: impl Into<String>) -> Self {
        self.test_customer = Some(id.into());
        self
    }

    /// An e-mail address that one live customer has, and their id. Needed if `find_by_email` is served.
    pub fn email(mut self, email: impl Into<String>, owner: impl Into<String>) -> Self {
        self.email = Some(Contact {
            value: email.into(),
            owner: owner.into(),
        });
        self
    }

    /// A phone number that one live customer has, and their id. Needed if `find_by_phone` is served.
    pub fn phone(mut self, phone: impl Into<String>, owner: impl Into<String>) -> Self {
        self.phone = Some(Contact {
            value: phone.into(),
            owner: owner.into(),
        });
        self
    }

    /// An e-mail address that several live customers have, if the store allows that.
    pub fn shared_email(mut self, email: impl Into<String>) -> Self {
        self.shared_email = Some(email.into());
        self
    }

    /// A phone number that several live customers have, if the store allows that.
    pub fn shared_phone(mut self, phone: impl Into<String>) -> Self {
        self.shared_phone = Some(phone.into());
        self
    }

    /// An e-mail address that several live customers have, and the id of the one who is found by it, if the merchant ranks
    /// them. Where nothing is said, whoever is listed with an address is found by it, or the answer is a 409.
    pub fn preferred_by_email(
        mut self,
        email: impl Into<String>,
        customer: impl Into<String>,
    ) -> Self {
        self.preferred_by_email.push(Contact {
            value: email.into(),
            owner: customer.into(),
        });
        self
    }

    /// A phone number that several live customers have, and the id of the one who is found by it. See
    /// [`preferred_by_email`](Self::preferred_by_email).
    pub fn preferred_by_phone(
        mut self,
        phone: impl Into<String>,
        customer: impl Into<String>,
    ) -> Self {
        self.preferred_by_phone.push(Contact {
            value: phone.into(),
            owner: customer.into(),
        });
        self
    }

    /// The ids of a live customer and of a subscription of theirs. Needed if subscriptions are served. It is not
    /// changed, as long as what must be rejected is rejected.
    pub fn subscription(
        mut self,
        customer: impl Into<String>,
        subscription: impl Into<String>,
    ) -> Self {
        self.subscription = Some(Subject {
            customer: customer.into(),
            subscription: subscription.into(),
        });
        self
    }

    /// The id of a price that exists in live mode only. Needed if prices are served.
    pub fn price(mut self, id: impl Into<String>) -> Self {
        self.price = Some(id.into());
        self
    }

    /// The id of a coupon that exists in live mode only. Needed if coupons are served.
    pub fn coupon(mut self, id: impl Into<String>) -> Self {
        self.coupon = Some(id.into());
        self
    }

    /// The id of a live coupon that can't be redeemed any more, to see that
    /// [`to_apply_coupon`](Disposable::to_apply_coupon) is rejected with it. There may be several: one that has expired, and
    /// one that is used up.
    pub fn expired_coupon(mut self, id: impl Into<String>) -> Self {
        self.expired_coupons.push(id.into());
        self
    }

    /// The id of a product that exists in live mode only. Needed if products are served.
    pub fn product(mut self, id: impl Into<String>) -> Self {
        self.product = Some(id.into());
        self
    }

    /// The id of a family that exists in live mode only. Needed if families are served.
    pub fn family(mut self, id: impl Into<String>) -> Self {
        self.family = Some(id.into());
        self
    }

    /// Both modes have the same prices, coupons, products and families, as where plans are part of the program. Then they
    /// are not expected to differ.
    pub fn shared_catalogue(self) -> Self {
        self.shared_prices()
            .shared_coupons()
            .shared_products()
            .shared_families()
    }

    /// Both modes have the same prices.
    pub fn shared_prices(mut self) -> Self {
        self.shared.prices = true;
        self
    }

    /// Both modes have the same coupons.
    pub fn shared_coupons(mut self) -> Self {
        self.shared.coupons = true;
        self
    }

    /// Both modes have the same products.
    pub fn shared_products(mut self) -> Self {
        self.shared.products = true;
        self
    }

    /// Both modes have the same families.
    pub fn shared_families(mut self) -> Self {
        self.shared.families = true;
        self
    }

    /// Something that the suite may change, for good. Without one, the action is only checked for what it must reject.
    pub fn disposable(mut self, disposable: Disposable) -> Self {
        self.disposables.push(disposable);
        self
    }

    /// Runs between any two pages of one crawl over each list, to add records or take some away as a running shop would.
    /// Every record that is there all along must still come exactly once. Each call should do something new. The
    /// crawls come last, when the other fixtures have been used.
    pub fn between_pages<F>(mut self, change: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.between_pages = Some(Arc::new(move || Box::pin(change())));
        self
    }

    /// Advances the clock of the merchant's data to a moment, and does what is due by then: sets the clock of a test's
    /// store, calls the billing system's test clock, runs the job that ends periods. With it, the suite sees that a
    /// cancellation, a pause or a price that was asked for at the end of a period is there two days after it, and that
    /// a pause comes to its end. Without it, the [report](crate::Report::skipped) names what was not checked.
    ///
    /// The moments come in order, when all actions are done. If signatures are checked by the same clock, give the client
    /// [that clock](crate::Client::with_clock).
    pub fn advance_clock<F>(
        mut self,
        advance: impl Fn(Timestamp) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.advance_clock = Some(Arc::new(move |moment| Box::pin(advance(moment))));
        self
    }

    /// Checks these operations alone. Those of the others that read are still called where the checks need them, and their
    /// failures are findings. The other actions are not called.
    pub fn only(mut self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.only = Some(operations.into_iter().collect());
        self
    }
}

/// Personal data of fixtures is personal data.
impl fmt::Debug for Fixtures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixtures")
            .field("customer", &self.customer)
            .field("missing_customer", &self.missing_customer)
            .field("test_customer", &self.test_customer)
            .field("subscription", &self.subscription)
            .field("disposables", &self.disposables)
            .finish_non_exhaustive()
    }
}

/// A live record that the suite may change for good, and by which action. It does so once a run, so each run wants a
/// fresh one: fill the test's store anew, or make the record right before.
///
/// An action needs one for each way in which the manifest lets it be asked for, and uses them in the order in which they
/// are given: `immediate` and then `end-of-period`, where it has schedules or start dates. Where it takes durations, these
/// two come with a period first, and then with a date. So a pause with both of each needs four. With fewer, the
/// [report](crate::Report::skipped) names what was not done.
///
/// The actions come in the order extend-trial, apply-coupon, change-price, pause, cancel, and then those for all
/// subscriptions of a customer. A subscription to which all of it can be done in this order may be given for several.
/// What is changed at the end of its period can't be: it is looked at once more then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposable {
    pub(crate) may: May,
}

/// What may be done to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum May {
    ExtendTrial(Subject),
    ApplyCoupon { to: Subject, coupon: String },
    ChangePrice { of: Subject, price: String },
    Pause(Subject),
    Cancel(Subject),
    PauseAll { customer: String },
    CancelAll { customer: String },
}

impl May {
    /// The action.
    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::ExtendTrial(_) => ExtendTrial.into(),
            Self::ApplyCoupon { .. } => ApplyCoupon.into(),
            Self::ChangePrice { .. } => ChangePrice.into(),
            Self::Pause(_) => Pause.into(),
            Self::Cancel(_) => Cancel.into(),
            Self::PauseAll { .. } => PauseAll.into(),
            Self::CancelAll { .. } => CancelAll.into(),
        }
    }

    /// What it may be done to: a subscription, or all of a customer's.
    pub(crate) fn subject(&self) -> Subject {
        match self {
            Self::ExtendTrial(subject)
            | Self::ApplyCoupon { to: subject, .. }
            | Self::ChangePrice { of: subject, .. }
            | Self::Pause(subject)
            | Self::Cancel(subject) => subject.clone(),
            Self::PauseAll { customer } | Self::CancelAll { customer } => Subject {
                customer: customer.clone(),
                subscription: String::new(),
            },
        }
    }
}

impl Disposable {
    /// What has to be given for the action to be done.
    pub(crate) fn needed_for(operation: Operation) -> &'static str {
        match operation {
            Operation::ExtendTrial(_) => "Disposable::to_extend_trial(..)",
            Operation::ApplyCoupon(_) => "Disposable::to_apply_coupon(..)",
            Operation::ChangePrice(_) => "Disposable::to_change_price(..)",
            Operation::Pause(Pause) => "Disposable::to_pause(..)",
            Operation::Pause(_) => "Disposable::to_pause_all(..)",
            Operation::Cancel(CancelAll) => "Disposable::to_cancel_all(..)",
            _ => "Disposable::to_cancel(..)",
        }
    }

    fn one(
        customer: impl Into<String>,
        subscription: impl Into<String>,
        may: impl FnOnce(Subject) -> May,
    ) -> Self {
        Self {
            may: may(Subject {
                customer: customer.into(),
                subscription: subscription.into(),
            }),
        }
    }

    /// A customer's subscription in trial, which was not extended before.
    pub fn to_extend_trial(customer: impl Into<String>, subscription: impl Into<String>) -> Self {
        Self::one(customer, subscription, May::ExtendTrial)
    }

    /// A customer's subscription, and a coupon that it can be given and does not have.
    pub fn to_apply_coupon(
        customer: impl Into<String>,
        subscription: impl Into<String>,
        coupon: impl Into<String>,
    ) -> Self {
        let coupon = coupon.into();
        Self::one(customer, subscription, |to| May::ApplyCoupon { to, coupon })
    }

    /// A customer's subscription with one item, and a price that it can change to and does not have. To be changed at the
    /// end of its period, it has to have one that is not over.
    pub fn to_change_price(
        customer: impl Into<String>,
        subscription: impl Into<String>,
        price: impl Into<String>,
    ) -> Self {
        let price = price.into();
        Self::one(customer, subscription, |of| May::ChangePrice { of, price })
    }

    /// A customer's subscription that can be paused for a month: active, in a period that is not over, and annual only if
    /// the manifest allows that.
    pub fn to_pause(customer: impl Into<String>, subscription: impl Into<String>) -> Self {
        Self::one(customer, subscription, May::Pause)
    }

    /// A customer's subscription that is not cancelled, in a period that is not over.
    ///
    /// If the manifest declares both schedules, the first one is cancelled twice: at the end of its period, and then at
    /// once, as a customer may do who has changed their mind. The second one is cancelled at the end of its period only. So
    /// what is wrong with that schedule may be found with both, and each finding names its own.
    pub fn to_cancel(customer: impl Into<String>, subscription: impl Into<String>) -> Self {
        Self::one(customer, subscription, May::Cancel)
    }

    /// A customer all of whose subscriptions can be paused for a month, if `pause_all` is served.
    pub fn to_pause_all(customer: impl Into<String>) -> Self {
        let customer = customer.into();
        Self {
            may: May::PauseAll { customer },
        }
    }

    /// A customer all of whose subscriptions may be cancelled, if `cancel_all` is served.
    pub fn to_cancel_all(customer: impl Into<String>) -> Self {
        let customer = customer.into();
        Self {
            may: May::CancelAll { customer },
        }
    }
}
