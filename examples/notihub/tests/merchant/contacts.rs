//! `/customers/{id}/contacts`: what the calls of `cases.json` leave out.

use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{C3, C4, DISABLED, Merchant, error};

#[tokio::test]
async fn of_two_primary_contacts_in_one_create_the_last_one_stays() {
    let merchant = Merchant::new().await;
    let body = json!({"contacts": [
        {"type": "EMAIL", "value": "a@b.c", "primary": true},
        {"type": "PHONE", "value": "+123", "primary": "true"},
        {"type": "EMAIL", "value": "d@e.f", "primary": true, "verified": "false"}]});
    let (_, created) = merchant.call("POST", "/customers", body).await;
    let primary = created["contacts"].as_array().unwrap().iter();
    let primary: Vec<_> = primary.map(|contact| &contact["primary"]).collect();
    assert_eq!(primary, [false, true, true]);
}

#[tokio::test]
async fn a_contact_is_changed_in_part_and_validated_as_a_whole() {
    let merchant = Merchant::new().await;
    let path = format!("/customers/{C3}/contacts/12");
    let put = async |body| merchant.call("PUT", &path, body).await;
    let phone = json!({"contactId": 12, "type": "PHONE", "value": "+5491155550101", "primary": true, "verified": false});
    assert_eq!(put(json!({"verified": false})).await, (200, phone.clone()));
    assert_eq!(put(json!({"contactId": "12"})).await, (200, phone.clone()));
    assert_eq!(
        put(json!({"value": "a@b.c"})).await,
        error(400, "Invalid phone")
    );
    assert_eq!(
        put(json!({"type": "EMAIL"})).await,
        error(400, "Invalid email")
    );
    assert_eq!(
        put(json!({"contactId": 11})).await,
        error(400, "Contact id differs from the path's")
    );
    let email = json!({"contactId": 12, "type": "EMAIL", "value": "a@b.c", "primary": true, "verified": false});
    assert_eq!(
        put(json!({"type": "EMAIL", "value": "a@b.c"})).await,
        (200, email.clone())
    );
    // It became the primary address, so the former one no longer is.
    let (_, customer) = merchant.get(&format!("/customers/{C3}")).await;
    assert_eq!(customer["contacts"][0]["primary"], false);
    assert_eq!(customer["contacts"][1], email);
}

#[tokio::test]
async fn the_sdk_names_the_contact_in_the_body() {
    let merchant = Merchant::new().await;
    let path = format!("/customers/{C3}/contacts/");
    let (status, changed) = merchant
        .call(
            "PUT",
            &path,
            json!({"contactId": 11, "value": "new@email.com"}),
        )
        .await;
    assert_eq!((status, &changed["value"]), (200, &json!("new@email.com")));
    for (body, expected) in [
        (json!({"value": "x@y.z"}), error(400, "Invalid contact id")),
        (json!({"contactId": null}), error(400, "Invalid contact id")),
        (
            json!({"contactId": 13}),
            error(404, "Contact Entry Not found"),
        ),
        (
            json!({"contactId": "99999999999999999999"}),
            error(404, "Contact Entry Not found"),
        ),
    ] {
        assert_eq!(merchant.call("PUT", &path, body).await, expected);
    }
}

#[tokio::test]
async fn a_contact_of_somebody_else_is_not_found() {
    let merchant = Merchant::new().await;
    for contact in ["13", "x", "0", "-1", "99999999999999999999", "%00"] {
        for method in ["PUT", "DELETE"] {
            let path = format!("/customers/{C3}/contacts/{contact}");
            assert_eq!(
                merchant.call(method, &path, json!({})).await,
                error(404, "Contact Entry Not found"),
                "{path}"
            );
            let path = format!("/customers/nobody/contacts/{contact}");
            assert_eq!(
                merchant.call(method, &path, json!({})).await,
                error(404, "Customer Not found"),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn something_to_know_a_customer_by_stays() {
    let merchant = Merchant::new().await;
    let refused = error(
        400,
        "Customer requires at least a valid email, phone or external id.",
    );
    let last = format!("/customers/{C4}/contacts/13");
    assert_eq!(merchant.call("DELETE", &last, Value::Null).await, refused);
    let to_push = json!({"type": "PUSH"});
    assert_eq!(merchant.call("PUT", &last, to_push).await, refused);
    // With an external id, all contacts may be deleted.
    for contact in [4, 10] {
        let path = format!("/customers/{DISABLED}/contacts/{contact}");
        let deleted = merchant.call("DELETE", &path, Value::Null).await;
        assert_eq!(deleted, (200, json!({})));
    }
    // A contact's id is never used again.
    let new = json!({"type": "PHONE", "value": "123"});
    let path = format!("/customers/{C4}/contacts");
    let (_, first) = merchant.call("POST", &path, new.clone()).await;
    merchant
        .call(
            "DELETE",
            &format!("{path}/{}", first["contactId"]),
            Value::Null,
        )
        .await;
    let (_, second) = merchant.call("POST", &path, new).await;
    assert_eq!(
        (&first["contactId"], &second["contactId"]),
        (&json!(17), &json!(18))
    );
}

fn emails(number: usize) -> Value {
    (1..=number)
        .map(|n| json!({"type": "EMAIL", "value": format!("n{n}@example.com"), "primary": true}))
        .collect()
}

#[tokio::test]
async fn a_request_holds_1000_contacts_at_most() {
    let merchant = Merchant::new().await;
    let body = json!({"externalId": "many", "contacts": emails(1_001)});
    let refused = merchant.call("POST", "/customers", body).await;
    let message = "At most 1000 contacts in one request: add the others to the customer";
    assert_eq!(refused, error(400, message));

    // The other spelling of the key has the same limit.
    let body = json!({"externalId": "many", "contact": emails(1_001)});
    let refused = merchant.call("POST", "/customers", body).await;
    assert_eq!(refused, error(400, message));

    let body = json!({"externalId": "many", "contacts": emails(1_000)});
    let (status, created) = merchant.call("POST", "/customers", body).await;
    assert_eq!(status, 201);
    let expected: Value = (1..=1_000)
        .map(|n| {
            json!({"contactId": 16 + n, "type": "EMAIL", "value": format!("n{n}@example.com"),
                "primary": n == 1_000, "verified": false})
        })
        .collect();
    assert_eq!(created["contacts"], expected);
    let path = format!("/customers/{}", created["customerId"].as_str().unwrap());
    assert_eq!(merchant.get(&path).await, (200, created));
}

#[tokio::test]
async fn a_new_customers_contacts_are_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notihub.db");
    let merchant = Merchant::at(Some(&file)).await;
    let options = SqliteConnectOptions::new().filename(&file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    // No contact is first written as primary and then changed for the next one.
    sqlx::query(
        "CREATE TRIGGER twice BEFORE UPDATE ON contacts BEGIN SELECT RAISE(ABORT, 'twice'); END",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let contact = |kind: &str, value: &str, primary: bool| json!({"type": kind, "value": value, "primary": primary});
    let sent = [
        contact("EMAIL", "first@example.com", true),
        contact("PHONE", "+1 555 0100", true),
        contact("EMAIL", "second@example.com", true),
        contact("EMAIL", "third@example.com", false),
        contact("PUSH", "token", true),
    ];
    let body = json!({"externalId": "several", "contacts": sent});
    let (status, created) = merchant.call("POST", "/customers", body).await;
    assert_eq!(status, 201, "{created}");
    let contacts = created["contacts"].as_array().unwrap().iter();
    let primary: Vec<_> = contacts
        .filter(|one| one["primary"] == true)
        .map(|one| one["value"].as_str().unwrap())
        .collect();
    assert_eq!(primary, ["+1 555 0100", "second@example.com", "token"]);
}
