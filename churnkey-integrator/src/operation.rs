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
}

/// The operations of a [`CustomersController`](crate::CustomersController), named after its methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CustomersOperation {
    /// Required.
    Retrieve,
    /// Optional.
    List,
    /// Optional; for Churnkey's managed flow.
    FindByEmail,
    /// Optional; for Churnkey's managed flow.
    FindByPhone,
}

/// A line of the table.
struct Row {
    name: &'static str,
    method: Method,
    path: &'static str,
    required: bool,
    manifest: Option<(&'static str, &'static str)>,
}

impl Operation {
    fn row(self) -> Row {
        use CustomersOperation::{FindByEmail, FindByPhone, List, Retrieve};
        let (name, path, required, manifest) = match self {
            Self::Features => ("features", "/features", true, None),
            Self::Customers(Retrieve) => (
                "customers.retrieve",
                "/customers/{id}",
                true,
                Some(("customers", "retrieve")),
            ),
            Self::Customers(List) => (
                "customers.list",
                "/customers",
                false,
                Some(("customers", "list")),
            ),
            Self::Customers(FindByEmail) => (
                "customers.find_by_email",
                "/customers/email/{email}",
                false,
                Some(("customers", "findByEmail")),
            ),
            Self::Customers(FindByPhone) => (
                "customers.find_by_phone",
                "/customers/phone/{phone}",
                false,
                Some(("customers", "findByPhone")),
            ),
        };
        Row {
            name,
            method: Method::GET,
            path,
            required,
            manifest,
        }
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

    /// Whether a controller has to serve it.
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

    /// The controller's and the operation's key in the manifest.
    pub(crate) fn manifest_keys(self) -> Option<(&'static str, &'static str)> {
        self.row().manifest
    }
}

impl From<CustomersOperation> for Operation {
    fn from(operation: CustomersOperation) -> Self {
        Self::Customers(operation)
    }
}
