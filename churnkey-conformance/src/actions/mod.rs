//! The actions: what each must reject, which writes nothing, and what it does to the records that the merchant gave away.

mod body;
mod call;
mod effects;
mod rejected;
mod repeats;

use churnkey_integrator::{
    ApplyCouponOperation::ApplyCoupon,
    CancelOperation::{Cancel, CancelAll},
    ChangePriceOperation::ChangePrice,
    ExtendTrialOperation::ExtendTrial,
    Operation,
    PauseOperation::{Pause, PauseAll},
};

use crate::{fixtures::Disposable, suite::Suite};

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
            if !self.serves(operation) {
                continue;
            }
            self.rejected(operation).await;
            let disposables = self.fixtures.disposables.clone();
            let mut own = disposables
                .iter()
                .filter(|disposable| disposable.may.operation() == operation)
                .peekable();
            if own.peek().is_none() {
                self.report
                    .skip(operation, Disposable::needed_for(operation));
            }
            for disposable in own {
                self.effect(&disposable.may).await;
            }
        }
    }
}
