//! What the merchant tells the suite about their store.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use churnkey_integrator::{
    ApplyCouponOperation::ApplyCoupon,
    CancelOperation::{Cancel, CancelAll},
    ChangePriceOperation::ChangePrice,
    ExtendTrialOperation::ExtendTrial,
    Operation,
    PauseOperation::{Pause, PauseAll},
};

type Hook = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

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
    pub(crate) subscription: Option<Subject>,
    pub(crate) price: Option<String>,
    pub(crate) coupon: Option<String>,
    pub(crate) expired_coupon: Option<String>,
    pub(crate) product: Option<String>,
    pub(crate) family: Option<String>,
    pub(crate) shared_catalogue: bool,
    pub(crate) disposables: Vec<Disposable>,
    pub(crate) between_pages: Option<Hook>,
}

/// A contact and the id of its only owner.
#[derive(Clone)]
pub(crate) struct Contact {
    pub(crate) value: String,
    pub(crate) owner: String,
}

/// A subscription and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) customer: String,
    pub(crate) subscription: String,
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
            subscription: None,
            price: None,
            coupon: None,
            expired_coupon: None,
            product: None,
            family: None,
            shared_catalogue: false,
            disposables: Vec::new(),
            between_pages: None,
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
    /// [`to_apply_coupon`](Disposable::to_apply_coupon) is rejected with it.
    pub fn expired_coupon(mut self, id: impl Into<String>) -> Self {
        self.expired_coupon = Some(id.into());
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

    /// Prices, coupons, products and families are the same in both modes, as where plans are part of the program. Then they
    /// are not expected to differ.
    pub fn shared_catalogue(mut self) -> Self {
        self.shared_catalogue = true;
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
/// The actions come in the order extend-trial, apply-coupon, change-price, pause, cancel, and then those for all
/// subscriptions of a customer. A subscription to which all of it can be done in this order may be given for several.
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

    /// A customer's subscription with one item, and a price that it can change to and does not have.
    pub fn to_change_price(
        customer: impl Into<String>,
        subscription: impl Into<String>,
        price: impl Into<String>,
    ) -> Self {
        let price = price.into();
        Self::one(customer, subscription, |of| May::ChangePrice { of, price })
    }

    /// A customer's subscription that can be paused for a month: active, not annual, in a period that is not over.
    pub fn to_pause(customer: impl Into<String>, subscription: impl Into<String>) -> Self {
        Self::one(customer, subscription, May::Pause)
    }

    /// A customer's subscription that is not cancelled, in a period that is not over.
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
