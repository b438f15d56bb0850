//! Every operation is atomic, also with many callers.

use std::{path::Path, sync::Arc};

use churnkey_integrator::{
    CustomerId, CustomersController, RequestContext, Result, controller, model::Customer,
};
use example_app::Generator;
use reportei_connect::store::{self, Store};
use serde_json::json;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{C1_TOKEN, C2, C2_TOKEN, INSTAGRAM, Merchant, error};

/// A statement of another program.
pub(crate) async fn execute(file: &Path, statement: &'static str) {
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(statement)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn what_fails_half_way_leaves_nothing_behind_and_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reportei.db");
    let merchant = Merchant::with(Some(&file), Generator::Random).await;
    let begin = "/customer-integrations/session";
    let (_, session) = merchant
        .call_for(C2_TOKEN, "POST", begin, json!(null))
        .await;
    let session = session["integration_session"]["session_uuid"]
        .as_str()
        .unwrap();
    // The last rows that are deleted with a customer, and with an integration, can't be deleted.
    execute(
        &file,
        "CREATE TRIGGER boom BEFORE DELETE ON metric_values BEGIN SELECT RAISE(ABORT, 'secret'); END",
    )
    .await;
    let (_, before) = merchant
        .call_for(C2_TOKEN, "GET", "/customers/settings", json!(null))
        .await;
    for (method, path) in [
        ("DELETE", format!("/customers/{C2}")),
        (
            "DELETE",
            format!("/customer-integrations/{INSTAGRAM}?session_id={session}"),
        ),
    ] {
        let answer = merchant
            .call_for(C2_TOKEN, method, &path, json!(null))
            .await;
        assert_eq!(answer, error(500, "Server Error"), "{path}");
    }
    let (_, after) = merchant
        .call_for(C2_TOKEN, "GET", "/customers/settings", json!(null))
        .await;
    assert_eq!(after, before);
    assert_eq!(merchant.get(&format!("{begin}/{session}")).await.0, 200);
    // The connections still work.
    assert_eq!(
        merchant
            .call("POST", "/customers", json!({"name": "x"}))
            .await
            .0,
        201
    );
}

#[tokio::test]
async fn while_others_write_writing_may_be_tried_again_and_reading_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reportei.db");
    let merchant = Merchant::with(Some(&file), Generator::Random).await;
    let options = SqliteConnectOptions::new().filename(&file);
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    let open = other.begin_with("BEGIN IMMEDIATE").await.unwrap();

    let headers = [("authorization", crate::TOKEN)];
    let create = merchant.raw("POST", "/customers", &headers, r#"{"name":"x"}"#);
    let read = async {
        assert_eq!(merchant.get("/customers").await.0, 200);
        assert_eq!(merchant.churnkey("").await.0, 200);
    };
    let (created, ()) = tokio::join!(create, read);
    assert_eq!(
        (created.status(), created.header("retry-after")),
        (503, Some("1"))
    );
    assert_eq!(
        created.into_body(),
        json!({"message": "Service Unavailable"})
    );
    open.rollback().await.unwrap();
    assert_eq!(merchant.get("/customers").await.1["meta"]["total"], 2);
    assert_eq!(
        merchant
            .call("POST", "/customers", json!({"name": "x"}))
            .await
            .0,
        201
    );
}

#[tokio::test]
async fn what_a_database_says_of_a_failure_stays_in_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reportei.db");
    let merchant = Merchant::with(Some(&file), Generator::Random).await;
    execute(&file, "ALTER TABLE customers RENAME COLUMN name TO secret").await;
    let failure = merchant
        .customers(crate::REPORTEI)
        .await
        .create("Ada")
        .await;
    let failure = failure.unwrap_err();
    assert_eq!(
        format!("{failure} {failure:?}"),
        "the database failed Failed(the database failed)"
    );
    let created = merchant
        .call("POST", "/customers", json!({"name": "Ada"}))
        .await;
    assert_eq!(created, error(500, "Server Error"));
    let (status, answer) = merchant.churnkey("").await;
    assert_eq!(
        (status, &answer["message"]),
        (500, &json!("Internal Server Error"))
    );
}

#[tokio::test]
async fn demo_data_are_loaded_as_a_whole_or_not_at_all_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reportei.db");
    let clock = merchant_cases::CLOCK.parse().unwrap();
    let store = Store::open(Some(&file), clock, Generator::Random)
        .await
        .unwrap();
    execute(
        &file,
        "CREATE TRIGGER boom BEFORE INSERT ON metric_values BEGIN SELECT RAISE(ABORT, 'boom'); END",
    )
    .await;
    let error = store.load_demo_if_empty().await.unwrap_err();
    let store::Error::Failed(failure) = error else {
        panic!("{error}");
    };
    // SQLITE_CONSTRAINT_TRIGGER.
    assert_eq!(failure.code().as_deref(), Some("1811"));
    assert!(store.customers_of(crate::REPORTEI).await.unwrap().is_none());
    assert_eq!(store.networks().await.unwrap(), []);
    execute(&file, "DROP TRIGGER boom").await;
    assert!(store.load_demo_if_empty().await.unwrap());
    assert!(!store.load_demo_if_empty().await.unwrap());
}

#[tokio::test]
async fn concurrent_callers_neither_fail_nor_undo_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reportei.db");
    for database in [None, Some(file.as_path())] {
        let merchant = Arc::new(Merchant::with(database, Generator::Random).await);
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..12 {
            let merchant = Arc::clone(&merchant);
            calls.spawn(async move {
                let body = json!({"name": format!("customer {number}")});
                let (status, created) = merchant.call("POST", "/customers", body).await;
                assert_eq!(status, 201);
                let token = created["customer"]["api_token"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                let uuid = created["customer"]["uuid"].as_str().unwrap();
                let path = format!("/customers/{uuid}/update-payment-status");
                let paid = merchant
                    .call("POST", &path, json!({"is_paying": true}))
                    .await;
                assert_eq!(paid.0, 200);
                (uuid.to_owned(), token)
            });
        }
        let created = calls.join_all().await;
        let tokens: std::collections::BTreeSet<_> =
            created.iter().map(|(_, token)| token).collect();
        assert_eq!(tokens.len(), 12);
        assert_eq!(merchant.get("/customers").await.1["meta"]["total"], 14);
        for (_, token) in &created {
            let (_, settings) = merchant
                .call_for(token, "GET", "/customers/settings", json!(null))
                .await;
            assert_eq!(settings["customer"]["is_paying"], true);
        }

        // One of several concurrent deletions succeeds, and no session of a deleted customer begins.
        let path = format!("/customers/{}", created[0].0);
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..12 {
            let (merchant, path, token) =
                (Arc::clone(&merchant), path.clone(), created[0].1.clone());
            calls.spawn(async move {
                match number % 2 {
                    0 => (
                        "deleted",
                        merchant.call("DELETE", &path, json!(null)).await.0,
                    ),
                    _ => {
                        let begin = "/customer-integrations/session";
                        (
                            "begun",
                            merchant
                                .call_for(&token, "POST", begin, json!(null))
                                .await
                                .0,
                        )
                    }
                }
            });
        }
        let answers = calls.join_all().await;
        let of = |what, status| {
            answers
                .iter()
                .filter(|answer| **answer == (what, status))
                .count()
        };
        assert_eq!((of("deleted", 200), of("deleted", 404)), (1, 5));
        assert_eq!(of("begun", 201) + of("begun", 401), 6);
    }
}

#[tokio::test]
async fn a_customer_who_goes_while_a_session_begins_gets_none() {
    let merchant = Merchant::new().await;
    let customers = merchant.customers(crate::REPORTEI).await;
    let data = customers.opened_by(C1_TOKEN).await.unwrap().unwrap();
    customers.delete(crate::C1).await.unwrap();
    let new = store::NewSession {
        redirect_url: None,
        options: "{}".to_owned(),
        minutes: 5,
    };
    let error = data.begin_session(new).await.unwrap_err();
    assert_eq!(error.to_string(), "the customer is gone");
}

/// Customers in a database that has no connection left.
struct Busy;

#[controller]
impl CustomersController for Busy {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Err(store::Error::from(sqlx::Error::PoolTimedOut))?
    }
}

#[tokio::test]
async fn churnkey_is_told_to_come_again_while_the_database_is_busy() {
    let merchant = Merchant::serving(Merchant::new().await.store, Busy);
    let answer = merchant.churnkey("/1").await;
    let unavailable = json!({"code": 503, "message": "Service Unavailable"});
    assert_eq!(answer, (503, unavailable));
}
