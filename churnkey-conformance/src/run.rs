//! The suite from its beginning to its end.

use churnkey_integrator::{
    CouponsOperation, CustomersOperation, FamiliesOperation, Mode, Operation, PricesOperation,
    ProductsOperation, SubscriptionsOperation,
};

use crate::{client::Client, fixtures::Fixtures, report::Report, suite::Suite};

/// Why an integration was not checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotChecked {
    /// Nobody answers.
    #[error("nothing answers at {address}: {reason}; start the integration, or correct the URL")]
    #[non_exhaustive]
    NoAnswer {
        /// Where the manifest was asked for.
        address: String,
        /// What went wrong on the way.
        reason: String,
    },
    /// The token is not the integration's.
    #[error(
        "{address} answered 401: give the integration's own token, and compare the clocks, which may differ by \
         minutes at most"
    )]
    #[non_exhaustive]
    Unauthorized {
        /// Where the manifest was asked for.
        address: String,
    },
    /// Something else is there.
    #[error(
        "{address} answered {status} and no features manifest (contract, section 2.3): give the path at which the \
         integration is mounted"
    )]
    #[non_exhaustive]
    NoManifest {
        /// Where the manifest was asked for.
        address: String,
        /// What came instead.
        status: u16,
    },
}

/// Checks every operation of the contract: what the manifest lists, and that nothing else is there. It is the same in
/// process as at a URL; the [guide](crate) has an example of each.
///
/// # Errors
/// [`NotChecked`] if there is no integration, or the token is not its own. What the integration does wrong is in the
/// report.
pub async fn check(client: &Client, fixtures: &Fixtures) -> Result<Report, NotChecked> {
    let path = format!("{}/features", client.prefix());
    let address = client.address(&path);
    let manifest = client.in_mode(Mode::Live).get_unchecked(&path).await;
    match manifest.status() {
        0 => {
            let reason = manifest.cause().unwrap_or_default().to_owned();
            return Err(NotChecked::NoAnswer { address, reason });
        }
        401 => return Err(NotChecked::Unauthorized { address }),
        200 if manifest.body().get("controllers").is_some() => {}
        status => return Err(NotChecked::NoManifest { address, status }),
    }
    let suite = Suite::new(client, manifest.into_body(), fixtures).await;
    Ok(suite.run().await)
}

impl Suite {
    async fn run(mut self) -> Report {
        self.takes_plain_tokens = self.plain_token_is_taken().await;
        self.others = self.other_customers().await;
        for operation in Operation::all() {
            if !self.is_asked_for(operation) {
                continue;
            }
            if self.serves(operation) {
                self.answers_something(operation).await;
                self.authentication(operation).await;
                self.read(operation).await;
            } else {
                self.answers_nothing(operation).await;
            }
        }
        self.actions().await;
        self.lists_under_change().await;
        self.report
    }

    async fn read(&mut self, operation: Operation) {
        match operation {
            Operation::Customers(CustomersOperation::Retrieve) => self.customer().await,
            Operation::Customers(CustomersOperation::FindByEmail) => self.find_by_email().await,
            Operation::Customers(CustomersOperation::FindByPhone) => self.find_by_phone().await,
            Operation::Subscriptions(SubscriptionsOperation::Retrieve) => {
                self.subscription().await;
            }
            Operation::Prices(PricesOperation::Retrieve)
            | Operation::Coupons(CouponsOperation::Retrieve)
            | Operation::Products(ProductsOperation::Retrieve)
            | Operation::Families(FamiliesOperation::Retrieve) => {
                self.catalogue_record(operation).await;
            }
            _ => {
                if operation == SubscriptionsOperation::List.into() {
                    self.lists_are_the_owners().await;
                }
                if let Some(listing) = self.listing(operation) {
                    self.list(&listing).await;
                }
            }
        }
    }
}
