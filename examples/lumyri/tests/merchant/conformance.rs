//! The suite that every merchant runs in their own tests.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use churnkey_conformance::{Client, Fixtures, check};
use example_app::demo_token;
use lumyri::churnkey::{self, Churnkey, Mapping};
use serde_json::json;

use crate::{As, COMPANY_A, FIRST, MAIN, NOBODY, SECOND, Shop, minimal};

fn client(shop: &Shop, app: Option<&str>) -> Client {
    let churnkey = Churnkey {
        scope: shop
            .store
            .scope(COMPANY_A.to_owned(), app.map(str::to_owned)),
        mapping: Mapping::default(),
    };
    let token = demo_token().unwrap();
    let integration = churnkey::integration(churnkey, token.clone()).unwrap();
    Client::new(integration.into_router(), token)
}

#[tokio::test]
async fn churnkey_can_work_with_this_merchant_while_customers_come_and_go() {
    let shop = Arc::new(Shop::open().await);
    let second = As::of(COMPANY_A).in_app(SECOND);
    for (caller, email) in [
        (As::a(), "shared@example.com"),
        (second, "shared@example.com"),
    ] {
        let mut body = minimal(email);
        body["phone"] = "+15550100".into();
        assert_eq!(shop.create(&caller, &body).await.status, 201);
    }
    let mut own = minimal("own@example.com");
    own["phone"] = "+1 555 0199".into();
    let created = shop.create(&As::a(), &own).await;
    let owner = created.body["data"]["id"].as_str().unwrap().to_owned();

    let calls = AtomicU32::new(0);
    let changing = Arc::clone(&shop);
    let fixtures = Fixtures::new(FIRST, NOBODY)
        .email("customer1@example.com", FIRST)
        .phone("+15550199", &owner)
        .shared_email("shared@example.com")
        .shared_phone("+15550100")
        .between_pages(move || {
            let (shop, owner) = (Arc::clone(&changing), owner.clone());
            let call = calls.fetch_add(1, Ordering::Relaxed);
            async move {
                let id = |n: u32| format!("10000000-0000-4000-8000-0000000{n:05}");
                let mut new = minimal(&format!("new{call}@example.com"));
                new["id"] = id(call + 1).into();
                assert_eq!(shop.create(&As::a(), &new).await.status, 201);
                assert_eq!(shop.delete(&As::a(), &[&id(call)]).await.status, 200);
                let rename = json!({"first_name": format!("A{call}")});
                assert_eq!(shop.update(&As::a(), &owner, &rename).await.status, 200);
            }
        });
    let report = check(&client(&shop, None), &fixtures).await.unwrap();
    report.assert_passed();
}

#[tokio::test]
async fn churnkey_can_work_with_one_app_of_this_merchant() {
    let shop = Shop::open().await;
    let second = As::of(COMPANY_A).in_app(SECOND);
    assert_eq!(
        shop.create(&As::a(), &minimal("new@example.com"))
            .await
            .status,
        201
    );
    assert_eq!(
        shop.create(&second, &minimal("customer1@example.com"))
            .await
            .status,
        201
    );
    // Only the app's customer has the address and the number.
    let fixtures = Fixtures::new(FIRST, crate::OF_SECOND)
        .email("customer1@example.com", FIRST)
        .phone("+83497898519", FIRST);
    let report = check(&client(&shop, Some(MAIN)), &fixtures).await.unwrap();
    report.assert_passed();
}
