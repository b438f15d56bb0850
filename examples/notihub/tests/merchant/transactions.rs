//! Every operation is atomic, also with many callers.

use std::path::Path;

use serde_json::json;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{C3, Merchant, error};

/// A database that fails whenever a contact or a preference with the word `boom` is written.
async fn mine(file: &Path) {
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    for statement in [
        "CREATE TRIGGER boom_1 BEFORE INSERT ON contacts WHEN NEW.value = 'boom@secret.example'
         BEGIN SELECT RAISE(ABORT, 'boom@secret.example'); END",
        "CREATE TRIGGER boom_2 BEFORE INSERT ON preferences WHEN NEW.template_group_id = 'boom'
         BEGIN SELECT RAISE(ABORT, 'boom'); END",
        "CREATE TRIGGER boom_3 BEFORE UPDATE ON contacts WHEN OLD.contact_id = 11 AND NOT NEW.is_primary
         BEGIN SELECT RAISE(ABORT, 'boom'); END",
        "CREATE TRIGGER boom_4 BEFORE DELETE ON contacts WHEN OLD.contact_id = 12
         BEGIN SELECT RAISE(ABORT, 'boom'); END",
    ] {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

#[tokio::test]
async fn what_fails_half_way_leaves_nothing_behind_and_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notihub.db");
    let merchant = Merchant::at(Some(&file)).await;
    mine(&file).await;
    let path = format!("/customers/{C3}");
    let (_, customer) = merchant.get(&path).await;
    let preference = |group: &str| json!({"templateGroupId": group, "mechanisms": ["EMAIL"]});
    let boom = json!({"type": "EMAIL", "value": "boom@secret.example"});
    let good = json!({"type": "EMAIL", "value": "good@example.com"});
    for (method, path, body) in [
        (
            "POST",
            "/customers".to_owned(),
            json!({"externalId": "half", "contacts": [good, boom]}),
        ),
        (
            "POST",
            format!("{path}/preferences"),
            json!([preference("a"), preference("boom")]),
        ),
        (
            "POST",
            format!("{path}/contacts"),
            json!({"type": "EMAIL", "value": "b@c.d", "primary": true}),
        ),
        ("DELETE", path.clone(), json!(null)),
    ] {
        let answer = merchant.call(method, &path, body).await;
        assert_eq!(
            answer,
            error(500, "Internal Server Error"),
            "{method} {path}"
        );
    }
    assert_eq!(merchant.get(&path).await, (200, customer));
    assert_eq!(
        merchant.get(&format!("{path}/preferences")).await,
        (200, json!([]))
    );
    let (_, list) = merchant.get("/customers?limit=200").await;
    assert_eq!(list.as_array().unwrap().len(), 6);
    let (status, _) = merchant
        .call("POST", "/customers", json!({"externalId": "half"}))
        .await;
    assert_eq!(status, 201);
}

#[tokio::test]
async fn of_concurrent_creates_with_one_external_id_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notihub.db");
    for database in [None, Some(file.as_path())] {
        let merchant = std::sync::Arc::new(Merchant::at(database).await);
        let calls = (0..12).map(|_| {
            let merchant = merchant.clone();
            tokio::spawn(async move {
                let body = json!({"externalId": "wanted", "contacts": [{"type": "PHONE", "value": "+123"}]});
                merchant.call("POST", "/customers", body).await
            })
        });
        let mut won = 0;
        for call in calls.collect::<Vec<_>>() {
            match call.await.unwrap() {
                (201, _) => won += 1,
                refused => assert_eq!(refused, error(400, "External id already in use")),
            }
        }
        assert_eq!(won, 1);
        let (_, found) = merchant.get("/customers?search=wanted").await;
        assert_eq!(found.as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn of_concurrent_primary_contacts_one_stays_primary() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notihub.db");
    let merchant = Merchant::at(Some(&file)).await;
    let merchant = std::sync::Arc::new(merchant);
    let calls = (0..12).map(|number| {
        let merchant = merchant.clone();
        tokio::spawn(async move {
            let body = json!({"type": "EMAIL", "value": format!("n{number}@example.com"), "primary": true});
            merchant.call("POST", &format!("/customers/{C3}/contacts"), body).await.0
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), 201);
    }
    let (_, customer) = merchant.get(&format!("/customers/{C3}")).await;
    let contacts = customer["contacts"].as_array().unwrap();
    let primary = contacts
        .iter()
        .filter(|one| one["type"] == "EMAIL" && one["primary"] == true);
    assert_eq!((contacts.len(), primary.count()), (14, 1));
}
