//! The look-ups of prices, coupons, products and families.

use churnkey_integrator::Operation;

use crate::suite::Suite;

impl Suite {
    pub(crate) async fn catalogue_record(&mut self, operation: Operation) {
        let Some((kind, id)) = self.catalogue(operation) else {
            return;
        };
        let Some(id) = id else {
            self.fixture_is_missing(operation, kind.what);
            return;
        };
        let base = operation.path().replace("{id}", "");
        if let Some(record) = self.record(operation, kind, &base, &id).await {
            self.is_of_the_declared_type(operation, &record);
            self.references(operation, kind, &record).await;
        }
    }
}
