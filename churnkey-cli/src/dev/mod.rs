//! A local Churnkey (`churnkey dev`): the server side of the browser API, in front of a merchant's integration.
//!
//! A request goes from `browser` (whose page, whose session) to [`Dev`], which asks the integration (`merchant`), and
//! translates in both directions (`direct`). `flow` makes the steps.

mod browser;
mod calls;
mod contract;
mod declared;
mod direct;
mod flow;
mod merchant;
mod page;
mod sessions;
mod webhook;
mod work;

use std::{
    collections::{BTreeSet, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use churnkey_integrator::{
    Mode, Timestamp,
    model::{Coupon, Price, Subscription, SubscriptionStatus},
};
use http::StatusCode;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, sync::watch};

pub(crate) use self::{
    browser::{AppKeys, Origins},
    flow::Blueprint,
    merchant::Merchant,
    page::Password,
    webhook::Webhook,
};
use self::{
    browser::{Caller, browser},
    declared::Declared,
    direct::{BrowserAction, Invalid, Lost},
    flow::{Config, FlowSettings},
    merchant::Refusal,
    sessions::Session,
    work::Work,
};
use crate::{
    doctor::Diagnosis,
    operations::segment,
    output::{self, UNCHECKED, printable, styled},
    suite::Ran,
};

/// What a flow without a blueprint is called, and one with a blueprint.
const BUILT_IN: &str = "built-in";
const OWN: &str = "churnkey.toml";
/// How many sessions are remembered.
const MAX_SESSIONS: usize = 200;

/// The state of a local Churnkey.
pub(crate) struct Dev {
    merchant: Merchant,
    keys: AppKeys,
    origins: Origins,
    blueprint: Option<Blueprint>,
    webhook: Option<Webhook>,
    password: Option<Password>,
    listens_at: SocketAddr,
    /// What a form of the page has to hold.
    csrf: String,
    /// Different in each run, so that what is asked for in another run is asked for anew.
    run: String,
    memory: Mutex<Memory>,
    check: Work<Ran>,
    diagnosis: Work<Diagnosis>,
    /// Whether the tool is ending.
    ended: watch::Sender<bool>,
}

#[derive(Default)]
struct Memory {
    visits: HashMap<Caller, Visit>,
    configs: u64,
    sessions: Vec<Session>,
    /// Whether the page may change live data: it asks once.
    may_change_live: bool,
    /// What has been said, so that it is said once.
    lost: BTreeSet<Lost>,
}

/// What a customer's page has asked for since its latest `config`.
#[derive(Debug, Clone)]
struct Visit {
    number: u64,
    subscription: String,
    asked: BTreeSet<BrowserAction>,
    done: BTreeSet<String>,
}

/// What `churnkey dev` is started with.
pub(crate) struct DevSettings {
    pub(crate) merchant: Merchant,
    pub(crate) keys: AppKeys,
    pub(crate) origins: Origins,
    pub(crate) blueprint: Option<Blueprint>,
    pub(crate) webhook: Option<Webhook>,
    /// What the pages ask for.
    pub(crate) password: Option<Password>,
}

/// Serves until the process is interrupted.
///
/// # Errors
/// That of the socket.
pub(crate) async fn serve(listener: TcpListener, settings: DevSettings) -> std::io::Result<()> {
    let dev = Dev {
        merchant: settings.merchant,
        keys: settings.keys,
        origins: settings.origins,
        blueprint: settings.blueprint,
        webhook: settings.webhook,
        password: settings.password,
        listens_at: listener.local_addr()?,
        csrf: random()?,
        run: random()?,
        memory: Mutex::default(),
        check: Work::default(),
        diagnosis: Work::default(),
        ended: watch::Sender::new(false),
    };
    let dev = Arc::new(dev);
    let app = page::routes(&dev)
        .fallback(browser)
        .with_state(Arc::clone(&dev));
    let ended = async move {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without signals, only the end of the process ends it.
            std::future::pending::<()>().await;
        }
        // Pages that are live hold their connections.
        dev.ended.send_replace(true);
    };
    axum::serve(listener, app)
        .with_graceful_shutdown(ended)
        .await
}

fn random() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(hex::encode(bytes))
}

impl Dev {
    /// Whether the page may change live data; once it has been said, it may.
    fn may_change_live(&self, is_said: bool) -> bool {
        let mut memory = self.memory();
        memory.may_change_live |= is_said;
        memory.may_change_live
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nothing is half done while it is locked.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The flow of a customer.
    async fn config(&self, caller: &Caller) -> Result<Config, Refusal> {
        let mode = caller.mode;
        let declared = self.merchant.declared(mode).await?;
        if declared.schedules(BrowserAction::Cancel).is_none() {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                "the integration declares no cancel action, and without it there is no cancel flow",
            ));
        }
        let customer = self.merchant.customer(mode, caller.customer.as_str());
        let customer = customer.await?;
        let (chosen, others) = self.subscriptions(caller, &declared).await?;
        let steps = match &self.blueprint {
            Some(blueprint) => blueprint.steps.clone(),
            None => {
                let (coupons, prices) = self.offered(mode, &declared).await?;
                flow::steps(&declared, &chosen, &coupons, &prices)
            }
        };
        let mut lost = Vec::new();
        // The component takes the first one for the subscription that it is about.
        let subscriptions = [&chosen].into_iter().chain(&others);
        let subscriptions = subscriptions.map(|one| direct::subscription(one, &mut lost));
        let subscriptions = subscriptions.collect();
        let customer = direct::customer(&customer, &mut lost);
        self.remember(caller, chosen.id().as_str());
        self.say_lost(lost);
        Ok(Config {
            blueprint_id: if self.blueprint.is_some() {
                OWN
            } else {
                BUILT_IN
            },
            steps,
            customer,
            subscriptions,
            settings: FlowSettings::default(),
        })
    }

    /// What can be offered: the coupons and the prices, where an action takes them.
    async fn offered(
        &self,
        mode: Mode,
        declared: &Declared,
    ) -> Result<(Vec<Coupon>, Vec<Price>), Refusal> {
        let mut offered = (Vec::new(), Vec::new());
        let takes = |action| declared.schedules(action).is_some();
        if takes(BrowserAction::Discount) && declared.lists_coupons() {
            offered.0 = self.merchant.list(mode, "/coupons").await?;
        }
        if takes(BrowserAction::ChangePlan) && declared.lists_prices() {
            offered.1 = self.merchant.list(mode, "/prices").await?;
        }
        Ok(offered)
    }

    /// The subscription that the flow is about, and the customer's others.
    async fn subscriptions(
        &self,
        caller: &Caller,
        declared: &Declared,
    ) -> Result<(Subscription, Vec<Subscription>), Refusal> {
        let (mode, customer) = (caller.mode, caller.customer.as_str());
        let all: Option<Vec<Subscription>> = if declared.lists_subscriptions() {
            let path = format!("/customers/{}/subscriptions", segment(customer));
            Some(self.merchant.list(mode, &path).await?)
        } else {
            None
        };
        if let Some(id) = &caller.subscription {
            let chosen = self.merchant.subscription(mode, customer, id).await?;
            if !is_live(&chosen) {
                return Err(nothing_left());
            }
            let mut others = all.unwrap_or_default();
            others.retain(|other| other.id() != chosen.id());
            return Ok((chosen, others));
        }
        let Some(mut all) = all else {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "the integration does not list subscriptions: put the subscription's id into the session token",
            ));
        };
        let live = all.iter().filter(|one| is_live(one));
        let live: Vec<String> = live.map(|one| one.id().as_str().to_owned()).collect();
        let [id] = &*live else {
            return Err(match live.is_empty() {
                true => nothing_left(),
                false => Refusal::new(
                    StatusCode::BAD_REQUEST,
                    format!(
                        "the customer has several subscriptions ({}): put the id of one into the session token",
                        live.join(", ")
                    ),
                ),
            });
        };
        let chosen = all.iter().position(|one| one.id().as_str() == id);
        match chosen {
            Some(at) => Ok((all.remove(at), all)),
            None => Err(nothing_left()),
        }
    }

    /// Forgets what the customer's page has asked for.
    fn remember(&self, caller: &Caller, subscription: &str) -> Visit {
        let mut memory = self.memory();
        memory.configs = memory.configs.saturating_add(1);
        let visit = Visit {
            number: memory.configs,
            subscription: subscription.to_owned(),
            asked: BTreeSet::new(),
            done: BTreeSet::new(),
        };
        memory.visits.insert(caller.clone(), visit.clone());
        visit
    }

    /// Does what the customer's page asks for. The same request again, also after its answer was lost, is the same to the
    /// integration.
    async fn act(
        &self,
        caller: &Caller,
        action: BrowserAction,
        body: &[u8],
    ) -> Result<(), Refusal> {
        let (mode, customer) = (caller.mode, caller.customer.as_str());
        let declared = self.merchant.declared(mode).await?;
        let schedules = declared.schedules(action).ok_or_else(|| {
            let action = action.provider_segment();
            let message = format!("the integration does not declare the action {action}");
            Refusal::new(StatusCode::BAD_REQUEST, message)
        })?;
        let known = self.memory().visits.get(caller).cloned();
        let visit = match known {
            Some(visit) => visit,
            None => {
                let (chosen, _) = self.subscriptions(caller, &declared).await?;
                self.remember(caller, chosen.id().as_str())
            }
        };
        let request = action
            .request(body, customer, &visit.subscription, schedules)
            .map_err(|Invalid(reason)| {
                let action = action.segment();
                let message = format!("this is no body of the action {action}: {reason}");
                Refusal::new(StatusCode::BAD_REQUEST, message)
            })?;
        let key = self.key(&visit, action, &request);
        self.change(caller, |visit| {
            visit.asked.insert(action);
        });
        if action == BrowserAction::Cancel && !visit.done.contains(&key) {
            let now = self
                .merchant
                .subscription(mode, customer, &visit.subscription);
            if !is_live(&now.await?) {
                return Err(nothing_left());
            }
        }
        let path = format!("/actions/subscription/{}", action.provider_segment());
        self.merchant.act(mode, &path, &request, &key).await?;
        self.change(caller, |visit| {
            visit.done.insert(key);
        });
        Ok(())
    }

    fn change(&self, caller: &Caller, change: impl FnOnce(&mut Visit)) {
        if let Some(visit) = self.memory().visits.get_mut(caller) {
            change(visit);
        }
    }

    /// An `Idempotency-Key` of the latest `config`, the action and its body.
    fn key(&self, visit: &Visit, action: BrowserAction, request: &Value) -> String {
        let text = format!(
            "{}\n{}\n{}\n{request}",
            self.run,
            visit.number,
            action.segment()
        );
        hex::encode(Sha256::digest(text))
    }

    /// Keeps a session record, warns of what it claims without having asked for it, and sends the webhook.
    async fn record(&self, caller: Option<Caller>, record: Map<String, Value>) {
        let mut session = Session {
            caller,
            record,
            came: Timestamp::now(),
            unasked: None,
        };
        if let (Some(caller), Some(action)) = (&session.caller, session.claims()) {
            let memory = self.memory();
            let visit = memory.visits.get(caller);
            if !visit.is_some_and(|visit| visit.asked.contains(&action)) {
                session.unasked = Some(action);
            }
        }
        {
            let mut memory = self.memory();
            memory.sessions.push(session.clone());
            if memory.sessions.len() > MAX_SESSIONS {
                memory.sessions.remove(0);
            }
        }
        self.merchant.calls().tell();
        if let Some(action) = session.unasked {
            self.warn(action);
        }
        let Some(caller) = &session.caller else {
            let _ = output::note(
                "a session record without a session token: whom it is about is not proven",
            );
            return;
        };
        if let Some(webhook) = &self.webhook {
            let id = caller.customer.as_str();
            let customer = match self.merchant.customer(caller.mode, id).await {
                Ok(customer) => serde_json::to_value(&customer).ok(),
                Err(_) => None,
            };
            let customer = customer.unwrap_or_else(|| json!({ "id": id }));
            let body = session.webhook(&customer, caller.mode);
            webhook.send(&body, self.merchant.calls());
        }
    }

    fn warn(&self, action: BrowserAction) {
        let text = format!("warning: {}", sessions::unasked(action));
        // A closed standard error is no reason to stop.
        let _ = output::note(styled(UNCHECKED, text));
    }

    /// Names what the browser's shapes have no place for, once.
    fn say_lost(&self, lost: Vec<Lost>) {
        for lost in lost {
            if self.memory().lost.insert(lost.clone()) {
                let text = format!("the browser does not see {lost}");
                let _ = output::note(printable(&text));
            }
        }
    }
}

/// Any status but canceled: what else is over is the integration's to say.
fn is_live(subscription: &Subscription) -> bool {
    !matches!(subscription.status(), SubscriptionStatus::Canceled { .. })
}

fn nothing_left() -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "there is nothing left to cancel: the subscription is canceled, or the customer has none",
    )
}
