//! What a customer's page asks for, as a request of the provider contract (section 5).

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// An action of the browser API, by the last segment of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BrowserAction {
    Discount,
    Pause,
    Cancel,
    ChangePlan,
    ExtendTrial,
}

/// Why a body is not one of its action.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid(pub(crate) String);

/// When an action may take effect, as the integration declares it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Schedules {
    pub(crate) immediate: bool,
    pub(crate) end_of_period: bool,
}

impl Schedules {
    fn immediate_first(self) -> &'static str {
        if self.immediate {
            "immediate"
        } else {
            "end-of-period"
        }
    }

    fn end_of_period_first(self) -> &'static str {
        if self.end_of_period {
            "end-of-period"
        } else {
            "immediate"
        }
    }
}

impl BrowserAction {
    pub(crate) const ALL: [Self; 5] = [
        Self::Discount,
        Self::Pause,
        Self::Cancel,
        Self::ChangePlan,
        Self::ExtendTrial,
    ];

    /// The last segment of its path in the browser API.
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::Discount => "discount",
            Self::Pause => "pause",
            Self::Cancel => "cancel",
            Self::ChangePlan => "change-plan",
            Self::ExtendTrial => "extend-trial",
        }
    }

    /// The last segment of its path in the provider contract.
    pub(crate) fn provider_segment(self) -> &'static str {
        match self {
            Self::Discount => "apply-coupon",
            Self::Pause => "pause",
            Self::Cancel => "cancel",
            Self::ChangePlan => "change-price",
            Self::ExtendTrial => "extend-trial",
        }
    }

    /// The callback of the component with which a page carries it out itself.
    pub(crate) fn callback(self) -> &'static str {
        match self {
            Self::Discount => "handleDiscount",
            Self::Pause => "handlePause",
            Self::Cancel => "handleCancel",
            Self::ChangePlan => "handlePlanChange",
            Self::ExtendTrial => "handleTrialExtension",
        }
    }

    /// The body of the provider's request for a subscription.
    ///
    /// # Errors
    /// [`Invalid`] if the body is not one of this action.
    pub(crate) fn request(
        self,
        body: &[u8],
        customer: &str,
        subscription: &str,
        schedules: Schedules,
    ) -> Result<Value, Invalid> {
        let mut request = Map::new();
        request.insert("customerId".to_owned(), customer.into());
        request.insert("subscriptionId".to_owned(), subscription.into());
        match self {
            Self::Discount => {
                let Discount { coupon } = read(body)?;
                request.insert("coupon".to_owned(), coupon.into());
            }
            Self::Pause => {
                let Pause { duration, interval } = read(body)?;
                let unit = match interval {
                    PauseInterval::Month => "month",
                    PauseInterval::Week => "week",
                };
                request.insert("startAt".to_owned(), schedules.immediate_first().into());
                request.insert("duration".to_owned(), period(duration, unit));
            }
            Self::Cancel => {
                read::<Cancel>(body)?;
                let at = schedules.end_of_period_first();
                request.insert("scheduledAt".to_owned(), at.into());
            }
            Self::ChangePlan => {
                let ChangePlan { plan_id } = read(body)?;
                request.insert("price".to_owned(), plan_id.into());
                let at = schedules.end_of_period_first();
                request.insert("scheduledAt".to_owned(), at.into());
            }
            Self::ExtendTrial => {
                let ExtendTrial { days } = read(body)?;
                request.insert("duration".to_owned(), period(days, "day"));
            }
        }
        Ok(Value::Object(request))
    }
}

fn period(amount: u32, unit: &str) -> Value {
    json!({ "type": "period", "amount": amount, "unit": unit })
}

fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Invalid> {
    serde_json::from_slice(body).map_err(|error| Invalid(error.to_string()))
}

#[derive(Deserialize)]
struct Discount {
    coupon: String,
}

#[derive(Deserialize)]
struct Pause {
    duration: u32,
    interval: PauseInterval,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum PauseInterval {
    Month,
    Week,
}

/// The one thing that the client says: at the end of the period. The integration's features decide.
#[derive(Deserialize)]
struct Cancel {
    #[serde(rename = "cancelAtPeriodEnd")]
    _at_period_end: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangePlan {
    plan_id: String,
}

#[derive(Deserialize)]
struct ExtendTrial {
    days: u32,
}
