//! Concurrent actions: some sequential order explains every answer and the final state.

use std::num::NonZeroU32;

use churnkey_conformance::Client;
use churnkey_integrator::{
    CalendarUnit, CouponId, CustomerId, PriceId, Result, Timestamp,
    actions::{ActionDuration, Schedule},
    model::{Coupon, Customer, Price},
};
use example_app::{Clock, DataSet, Demo};
use example_billing::{Catalogue, Subscription, cancel_all, pause_all};
use postgres::store::Store;
use serde_json::{Value, from_value, json};
use throwaway_postgres::ThrowawayPostgres;

use crate::{Shop, act, client, load_demo, migrated, with_options};

const NOW: &str = "2026-01-15T12:00:00.000Z";
/// Several processes, each with nearly a connection for each of its requests. A request that waits too long for a connection or a
/// lock is answered with 503, which other tests check.
const PROCESSES: usize = 4;
const CONNECTIONS: usize = 23;

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One of many concurrent requests.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Cancel(usize, Schedule),
    CancelAll(Schedule),
    Pause(usize, Schedule, ActionDuration),
    PauseAll(Schedule, ActionDuration),
}

/// A request, and the message of its refusal.
#[derive(Debug, Clone, PartialEq)]
struct Done {
    step: Step,
    refused: Option<String>,
}

const SUBSCRIPTIONS: [&str; 2] = ["sub_ada_pro", "sub_ada_year"];

impl Step {
    async fn send(self, client: &Client) -> Done {
        let mut body = json!({"customerId": "cus_ada"});
        let mut one = |index: usize| {
            body["subscriptionId"] = SUBSCRIPTIONS[index].into();
            "subscription"
        };
        let (what, action, schedule, duration) = match self {
            Self::Cancel(index, schedule) => (one(index), "cancel", schedule, None),
            Self::CancelAll(schedule) => ("customer", "cancel", schedule, None),
            Self::Pause(index, start, duration) => (one(index), "pause", start, Some(duration)),
            Self::PauseAll(start, duration) => ("customer", "pause", start, Some(duration)),
        };
        body["scheduledAt"] = schedule.as_str().into();
        body["startAt"] = schedule.as_str().into();
        body["duration"] = match duration {
            None => Value::Null,
            Some(ActionDuration::Date(date)) => json!({ "date": date }),
            Some(ActionDuration::Period { amount, unit }) => {
                json!({"amount": amount, "unit": unit})
            }
            Some(other) => panic!("{other:?}"),
        };
        let (status, answer) = act(client, &format!("{what}/{action}"), &body).await;
        let message = answer["message"].as_str().map(str::to_owned);
        match message.as_deref() {
            None => assert_eq!(status, 200),
            Some("The subscription is paused already" | "The subscription is canceled") => {
                assert_eq!(status, 400);
            }
            Some(other) => panic!("{status} {other}"),
        }
        Done {
            step: self,
            refused: message,
        }
    }

    /// The subscription after it by the rules, and the message of a refusal.
    fn run(self, state: &mut Vec<Subscription>) -> Option<String> {
        let now = moment(NOW);
        let mut next = state.clone();
        let done: Result<()> = match self {
            Self::Cancel(index, schedule) => {
                next[index].cancel(schedule, now);
                Ok(())
            }
            Self::CancelAll(schedule) => {
                cancel_all(&mut next, schedule, now);
                Ok(())
            }
            Self::Pause(index, start, duration) => next[index].pause(start, duration, now),
            Self::PauseAll(start, duration) => pause_all(&mut next, start, duration, true, now),
        };
        match done {
            Ok(()) => {
                *state = next;
                None
            }
            Err(error) => Some(error.message().to_owned()),
        }
    }
}

/// Whether the rules give these answers and this final state in some order of the requests.
fn explained(state: &[Subscription], mut rest: Vec<Done>, end: &Value) -> bool {
    // A request that fits and changes nothing may come at once.
    rest.retain(|done| {
        let mut next = state.to_vec();
        done.step.run(&mut next) != done.refused || next != state
    });
    if rest.is_empty() {
        return served(state) == *end;
    }
    (0..rest.len()).any(|n| {
        let mut next = state.to_vec();
        let fits = rest[n].step.run(&mut next) == rest[n].refused;
        let is_first = !rest[..n].contains(&rest[n]);
        fits && is_first && {
            let mut others = rest.clone();
            others.remove(n);
            explained(&next, others, end)
        }
    })
}

/// Some times, the last one after all planned changes.
const MOMENTS: [&str; 5] = [
    NOW,
    "2026-02-01T00:00:00Z",
    "2026-02-20T00:00:00Z",
    "2026-09-01T00:00:00Z",
    "2030-01-01T00:00:00Z",
];

/// The subscriptions as they are served at these times.
fn served(state: &[Subscription]) -> Value {
    let at = |moment| {
        let served = state.iter().map(|one| one.served(moment, &DemoPrices));
        json!(served.collect::<Result<Vec<_>, _>>().unwrap())
    };
    MOMENTS.map(moment).map(at).into_iter().collect()
}

struct DemoPrices;

impl Catalogue for DemoPrices {
    fn price(&self, id: &PriceId) -> Option<Price> {
        let prices = Demo::load().unwrap().live.prices;
        prices.into_iter().find(|price| price.id() == id)
    }

    fn coupon(&self, _: &CouponId) -> Option<Coupon> {
        None
    }
}

/// The merchant in several processes, with open connections.
async fn processes(url: &str, number: usize) -> Vec<Client> {
    let url = with_options(url, "-c lock_timeout=0");
    let mut clients = Vec::new();
    for _ in 0..number {
        let store = Store::connect_with(&url, CONNECTIONS, CONNECTIONS - 1).unwrap();
        let client = client(&store.at(Clock::Frozen(moment(NOW))));
        let reads: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.get("/churnkey/customers").await.status() })
            })
            .collect();
        for read in reads {
            assert_eq!(read.await.unwrap(), 200);
        }
        clients.push(client);
    }
    clients
}

/// Sends a hundred requests at once, and checks that some order explains the answers.
async fn crowd(steps: &[Step]) {
    let server = ThrowawayPostgres::start();
    let url = server.url();
    let store = migrated(&url).await;
    assert!(load_demo(&store).await);
    let clients = processes(&url, PROCESSES).await;
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let client = clients[n % PROCESSES].clone();
            let step = steps[n * 7 % steps.len()];
            tokio::spawn(async move { step.send(&client).await })
        })
        .collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    let mut end = Vec::new();
    for moment in MOMENTS.map(moment) {
        let seen = client(&store.at(Clock::Frozen(moment)));
        let served = seen.get("/churnkey/customers/cus_ada/subscriptions").await;
        end.push(served.body()["data"].clone());
    }
    let is_explained = explained(&start(), done.clone(), &json!(end));
    assert!(is_explained, "{done:?} {end:?}");
}

/// Both of Ada's subscriptions, before the requests.
fn start() -> Vec<Subscription> {
    let demo = Demo::load().unwrap().live.subscriptions;
    let ada = demo
        .iter()
        .filter(|one| one.customer_id().as_str() == "cus_ada");
    ada.map(Subscription::from_served).collect()
}

const NOW_OR_LATER: [Schedule; 2] = [Schedule::Immediate, Schedule::EndOfPeriod];

fn durations() -> [ActionDuration; 3] {
    let months = |amount| ActionDuration::Period {
        amount: NonZeroU32::new(amount).unwrap(),
        unit: CalendarUnit::Month,
    };
    let date = ActionDuration::Date(moment("2026-12-01T00:00:00Z"));
    [months(1), months(2), date]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_cancels_and_pauses_of_one_subscription_come_one_after_the_other() {
    let pauses = durations()
        .into_iter()
        .flat_map(|duration| NOW_OR_LATER.map(|start| Step::Pause(0, start, duration)));
    let mut steps: Vec<Step> = pauses.collect();
    // Without an immediate cancellation, the final state shows which pause was the first.
    steps.push(Step::Cancel(0, Schedule::EndOfPeriod));
    crowd(&steps).await;
    steps.push(Step::Cancel(0, Schedule::Immediate));
    crowd(&steps).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_actions_on_a_customer_and_their_subscriptions_never_lock_each_other_out() {
    let mut steps = Vec::new();
    for start in NOW_OR_LATER {
        for duration in durations() {
            steps.extend([0, 1].map(|index| Step::Pause(index, start, duration)));
            steps.push(Step::PauseAll(start, duration));
        }
    }
    steps.push(Step::CancelAll(Schedule::EndOfPeriod));
    steps.push(Step::Cancel(1, Schedule::EndOfPeriod));
    crowd(&steps).await;
    steps.push(Step::Cancel(1, Schedule::Immediate));
    steps.push(Step::CancelAll(Schedule::Immediate));
    crowd(&steps).await;
}

/// Otherwise the tests above would prove nothing.
#[test]
fn what_no_order_explains_is_not_explained() {
    let start = start();
    let [one, two, _] = durations();
    let done = |duration| Done {
        step: Step::Pause(0, Schedule::Immediate, duration),
        refused: None,
    };
    let mut paused = start.clone();
    assert_eq!(done(one).step.run(&mut paused), None);
    let (before, after) = (served(&start), served(&paused));
    assert!(explained(&start, vec![done(one), done(one)], &after));
    // An action is lost, done twice, or done although an earlier one forbids it.
    assert!(!explained(&start, vec![done(one)], &before));
    assert!(!explained(&start, vec![done(two)], &after));
    assert!(!explained(&start, vec![done(one), done(two)], &after));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_redemption_goes_to_one_of_twenty() {
    let shop = Shop::empty().await;
    let mut data = Demo::load().unwrap().live;
    data.subscriptions.clear();
    data.customers.clear();
    data.coupons = vec![
        from_value(json!({
            "id": "coupon_last",
            "duration": {"type": "forever"},
            "value": {"type": "percentage", "percent": 10},
            "redemptions": {"max": 7, "current": 6}
        }))
        .unwrap(),
    ];
    for n in 0..20 {
        let id = CustomerId::new(format!("cus_{n}")).unwrap();
        data.customers.push(Customer::new(id));
        let subscription = json!({
            "id": format!("sub_{n}"),
            "customerId": format!("cus_{n}"),
            "start": NOW,
            "status": {"name": "active", "currentPeriod": {"start": NOW, "end": "2026-02-15T12:00:00Z"}},
            "duration": {"amount": 1, "unit": "month"},
            "items": []
        });
        data.subscriptions.push(from_value(subscription).unwrap());
    }
    let none = DataSet::default();
    assert!(shop.store.load_if_empty(&data, &none).await.unwrap());
    let clients = processes(shop.database.url(), 2).await;
    let client = &clients[0];
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let client = clients[n % 2].clone();
            tokio::spawn(async move {
                let body = json!({
                    "customerId": format!("cus_{n}"),
                    "subscriptionId": format!("sub_{n}"),
                    "coupon": "coupon_last"
                });
                act(&client, "subscription/apply-coupon", &body).await
            })
        })
        .collect();
    let mut redeemed = 0;
    for (n, task) in tasks.into_iter().enumerate() {
        let answer = task.await.unwrap();
        let path = format!("/churnkey/customers/cus_{n}/subscriptions/sub_{n}");
        let discounts = client.get(&path).await.body()["discounts"].clone();
        if answer.0 == 200 {
            redeemed += 1;
            assert_eq!(discounts[0]["coupon"]["id"], "coupon_last");
        } else {
            let message = "The coupon has no redemptions left";
            assert_eq!(answer, (400, json!({"code": 400, "message": message})));
            assert_eq!(discounts, Value::Null);
        }
    }
    assert_eq!(redeemed, 1);
    let coupon = client
        .get("/churnkey/coupons/coupon_last")
        .await
        .into_body();
    assert_eq!(coupon["redemptions"], json!({"max": 7, "current": 7}));
}
