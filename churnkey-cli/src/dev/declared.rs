//! What an integration declares in its features manifest (contract, section 2.3).

use serde::Deserialize;

use super::direct::{BrowserAction, Schedules};

/// The parts of a manifest that the cancel flow needs. What is not served has no key.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Declared {
    controllers: Controllers,
    actions: Actions,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Controllers {
    subscriptions: Controller,
    prices: Controller,
    coupons: Controller,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Controller {
    list: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Actions {
    cancel: Option<Scheduled>,
    pause: Option<Pause>,
    apply_coupon: Option<Enabled>,
    extend_trial: Option<ExtendTrial>,
    change_price: Option<Scheduled>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Scheduled {
    /// Only where an action has other fields as well.
    enabled: Option<bool>,
    schedules: Times,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Times {
    immediate: bool,
    end_of_period: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Durations {
    period: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Pause {
    enabled: Option<bool>,
    start_dates: Times,
    durations: Durations,
    allow_annual: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Enabled {
    enabled: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ExtendTrial {
    enabled: Option<bool>,
    durations: Durations,
}

impl From<&Times> for Schedules {
    fn from(times: &Times) -> Self {
        Self {
            immediate: times.immediate,
            end_of_period: times.end_of_period,
        }
    }
}

impl Declared {
    pub(crate) fn lists_subscriptions(&self) -> bool {
        self.controllers.subscriptions.list
    }

    pub(crate) fn lists_prices(&self) -> bool {
        self.controllers.prices.list
    }

    pub(crate) fn lists_coupons(&self) -> bool {
        self.controllers.coupons.list
    }

    pub(crate) fn allows_annual_pauses(&self) -> bool {
        self.actions
            .pause
            .as_ref()
            .is_some_and(|pause| pause.allow_annual)
    }

    /// When the action may take effect; `None` if it is not declared in a form that the browser can ask for.
    pub(crate) fn schedules(&self, action: BrowserAction) -> Option<Schedules> {
        let is_enabled = |enabled: Option<bool>| enabled != Some(false);
        let actions = &self.actions;
        let scheduled = |action: &Scheduled| {
            let schedules = Schedules::from(&action.schedules);
            let has_any = schedules.immediate || schedules.end_of_period;
            (is_enabled(action.enabled) && has_any).then_some(schedules)
        };
        match action {
            BrowserAction::Cancel => actions.cancel.as_ref().and_then(scheduled),
            BrowserAction::ChangePlan => actions.change_price.as_ref().and_then(scheduled),
            BrowserAction::Pause => actions.pause.as_ref().and_then(|pause| {
                let schedules = Schedules::from(&pause.start_dates);
                let has_any = schedules.immediate || schedules.end_of_period;
                let is_served = is_enabled(pause.enabled) && pause.durations.period && has_any;
                is_served.then_some(schedules)
            }),
            BrowserAction::Discount => {
                let declared = actions.apply_coupon.as_ref();
                let is_served = declared.is_some_and(|action| is_enabled(action.enabled));
                is_served.then(Schedules::default)
            }
            BrowserAction::ExtendTrial => {
                let declared = actions.extend_trial.as_ref();
                let is_served = declared
                    .is_some_and(|action| is_enabled(action.enabled) && action.durations.period);
                is_served.then(Schedules::default)
            }
        }
    }
}
