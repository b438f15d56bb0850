//! Creating, reading, changing and deleting (L4 to L12, L16, L17).

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    As, COMPANY_A, FIRST, LABEL_1, LABEL_2, MAIN, NOBODY, OF_B, OF_SECOND, SECOND, Shop, minimal,
};

fn home() -> Value {
    json!({"category": "home", "location": {
        "name": "144 Xuan Thuy, United States Virgin Islands, United States Residential",
        "geo": [46.80776431887119, -71.28464827789534]}})
}

#[tokio::test]
async fn a_detail_is_bare_and_shows_whole_labels_under_both_spellings() {
    let shop = Shop::open().await;
    let answer = shop.detail(&As::a(), FIRST).await;
    let labels = json!([
        {"id": LABEL_1, "name": "label1", "color": "red"},
        {"id": LABEL_2, "name": "label2", "color": "green"},
    ]);
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({"id": FIRST, "first_name": "customer", "last_name": "first", "phone": "+83497898519",
            "email": "customer1@example.com", "address": [home()], "avatar": "", "company_id": COMPANY_A,
            "app_id": MAIN, "lables": labels, "labels": labels})
    );
    let without = shop.detail(&As::b(), OF_B).await.body;
    assert_eq!(
        (&without["lables"], &without["labels"]),
        (&json!([]), &json!([]))
    );
}

#[tokio::test]
async fn a_new_customer_has_defaults_and_an_id() {
    let shop = Shop::open().await;
    let answer = shop.create(&As::a(), &minimal("new@example.com")).await;
    assert_eq!(
        answer.data(StatusCode::CREATED),
        &json!({"id": "00000000-0000-4000-8000-000000000001", "first_name": "New", "last_name": "One", "phone": null,
            "email": "new@example.com", "address": [], "avatar": "", "labels": [], "company_id": COMPANY_A,
            "app_id": MAIN})
    );
}

#[tokio::test]
async fn what_is_required_must_be_there_and_not_be_empty() {
    let shop = Shop::open().await;
    for field in ["first_name", "last_name", "email"] {
        let mut body = minimal("new@example.com");
        body.as_object_mut().unwrap().remove(field);
        let absent = shop.create(&As::a(), &body).await;
        assert_eq!(absent.error(), (400, "validation_error"));
        assert_eq!(absent.message(), format!("{field} is required"));
        for wrong in [json!(null), json!(""), json!("  "), json!(5), json!([])] {
            body[field] = wrong.clone();
            let created = shop.create(&As::a(), &body).await;
            assert_eq!(
                created.error(),
                (400, "validation_error"),
                "{field} {wrong}"
            );
            let changed = shop.update(&As::a(), FIRST, &json!({field: wrong})).await;
            assert_eq!(
                changed.error(),
                (400, "validation_error"),
                "{field} {wrong}"
            );
        }
    }
}

#[tokio::test]
async fn names_are_trimmed_and_have_255_characters_at_most() {
    let shop = Shop::open().await;
    let longest = "\u{eb}".repeat(255);
    let mut body = minimal("new@example.com");
    body["first_name"] = format!(" {longest}\u{a0}").into();
    let created = shop.create(&As::a(), &body).await;
    assert_eq!(created.data(StatusCode::CREATED)["first_name"], longest);
    let longer = json!({"last_name": "x".repeat(256)});
    let changed = shop.update(&As::a(), FIRST, &longer).await;
    assert_eq!(changed.error(), (400, "validation_error"));
}

#[tokio::test]
async fn labels_have_two_names_of_which_label_ids_wins() {
    let shop = Shop::open().await;
    for (sent, kept) in [
        (
            json!({"labels": [LABEL_2, LABEL_1]}),
            json!([LABEL_2, LABEL_1]),
        ),
        (
            json!({"label_ids": [LABEL_1], "labels": [LABEL_2]}),
            json!([LABEL_1]),
        ),
        (
            json!({"label_ids": [LABEL_1], "labels": null}),
            json!([LABEL_1]),
        ),
        (json!({"label_ids": null, "labels": [LABEL_2]}), json!(null)),
        (json!({"labels": null}), json!(null)),
        (json!({"labels": []}), json!([])),
        (
            json!({"labels": [LABEL_1, LABEL_1, LABEL_1.to_uppercase()]}),
            json!([LABEL_1]),
        ),
    ] {
        let changed = shop.update(&As::a(), FIRST, &sent).await;
        assert_eq!(changed.data(StatusCode::OK)["labels"], kept, "{sent}");
        let unchanged = shop.update(&As::a(), FIRST, &json!({})).await;
        assert_eq!(unchanged.data(StatusCode::OK)["labels"], kept, "{sent}");
    }
    for wrong in [
        json!([NOBODY]),
        json!(["x"]),
        json!([LABEL_1, NOBODY]),
        json!(LABEL_1),
        json!([null]),
    ] {
        let changed = shop
            .update(&As::a(), FIRST, &json!({"labels": wrong}))
            .await;
        assert_eq!(changed.error(), (400, "validation_error"), "{wrong}");
    }
}

#[tokio::test]
async fn a_label_of_another_company_is_unknown() {
    let shop = Shop::open().await;
    let changed = shop
        .update(&As::b(), OF_B, &json!({"labels": [LABEL_1]}))
        .await;
    assert_eq!(changed.error(), (400, "validation_error"));
    let listed = shop.detail(&As::b(), OF_B).await;
    assert_eq!(listed.body["labels"], json!([]));
}

#[tokio::test]
async fn what_fails_halfway_leaves_nothing_behind() {
    let shop = Shop::open().await;
    let mut body = minimal("new@example.com");
    body["label_ids"] = json!([LABEL_1, NOBODY]);
    assert_eq!(shop.create(&As::a(), &body).await.error().0, 400);
    body["label_ids"] = json!([LABEL_1]);
    assert_eq!(shop.create(&As::a(), &body).await.status, 201);

    let change = json!({"first_name": "Ada", "labels": [NOBODY]});
    assert_eq!(shop.update(&As::a(), FIRST, &change).await.error().0, 400);
    let detail = shop.detail(&As::a(), FIRST).await.body;
    assert_eq!(detail["first_name"], "customer");
    assert_eq!(detail["labels"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_category_is_echoed_as_it_was_sent() {
    let shop = Shop::open().await;
    for category in ["Home", "home", "OFFICE", "Other"] {
        let mut address = home();
        address["category"] = category.into();
        let changed = shop
            .update(&As::a(), FIRST, &json!({"address": [address]}))
            .await;
        let kept = &changed.data(StatusCode::OK)["address"][0]["category"];
        assert_eq!(kept, category);
    }
}

#[tokio::test]
async fn coordinates_keep_every_digit() {
    let shop = Shop::open().await;
    let geo = "[46.807764318871190000000001,-71.2846482778953400]";
    let body = format!(
        r#"{{"address": [{{"category": "home", "location": {{"name": "x", "geo": {geo}}}}}]}}"#
    );
    let path = format!("/users/customers/{FIRST}");
    let json = Some("application/json");
    let answer = shop.call_raw(&As::a(), "PUT", &path, json, body).await;
    assert_eq!(answer.status, 200);
    let scope = shop.store.scope(COMPANY_A.to_owned(), None);
    let stored = scope.customer(FIRST).await.unwrap().unwrap();
    let [latitude, longitude] = &stored.address[0].location.geo;
    assert_eq!(latitude.digits(), "46.807764318871190000000001");
    assert_eq!(longitude.digits(), "-71.2846482778953400");
}

#[tokio::test]
async fn an_address_of_another_form_is_refused() {
    let shop = Shop::open().await;
    let with = |pointer: &str, value: Value| {
        let mut address = home();
        *address.pointer_mut(pointer).unwrap() = value;
        json!({"address": [address]})
    };
    for body in [
        with("/category", json!("Shop")),
        with("/category", json!("")),
        with("/category", json!(null)),
        with("/location", json!("here")),
        with("/location", json!({"name": "x"})),
        with("/location", json!({"geo": [1, 2]})),
        with("/location/name", json!(1)),
        with("/location/geo", json!([1])),
        with("/location/geo", json!([1, 2, 3])),
        with("/location/geo", json!(["1", "2"])),
        with("/location/geo", json!([null, 2])),
        with("/location/geo", json!([90.000001, 0])),
        with("/location/geo", json!([-90.000001, 0])),
        with("/location/geo", json!([0, 180.000001])),
        with("/location/geo", json!({"0": 1, "1": 2})),
        json!({"address": home()}),
        json!({"address": [null]}),
        json!({"address": "home"}),
    ] {
        let answer = shop.update(&As::a(), FIRST, &body).await;
        assert_eq!(answer.error(), (400, "validation_error"), "{body}");
    }
    for geo in [json!([90, 180]), json!([-90, -180.0]), json!([0, 0])] {
        let body = with("/location/geo", geo);
        assert_eq!(shop.update(&As::a(), FIRST, &body).await.status, 200);
    }
}

#[tokio::test]
async fn an_id_may_be_chosen_if_nobody_has_it() {
    let shop = Shop::open().await;
    let mut body = minimal("new@example.com");
    for taken in [FIRST, OF_SECOND, OF_B] {
        body["id"] = taken.into();
        let answer = shop.create(&As::a(), &body).await;
        assert_eq!(answer.error(), (409, "id_taken"));
    }
    for malformed in [
        json!("x"),
        json!(""),
        json!(7),
        json!(NOBODY.replace('-', "")),
    ] {
        body["id"] = malformed;
        let answer = shop.create(&As::a(), &body).await;
        assert_eq!(answer.error(), (400, "validation_error"));
    }
    body["id"] = NOBODY.to_uppercase().into();
    let created = shop.create(&As::a(), &body).await;
    assert_eq!(created.data(StatusCode::CREATED)["id"], NOBODY);

    // A deleted customer's address is free again.
    assert_eq!(shop.delete(&As::a(), &[NOBODY]).await.status, 200);
    assert_eq!(shop.create(&As::a(), &body).await.status, 201);
}

#[tokio::test]
async fn an_address_is_one_customers_in_a_companys_app() {
    let shop = Shop::open().await;
    let taken = (409, "email_taken");
    let same = minimal("Customer1@EXAMPLE.com");
    assert_eq!(shop.create(&As::a(), &same).await.error(), taken);
    let second = As::of(COMPANY_A).in_app(SECOND);
    assert_eq!(shop.create(&second, &same).await.status, 201);
    assert_eq!(shop.create(&As::b(), &same).await.status, 201);

    let other = shop
        .create(&As::a(), &minimal("other@b\u{fc}cher.example"))
        .await;
    let id = other.data(StatusCode::CREATED)["id"].as_str().unwrap();
    for email in ["CUSTOMER1@example.com", "customer1@Example.Com"] {
        let changed = shop.update(&As::a(), id, &json!({"email": email})).await;
        assert_eq!(changed.error(), taken);
    }
    let punycode = minimal("OTHER@xn--bcher-kva.example");
    assert_eq!(shop.create(&As::a(), &punycode).await.error(), taken);
    // The customer's own address in another letter case does not conflict.
    let own = json!({"email": "Other@B\u{dc}CHER.example"});
    let changed = shop.update(&As::a(), id, &own).await;
    assert_eq!(changed.data(StatusCode::OK)["email"], own["email"]);
}

#[tokio::test]
async fn an_update_changes_what_is_sent_and_null_clears_what_may_be_cleared() {
    let shop = Shop::open().await;
    let before = shop.update(&As::a(), FIRST, &json!({})).await.body;
    let changed = shop
        .update(&As::a(), FIRST, &json!({"avatar": "http://x/y.png"}))
        .await;
    let mut expected = before["data"].clone();
    expected["avatar"] = "http://x/y.png".into();
    assert_eq!(changed.data(StatusCode::OK), &expected);

    let nulls = json!({"phone": null, "address": null, "avatar": null, "labels": null});
    let cleared = shop.update(&As::a(), FIRST, &nulls).await;
    for (field, value) in [
        ("phone", json!(null)),
        ("address", json!([])),
        ("avatar", json!("")),
        ("labels", json!(null)),
    ] {
        expected[field] = value;
    }
    assert_eq!(cleared.data(StatusCode::OK), &expected);
    let read = shop.detail(&As::a(), FIRST).await.body;
    assert_eq!(
        (&read["phone"], &read["labels"]),
        (&json!(null), &json!([]))
    );
}

#[tokio::test]
async fn an_update_names_the_customer_of_its_path() {
    let shop = Shop::open().await;
    let answer = shop.update(&As::a(), FIRST, &json!({"id": OF_B})).await;
    assert_eq!(answer.error(), (400, "validation_error"));
    let answer = shop.update(&As::a(), FIRST, &json!({"id": "x"})).await;
    assert_eq!(answer.error(), (400, "validation_error"));
    let same = json!({"id": FIRST.to_uppercase()});
    let answer = shop.update(&As::a(), &FIRST.to_uppercase(), &same).await;
    assert_eq!(answer.data(StatusCode::OK)["id"], FIRST);
    let answer = shop
        .update(&As::a(), NOBODY, &json!({"first_name": "Ada"}))
        .await;
    assert_eq!(answer.error(), (404, "customer_not_found"));
}

#[tokio::test]
async fn a_deletion_deletes_all_or_nothing() {
    let shop = Shop::open().await;
    let everywhere = As::of(COMPANY_A);
    let body = json!({"customer_ids": [FIRST, OF_SECOND, "x"]});
    let answer = shop
        .call(&everywhere, "DELETE", "/users/customers", Some(&body))
        .await;
    assert_eq!(answer.error(), (400, "validation_error"));
    assert_eq!(shop.detail(&As::a(), FIRST).await.status, 200);

    let ids = [FIRST, OF_SECOND, FIRST, NOBODY, OF_B];
    assert_eq!(shop.delete(&everywhere, &ids).await.status, 200);
    assert_eq!(shop.detail(&As::a(), FIRST).await.status, 404);
    assert_eq!(shop.detail(&As::b(), OF_B).await.status, 200);
    let again = shop.delete(&everywhere, &ids).await;
    assert_eq!(again.data(StatusCode::OK), &json!({"message": "OK"}));
}

#[tokio::test]
async fn a_deletion_names_1_to_1000_ids() {
    let shop = Shop::open().await;
    let ids = |count| json!({"customer_ids": vec![NOBODY; count]});
    for (body, status) in [
        (ids(1000), 200),
        (ids(1001), 400),
        (ids(0), 400),
        (json!({}), 400),
        (json!({"customer_ids": null}), 400),
        (json!({"customer_ids": FIRST}), 400),
        (json!({"customer_ids": [null]}), 400),
        (json!([FIRST]), 400),
        (json!(null), 400),
    ] {
        let answer = shop
            .call(&As::a(), "DELETE", "/users/customers", Some(&body))
            .await;
        assert_eq!(answer.status, status, "{body}");
    }
    let answer = shop
        .call(&As::a(), "DELETE", "/users/customers", None)
        .await;
    assert_eq!(answer.error(), (400, "validation_error"));
    assert_eq!(shop.detail(&As::a(), FIRST).await.status, 200);
}
