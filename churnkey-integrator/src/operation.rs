//! The one table of what can be asked for: operation, method, path, place in the manifest.

use http::Method;

/// Anything that the router can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// The features manifest. Always there.
    Features,
    /// An operation of the customers controller.
    Customers(CustomersOperation),
    /// An operation of the subscriptions controller.
    Subscriptions(SubscriptionsOperation),
    /// An operation of the prices controller.
    Prices(PricesOperation),
    /// An operation of the coupons controller.
    Coupons(CouponsOperation),
    /// An operation of the products controller.
    Products(ProductsOperation),
    /// An operation of the families controller.
    Families(FamiliesOperation),
    /// A form of the cancel action.
    Cancel(CancelOperation),
    /// A form of the pause action.
    Pause(PauseOperation),
    /// The apply-coupon action.
    ApplyCoupon(ApplyCouponOperation),
    /// The extend-trial action.
    ExtendTrial(ExtendTrialOperation),
    /// The change-price action.
    ChangePrice(ChangePriceOperation),
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident of $trait:literal as $variant:ident { $($(#[$rule:meta])* $operation:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[doc = concat!("\n\nNamed after the methods of [`", $trait, "`](crate::", $trait, ").")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$rule])* $operation,)*
        }

        impl $name {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$operation),*];
        }

        impl From<$name> for Operation {
            fn from(operation: $name) -> Self {
                Self::$variant(operation)
            }
        }
    )*};
}

operations! {
    /// The operations of a customers controller.
    CustomersOperation of "CustomersController" as Customers {
        /// Required.
        Retrieve,
        /// Optional.
        List,
        /// Optional; for Churnkey's managed flow.
        FindByEmail,
        /// Optional; for Churnkey's managed flow.
        FindByPhone,
    }

    /// The operations of a subscriptions controller.
    SubscriptionsOperation of "SubscriptionsController" as Subscriptions {
        /// Required.
        Retrieve,
        /// Optional.
        List,
    }

    /// The operations of a prices controller.
    PricesOperation of "PricesController" as Prices {
        /// Required.
        Retrieve,
        /// Required.
        List,
    }

    /// The operations of a coupons controller.
    CouponsOperation of "CouponsController" as Coupons {
        /// Required.
        Retrieve,
        /// Required.
        List,
    }

    /// The operations of a products controller.
    ProductsOperation of "ProductsController" as Products {
        /// Required.
        Retrieve,
        /// Required.
        List,
    }

    /// The operations of a families controller.
    FamiliesOperation of "FamiliesController" as Families {
        /// Required.
        Retrieve,
        /// Required.
        List,
    }

    /// The forms of the cancel action.
    CancelOperation of "CancelAction" as Cancel {
        /// One subscription; required.
        Cancel,
        /// All subscriptions of a customer; optional.
        CancelAll,
    }

    /// The forms of the pause action.
    PauseOperation of "PauseAction" as Pause {
        /// One subscription; required.
        Pause,
        /// All subscriptions of a customer; optional.
        PauseAll,
    }

    /// The form of the apply-coupon action.
    ApplyCouponOperation of "ApplyCouponAction" as ApplyCoupon {
        /// Required.
        ApplyCoupon,
    }

    /// The form of the extend-trial action.
    ExtendTrialOperation of "ExtendTrialAction" as ExtendTrial {
        /// Required.
        ExtendTrial,
    }

    /// The form of the change-price action.
    ChangePriceOperation of "ChangePriceAction" as ChangePrice {
        /// Required.
        ChangePrice,
    }
}

/// A line of the table.
struct Row {
    name: &'static str,
    method: Method,
    path: &'static str,
    required: bool,
    manifest: Option<Line>,
}

/// Where the manifest says that an operation is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) section: Section,
    /// The controller's or the action's key.
    pub(crate) module: &'static str,
    /// The operation's key in it, if the module alone does not say it.
    pub(crate) key: Option<&'static str>,
}

/// A section of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Controllers,
    Actions,
}

const REQUIRED: bool = true;
const OPTIONAL: bool = false;

fn read(
    name: &'static str,
    path: &'static str,
    required: bool,
    module: &'static str,
    key: &'static str,
) -> Row {
    Row {
        name,
        method: Method::GET,
        path,
        required,
        manifest: Some(Line {
            section: Section::Controllers,
            module,
            key: Some(key),
        }),
    }
}

fn act(
    name: &'static str,
    path: &'static str,
    required: bool,
    module: &'static str,
    key: Option<&'static str>,
) -> Row {
    Row {
        name,
        method: Method::POST,
        path,
        required,
        manifest: Some(Line {
            section: Section::Actions,
            module,
            key,
        }),
    }
}

impl Operation {
    #[rustfmt::skip]
    fn row(self) -> Row {
        match self {
            Self::Features => Row {
                name: "features",
                method: Method::GET,
                path: "/features",
                required: true,
                manifest: None,
            },
            Self::Customers(operation) => match operation {
                CustomersOperation::Retrieve =>
                    read("customers.retrieve", "/customers/{id}", REQUIRED, "customers", "retrieve"),
                CustomersOperation::List =>
                    read("customers.list", "/customers", OPTIONAL, "customers", "list"),
                CustomersOperation::FindByEmail =>
                    read("customers.find_by_email", "/customers/email/{email}", OPTIONAL, "customers", "findByEmail"),
                CustomersOperation::FindByPhone =>
                    read("customers.find_by_phone", "/customers/phone/{phone}", OPTIONAL, "customers", "findByPhone"),
            },
            Self::Subscriptions(operation) => match operation {
                SubscriptionsOperation::Retrieve =>
                    read("subscriptions.retrieve", "/customers/{customerId}/subscriptions/{id}", REQUIRED, "subscriptions", "retrieve"),
                SubscriptionsOperation::List =>
                    read("subscriptions.list", "/customers/{customerId}/subscriptions", OPTIONAL, "subscriptions", "list"),
            },
            Self::Prices(operation) => match operation {
                PricesOperation::Retrieve => read("prices.retrieve", "/prices/{id}", REQUIRED, "prices", "retrieve"),
                PricesOperation::List => read("prices.list", "/prices", REQUIRED, "prices", "list"),
            },
            Self::Coupons(operation) => match operation {
                CouponsOperation::Retrieve => read("coupons.retrieve", "/coupons/{id}", REQUIRED, "coupons", "retrieve"),
                CouponsOperation::List => read("coupons.list", "/coupons", REQUIRED, "coupons", "list"),
            },
            Self::Products(operation) => match operation {
                ProductsOperation::Retrieve => read("products.retrieve", "/products/{id}", REQUIRED, "products", "retrieve"),
                ProductsOperation::List => read("products.list", "/products", REQUIRED, "products", "list"),
            },
            Self::Families(operation) => match operation {
                FamiliesOperation::Retrieve => read("families.retrieve", "/families/{id}", REQUIRED, "families", "retrieve"),
                FamiliesOperation::List => read("families.list", "/families", REQUIRED, "families", "list"),
            },
            // The contract knows no `enabled` of cancel (section 0.3).
            Self::Cancel(form) => match form {
                CancelOperation::Cancel => act("cancel", "/actions/subscription/cancel", REQUIRED, "cancel", None),
                CancelOperation::CancelAll => act("cancel_all", "/actions/customer/cancel", OPTIONAL, "cancel", Some("all")),
            },
            Self::Pause(form) => match form {
                PauseOperation::Pause => act("pause", "/actions/subscription/pause", REQUIRED, "pause", Some("enabled")),
                PauseOperation::PauseAll => act("pause_all", "/actions/customer/pause", OPTIONAL, "pause", Some("all")),
            },
            Self::ApplyCoupon(ApplyCouponOperation::ApplyCoupon) =>
                act("apply_coupon", "/actions/subscription/apply-coupon", REQUIRED, "applyCoupon", Some("enabled")),
            Self::ExtendTrial(ExtendTrialOperation::ExtendTrial) =>
                act("extend_trial", "/actions/subscription/extend-trial", REQUIRED, "extendTrial", Some("enabled")),
            Self::ChangePrice(ChangePriceOperation::ChangePrice) =>
                act("change_price", "/actions/subscription/change-price", REQUIRED, "changePrice", Some("enabled")),
        }
    }

    /// Every operation, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        fn of<O: Copy + Into<Operation>>(operations: &[O]) -> impl Iterator<Item = Operation> {
            operations.iter().map(|operation| (*operation).into())
        }
        std::iter::once(Self::Features)
            .chain(of(CustomersOperation::ALL))
            .chain(of(SubscriptionsOperation::ALL))
            .chain(of(PricesOperation::ALL))
            .chain(of(CouponsOperation::ALL))
            .chain(of(ProductsOperation::ALL))
            .chain(of(FamiliesOperation::ALL))
            .chain(of(CancelOperation::ALL))
            .chain(of(PauseOperation::ALL))
            .chain(of(ApplyCouponOperation::ALL))
            .chain(of(ExtendTrialOperation::ALL))
            .chain(of(ChangePriceOperation::ALL))
    }

    /// The name in logs and reports, such as `customers.find_by_email`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The HTTP method.
    #[must_use]
    pub fn method(self) -> Method {
        self.row().method
    }

    /// The path behind the prefix, with its parameters in braces, such as `/customers/{id}`.
    #[must_use]
    pub fn path(self) -> &'static str {
        self.row().path
    }

    /// Whether a controller or an action that is registered has to serve it.
    #[must_use]
    pub fn is_required(self) -> bool {
        self.row().required
    }

    /// Whether a request with this method is for the operation. HEAD is GET without the body.
    pub(crate) fn answers(self, method: &Method) -> bool {
        let own = self.method();
        *method == own || (own == Method::GET && *method == Method::HEAD)
    }

    /// The value of the `Allow` header of a 405.
    pub(crate) fn allow(self) -> &'static str {
        match self.method() {
            Method::GET => "GET,HEAD",
            _ => "POST",
        }
    }

    /// Its place in the manifest; the manifest itself has none.
    pub(crate) fn manifest_line(self) -> Option<Line> {
        self.row().manifest
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Operation;

    #[test]
    fn no_two_operations_share_a_name_or_a_route() {
        let names: BTreeSet<_> = Operation::all().map(Operation::name).collect();
        let routes: BTreeSet<_> = Operation::all()
            .map(|o| format!("{} {}", o.method(), o.path()))
            .collect();
        assert_eq!((names.len(), routes.len()), (22, 22));
    }
}
