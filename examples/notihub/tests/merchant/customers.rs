//! `/customers`: what the calls of `cases.json` leave out.

use serde_json::{Value, json};

use crate::{BEARER, C3, C4, DEV_TOKEN, DISABLED, IN_DEV, Merchant, error};

const AT_LEAST_ONE: &str = "Customer requires at least a valid email, phone or external id.";

#[tokio::test]
async fn a_customer_is_answered_with_these_keys_and_no_others() {
    let merchant = Merchant::new().await;
    let body = json!({"externalId": " x1 ", "language": "es_AR", "metadata": "m", "contacts": [
        {"type": "PUSH", "value": "device", "contactId": 99}]});
    let (status, created) = merchant.call("POST", "/customers/", body).await;
    assert_eq!(status, 201);
    let expected = json!({
        "customerId": "00000000-0000-4000-8000-000000000001", "externalId": "x1", "status": "ENABLED",
        "language": "es_AR", "metadata": "m", "contacts": [
            {"contactId": 17, "type": "PUSH", "value": "device", "primary": false, "verified": true}]
    });
    assert_eq!(created, expected);
    let path = "//customers///00000000-0000-4000-8000-000000000001/";
    assert_eq!(merchant.get(path).await, (200, expected));
}

#[tokio::test]
async fn contact_and_contacts_are_both_read_and_the_latter_wins() {
    let merchant = Merchant::new().await;
    let email = |value: &str| json!([{"type": "EMAIL", "value": value}]);
    for (body, expected) in [
        (json!({"contact": email("a@b.c")}), json!("a@b.c")),
        (json!({"contacts": email("a@b.c")}), json!("a@b.c")),
        (
            json!({"contacts": email("a@b.c"), "contact": email("d@e.f")}),
            json!("a@b.c"),
        ),
        (
            json!({"contacts": email("a@b.c"), "contact": "not even a list"}),
            json!("a@b.c"),
        ),
    ] {
        let (status, created) = merchant.call("POST", "/customers", body).await;
        assert_eq!(status, 201);
        assert_eq!(created["contacts"][0]["value"], expected);
        assert_eq!(created.get("contact"), None);
    }
}

#[tokio::test]
async fn each_field_is_refused_by_its_rule() {
    let merchant = Merchant::new().await;
    let contact = |kind: Value, value: Value| json!({"externalId": "x", "contacts": [{"type": kind, "value": value}]});
    for (body, message) in [
        (json!({}), AT_LEAST_ONE),
        (json!({"externalId": null, "contacts": []}), AT_LEAST_ONE),
        (
            json!({"contacts": [{"type": "PUSH", "value": "device"}]}),
            AT_LEAST_ONE,
        ),
        (json!({"externalId": " "}), "Invalid external id"),
        (json!({"externalId": 1}), "Invalid external id"),
        (
            json!({"externalId": "x".repeat(256)}),
            "Invalid external id",
        ),
        (
            json!({"externalId": "x", "status": "enabled"}),
            "Invalid status",
        ),
        (json!({"externalId": "x", "status": null}), "Invalid status"),
        (
            json!({"externalId": "x", "status": {"ENABLED": null}}),
            "Invalid status",
        ),
        (
            json!({"externalId": "x", "language": "english"}),
            "Invalid language",
        ),
        (
            json!({"externalId": "x", "metadata": {"a": 1}}),
            "Metadata must be a string",
        ),
        (
            json!({"externalId": "x", "metadata": []}),
            "Metadata must be a string",
        ),
        (
            json!({"externalId": "x", "metadata": 7}),
            "Metadata must be a string",
        ),
        (
            json!({"externalId": "x", "contacts": {}}),
            "Invalid contacts",
        ),
        (
            json!({"externalId": "x", "contacts": ["a@b.c"]}),
            "Invalid contacts",
        ),
        (contact(json!("FAX"), json!("1234")), "Invalid contact type"),
        (contact(json!(null), json!("1234")), "Invalid contact type"),
        (contact(json!("EMAIL"), json!("nope")), "Invalid email"),
        (contact(json!("EMAIL"), json!(null)), "Invalid email"),
        (contact(json!("PHONE"), json!("12")), "Invalid phone"),
        (contact(json!("PUSH"), json!("")), "Invalid push token"),
        (
            json!({"externalId": "x", "contacts": [{"type": "EMAIL", "value": "a@b.c", "primary": 1}]}),
            "Invalid primary",
        ),
        (
            json!({"externalId": "x", "contacts": [{"type": "EMAIL", "value": "a@b.c", "verified": "yes"}]}),
            "Invalid verified",
        ),
        (json!([]), "The body must be a JSON object"),
    ] {
        let sent = body.to_string();
        assert_eq!(
            merchant.call("POST", "/customers", body).await,
            error(400, message),
            "{sent}"
        );
    }
    let (_, all) = merchant.get("/customers?limit=200").await;
    assert_eq!(all.as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn an_external_id_is_unique_in_its_environment_alone() {
    let merchant = Merchant::new().await;
    let taken = error(400, "External id already in use");
    let call = async |method, path: &str, body| merchant.call(method, path, body).await;
    assert_eq!(
        call("POST", "/customers", json!({"externalId": "ext-3"})).await,
        taken
    );
    assert_eq!(
        call(
            "PUT",
            &format!("/customers/{C4}"),
            json!({"externalId": "ext-3"})
        )
        .await,
        taken
    );
    let own = json!({"externalId": "ext-3"});
    assert_eq!(call("PUT", &format!("/customers/{C3}"), own).await.0, 200);
    assert_eq!(
        call("POST", "/customers", json!({"externalId": "dev-1"}))
            .await
            .0,
        201
    );
}

#[tokio::test]
async fn an_update_changes_what_is_sent_and_null_clears() {
    let merchant = Merchant::new().await;
    let path = format!("/customers/{C3}");
    let (_, before) = merchant.get(&path).await;
    assert_eq!(
        merchant.call("PUT", &path, json!({})).await,
        (200, before.clone())
    );

    let cleared = json!({"externalId": null, "language": null, "metadata": null});
    let (status, after) = merchant.call("PUT", &path, cleared).await;
    assert_eq!(status, 200);
    assert_eq!(after["externalId"], Value::Null);
    assert_eq!(after["language"], Value::Null);
    assert_eq!(after["metadata"], "");
    assert_eq!(after["contacts"], before["contacts"]);
    assert_eq!(merchant.get(&path).await, (200, after));

    let other = json!({"customerId": C4, "metadata": "never written"});
    assert_eq!(
        merchant.call("PUT", &path, other).await,
        error(400, "Customer id differs from the path's")
    );
    assert_eq!(merchant.get(&path).await.1["metadata"], "");
    for id in ["00000000-0000-4000-8000-000000000000", IN_DEV, "x"] {
        let path = format!("/customers/{id}");
        assert_eq!(
            merchant.call("PUT", &path, json!({})).await,
            error(404, "Customer Not found")
        );
    }
}

#[tokio::test]
async fn a_list_is_clamped_filtered_and_searched() {
    let merchant = Merchant::new().await;
    let ids = async |query: &str| {
        let (status, list) = merchant.get(&format!("/customers?{query}")).await;
        assert_eq!(status, 200, "{query}");
        let ids = list.as_array().unwrap().iter();
        ids.map(|customer| customer["customerId"].as_str().unwrap()[35..].to_owned())
            .collect::<Vec<_>>()
            .concat()
    };
    for (query, expected) in [
        ("", "013456"),
        ("limit=999999999999999999999999", "013456"),
        ("limit=4&page=1", "56"),
        ("limit=1&limit=2", "01"),
        ("page=18446744073709551615&limit=200", ""),
        ("actives=true", "03456"),
        ("actives=false", "013456"),
        ("actives=", "013456"),
        ("search=", "013456"),
        ("search=EMAILTEST", "01"),
        ("search=EMAILTEST&actives=true", "0"),
        ("search=Your-Custom-Id", "01"),
        ("search=xxxx", "0"),
        ("search=123444", "0"),
        ("search=444-", "0"),
        ("search=(549)%2011-5555", "3"),
        ("search=%2B54911", "3"),
        // A term without digits does not match every number.
        ("search=-", "01356"),
        ("search=%25", ""),
        ("search=_", ""),
        ("search=only-dev", ""),
        ("search=push", ""),
        ("search=x'%20OR%201=1--", ""),
    ] {
        assert_eq!(ids(query).await, expected, "{query}");
    }
    for (query, message) in [
        ("limit=0", "Invalid limit"),
        ("limit=-1", "Invalid limit"),
        ("limit=ten", "Invalid limit"),
        ("limit=", "Invalid limit"),
        ("limit=1.0", "Invalid limit"),
        ("page=-1", "Invalid page"),
        ("page=one", "Invalid page"),
        ("actives=1", "Invalid actives"),
    ] {
        let answer = merchant.get(&format!("/customers?{query}")).await;
        assert_eq!(answer, error(400, message), "{query}");
    }
}

#[tokio::test]
async fn a_customer_is_deleted_with_all_that_is_theirs() {
    let merchant = Merchant::new().await;
    let path = format!("/customers/{C3}");
    let preference = json!({"templateGroupId": "g", "mechanisms": ["NONE"]});
    let preferences = format!("{path}/preferences");
    let (status, _) = merchant.call("POST", &preferences, preference).await;
    assert_eq!(status, 201);
    let deleted = merchant.call("DELETE", &path, Value::Null).await;
    assert_eq!(deleted, (200, json!({"customerId": C3})));
    for (method, rest) in [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/preferences"),
        ("DELETE", "/contacts/11"),
    ] {
        let path = format!("{path}{rest}");
        assert_eq!(
            merchant.call(method, &path, Value::Null).await,
            error(404, "Customer Not found")
        );
    }
    let (_, found) = merchant.get("/customers?search=%2B5491155550101").await;
    assert_eq!(found, json!([]));
}

#[tokio::test]
async fn environments_never_mix() {
    let merchant = Merchant::new().await;
    let dev = format!("Bearer {DEV_TOKEN}");
    let dev = [("authorization", dev.as_str())];
    let (_, list) = merchant.raw("GET", "/customers", &dev, "").await;
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["customerId"], IN_DEV);
    for id in [C3, C4, DISABLED] {
        for (method, rest) in [
            ("GET", ""),
            ("PUT", ""),
            ("DELETE", ""),
            ("POST", "/contacts"),
            ("PUT", "/contacts/11"),
            ("DELETE", "/contacts/11"),
            ("GET", "/preferences"),
            ("POST", "/preferences"),
        ] {
            let body = r#"{"type": "EMAIL", "value": "a@b.c", "templateGroupId": "g", "mechanisms": ["EMAIL"]}"#;
            let path = format!("/customers/{id}{rest}");
            let answer = merchant.raw(method, &path, &dev, body).await;
            assert_eq!(answer, error(404, "Customer Not found"), "{method} {path}");
        }
    }
    let own = [("authorization", BEARER)];
    let (_, list) = merchant.raw("GET", "/customers", &own, "").await;
    assert_eq!(list.as_array().unwrap().len(), 6);
}
