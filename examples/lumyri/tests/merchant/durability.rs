//! A database in a file: several at a time, a program that ends, a restart.

use churnkey_conformance::Client;
use churnkey_integrator::{
    CustomerId, CustomersController, RequestContext, Result, controller, model::Customer,
};
use example_app::{Clock, Generator, demo_token};
use lumyri::{
    app,
    churnkey::{self, Churnkey, Mapping},
    store::{Error, Store},
    token::TokenKey,
};
use merchant_cases::{Program, Request};
use serde_json::json;

use crate::{As, COMPANY_A, FIRST, NOBODY, SECRET, Shop, minimal};

async fn shop_in(file: &std::path::Path) -> Shop {
    let store = Store::open(Some(file), Clock::System, Generator::Random)
        .await
        .unwrap();
    store.load_demo_if_empty().await.unwrap();
    let churnkey = Churnkey {
        scope: store.scope(COMPANY_A.to_owned(), None),
        mapping: Mapping::default(),
    };
    let churnkey = churnkey::integration(churnkey, demo_token().unwrap()).unwrap();
    let app = app(store.clone(), TokenKey::new(SECRET), churnkey);
    Shop { store, app }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_equal_customers_one_is_made_and_the_others_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let shop = std::sync::Arc::new(shop_in(&folder.path().join("shop.db")).await);
    for (by_id, code) in [(false, "email_taken"), (true, "id_taken")] {
        let creates = (0..16).map(|n| {
            let shop = std::sync::Arc::clone(&shop);
            tokio::spawn(async move {
                let mut body = minimal("new@example.com");
                if by_id {
                    body["id"] = NOBODY.into();
                    body["email"] = format!("n{n}@example.com").into();
                }
                let answer = shop.create(&As::a(), &body).await;
                if answer.status == 201 {
                    "created".to_owned()
                } else {
                    assert_eq!(answer.error().0, 409);
                    answer.error().1.to_owned()
                }
            })
        });
        let mut answers = Vec::new();
        for create in creates.collect::<Vec<_>>() {
            answers.push(create.await.unwrap());
        }
        answers.sort_unstable();
        let mut expected = vec!["created"; 1];
        expected.extend([code; 15]);
        expected.sort_unstable();
        assert_eq!(answers, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_updates_to_one_address_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let shop = std::sync::Arc::new(shop_in(&folder.path().join("shop.db")).await);
    let mut ids = Vec::new();
    for n in 0..8 {
        let created = shop
            .create(&As::a(), &minimal(&format!("n{n}@example.com")))
            .await;
        ids.push(created.body["data"]["id"].as_str().unwrap().to_owned());
    }
    let updates: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let shop = std::sync::Arc::clone(&shop);
            tokio::spawn(async move {
                let change = json!({"email": "Same@example.com"});
                shop.update(&As::a(), &id, &change).await.status
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for update in updates {
        statuses.push(update.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn a_write_that_is_dropped_halfway_leaves_nothing() {
    use std::{future::poll_fn, pin::pin, task::Poll};
    let shop = Shop::open().await;
    let mut body = minimal("new@example.com");
    body["label_ids"] = json!([crate::LABEL_1]);
    // As when a caller disconnects: the request is dropped at any point.
    for polls in 0..40 {
        let caller = As::a();
        let mut create = pin!(shop.create(&caller, &body));
        let mut left = polls;
        let answered = poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            create.as_mut().poll(cx).map(Some)
        })
        .await;
        if let Some(answer) = answered {
            // 409 if an earlier attempt was dropped after its commit.
            assert!(matches!(answer.status, 201 | 409), "{}", answer.status);
            break;
        }
    }
    let customers: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT c.has_labels, count(t.label_seq) FROM customers c LEFT JOIN customer_labels t ON t.customer_seq = c.seq
         WHERE c.email = 'new@example.com' GROUP BY c.seq",
    )
    .fetch_all(shop.store.pool())
    .await
    .unwrap();
    assert!(
        customers.is_empty() || customers == [(1, 1)],
        "{customers:?}"
    );
}

#[tokio::test]
async fn a_program_that_is_killed_has_kept_what_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let file = file.to_str().unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--demo", "--database", file];
    let token = crate::token(&json!({"company_id": COMPANY_A, "iss": "x", "user_id": crate::USER}));
    let headers = |json: bool| {
        let mut headers = vec![
            ("Authorization".to_owned(), format!("Bearer {token}")),
            ("x-app-id".to_owned(), crate::MAIN.to_owned()),
        ];
        if json {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        headers
    };
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_lumyri"));

    let program = Program::start(binary, arguments).await.unwrap();
    let create = Request {
        method: "POST".to_owned(),
        path: "/users/customers".to_owned(),
        headers: headers(true),
        body: Some(minimal("kept@example.com").to_string().into_bytes()),
    };
    assert_eq!(program.send(&create).await.unwrap().status, 201);
    let delete = Request {
        method: "DELETE".to_owned(),
        body: Some(json!({"customer_ids": [FIRST]}).to_string().into_bytes()),
        ..create.clone()
    };
    assert_eq!(program.send(&delete).await.unwrap().status, 200);
    let log = program.kill().await;
    assert!(!log.contains("kept@example.com"), "{log}");

    // The demo data are not loaded again.
    let program = Program::start(binary, arguments).await.unwrap();
    let list = Request {
        method: "GET".to_owned(),
        headers: headers(false),
        body: None,
        ..create.clone()
    };
    let list = program.send(&list).await.unwrap().json().unwrap();
    assert_eq!(list["data"]["total"], 1);
    assert_eq!(list["data"]["data"][0]["email"], "kept@example.com");
}

#[tokio::test]
async fn the_first_lines_are_calls_to_copy() {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_lumyri"));
    let mut program = Program::start(binary, ["--listen", "127.0.0.1:0"])
        .await
        .unwrap();
    let churnkey = program.next_line().await.unwrap();
    let expected = format!(
        "curl -H \"Authorization: Bearer ck-demo-integration-token-0001\" '{}/churnkey/customers/{FIRST}'",
        program.base()
    );
    assert_eq!(churnkey, expected);
    let _signed = program.next_line().await.unwrap();
    let own = program.next_line().await.unwrap();
    let claims = json!({"company_id": COMPANY_A, "iss": "lumyri-demo", "user_id": crate::USER});
    let expected = format!(
        "curl -H 'Authorization: Bearer {}' -H 'x-app-id: {}' '{}/users/customers'",
        crate::token(&claims),
        crate::MAIN,
        program.base()
    );
    assert_eq!(own, expected);
}

#[tokio::test]
async fn what_the_readme_says_can_be_pasted() {
    let merchant = merchant_cases::Merchant::new("lumyri", env!("CARGO_BIN_EXE_lumyri"));
    let program = merchant.start().await.unwrap();
    let answers = program.follow(include_str!("../../README.md")).await;
    assert_eq!(answers.unwrap(), 3);
}

#[tokio::test]
async fn an_empty_file_is_served_with_a_word_about_the_demo_data() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let merchant = merchant_cases::Merchant::new("lumyri", env!("CARGO_BIN_EXE_lumyri"));
    let merchant = merchant.option("--database", file.to_str().unwrap());
    let log = merchant.start().await.unwrap().kill().await;
    assert!(
        log.contains("the database is empty: start once with --demo"),
        "{log}"
    );
}

#[tokio::test]
async fn a_store_that_is_gone_is_a_5xx_that_tells_nothing() {
    let shop = Shop::open().await;
    shop.store.pool().close().await;
    let answer = shop.detail(&As::a(), FIRST).await;
    assert_eq!(answer.error(), (500, "internal_error"));
    assert_eq!(answer.message(), "Something went wrong on our side");
    let client: Client = shop.churnkey();
    let answer = client.get(&format!("/churnkey/customers/{FIRST}")).await;
    assert_eq!(answer.status(), 500);
}

#[tokio::test]
async fn while_another_writer_holds_the_database_reads_go_on_and_writes_are_503() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let shop = shop_in(&file).await;
    let other = shop_in(&file).await;
    let writing = other.store.pool().begin_with("BEGIN IMMEDIATE").await;
    let refused = shop.create(&As::a(), &minimal("new@example.com")).await;
    assert_eq!(refused.error(), (503, "unavailable"));
    assert_eq!(shop.detail(&As::a(), FIRST).await.status, 200);
    let path = format!("/churnkey/customers/{FIRST}");
    assert_eq!(shop.churnkey().get(&path).await.status(), 200);
    drop(writing);
    let created = shop.create(&As::a(), &minimal("new@example.com")).await;
    assert_eq!(created.status, 201);
}

/// Customers in a database that has no connection left.
struct Busy;

#[controller]
impl CustomersController for Busy {
    async fn retrieve(&self, _: &RequestContext, _: &CustomerId) -> Result<Option<Customer>> {
        Err(Error::from(sqlx::Error::PoolTimedOut))?
    }
}

#[tokio::test]
async fn churnkey_is_told_to_come_again_while_the_database_is_busy() {
    let token = demo_token().unwrap();
    let integration = churnkey::integration(Busy, token.clone()).unwrap();
    let client = Client::new(integration.into_router(), token);
    let answer = client.get("/churnkey/customers/1").await;
    assert_eq!(
        (answer.status(), answer.header("retry-after")),
        (503, Some("1"))
    );
}
