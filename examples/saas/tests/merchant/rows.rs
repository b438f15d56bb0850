//! What Churnkey sees of the platform's rows.

use serde_json::{Value, json};

use crate::{Caller, Platform};

#[tokio::test]
async fn blanks_are_absent_and_what_is_padded_is_trimmed() {
    let platform = Platform::with_demo_data(1, 100).await;
    let caller = Caller::new(&platform.app(), "tenant-01");
    let id = async |name: &str| platform.id(&format!("tenant-01/live/{name}")).await;

    let ada = id("customer/C-ada").await;
    assert_eq!(
        caller.found(&format!("/customers/{ada}")).await,
        json!({
            "id": ada, "name": "Ada", "lastName": "Lovelace",
            "email": "ada@example.com", "phone": "+44 1632 960001",
            "addresses": [{
                "country": "GB", "city": "London", "postalCode": "SW1Y 4JH", "line1": "12 St James's Square",
            }],
            "currency": "usd",
            "metadata": {"customerNumber": "C-ada", "createdAt": "2025-01-15T12:00:00.000Z"},
        })
    );
    let zoe = id("customer/C-zoe").await;
    assert_eq!(
        caller.found(&format!("/customers/{zoe}")).await,
        json!({
            "id": zoe, "name": "Zoe", "email": "Zoe+Billing@Example.com", "currency": "eur",
            "discounts": [{
                "coupon": {
                    "id": id("coupon/WELCOME").await, "code": "WELCOME", "name": "A tenth off, for good",
                    "duration": {"type": "forever"}, "value": {"type": "percentage", "percent": 10},
                    "redemptions": {"current": 1},
                },
                "start": "2025-10-15T12:00:00.000Z",
            }],
            "metadata": {"company": "Zoe & Co.", "createdAt": "2025-01-15T12:00:00.000Z", "customerNumber": "C-zoe"},
        })
    );
    let blank = id("customer/C-000042").await;
    let customer = caller.found(&format!("/customers/{blank}")).await;
    for absent in ["name", "lastName", "email"] {
        assert_eq!(customer[absent], Value::Null, "{customer}");
    }
}

#[tokio::test]
async fn a_contact_finds_its_only_owner_and_a_shared_one_nobody() {
    let platform = Platform::with_demo_data(2, 100).await;
    let caller = Caller::new(&platform.app(), "tenant-02");
    let id = async |name: &str| {
        platform
            .id(&format!("tenant-02/live/customer/{name}"))
            .await
    };
    for (path, owner) in [
        ("/customers/email/zoe%2Bbilling@EXAMPLE.com", "C-zoe"),
        ("/customers/phone/%2B358401234567", "C-linus"),
        ("/customers/phone/00358-40-1234567", "C-linus"),
        ("/customers/email/customer1@example.com", "C-000001"),
    ] {
        assert_eq!(caller.found(path).await["id"], id(owner).await, "{path}");
    }
    for (path, status) in [
        ("/customers/email/shared@example.com", 409),
        ("/customers/phone/%2B15550100001", 409),
        ("/customers/email/customer2@example.com", 409),
        ("/customers/email/gone@example.com", 404),
        ("/customers/phone/%2B15550100002", 404),
        ("/customers/email/tess@example.com", 404),
        ("/customers/phone/none", 404),
    ] {
        assert_eq!(caller.get(path).await.0, status, "{path}");
    }
    let gone = id("C-gone").await;
    assert_eq!(caller.get(&format!("/customers/{gone}")).await.0, 404);
    let ada = id("C-ada").await;
    for other in [
        ada.to_uppercase(),
        ada.replace('-', ""),
        format!("%7B{ada}%7D"),
        format!("{ada}%00"),
    ] {
        let status = caller.get(&format!("/customers/{other}")).await.0;
        assert!(matches!(status, 400 | 404), "{other}: {status}");
    }
}

#[tokio::test]
async fn a_plan_has_a_price_in_each_currency_and_archived_ones_are_not_offered() {
    let platform = Platform::with_demo_data(1, 0).await;
    let caller = Caller::new(&platform.app(), "tenant-01");
    let id = async |name: &str| platform.id(&format!("tenant-01/live/{name}")).await;
    let offered = caller.crawl("/prices", 2).await;
    let mut amounts: Vec<_> = offered
        .iter()
        .map(|price| {
            let amount = &price["amount"];
            format!(
                "{} {} {} {}",
                price["name"].as_str().unwrap(),
                price["duration"]["unit"].as_str().unwrap(),
                amount["currency"].as_str().unwrap(),
                amount["unit"]
            )
        })
        .collect();
    amounts.sort_unstable();
    assert_eq!(
        amounts,
        [
            "Basic monthly month eur 850",
            "Basic monthly month jpy 1300",
            "Basic monthly month usd 900",
            "Basic yearly year eur 8500",
            "Basic yearly year jpy 13000",
            "Basic yearly year usd 9000",
            "Team monthly month eur 2700",
            "Team monthly month jpy 4300",
            "Team monthly month usd 2900",
            "Team yearly year eur 27000",
            "Team yearly year jpy 43000",
            "Team yearly year usd 29000",
            "Traffic month eur 11",
            "Traffic month jpy 17",
            "Traffic month usd 12",
        ]
    );
    let archived = id("price/Basic of 2020/USD").await;
    let archived = caller.found(&format!("/prices/{archived}")).await;
    assert_eq!(archived["amount"]["unit"], 799);
    let weekly = id("price/Basic weekly/USD").await;
    assert_eq!(caller.get(&format!("/prices/{weekly}")).await.0, 404);
    // 11.50 yen: nobody can tell what was meant.
    let wrong = id("price/Basic of 2020/JPY").await;
    assert_eq!(caller.get(&format!("/prices/{wrong}")).await.0, 500);
}

#[tokio::test]
async fn a_subscription_shows_its_period_its_items_and_the_coupon_of_the_customer() {
    let platform = Platform::with_demo_data(1, 0).await;
    let caller = Caller::new(&platform.app(), "tenant-01");
    let id = async |name: &str| platform.id(&format!("tenant-01/live/{name}")).await;
    let list = async |name: &str| {
        let customer = id(&format!("customer/{name}")).await;
        caller
            .crawl(&format!("/customers/{customer}/subscriptions"), 1)
            .await
    };
    // Neither the one that nobody has paid yet, nor the one by the week, nor the deleted one.
    let ada = list("C-ada").await;
    let mut served: Vec<_> = ada.iter().map(|one| one["id"].as_str().unwrap()).collect();
    let mut expected = [
        id("subscription/C-ada/monthly").await,
        id("subscription/C-ada/yearly").await,
    ];
    served.sort_unstable();
    expected.sort_unstable();
    assert_eq!(served, expected);
    let monthly = id("subscription/C-ada/monthly").await;
    let monthly = ada
        .iter()
        .find(|one| one["id"] == monthly.as_str())
        .unwrap();
    assert_eq!(
        monthly["status"],
        json!({"name": "active", "currentPeriod": {
            "start": "2026-01-07T12:00:00.000Z", "end": "2026-02-07T12:00:00.000Z",
        }})
    );
    assert_eq!(monthly["items"].as_array().unwrap().len(), 1);
    assert_eq!(monthly["items"][0]["quantity"], 3);

    let zoe = list("C-zoe").await;
    let traffic = id("subscription/C-zoe/traffic").await;
    let traffic = zoe
        .iter()
        .find(|one| one["id"] == traffic.as_str())
        .unwrap();
    assert_eq!(traffic["discounts"][0]["coupon"]["code"], "WELCOME");
    assert_eq!(traffic["items"][0]["price"]["description"], "Billed by use");
    assert_eq!(traffic["items"][0]["quantity"], 1);
    assert_eq!(zoe.len(), 2);

    for (customer, name, status) in [
        ("C-linus", "seats", "unpaid"),
        ("C-grace", "trial", "trial"),
        ("C-kay", "paused", "paused"),
        ("C-kay", "archived", "active"),
        ("C-zoe", "old", "canceled"),
    ] {
        let path = format!(
            "/customers/{}/subscriptions/{}",
            id(&format!("customer/{customer}")).await,
            id(&format!("subscription/{customer}/{name}")).await
        );
        assert_eq!(
            caller.found(&path).await["status"]["name"],
            status,
            "{name}"
        );
    }
}

#[tokio::test]
async fn live_and_test_rows_never_mix() {
    let platform = Platform::with_demo_data(1, 10).await;
    let live = Caller::new(&platform.app(), "tenant-01");
    let test = live.in_test_mode();
    let in_test = test.crawl("/customers", 10).await;
    assert_eq!(in_test.len(), 1);
    assert_eq!(in_test[0]["name"], "Tess");
    let tess = in_test[0]["id"].as_str().unwrap();
    assert_eq!(live.get(&format!("/customers/{tess}")).await.0, 404);
    let ada = platform.id("tenant-01/live/customer/C-ada").await;
    assert_eq!(test.get(&format!("/customers/{ada}")).await.0, 404);
    assert_eq!(test.crawl("/prices", 100).await.len(), 15);
    let subscription = json!({
        "customerId": tess,
        "subscriptionId": platform.id("tenant-01/test/subscription/C-tess/monthly").await,
        "scheduledAt": "immediate",
    });
    assert_eq!(live.act("cancel", &subscription).await.0, 404);
    assert_eq!(test.act("cancel", &subscription).await.0, 200);
}

/// The manifest names the tenant, and a tenant who left, or has no token, is nobody.
#[tokio::test]
async fn a_tenant_is_found_by_its_path_and_its_tokens() {
    let platform = Platform::with_demo_data(4, 0).await;
    let app = platform.app();
    let caller = |number| Caller::new(&app, &crate::slug(number));
    assert_eq!(caller(1).found("/features").await["name"], "Tenant 01");
    platform
        .sql(
            "UPDATE tenants SET deleted_at = created_at WHERE slug = 'tenant-02';
            UPDATE churnkey_tokens SET revoked_at = created_at WHERE token = 'ck-demo-token-of-tenant-03';
            INSERT INTO churnkey_tokens (tenant_id, token, created_at)
            SELECT id, 'the-next-token-of-tenant-04', '2030-01-01' FROM tenants WHERE slug = 'tenant-04'",
        )
        .await;
    assert_eq!(caller(1).get("/features").await.0, 200);
    assert_eq!(caller(2).get("/features").await.0, 401);
    assert_eq!(caller(3).get("/features").await.0, 401);
    // Both of them, while one takes the other's place.
    assert_eq!(caller(4).get("/features").await.0, 200);
    platform
        .sql("UPDATE churnkey_tokens SET token = 'ck-demo-token-of-nobody-1' WHERE token LIKE '%tenant-04' AND created_at < '2030-01-01'")
        .await;
    assert_eq!(caller(4).get("/features").await.0, 401);
    for unknown in ["tenant-05", "%00", "TENANT-01", "tenant-01%20"] {
        let caller = Caller::new(&app, unknown);
        assert_eq!(caller.get("/features").await.0, 401, "{unknown}");
    }
}
