//! What actions write, and when it takes effect.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, query_scalar};

use crate::{Caller, Platform};

/// A subscription of the first tenant's, as Churnkey and as the table has it.
struct Subject<'a> {
    platform: &'a Platform,
    customer: String,
    id: String,
}

impl<'a> Subject<'a> {
    async fn new(platform: &'a Platform, customer: &str, name: &str) -> Self {
        let id = async |name: String| platform.id(&format!("tenant-01/live/{name}")).await;
        Self {
            customer: id(format!("customer/{customer}")).await,
            id: id(format!("subscription/{customer}/{name}")).await,
            platform,
        }
    }

    fn body(&self, more: &Value) -> Value {
        let mut body = json!({"customerId": self.customer, "subscriptionId": self.id});
        let more = more.as_object().cloned().unwrap();
        body.as_object_mut().unwrap().extend(more);
        body
    }

    async fn at(&self, moment: &str) -> Value {
        let caller = Caller::new(&self.platform.app_at(moment), "tenant-01");
        let path = format!("/customers/{}/subscriptions/{}", self.customer, self.id);
        caller.found(&path).await
    }

    async fn row(&self) -> Value {
        let row = query_scalar("SELECT to_jsonb(s) FROM subscriptions s WHERE id = $1::uuid");
        row.bind(&self.id)
            .fetch_one(&self.platform.owner)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn what_is_planned_takes_effect_when_its_time_has_come() {
    let platform = Platform::with_demo_data(1, 0).await;
    let caller = Caller::new(&platform.app(), "tenant-01");
    let one = Subject::new(&platform, "C-max", "one").await;
    let cancel = one.body(&json!({"scheduledAt": "end-of-period"}));
    assert_eq!(caller.act("cancel", &cancel).await.0, 200);
    let row = one.row().await;
    assert_eq!(
        (&row["status"], &row["cancel_at"], &row["canceled_at"]),
        (
            &json!("active"),
            &json!("2026-01-26T12:00:00"),
            &Value::Null
        )
    );
    assert_eq!(
        one.at("2026-01-26T11:59:59Z").await["status"]["name"],
        "active"
    );
    assert_eq!(
        one.at("2026-01-26T12:00:00Z").await["status"],
        json!({"name": "canceled", "canceledAt": "2026-01-26T12:00:00.000Z"})
    );
    let now = one.body(&json!({"scheduledAt": "immediate"}));
    assert_eq!(caller.act("cancel", &now).await.0, 200);
    let row = one.row().await;
    assert_eq!(
        (&row["status"], &row["cancel_at"], &row["canceled_at"]),
        (
            &json!("canceled"),
            &Value::Null,
            &json!("2026-01-15T12:00:00")
        )
    );

    let two = Subject::new(&platform, "C-ida", "two").await;
    let basic = platform.id("tenant-01/live/price/Basic yearly/USD").await;
    let change = two.body(&json!({"priceId": basic, "scheduledAt": "end-of-period"}));
    assert_eq!(caller.act("change-price", &change).await.0, 200);
    let price = |subscription: Value| subscription["items"][0]["price"]["name"].clone();
    assert_eq!(price(two.at("2026-01-26T11:59:59Z").await), "Team monthly");
    let changed = two.at("2026-01-26T12:00:00Z").await;
    assert_eq!(changed["duration"], json!({"amount": 1, "unit": "year"}));
    assert_eq!(
        changed["status"]["currentPeriod"],
        json!({"start": "2026-01-26T12:00:00.000Z", "end": "2027-01-26T12:00:00.000Z"})
    );
    assert_eq!(price(changed), "Basic yearly");
}

#[tokio::test]
async fn periods_are_still_counted_from_the_same_day_after_an_action() {
    let platform = Platform::with_demo_data(1, 0).await;
    platform
        .sql("UPDATE subscriptions SET started_at = '2025-10-31', billing_anchor = '2025-10-31' WHERE status = 'active'")
        .await;
    let one = Subject::new(&platform, "C-max", "one").await;
    let caller = Caller::new(&platform.app_at("2026-02-28T12:00:00Z"), "tenant-01");
    let pause = json!({"startAt": "end-of-period", "duration": {"amount": 2, "unit": "month"}});
    assert_eq!(caller.act("pause", &one.body(&pause)).await.0, 200);
    let row = one.row().await;
    assert_eq!(
        (
            &row["billing_anchor"],
            &row["pause_starts_at"],
            &row["resumes_at"]
        ),
        (
            &json!("2025-10-31T00:00:00"),
            &json!("2026-03-31T00:00:00"),
            &json!("2026-05-31T00:00:00")
        )
    );
    assert_eq!(
        one.at("2026-03-30T12:00:00Z").await["status"]["name"],
        "active"
    );
    assert_eq!(
        one.at("2026-04-30T12:00:00Z").await["status"]["name"],
        "paused"
    );
    assert_eq!(
        one.at("2026-06-01T12:00:00Z").await["status"]["currentPeriod"],
        json!({"start": "2026-05-31T00:00:00.000Z", "end": "2026-06-30T00:00:00.000Z"})
    );
}

#[tokio::test]
async fn a_trial_is_billed_from_its_new_end_on() {
    let platform = Platform::with_demo_data(1, 0).await;
    let caller = Caller::new(&platform.app(), "tenant-01");
    let trial = Subject::new(&platform, "C-grace", "trial").await;
    let extend = trial.body(&json!({"duration": {"amount": 1, "unit": "week"}}));
    for _ in 0..2 {
        // With the same key: once.
        assert_eq!(
            caller.act_as("one week", "extend-trial", &extend).await.0,
            200
        );
    }
    let row = trial.row().await;
    assert_eq!(row["trial_ends_at"], "2026-02-01T12:00:00");
    assert_eq!(row["billing_anchor"], "2026-02-01T12:00:00");
    assert_eq!(
        trial.at("2026-02-02T00:00:00Z").await["status"],
        json!({"name": "active", "currentPeriod": {
            "start": "2026-02-01T12:00:00.000Z", "end": "2026-03-01T12:00:00.000Z",
        }})
    );
}

#[tokio::test]
async fn a_coupon_is_the_customers_and_counted_once() {
    let platform = Platform::with_demo_data(1, 0).await;
    let caller = Caller::new(&platform.app(), "tenant-01");
    let id = async |name: &str| platform.id(&format!("tenant-01/live/{name}")).await;
    let coupon = async |code: &str| json!({"couponId": id(&format!("coupon/{code}")).await});
    let one = Subject::new(&platform, "C-ada", "monthly").await;
    let other = Subject::new(&platform, "C-ada", "yearly").await;
    for subject in [&one, &other, &one] {
        let body = subject.body(&coupon("STAY20").await);
        assert_eq!(caller.act("apply-coupon", &body).await, (200, Value::Null));
    }
    let discount = json!({"start": "2026-01-15T12:00:00.000Z", "end": "2026-04-15T12:00:00.000Z"});
    let customer = caller.found(&format!("/customers/{}", one.customer)).await;
    let subscription = other.at(crate::NOW).await;
    for discounts in [&customer["discounts"], &subscription["discounts"]] {
        assert_eq!(discounts[0]["coupon"]["redemptions"]["current"], 8);
        for end in ["start", "end"] {
            assert_eq!(discounts[0][end], discount[end]);
        }
        assert_eq!(discounts.as_array().unwrap().len(), 1);
    }
    for (code, refusal) in [
        ("FIVER", "The customer has another coupon"),
        ("SUMMER", "The customer has another coupon"),
    ] {
        let (status, body) = caller
            .act("apply-coupon", &one.body(&coupon(code).await))
            .await;
        assert_eq!((status, &body["message"]), (400, &json!(refusal)), "{code}");
    }
    let max = Subject::new(&platform, "C-max", "one").await;
    for (code, refusal) in [
        ("SUMMER", "The coupon has expired"),
        ("FIRST100", "The coupon has no redemptions left"),
    ] {
        let (status, body) = caller
            .act("apply-coupon", &max.body(&coupon(code).await))
            .await;
        assert_eq!((status, &body["message"]), (400, &json!(refusal)), "{code}");
    }
    // Until the next invoice.
    let body = max.body(&coupon("FIVER").await);
    assert_eq!(caller.act("apply-coupon", &body).await.0, 200);
    let end = max.at(crate::NOW).await["discounts"][0]["end"].clone();
    assert_eq!(end, "2026-01-26T12:00:00.000Z");
}

/// Applies coupons at once: all calls have begun, and wait for a row that somebody else holds, before the first one goes on.
/// Returns how they were answered.
async fn at_once(platform: &Platform, held: &str, calls: Vec<Value>) -> Vec<u16> {
    let mut holder = platform.owner.begin().await.unwrap();
    let hold = format!("SELECT FROM {held} FOR UPDATE");
    sqlx::query(AssertSqlSafe(hold))
        .execute(&mut *holder)
        .await
        .unwrap();
    let calls = calls.into_iter().map(|body| {
        let caller = Caller::new(&platform.app(), "tenant-01");
        tokio::spawn(async move { caller.act("apply-coupon", &body).await.0 })
    });
    let calls: Vec<_> = calls.collect();
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let begun = Instant::now();
    loop {
        let counted: i64 = query_scalar(waiting)
            .fetch_one(&platform.owner)
            .await
            .unwrap();
        if usize::try_from(counted).unwrap() == calls.len() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(3), "{counted} wait");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    holder.commit().await.unwrap();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap());
    }
    statuses.sort_unstable();
    statuses
}

#[tokio::test]
async fn the_last_redemption_of_a_coupon_is_one() {
    let platform = Platform::with_demo_data(1, 0).await;
    platform
        .sql("UPDATE coupons SET max_redemptions = times_redeemed + 1 WHERE code = 'STAY20'")
        .await;
    let stay = platform.id("tenant-01/live/coupon/STAY20").await;
    let mut calls = Vec::new();
    for (customer, name) in [
        ("C-ada", "monthly"),
        ("C-max", "one"),
        ("C-ida", "two"),
        ("C-grace", "trial"),
    ] {
        let subject = Subject::new(&platform, customer, name).await;
        calls.push(subject.body(&json!({"couponId": stay})));
    }
    let held = format!("coupons WHERE id = '{stay}'");
    assert_eq!(at_once(&platform, &held, calls).await, [200, 400, 400, 400]);
    let redeemed = query_scalar("SELECT times_redeemed FROM coupons WHERE id = $1::uuid");
    let redeemed: i32 = redeemed
        .bind(&stay)
        .fetch_one(&platform.owner)
        .await
        .unwrap();
    assert_eq!(redeemed, 8);
}

#[tokio::test]
async fn of_two_coupons_at_once_a_customer_gets_one() {
    let platform = Platform::with_demo_data(1, 0).await;
    let one = Subject::new(&platform, "C-ida", "one").await;
    let two = Subject::new(&platform, "C-ida", "two").await;
    let [stay, fiver] = ["STAY20", "FIVER"].map(|code| format!("tenant-01/live/coupon/{code}"));
    let calls = vec![
        one.body(&json!({"couponId": platform.id(&stay).await})),
        two.body(&json!({"couponId": platform.id(&fiver).await})),
    ];
    let held = format!("customers WHERE id = '{}'", one.customer);
    assert_eq!(at_once(&platform, &held, calls).await, [200, 400]);
}

/// The change and the mark that it was done are one: if the mark fails, nothing was changed.
#[tokio::test]
async fn an_action_that_can_not_be_marked_as_done_changes_nothing() {
    let platform = Platform::with_demo_data(1, 0).await;
    let caller = Caller::new(&platform.app(), "tenant-01");
    let trial = Subject::new(&platform, "C-grace", "trial").await;
    let before = trial.row().await;
    platform
        .sql(
            "CREATE FUNCTION take_over() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN UPDATE churnkey_idempotency_records SET attempt = attempt + 1; RETURN new; END $$;
            ALTER FUNCTION take_over SECURITY DEFINER;
            CREATE TRIGGER take_over AFTER UPDATE ON subscriptions EXECUTE FUNCTION take_over()",
        )
        .await;
    let extend = trial.body(&json!({"duration": {"amount": 1, "unit": "week"}}));
    assert_eq!(caller.act("extend-trial", &extend).await.0, 409);
    assert_eq!(trial.row().await, before);
    platform
        .sql("DROP TRIGGER take_over ON subscriptions")
        .await;
    assert_eq!(caller.act("extend-trial", &extend).await.0, 200);
    assert_ne!(trial.row().await, before);
}

/// A retry may work where the database was only in the way. It is no use where the change itself was refused.
#[tokio::test]
async fn an_error_that_is_over_in_a_moment_is_a_503() {
    let platform = Platform::with_demo_data(1, 0).await;
    let caller = Caller::new(&platform.app(), "tenant-01");
    let trial = Subject::new(&platform, "C-grace", "trial").await;
    let before = trial.row().await;
    platform
        .sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE 'refused' USING ERRCODE = tg_argv[0]; END $$",
        )
        .await;
    let extend = trial.body(&json!({"duration": {"amount": 1, "unit": "week"}}));
    for (code, status) in [
        ("40001", 503),
        ("40P01", 503),
        ("25006", 503),
        ("53100", 503),
        ("53300", 503),
        ("55P03", 503),
        ("57014", 503),
        ("08006", 503),
        ("55006", 500),
        ("23514", 500),
    ] {
        let trigger = format!(
            "CREATE OR REPLACE TRIGGER refuse BEFORE UPDATE ON subscriptions
                FOR EACH ROW EXECUTE FUNCTION refuse('{code}')"
        );
        let trigger = sqlx::raw_sql(AssertSqlSafe(trigger));
        trigger.execute(&platform.owner).await.unwrap();
        let (answered, body) = caller.act("extend-trial", &extend).await;
        assert_eq!(answered, status, "{code}: {body}");
        assert_eq!(trial.row().await, before);
    }
}
