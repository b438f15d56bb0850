//! Customers: the demo data of each mode, look-ups, and unusual requests.

use churnkey_integrator::{
    Amount, CouponId, Currency, CustomerId, Mode, Percentage, Timestamp,
    model::{
        Address, Coupon, CouponDuration, CouponValue, Customer, CycleUnit, Discount, Redemptions,
    },
};
use example_app::{DataSet, generated_customers};
use serde_json::{json, to_value};

use crate::{Shop, demo_file, load_demo, whole_crawl};

#[tokio::test]
async fn the_demo_data_is_served_as_its_file_has_it() {
    let shop = Shop::with_demo_data().await;
    let file = demo_file();
    for (client, mode, number) in [(&shop.live, "live", 6), (&shop.test, "test", 1)] {
        let expected = &file[mode]["customers"];
        assert_eq!(expected.as_array().unwrap().len(), number);
        let answer = client.get("/churnkey/customers").await;
        assert_eq!(answer.into_body(), json!({ "data": expected }));
        for customer in expected.as_array().unwrap() {
            let id = customer["id"].as_str().unwrap();
            let answer = client.get(&format!("/churnkey/customers/{id}")).await;
            assert_eq!((answer.status(), &answer.into_body()), (200, customer));
        }
    }
}

#[tokio::test]
async fn every_field_survives_the_database() {
    let shop = Shop::empty().await;
    let moment = |text: &str| text.parse::<Timestamp>().unwrap();
    let usd = Currency::new("usd").unwrap();
    let coupon = |n: u32, duration, value| {
        Coupon::new(
            CouponId::new(format!("coupon_{n}")).unwrap(),
            duration,
            value,
        )
    };
    let coupons = [
        coupon(
            0,
            CouponDuration::Once,
            CouponValue::fixed(usd, Amount::flat(500).unwrap()),
        )
        .with_code("ONE")
        .with_name("\"'\\ %s $1 {schema} Zoë 🦀".to_owned()),
        coupon(
            1,
            CouponDuration::recurring(2, CycleUnit::Year).unwrap(),
            CouponValue::fixed(usd, Amount::per_unit_and_flat(u32::MAX.into(), 0).unwrap()),
        )
        .with_redemptions(Redemptions::new(None, 0).unwrap()),
        coupon(
            2,
            CouponDuration::Forever,
            CouponValue::percentage_in(usd, Percentage::from_basis_points(1234).unwrap()),
        )
        .with_redemptions(Redemptions::new(7, None).unwrap())
        .with_expires_at(moment("2030-12-31T23:59:59.999Z")),
        coupon(
            3,
            CouponDuration::cycle_amount(3).unwrap(),
            CouponValue::percentage(Percentage::from_basis_points(1).unwrap()),
        ),
    ];
    let discounts = coupons.into_iter().map(Discount::new);
    let full = Customer::new(CustomerId::new("cus_full").unwrap())
        .with_currency(Currency::new("JPY").unwrap())
        .with_addresses([
            Address::new().with_state("Ōsaka"),
            Address::new(),
            Address::new().with_line2("'; DROP TABLE customers; --"),
        ])
        .with_metadata([("", "null"), ("a\"b", "{\"nested\": [\"only text\"]}")])
        .with_discounts(discounts.map(|discount| {
            let end = moment("9999-12-30T00:00:00.000Z");
            let dated = discount.with_dates(moment("2026-01-01T00:00:00.001Z"), end);
            dated.unwrap()
        }));
    let bare = Customer::new(CustomerId::new("cus_bare").unwrap());
    let data = DataSet {
        customers: vec![full.clone(), bare.clone()],
        ..DataSet::default()
    };
    let loaded = shop.store.load_if_empty(&data, &DataSet::default()).await;
    assert!(loaded.unwrap());
    let answer = shop.live.get("/churnkey/customers").await;
    assert_eq!(answer.into_body(), json!({ "data": [full, bare] }));

    // Discounts are in order of their position, not of their rows.
    let reverse = "UPDATE churnkey_live.customer_discounts SET position = 9 - position";
    shop.sql().await.execute(reverse, &[]).await.unwrap();
    let reversed = full
        .clone()
        .with_discounts(full.discounts().iter().rev().cloned());
    let answer = shop.live.get("/churnkey/customers/cus_full").await;
    assert_eq!(answer.into_body(), json!(reversed));
}

#[tokio::test]
async fn a_country_in_words_is_left_out_and_fails_no_page() {
    let shop = Shop::with_demo_data().await;
    let sql = shop.sql().await;
    let words = r#"UPDATE churnkey_live.customers SET addresses = '[
        {"country": "United States of America", "city": "Boston"}, {"country": "us", "line2": "b"}]'
        WHERE id = 'cus_grace'"#;
    sql.execute(words, &[]).await.unwrap();
    let answer = shop.live.get("/churnkey/customers").await;
    assert_eq!(answer.status(), 200);
    let customers = answer.body()["data"].as_array().unwrap();
    assert_eq!(customers.len(), 6);
    assert_eq!(
        customers[1]["addresses"],
        json!([{"city": "Boston"}, {"country": "US", "line2": "b"}])
    );
}

#[tokio::test]
async fn no_look_up_crosses_from_one_mode_into_the_other() {
    let shop = Shop::with_demo_data().await;
    for path in [
        "/churnkey/customers/cus_ada",
        "/churnkey/customers/email/ada@example.com",
        "/churnkey/customers/phone/+441632960001",
    ] {
        assert_eq!(shop.live.get(path).await.body()["id"], "cus_ada", "{path}");
        assert_eq!(shop.test.get(path).await.status(), 404, "{path}");
    }
    for path in [
        "/churnkey/customers/cus_test",
        "/churnkey/customers/email/test@example.com",
    ] {
        assert_eq!(shop.test.get(path).await.body()["id"], "cus_test", "{path}");
        assert_eq!(shop.live.get(path).await.status(), 404, "{path}");
    }
    assert_eq!(whole_crawl(&shop.test, 1).await, ["cus_test"]);
    for (mode, other) in [(Mode::Live, "churnkey_test"), (Mode::Test, "churnkey_live")] {
        for (name, statement) in postgres::statements() {
            assert!(!statement.sql(mode).contains(other), "{name} of {mode}");
        }
    }
}

#[tokio::test]
async fn email_ignores_letter_case_and_phone_ignores_punctuation() {
    let shop = Shop::with_demo_data().await;
    for (path, id) in [
        ("email/zoe%2Bbilling%40example.com", "cus_zoe"),
        ("email/ZOE+Billing@Example.COM", "cus_zoe"),
        ("email/%20ada@example.com%20", "cus_ada"),
        ("phone/%2B358401234567", "cus_linus"),
        ("phone/+358%20(40)%20123-45.67", "cus_linus"),
        ("phone/00358401234567", "cus_linus"),
    ] {
        let answer = shop.live.get(&format!("/churnkey/customers/{path}")).await;
        assert_eq!(
            (answer.status(), &answer.body()["id"]),
            (200, &json!(id)),
            "{path}"
        );
    }
    for path in [
        "email/zoe@example.com",
        "email/%25",
        "email/_@example.com",
        "phone/358401234567",
        "phone/call%20me",
    ] {
        let answer = shop.live.get(&format!("/churnkey/customers/{path}")).await;
        assert_eq!(
            answer.into_body(),
            json!({"code": 404, "message": "Customer not found"}),
            "{path}"
        );
    }
}

#[tokio::test]
async fn several_owners_of_an_address_are_a_conflict() {
    let shop = Shop::with_demo_data().await;
    for (path, what) in [
        ("email/Shared@example.com", "email"),
        ("phone/+15550100001", "phone"),
    ] {
        let answer = shop.live.get(&format!("/churnkey/customers/{path}")).await;
        let message = format!("More than one customer has this {what}");
        assert_eq!(answer.into_body(), json!({"code": 409, "message": message}));
    }
}

#[tokio::test]
async fn hostile_ids_find_nobody_and_break_nothing() {
    let shop = Shop::with_demo_data().await;
    for id in [
        "%27%20OR%20%271%27=%271",
        "cus_ada%27;%20DROP%20TABLE%20churnkey_live.customers;%20--",
        "%22",
        "%25",
        "cus_%25",
        "cus_ad_",
        "CUS_ADA",
        "%20cus_ada",
        "cus_ada%20",
        "%5C",
        "$1",
        "%7Bschema%7D",
        "cus_ada%2F..",
        "Zo%C3%AB",
        "%F0%9F%A6%80",
        "cus_ada%CC%81",
    ] {
        let answer = shop.live.get(&format!("/churnkey/customers/{id}")).await;
        assert_eq!(
            answer.into_body(),
            json!({"code": 404, "message": "Customer not found"}),
            "{id}"
        );
    }
    assert_eq!(whole_crawl(&shop.live, 2).await.len(), 6);
}

#[tokio::test]
async fn generated_customers_are_those_of_the_generator() {
    let shop = Shop::empty().await;
    let clock: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
    let expected: Vec<_> = generated_customers(1001, clock)
        .map(|customer| to_value(customer.unwrap()).unwrap())
        .collect();
    assert_eq!(
        expected[0],
        json!({
            "id": "cus_gen_0000001",
            "name": "Generated 0000001",
            "email": "gen0000001@example.com",
            "phone": "+8880000000001",
            "metadata": { "createdAt": "2026-01-15T12:00:00.000Z" }
        })
    );

    shop.store.generate(1000, clock).await.unwrap();
    let answer = shop.live.get("/churnkey/customers?limit=500").await;
    assert_eq!(answer.body()["data"], json!(expected[..500]));
    let next = answer.body()["next"].as_str().unwrap();
    let answer = shop
        .live
        .get(&format!("/churnkey/customers?limit=500&cursor={next}"))
        .await;
    assert_eq!(answer.into_body(), json!({ "data": expected[500..1000] }));
    for path in [
        "email/GEN0000777@example.com",
        "phone/+888%20000%20000%20077-7",
    ] {
        let answer = shop.live.get(&format!("/churnkey/customers/{path}")).await;
        assert_eq!(answer.into_body(), expected[776]);
    }

    // Again, at another time, with one more customer: only that one is new.
    let later = "2027-01-01T00:00:00Z".parse().unwrap();
    shop.store.generate(1001, later).await.unwrap();
    assert_eq!(whole_crawl(&shop.live, 500).await.len(), 1001);
    let answer = shop.live.get("/churnkey/customers/cus_gen_0000001").await;
    assert_eq!(answer.into_body(), expected[0]);
    let answer = shop.live.get("/churnkey/customers/cus_gen_0001001").await;
    assert_eq!(
        answer.body()["metadata"]["createdAt"],
        "2027-01-01T00:00:00.000Z"
    );
    assert_eq!(whole_crawl(&shop.test, 500).await, [""; 0]);
}

#[tokio::test]
async fn a_number_of_more_than_seven_digits_is_not_cut() {
    let shop = Shop::empty().await;
    let sql = shop.sql().await;
    // The expression of the bulk load, for large numbers.
    let digits =
        "SELECT lpad(n::text, greatest(7, length(n::text)), '0') FROM (VALUES ($1::bigint)) v (n)";
    for n in [1, 9_999_999, 10_000_000, u32::MAX] {
        let row = sql.query_one(digits, &[&i64::from(n)]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), format!("{n:07}"));
    }
}

#[tokio::test]
async fn demo_data_goes_into_an_empty_database_only() {
    let shop = Shop::with_demo_data().await;
    assert!(!load_demo(&shop.store).await);
    let before = whole_crawl(&shop.live, 500).await;
    assert_eq!(before.len(), 6);

    // A customer of one mode is enough.
    let shop = Shop::empty().await;
    let insert = "INSERT INTO churnkey_test.customers (id) VALUES ('cus_own')";
    shop.sql().await.execute(insert, &[]).await.unwrap();
    assert!(!load_demo(&shop.store).await);
    assert_eq!(whole_crawl(&shop.live, 500).await, [""; 0]);
    assert_eq!(whole_crawl(&shop.test, 500).await, ["cus_own"]);
}
