//! The cancel flow as a customer walks through it, and what their subscription is before and after.

use churnkey_integrator::{CustomerId, Mode};
use http::{HeaderMap, StatusCode};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::{
    Parameters, difference::difference, given, layout::with_mode, live_data, money::Numbers,
    parts::mistakes, subscription::facts,
};
use crate::{
    dev::{
        Dev,
        browser::Caller,
        contract::Record,
        direct::BrowserAction,
        flow::{Config, Kind, Offer, PauseInterval, Reason, Step, Terms},
        merchant::Refusal,
    },
    operations::segment,
};

/// A customer who walks through the flow for one of their subscriptions.
pub(super) struct Walk {
    customer: String,
    subscription: String,
    mode: Mode,
}

/// What was picked so far; it is in each link and form.
struct Picked<'p> {
    reason: Option<&'p str>,
    feedback: Option<&'p str>,
}

impl<'p> Picked<'p> {
    fn of(parameters: &'p Parameters) -> Self {
        Self {
            reason: given(parameters, "reason"),
            feedback: given(parameters, "feedback"),
        }
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        let fields = [("reason", self.reason), ("feedback", self.feedback)];
        let fields = fields.into_iter();
        fields
            .filter_map(|(name, value)| Some((name, value?.to_owned())))
            .collect()
    }
}

impl Walk {
    pub(super) fn new(customer: String, subscription: String, mode: Mode) -> Self {
        Self {
            customer,
            subscription,
            mode,
        }
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    pub(super) fn path(&self) -> String {
        let (customer, subscription) = (segment(&self.customer), segment(&self.subscription));
        format!("/flow/{customer}/{subscription}")
    }

    /// A page of the walk.
    pub(super) fn link(&self, parameters: &[(&str, String)]) -> String {
        let mode = (self.mode == Mode::Test).then(|| ("mode", "test".to_owned()));
        let all = parameters.iter().cloned().chain(mode);
        let query: Vec<String> = all
            .map(|(name, value)| format!("{name}={}", segment(&value)))
            .collect();
        match query.is_empty() {
            true => self.path(),
            false => format!("{}?{}", self.path(), query.join("&")),
        }
    }

    fn caller(&self) -> Result<Caller, Refusal> {
        let customer = CustomerId::new(&*self.customer);
        let customer =
            customer.map_err(|error| Refusal::new(StatusCode::NOT_FOUND, error.to_string()))?;
        Ok(Caller {
            customer,
            mode: self.mode,
            subscription: Some(self.subscription.clone()),
        })
    }

    /// What the customer sees at a step.
    pub(super) async fn step(&self, dev: &Dev, query: &Parameters) -> Result<Markup, Refusal> {
        let config = dev.config(&self.caller()?).await?;
        let at: usize = given(query, "step")
            .and_then(|at| at.parse().ok())
            .unwrap_or(0);
        let picked = Picked::of(query);
        let last = config.steps.len().saturating_sub(1);
        let Some(step) = config.steps.get(at.min(last)) else {
            return Err(Refusal::new(StatusCode::NOT_FOUND, "the flow has no steps"));
        };
        let Kind::Survey { reasons } = &step.kind else {
            return Ok(self.drawn(&config, step, at, &picked, dev));
        };
        let reason = reasons
            .iter()
            .find(|reason| Some(&*reason.id) == picked.reason);
        match reason {
            None => Ok(self.drawn(&config, step, at, &picked, dev)),
            Some(Reason { offer: None, .. }) => self.next(&config, at, &picked, dev),
            Some(Reason {
                offer: Some(offer), ..
            }) => Ok(self.screen(&config, at, &self.offer(offer, at, &picked, dev))),
        }
    }

    fn next(
        &self,
        config: &Config,
        at: usize,
        picked: &Picked<'_>,
        dev: &Dev,
    ) -> Result<Markup, Refusal> {
        let at = at.saturating_add(1);
        match config.steps.get(at) {
            Some(step) => Ok(self.drawn(config, step, at, picked, dev)),
            None => Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "the flow ends with this step",
            )),
        }
    }

    fn drawn(
        &self,
        config: &Config,
        step: &Step,
        at: usize,
        picked: &Picked<'_>,
        dev: &Dev,
    ) -> Markup {
        let title = step.title.as_deref();
        let content = match &step.kind {
            Kind::Survey { reasons } => self.survey(title, reasons, at),
            Kind::Offer { offer } => self.offer(offer, at, picked, dev),
            Kind::Feedback { placeholder, .. } => {
                self.feedback(title, placeholder.as_deref(), at, picked)
            }
            Kind::Confirm => self.confirm(title, step.description.as_deref(), picked, dev),
        };
        self.screen(config, at, &content)
    }

    /// The customer's screen, with what the tool says around it.
    fn screen(&self, config: &Config, at: usize, content: &Markup) -> Markup {
        let customer = format!("/customers/{}", segment(&self.customer));
        html! {
            p.trail {
                a href=(with_mode(&customer, self.mode)) { (self.customer) }
                ", " (self.subscription) ": step " (at.saturating_add(1)) " of " (config.steps.len())
            }
            p.faint {
                "What the customer accepts is sent twice: the second call has to change nothing. All calls are listed "
                a href=(with_mode("/calls", self.mode)) { "here" } "."
            }
            section.screen aria-label="What the customer sees" { (content) }
        }
    }

    fn survey(&self, title: Option<&str>, reasons: &[Reason], at: usize) -> Markup {
        html! {
            h1 { (title.unwrap_or("Why do you want to cancel?")) }
            form action=(self.path()) {
                input type="hidden" name="step" value=(at);
                (self.mode_field())
                fieldset {
                    legend { "Pick one" }
                    @for reason in reasons {
                        label.choice {
                            input type="radio" name="reason" value=(reason.id) required;
                            (reason.label)
                        }
                    }
                }
                button { "Continue" }
            }
        }
    }

    fn feedback(
        &self,
        title: Option<&str>,
        placeholder: Option<&str>,
        at: usize,
        picked: &Picked<'_>,
    ) -> Markup {
        html! {
            h1 { (title.unwrap_or("What could we have done better?")) }
            form action=(self.path()) {
                input type="hidden" name="step" value=(at.saturating_add(1));
                @if let Some(reason) = picked.reason { input type="hidden" name="reason" value=(reason); }
                (self.mode_field())
                label for="feedback" { "Your words" }
                textarea id="feedback" name="feedback" rows="4" placeholder=[placeholder] {}
                button { "Continue" }
            }
        }
    }

    fn confirm(
        &self,
        title: Option<&str>,
        description: Option<&str>,
        picked: &Picked<'_>,
        dev: &Dev,
    ) -> Markup {
        let mut fields = picked.fields();
        fields.push(("action", BrowserAction::Cancel.segment().to_owned()));
        html! {
            h1 { (title.unwrap_or("Cancel your subscription?")) }
            // A blueprint's description is HTML in the customer's page. Here it is shown as text.
            @if let Some(description) = description { p { (description) } }
            (self.post(dev, &fields, "Cancel the subscription", &html! {}))
        }
    }

    fn offer(&self, offer: &Offer, at: usize, picked: &Picked<'_>, dev: &Dev) -> Markup {
        let mut fields = picked.fields();
        let mut choice = html! {};
        let mut is_act = true;
        let mut field = |name, value: String| fields.push((name, value));
        match &offer.terms {
            Terms::Discount { coupon_id, .. } => {
                field("action", BrowserAction::Discount.segment().to_owned());
                field("coupon", coupon_id.clone().unwrap_or_default());
            }
            Terms::Pause {
                months, interval, ..
            } => {
                field("action", BrowserAction::Pause.segment().to_owned());
                let unit = match interval {
                    PauseInterval::Month => "month",
                    PauseInterval::Week => "week",
                };
                field("interval", unit.to_owned());
                choice = html! {
                    @if *months > 1 {
                        label { "For how many " (unit) "s? "
                            input type="number" name="duration" min="1" max=(months) value="1";
                        }
                    } @else { input type="hidden" name="duration" value="1"; }
                };
            }
            Terms::PlanChange { plans } => {
                field("action", BrowserAction::ChangePlan.segment().to_owned());
                choice = html! {
                    fieldset {
                        legend { "The plan" }
                        @for (n, plan) in plans.iter().enumerate() {
                            label.choice {
                                input type="radio" name="planId" value=(plan.price.id) checked[n == 0];
                                (plan.price.name.as_deref().unwrap_or(&plan.price.id))
                            }
                        }
                    }
                };
            }
            Terms::TrialExtension { days } => {
                field("action", BrowserAction::ExtendTrial.segment().to_owned());
                field("days", days.to_string());
            }
            Terms::Redirect { url, .. } => {
                is_act = false;
                choice = html! { p { "A link to " code { (url) } "." } };
            }
            Terms::Contact { .. } => {
                is_act = false;
                choice = html! { p { "The customer is asked to get in touch." } };
            }
        }
        let mut next = vec![("step", at.saturating_add(1).to_string())];
        next.extend(picked.fields());
        html! {
            h1 { (offer.copy.headline) }
            p { (offer.copy.body.as_written()) }
            @if is_act { (self.post(dev, &fields, &offer.copy.cta, &choice)) } @else { (choice) }
            p { a href=(self.link(&next)) { (offer.copy.decline_cta) } }
        }
    }

    fn mode_field(&self) -> Markup {
        html! { @if self.mode == Mode::Test { input type="hidden" name="mode" value="test"; } }
    }

    /// A form that changes something at the merchant.
    fn post(&self, dev: &Dev, fields: &[(&str, String)], button: &str, choice: &Markup) -> Markup {
        html! {
            form method="post" action=(self.path()) {
                input type="hidden" name="csrf" value=(dev.csrf);
                (self.mode_field())
                @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
                (choice)
                button { (button) }
            }
        }
    }

    /// Does what was accepted, twice, and shows what has changed.
    pub(super) async fn accept(
        &self,
        dev: &Dev,
        form: &Parameters,
        headers: &HeaderMap,
    ) -> Result<Markup, Refusal> {
        let action = given(form, "action");
        let action = BrowserAction::ALL
            .into_iter()
            .find(|known| Some(known.segment()) == action);
        let action = action
            .ok_or_else(|| Refusal::new(StatusCode::BAD_REQUEST, "there is no such action"))?;
        if self.mode == Mode::Live && !dev.may_change_live(given(form, "sure").is_some()) {
            let (action, back) = (self.path(), self.link(&[]));
            return Ok(live_data::question(dev, &action, form, &back));
        }
        let caller = self.caller()?;
        let body = body_of(action, form).to_string();
        let before = self.subscription(dev).await?;
        dev.act(&caller, action, body.as_bytes()).await?;
        let after = self.subscription(dev).await?;
        let second = dev.act(&caller, action, body.as_bytes()).await;
        let last = self.subscription(dev).await?;
        dev.record(Some(caller), self.record(action, form)).await;

        let numbers = &Numbers::of(headers);
        let customer = format!("/customers/{}", segment(&self.customer));
        let changed = difference(&before, &after);
        let changed_again = difference(&after, &last);
        Ok(html! {
            h1 { "Done" }
            p { "The integration was asked for " code { (action.provider_segment()) } ", by a signed call." }
            h2 { "What has changed" }
            @if changed.is_empty() {
                p { "Nothing yet. What is planned for the end of the period can't be seen before then." }
            } @else { (differences(&changed)) }
            div.sides {
                section.card { h3 { "Before" } (shown(before, numbers)) }
                section.card { h3 { "After" } (shown(after, numbers)) }
            }
            h2 { "The same call once more" }
            @match second {
                Err(refusal) => p.problem role="alert" { "It was refused: " (refusal.message) "." },
                Ok(()) if changed_again.is_empty() => p.good { "It was answered the same, and changed nothing." },
                Ok(()) => {
                    p.problem role="alert" { "It changed something, and should not have: the action is not idempotent." }
                    (differences(&changed_again))
                },
            }
            p {
                a href=(with_mode("/calls", self.mode)) { "See the calls" } " or go "
                a href=(with_mode(&customer, self.mode)) { "back to the customer" } "."
            }
        })
    }

    async fn subscription(&self, dev: &Dev) -> Result<Value, Refusal> {
        let (customer, id) = (segment(&self.customer), segment(&self.subscription));
        let path = format!("/customers/{customer}/subscriptions/{id}");
        dev.merchant.get(self.mode, &path).await
    }

    /// The record that the component would send.
    fn record(&self, action: BrowserAction, form: &Parameters) -> Map<String, Value> {
        let offer = match action {
            BrowserAction::Cancel => None,
            BrowserAction::Discount => Some("DISCOUNT"),
            BrowserAction::Pause => Some("PAUSE"),
            BrowserAction::ChangePlan => Some("PLAN_CHANGE"),
            BrowserAction::ExtendTrial => Some("TRIAL_EXTENSION"),
        };
        let mut record = Map::new();
        let mode = self.mode.as_str().to_ascii_uppercase();
        record.insert("mode".to_owned(), mode.into());
        record.insert("canceled".to_owned(), offer.is_none().into());
        if let Some(offer) = offer {
            record.insert("acceptedOffer".to_owned(), json!({ "offerType": offer }));
        }
        for (from, to) in [("reason", "surveyChoiceId"), ("feedback", "feedback")] {
            if let Some(value) = given(form, from) {
                record.insert(to.to_owned(), value.into());
            }
        }
        record
    }
}

/// The body that the component would send.
fn body_of(action: BrowserAction, form: &Parameters) -> Value {
    let text = |name| given(form, name).unwrap_or_default();
    let number = |name| given(form, name).and_then(|number| number.parse::<u32>().ok());
    match action {
        BrowserAction::Discount => json!({ "coupon": text("coupon") }),
        BrowserAction::Pause => {
            json!({ "duration": number("duration"), "interval": text("interval") })
        }
        BrowserAction::Cancel => json!({ "cancelAtPeriodEnd": true }),
        BrowserAction::ChangePlan => json!({ "planId": text("planId") }),
        BrowserAction::ExtendTrial => json!({ "days": number("days") }),
    }
}

fn shown(subscription: Value, numbers: &Numbers) -> Markup {
    let record = Record::named(subscription, "Subscription");
    html! { (mistakes(&record)) (facts(&record, numbers)) }
}

fn differences(differences: &[(String, String, String)]) -> Markup {
    html! {
        div.scrolls tabindex="0" role="region" aria-label="What is different" {
            table {
                thead { tr { th scope="col" { "Field" } th scope="col" { "Before" } th scope="col" { "After" } } }
                tbody {
                    @for (field, before, after) in differences {
                        tr { th scope="row" { code { (field) } } td { (before) } td { (after) } }
                    }
                }
            }
        }
    }
}
