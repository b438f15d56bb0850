//! The actions: what each must reject, which writes nothing, and what it does to the records that the merchant gave away.

mod all;
mod body;
mod call;
mod effects;
mod planned;
mod rejected;
mod repeats;
mod variant;

use churnkey_integrator::{
    ApplyCouponOperation::ApplyCoupon,
    CancelOperation::{Cancel, CancelAll},
    ChangePriceOperation::ChangePrice,
    ExtendTrialOperation::ExtendTrial,
    Operation,
    PauseOperation::{Pause, PauseAll},
};

use crate::{
    fixtures::{Disposable, May},
    suite::Suite,
};

/// Every action, in the order in which they are done: what one leaves behind does not hinder the next one.
const ACTIONS: [Operation; 7] = [
    Operation::ExtendTrial(ExtendTrial),
    Operation::ApplyCoupon(ApplyCoupon),
    Operation::ChangePrice(ChangePrice),
    Operation::Pause(Pause),
    Operation::Cancel(Cancel),
    Operation::Pause(PauseAll),
    Operation::Cancel(CancelAll),
];

impl Suite {
    pub(crate) async fn actions(&mut self) {
        for operation in ACTIONS {
            if !self.serves(operation) || !self.is_asked_for(operation) {
                continue;
            }
            self.rejected(operation).await;
            let disposables = self.fixtures.disposables.iter();
            let own = disposables.map(|disposable| disposable.may.clone());
            let own: Vec<May> = own.filter(|may| may.operation() == operation).collect();
            let variants = self.variants(operation);
            for left_out in variants.iter().skip(own.len()) {
                let needed = Disposable::needed_for(operation);
                self.report.skip(operation, left_out.to_string(), needed);
            }
            for (may, variant) in own.iter().zip(variants.iter().cycle()) {
                self.effect(may, *variant).await;
            }
        }
        self.planned_effects().await;
    }
}
