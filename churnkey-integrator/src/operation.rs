//! The table of operations: name, method, path, whether it is required, and place in the manifest.

use http::Method;
use serde_json::Value;

/// A line of the table.
struct Row {
    name: &'static str,
    method: Method,
    path: &'static str,
    required: bool,
    manifest: Option<ManifestLine>,
}

/// Where the manifest says that an operation is served (contract, section 2.3).
///
/// ```
/// use churnkey_integrator::CustomersOperation::FindByEmail;
/// use churnkey_integrator::Operation;
///
/// let line = Operation::from(FindByEmail).manifest_line().expect("it is in the manifest");
/// // {"controllers": {"customers": {"findByEmail": true}}}
/// assert_eq!(line.section(), "controllers");
/// assert_eq!(line.module(), "customers");
/// assert_eq!(line.key(), Some("findByEmail"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManifestLine {
    pub(crate) section: Section,
    pub(crate) module: &'static str,
    pub(crate) key: Option<&'static str>,
}

impl ManifestLine {
    /// `controllers` or `actions`.
    #[must_use]
    pub fn section(self) -> &'static str {
        match self.section {
            Section::Controllers => "controllers",
            Section::Actions => "actions",
        }
    }

    /// The key of the controller or the action in its section.
    #[must_use]
    pub fn module(self) -> &'static str {
        self.module
    }

    /// The key of the operation in its module, which is `true` there. None if the module being there says it.
    #[must_use]
    pub fn key(self) -> Option<&'static str> {
        self.key
    }
}

/// A section of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Controllers,
    Actions,
}

/// Generates the enums, their documentation, and the look-ups in the table below.
macro_rules! operations {
    (
        Features $features:literal: $method:ident $path:literal;
        $($(#[$doc:meta])* $variant:ident($name:ident) of $trait:literal in $section:ident $module:literal {
            $($(#[$note:meta])* $operation:ident $text:literal: $verb:ident $route:literal $rule:ident $($key:literal)?;)*
        })*
    ) => {
        /// An operation that an integration can serve.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Operation {
            #[doc = concat!("The features manifest, `", stringify!($method), " ", $path, "`. It is always served.")]
            Features,
            $(#[doc = concat!("An operation of [`", $trait, "`](crate::", $trait, ").")] $variant($name),)*
        }

        $(
            $(#[$doc])*
            #[doc = concat!("\n\nNamed after the methods of [`", $trait, "`](crate::", $trait, ").")]
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            #[non_exhaustive]
            pub enum $name {
                $(
                    #[doc = concat!("`", stringify!($verb), " ", $route, "`; ", stringify!($rule), ".\n\n")]
                    $(#[$note])*
                    $operation,
                )*
            }

            impl $name {
                /// All variants, in the order of the table.
                pub const ALL: &'static [Self] = &[$(Self::$operation),*];
            }

            impl From<$name> for Operation {
                fn from(operation: $name) -> Self {
                    Self::$variant(operation)
                }
            }
        )*

        impl Operation {
            const ALL: &'static [Self] = &[
                Self::Features,
                $($(Self::$variant($name::$operation),)*)*
            ];

            fn row(self) -> Row {
                match self {
                    Self::Features => Row {
                        name: $features,
                        method: Method::$method,
                        path: $path,
                        required: true,
                        manifest: None,
                    },
                    $($(
                        Self::$variant($name::$operation) => Row {
                            name: $text,
                            method: Method::$verb,
                            path: $route,
                            required: operations!(@ $rule),
                            manifest: Some(ManifestLine {
                                section: Section::$section,
                                module: $module,
                                key: operations!(@ key $($key)?),
                            }),
                        },
                    )*)*
                }
            }
        }
    };
    (@ required) => { true };
    (@ optional) => { false };
    (@ key) => { None };
    (@ key $key:literal) => { Some($key) };
}

// Variant, name, method, path, whether a controller that is registered has to serve it, key in the manifest.
operations! {
    Features "features": GET "/features";

    /// The operations of a customers controller.
    Customers(CustomersOperation) of "CustomersController" in Controllers "customers" {
        Retrieve "customers.retrieve": GET "/customers/{id}" required "retrieve";
        List "customers.list": GET "/customers" optional "list";
        /// Used by Churnkey's managed flow.
        FindByEmail "customers.find_by_email": GET "/customers/email/{email}" optional "findByEmail";
        /// Used by Churnkey's managed flow.
        FindByPhone "customers.find_by_phone": GET "/customers/phone/{phone}" optional "findByPhone";
    }

    /// The operations of a subscriptions controller.
    Subscriptions(SubscriptionsOperation) of "SubscriptionsController" in Controllers "subscriptions" {
        Retrieve "subscriptions.retrieve": GET "/customers/{customerId}/subscriptions/{id}" required "retrieve";
        List "subscriptions.list": GET "/customers/{customerId}/subscriptions" optional "list";
    }

    /// The operations of a prices controller.
    Prices(PricesOperation) of "PricesController" in Controllers "prices" {
        Retrieve "prices.retrieve": GET "/prices/{id}" required "retrieve";
        List "prices.list": GET "/prices" required "list";
    }

    /// The operations of a coupons controller.
    Coupons(CouponsOperation) of "CouponsController" in Controllers "coupons" {
        Retrieve "coupons.retrieve": GET "/coupons/{id}" required "retrieve";
        List "coupons.list": GET "/coupons" required "list";
    }

    /// The operations of a products controller.
    Products(ProductsOperation) of "ProductsController" in Controllers "products" {
        Retrieve "products.retrieve": GET "/products/{id}" required "retrieve";
        List "products.list": GET "/products" required "list";
    }

    /// The operations of a families controller.
    Families(FamiliesOperation) of "FamiliesController" in Controllers "families" {
        Retrieve "families.retrieve": GET "/families/{id}" required "retrieve";
        List "families.list": GET "/families" required "list";
    }

    /// The forms of the cancel action. The contract has no key `enabled` for it (section 0.3).
    Cancel(CancelOperation) of "CancelAction" in Actions "cancel" {
        /// One subscription.
        Cancel "cancel": POST "/actions/subscription/cancel" required;
        /// All subscriptions of a customer.
        CancelAll "cancel_all": POST "/actions/customer/cancel" optional "all";
    }

    /// The forms of the pause action.
    Pause(PauseOperation) of "PauseAction" in Actions "pause" {
        /// One subscription.
        Pause "pause": POST "/actions/subscription/pause" required "enabled";
        /// All subscriptions of a customer.
        PauseAll "pause_all": POST "/actions/customer/pause" optional "all";
    }

    /// The form of the apply-coupon action.
    ApplyCoupon(ApplyCouponOperation) of "ApplyCouponAction" in Actions "applyCoupon" {
        ApplyCoupon "apply_coupon": POST "/actions/subscription/apply-coupon" required "enabled";
    }

    /// The form of the extend-trial action.
    ExtendTrial(ExtendTrialOperation) of "ExtendTrialAction" in Actions "extendTrial" {
        ExtendTrial "extend_trial": POST "/actions/subscription/extend-trial" required "enabled";
    }

    /// The form of the change-price action.
    ChangePrice(ChangePriceOperation) of "ChangePriceAction" in Actions "changePrice" {
        ChangePrice "change_price": POST "/actions/subscription/change-price" required "enabled";
    }
}

impl Operation {
    /// Every operation, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied()
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

    /// The path after the prefix, with its parameters in braces, such as `/customers/{id}`.
    #[must_use]
    pub fn path(self) -> &'static str {
        self.row().path
    }

    /// Whether each controller or action of its kind must serve it.
    #[must_use]
    pub fn is_required(self) -> bool {
        self.row().required
    }

    /// Whether the operation answers this method. HEAD is answered like GET, without the body.
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

    /// Whether a features manifest lists the operation (contract, section 2.3). It always lists itself.
    ///
    /// ```
    /// use churnkey_integrator::{CustomersOperation, Operation, serde_json::json};
    ///
    /// let manifest = json!({ "name": "Acme", "controllers": { "customers": { "retrieve": true, "list": false } } });
    /// assert!(Operation::from(CustomersOperation::Retrieve).is_listed_in(&manifest));
    /// assert!(!Operation::from(CustomersOperation::List).is_listed_in(&manifest));
    /// ```
    #[must_use]
    pub fn is_listed_in(self, manifest: &Value) -> bool {
        let Some(line) = self.manifest_line() else {
            return true;
        };
        let module = manifest.pointer(&format!("/{}/{}", line.section(), line.module()));
        match line.key() {
            None => module.is_some(),
            Some(key) => module.and_then(|module| module.get(key)) == Some(&true.into()),
        }
    }

    /// The place in the manifest. The manifest itself has none.
    #[must_use]
    pub fn manifest_line(self) -> Option<ManifestLine> {
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
