//! The program from outside.

use merchant_cases::{file_holds, paste};
use serde_json::{Value, json};

use crate::{BEARER, C3};

#[tokio::test]
async fn what_it_prints_and_what_the_readme_says_can_be_pasted() {
    let mut program = crate::cases::merchant().start().await.unwrap();
    let retrieve = program.next_line().await.unwrap();
    let list = program.next_line().await.unwrap();
    let own = program.next_line().await.unwrap();
    assert_eq!(
        paste(&retrieve).await.unwrap()["metadata"]["externalId"],
        "your-custom-id"
    );
    assert_eq!(
        paste(&list).await.unwrap()["data"][1]["metadata"]["status"],
        "DISABLED"
    );
    assert_eq!(paste(&own).await.unwrap().as_array().unwrap().len(), 6);

    let answers = program.follow(include_str!("../../README.md")).await;
    assert_eq!(answers.unwrap(), 3);
}

fn request(method: &str, path: &str, body: Option<Value>) -> merchant_cases::Request {
    merchant_cases::Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: vec![("authorization".to_owned(), BEARER.to_owned())],
        body: body.map(|body| body.to_string().into_bytes()),
    }
}

#[tokio::test]
async fn a_file_keeps_what_was_written_when_the_power_goes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notihub.db");
    let file = file.to_str().unwrap();
    let merchant = crate::cases::merchant().option("--database", file);

    let program = merchant.start().await.unwrap();
    let list = program.send(&request("GET", "/customers", None)).await;
    assert_eq!(list.unwrap().status, 401, "there are no tokens");
    let churnkey = merchant_cases::Request {
        headers: vec![(
            "authorization".to_owned(),
            "Bearer ck-demo-integration-token-0001".to_owned(),
        )],
        ..request("GET", "/churnkey/customers", None)
    };
    let list = program.send(&churnkey).await.unwrap();
    assert_eq!(
        (list.status, list.json().unwrap()["data"].take()),
        (200, json!([]))
    );
    let log = program.kill().await;
    assert!(
        log.contains("the database is empty: start once with --demo"),
        "{log}"
    );

    let program = merchant
        .clone()
        .flag("--external-ids")
        .flag("--demo")
        .start()
        .await
        .unwrap();
    let body =
        json!({"externalId": "kept", "contacts": [{"type": "PUSH", "value": "device-secret"}]});
    let created = program
        .send(&request("POST", "/customers", Some(body)))
        .await
        .unwrap();
    assert_eq!(created.status, 201);
    let deleted = program
        .send(&request("DELETE", &format!("/customers/{C3}"), None))
        .await
        .unwrap();
    assert_eq!(deleted.status, 200);
    let log = program.kill().await;
    assert!(log.contains("Churnkey can't see 1 live customers"), "{log}");

    let program = merchant
        .clone()
        .flag("--demo")
        .flag("--external-ids")
        .start()
        .await
        .unwrap();
    let list = program
        .send(&request("GET", "/customers", None))
        .await
        .unwrap();
    let list = list.json().unwrap();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 6);
    assert_eq!(list[5]["externalId"], "kept");
    let log = program.kill().await;
    assert!(log.contains("there are data already"), "{log}");
    for secret in ["device-secret", "kept", BEARER, "INSERT", "SELECT"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn secrets_and_tokens_are_not_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notihub.db");
    let merchant = crate::cases::merchant().option("--database", file.to_str().unwrap());
    let program = merchant
        .flag("--demo")
        .flag("--external-ids")
        .start()
        .await
        .unwrap();
    let basic = "Basic cGtfdGVzdDpza190ZXN0OmVudl9wcm9kOmNzX3Byb2Q=";
    let mut exchange = request("POST", "/token/", None);
    exchange.headers = vec![("authorization".to_owned(), basic.to_owned())];
    let issued = program.send(&exchange).await.unwrap().json().unwrap();
    let token = issued["accessToken"].as_str().unwrap().to_owned();
    program.kill().await;
    let holds = |text: &str| file_holds(&file, text).unwrap();
    assert!(holds("your-custom-id"));
    for secret in [&token, "sk_test", "cs_prod", &"1".repeat(64)] {
        assert!(!holds(secret), "{secret}");
    }
}
