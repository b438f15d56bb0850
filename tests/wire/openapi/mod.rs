//! The OpenAPI document, held against what is answered.

mod bodies;
mod models;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use churnkey_integrator::{
    CustomerId, CustomersController, Email, Integration, Operation, RequestContext, Result,
    async_trait, controller,
    idempotency::{Attempt, IdempotencyStore, Known},
    model::Customer,
    openapi,
};
use http::Method;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::{
    merchants::{each, in_memory_store, server, token},
    socket::{Reply, Request, Server},
};

const TOKEN: &str = "Bearer ck-demo-integration-token-0001";

/// A document, with what was seen of it.
struct Document {
    json: Value,
    seen: Mutex<BTreeSet<(&'static str, u16)>>,
}

impl Document {
    fn of(json: Value) -> Self {
        Self {
            json,
            seen: Mutex::default(),
        }
    }

    async fn of_server(server: &Server) -> Self {
        let manifest = server.get("/churnkey/features").await.json();
        Self::of(openapi::document_of(&manifest))
    }

    fn operation(&self, operation: Operation) -> &Value {
        let method = operation.method().as_str().to_ascii_lowercase();
        &self.json["paths"][operation.path()][method]
    }

    /// What a reference refers to, or the value itself.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.json.pointer(&reference[1..]).unwrap(),
            None => value,
        }
    }

    /// A validator that takes no field which the schema doesn't name. The document itself leaves records open.
    fn validator(&self, schema: &Value) -> Validator {
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": self.json["components"],
        });
        close(&mut schema["allOf"]);
        close(&mut schema["components"]["schemas"]);
        validator(&schema)
    }

    /// Panics unless the document has this answer to the operation.
    #[track_caller]
    fn check(&self, operation: Operation, reply: &Reply) {
        let name = operation.name();
        let responses = &self.operation(operation)["responses"];
        let response = self.resolved(&responses[reply.status.to_string()]);
        assert!(response.is_object(), "{name}: {reply:?}");
        match response["content"]["application/json"].get("schema") {
            None => assert!(reply.body.is_empty(), "{name}: {reply:?}"),
            Some(schema) => {
                assert_eq!(reply.header("content-type"), Some("application/json"));
                let json = reply.json();
                let errors: Vec<_> = self
                    .validator(schema)
                    .iter_errors(&json)
                    .map(|e| e.to_string())
                    .collect();
                assert_eq!(errors, [""; 0], "{name}: {json:#}");
            }
        }
        for (header, described) in response["headers"].as_object().unwrap() {
            let described = self.resolved(described);
            let value = reply.header(&header.to_ascii_lowercase());
            let Some(value) = value else {
                assert_eq!(described["required"], false, "{name}: {header}");
                continue;
            };
            let value = match described["schema"]["type"] == "integer" {
                true => value.parse::<u64>().unwrap().into(),
                false => Value::from(value),
            };
            assert!(
                self.validator(&described["schema"]).is_valid(&value),
                "{name}: {header}: {value}"
            );
        }
        self.seen.lock().unwrap().insert((name, reply.status));
    }

    /// Every status of every operation in it.
    fn statuses(&self) -> BTreeSet<(&'static str, u16)> {
        let statuses = |operation: Operation| {
            let responses = self.operation(operation)["responses"].as_object();
            let statuses = responses.into_iter().flat_map(Map::keys);
            statuses.map(move |status| (operation.name(), status.parse().unwrap()))
        };
        Operation::all().flat_map(statuses).collect()
    }

    fn assert_seen(&self, which: impl Fn(&(&'static str, u16)) -> bool) {
        let expected: BTreeSet<_> = self.statuses().into_iter().filter(which).collect();
        let seen = self.seen.lock().unwrap();
        let missing: Vec<_> = expected.difference(&seen).collect();
        assert!(
            !expected.is_empty() && missing.is_empty(),
            "never seen: {missing:?}"
        );
    }
}

fn validator(schema: &Value) -> Validator {
    let options = jsonschema::options().should_validate_formats(true);
    options.build(schema).unwrap()
}

/// Forbids what a schema of an object doesn't name.
fn close(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(close),
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            let is_object = fields.get("type").is_some_and(|name| name == "object");
            if is_object && !fields.contains_key("additionalProperties") {
                fields.insert("unevaluatedProperties".to_owned(), false.into());
            }
        }
        _ => {}
    }
}

/// A call that is answered 200, and what to say instead to be answered 404.
struct Call {
    operation: Operation,
    path: String,
    body: Option<Value>,
    unknown: Option<(&'static str, &'static str)>,
}

impl Call {
    fn request<'a>(&self, server: &'a Server) -> Request<'a> {
        let path = format!("/churnkey{}", self.path);
        let request = server.request(self.operation.method().as_str(), &path);
        match &self.body {
            None => request,
            Some(body) => request.body(body.to_string()),
        }
    }

    fn of_something_unknown(&self) -> Option<Self> {
        let (known, unknown) = self.unknown?;
        let body = self.body.as_ref().map(Value::to_string);
        let body = body.map(|body| body.replace(known, unknown).parse().unwrap());
        Some(Self {
            operation: self.operation,
            path: self.path.replace(known, unknown),
            body,
            unknown: None,
        })
    }
}

/// One good call of each operation, in an order in which all of them are possible.
fn calls() -> Vec<Call> {
    let ada = |more: Value| {
        let mut body = json!({ "customerId": "cus_ada", "subscriptionId": "sub_ada_pro" });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let month = json!({ "amount": 1, "unit": "month" });
    let calls = [
        ("features", "/features", None, None),
        (
            "customers.retrieve",
            "/customers/cus_ada",
            None,
            Some("cus_ada"),
        ),
        ("customers.list", "/customers?limit=2", None, None),
        (
            "customers.find_by_email",
            "/customers/email/ada@example.com",
            None,
            Some("ada@"),
        ),
        (
            "customers.find_by_phone",
            "/customers/phone/+358401234567",
            None,
            Some("+3584"),
        ),
        (
            "subscriptions.retrieve",
            "/customers/cus_ada/subscriptions/sub_ada_pro",
            None,
            Some("sub_ada_pro"),
        ),
        (
            "subscriptions.list",
            "/customers/cus_ada/subscriptions",
            None,
            Some("cus_ada"),
        ),
        (
            "prices.retrieve",
            "/prices/price_seats_month",
            None,
            Some("price_seats_month"),
        ),
        ("prices.list", "/prices", None, None),
        (
            "coupons.retrieve",
            "/coupons/coupon_stay20",
            None,
            Some("coupon_stay20"),
        ),
        ("coupons.list", "/coupons", None, None),
        (
            "products.retrieve",
            "/products/prod_pro",
            None,
            Some("prod_pro"),
        ),
        ("products.list", "/products", None, None),
        (
            "families.retrieve",
            "/families/fam_core",
            None,
            Some("fam_core"),
        ),
        ("families.list", "/families", None, None),
        (
            "apply_coupon",
            "/actions/subscription/apply-coupon",
            Some(ada(json!({ "coupon": "coupon_stay20" }))),
            Some("coupon_stay20"),
        ),
        (
            "change_price",
            "/actions/subscription/change-price",
            Some(ada(
                json!({ "price": "price_basic_month", "scheduledAt": "immediate" }),
            )),
            Some("price_basic_month"),
        ),
        (
            "extend_trial",
            "/actions/subscription/extend-trial",
            Some(
                json!({ "customerId": "cus_grace", "subscriptionId": "sub_grace_trial", "duration": month }),
            ),
            Some("sub_grace_trial"),
        ),
        (
            "pause",
            "/actions/subscription/pause",
            Some(ada(json!({ "startAt": "immediate", "duration": month }))),
            Some("sub_ada_pro"),
        ),
        (
            "pause_all",
            "/actions/customer/pause",
            Some(json!({ "customerId": "cus_zoe", "startAt": "end-of-period", "duration": month })),
            Some("cus_zoe"),
        ),
        (
            "cancel",
            "/actions/subscription/cancel",
            Some(ada(json!({ "scheduledAt": "end-of-period" }))),
            Some("cus_ada"),
        ),
        (
            "cancel_all",
            "/actions/customer/cancel",
            Some(json!({ "customerId": "cus_grace", "scheduledAt": "immediate" })),
            Some("cus_grace"),
        ),
    ];
    let calls: Vec<Call> = calls
        .into_iter()
        .map(|(name, path, body, known)| Call {
            operation: Operation::all()
                .find(|operation| operation.name() == name)
                .unwrap(),
            path: path.to_owned(),
            body,
            unknown: known.map(|known| (known, "nobody")),
        })
        .collect();
    let called: BTreeSet<Operation> = calls.iter().map(|call| call.operation).collect();
    assert_eq!(called, Operation::all().collect());
    calls
}

#[tokio::test]
async fn every_answer_of_the_examples_is_in_the_document() {
    each(|_, server| async move {
        let document = Document::of_server(&server).await;
        for call in calls() {
            let operation = call.operation;
            let status = async |request: Request<'_>, status| {
                let reply = request.send().await;
                assert_eq!(reply.status, status, "{}: {reply:?}", operation.name());
                document.check(operation, &reply);
            };
            let unsigned = call.request(&server);
            let with_token = unsigned.clone().header("Authorization", TOKEN);
            status(unsigned.clone(), 401).await;
            status(
                with_token.clone().header("X-Churnkey-Mode", "sideways"),
                400,
            )
            .await;
            if let Some(unknown) = call.of_something_unknown() {
                status(unknown.request(&server).signed(), 404).await;
            }
            if operation.method() == Method::POST {
                let keyed = |body: String| {
                    unsigned
                        .clone()
                        .header("Idempotency-Key", operation.name())
                        .body(body)
                };
                let body = call.body.clone().unwrap();
                let mut other = body.clone();
                other["more"] = true.into();
                status(keyed("[]".to_owned()).signed(), 400).await;
                status(keyed(body.to_string()).signed(), 200).await;
                status(keyed(other.to_string()).signed(), 422).await;
                status(keyed("x".repeat(70_000)).signed(), 413).await;
            } else {
                status(unsigned.signed(), 200).await;
                status(with_token, 200).await;
            }
        }
        for (path, name) in [
            (
                "/customers/email/shared@example.com",
                "customers.find_by_email",
            ),
            ("/customers/phone/+15550100001", "customers.find_by_phone"),
        ] {
            let operation = Operation::all()
                .find(|operation| operation.name() == name)
                .unwrap();
            let reply = server.get(&format!("/churnkey{path}")).await;
            document.check(operation, &reply);
            document.assert_seen(|seen| *seen == (name, 409));
        }
        let is_action = |name: &str| {
            calls()
                .iter()
                .any(|call| call.body.is_some() && call.operation.name() == name)
        };
        let lists = |name: &str| name.ends_with(".list") && name != "subscriptions.list";
        document.assert_seen(|(name, status)| match status {
            // The other tests have these.
            408 | 500 | 503 => false,
            409 => !is_action(name),
            404 => !lists(name),
            _ => true,
        });
    })
    .await;
}

#[tokio::test]
async fn each_page_and_each_record_of_the_examples_is_in_the_document() {
    each(|_, server| async move {
        let document = Document::of_server(&server).await;
        for call in calls()
            .iter()
            .filter(|call| call.operation.name().ends_with(".list"))
        {
            let mut next = String::new();
            loop {
                let path = format!(
                    "/churnkey{}?limit=1{next}",
                    call.path.split('?').next().unwrap()
                );
                let reply = server.get(&path).await;
                assert_eq!(reply.status, 200);
                document.check(call.operation, &reply);
                match reply.json()["next"].as_str() {
                    None => break,
                    Some(cursor) => next = format!("&cursor={cursor}"),
                }
            }
        }
        let subscriptions = calls()
            .into_iter()
            .find(|call| call.operation.name() == "subscriptions.list")
            .unwrap();
        for customer in ["cus_grace", "cus_linus", "cus_zoe"] {
            let path = subscriptions.path.replace("cus_ada", customer);
            let reply = server.get(&format!("/churnkey{path}")).await;
            document.check(subscriptions.operation, &reply);
        }
    })
    .await;
}

/// Fails in each way.
struct Moody;

#[controller]
impl CustomersController for Moody {
    async fn retrieve(&self, _: &RequestContext, id: &CustomerId) -> Result<Option<Customer>> {
        match id.as_str() {
            "slow" => tokio::time::sleep(Duration::from_secs(60)).await,
            "fails" => return Err("no connection".into()),
            _ => {}
        }
        Ok(None)
    }

    async fn find_by_email(&self, _: &RequestContext, _: &Email) -> Result<Option<Customer>> {
        Ok(None)
    }
}

#[tokio::test]
async fn what_is_not_served_and_what_fails_is_in_the_contracts_document() {
    let document = Document::of(openapi::document());
    let moody = Integration::builder("Moody", token()).customers(Moody);
    let moody = moody.deadline(Duration::from_millis(300)).build().unwrap();
    let served: Vec<Operation> = moody.operations().collect();
    let server = server(moody).await;
    for call in calls() {
        if !served.contains(&call.operation) {
            let reply = call.request(&server).signed().send().await;
            assert_eq!(reply.status, 404, "{}", call.operation.name());
            document.check(call.operation, &reply);
        }
    }
    let is_served = |name: &str| served.iter().any(|operation| operation.name() == name);
    document.assert_seen(|(name, status)| *status == 404 && !is_served(name));

    for (id, status) in [("slow", 503), ("fails", 500)] {
        let reply = server.get(&format!("/churnkey/customers/{id}")).await;
        assert_eq!(reply.status, status);
        document.check(served[1], &reply);
    }
}

/// Says of each attempt that another one is running.
struct Busy;

#[async_trait]
impl IdempotencyStore for Busy {
    async fn begin(&self, _: &RequestContext, _: &Attempt) -> Result<Known> {
        Ok(Known::Running)
    }

    async fn complete(&self, _: &RequestContext, _: &Attempt) -> Result<()> {
        Ok(())
    }

    async fn forget(&self, _: &RequestContext, _: &Attempt) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_running_action_and_a_body_that_does_not_come_are_in_the_document() {
    let builder = in_memory::churnkey::builder(&in_memory_store(), token()).idempotency(Busy);
    let integration = builder.deadline(Duration::from_secs(2)).build().unwrap();
    let document = Document::of(integration.openapi());
    let server = server(integration).await;
    for call in calls().iter().filter(|call| call.body.is_some()) {
        let reply = call.request(&server).signed().send().await;
        assert_eq!(
            (reply.status, reply.header("retry-after").is_some()),
            (409, true)
        );
        document.check(call.operation, &reply);
    }
    document.assert_seen(|(name, status)| *status == 409 && !name.starts_with("customers."));

    let call = calls().pop().unwrap();
    let head = format!(
        "POST /churnkey{} HTTP/1.1\r\nHost: m\r\nContent-Length: 10\r\nAuthorization: {TOKEN}\r\n\
         Connection: close\r\n\r\n{{",
        call.path
    );
    let reply = server.exchange(head.as_bytes()).await;
    assert_eq!(reply.status, 408);
    document.check(call.operation, &reply);
}

#[test]
fn the_document_is_valid_openapi() {
    // Published by the OpenAPI Initiative under the Apache License, Version 2.0.
    let published = include_str!("oas-3.1-2022-10-07.json").parse().unwrap();
    let published = validator(&published);
    let document = openapi::document();
    let errors: Vec<_> = published
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, [""; 0]);

    // What it says of schemas is that they are objects.
    let mut schemas = 0;
    each_schema(&document, &mut |schema| {
        jsonschema::meta::validate(schema).unwrap();
        schemas += 1;
    });
    assert!(schemas > 80, "{schemas}");

    let mut named = BTreeSet::new();
    each_reference(&document, &mut |reference| {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
        named.insert(reference.to_owned());
    });
    for (kind, components) in document["components"].as_object().unwrap() {
        for name in components.as_object().unwrap().keys() {
            let is_named = named.contains(&format!("#/components/{kind}/{name}"));
            assert!(
                is_named || kind == "securitySchemes",
                "{kind}: {name} is not referred to"
            );
        }
    }
}

/// The schemas of the components, the parameters, the headers and the contents.
fn each_schema(document: &Value, see: &mut impl FnMut(&Value)) {
    if let Some(schemas) = document["components"]["schemas"].as_object() {
        schemas.values().for_each(&mut *see);
    }
    each_object(document, &mut |object| {
        let schema = object.get("schema").filter(|schema| schema.is_object());
        schema.into_iter().for_each(&mut *see);
    });
}

fn each_reference(document: &Value, see: &mut impl FnMut(&str)) {
    each_object(document, &mut |object| {
        let reference = object.get("$ref").and_then(Value::as_str);
        reference.into_iter().for_each(&mut *see);
    });
}

fn each_object(value: &Value, see: &mut impl FnMut(&Map<String, Value>)) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| each_object(value, see)),
        Value::Object(fields) => {
            see(fields);
            fields.values().for_each(|value| each_object(value, see));
        }
        _ => {}
    }
}

/// The operations of a document, with their names.
fn operations(document: &Value) -> BTreeMap<String, String> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, described)| {
            let name = described["operationId"].as_str().unwrap();
            (format!("{} {path}", method.to_uppercase()), name.to_owned())
        })
    });
    operations.collect()
}

fn in_the_table(served: impl Iterator<Item = Operation>) -> BTreeMap<String, String> {
    let line = |operation: Operation| {
        let route = format!("{} {}", operation.method(), operation.path());
        (route, operation.name().to_owned())
    };
    served.map(line).collect()
}

#[test]
fn the_document_has_the_operations_of_the_table_and_no_others() {
    assert_eq!(
        operations(&openapi::document()),
        in_the_table(Operation::all())
    );
    let manifest = json!({ "name": "Acme", "controllers": { "customers": { "retrieve": true, "list": false } } });
    let served = Operation::all().filter(|operation| operation.is_listed_in(&manifest));
    assert_eq!(
        operations(&openapi::document_of(&manifest)),
        in_the_table(served)
    );
}

#[test]
fn a_parameter_of_a_path_is_required_and_the_others_are_not() {
    let document = Document::of(openapi::document());
    for operation in Operation::all() {
        let described = document.operation(operation);
        let parameters = described["parameters"].as_array().unwrap();
        let parameters = parameters
            .iter()
            .map(|parameter| document.resolved(parameter));
        let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for parameter in parameters {
            let place = parameter["in"].as_str().unwrap();
            let is_required = parameter["required"] == true;
            assert_eq!(is_required, place == "path");
            names
                .entry(place)
                .or_default()
                .push(parameter["name"].as_str().unwrap());
        }
        let in_path = operation.path().split(['{', '}']).skip(1).step_by(2);
        assert_eq!(
            names.remove("path").unwrap_or_default(),
            in_path.collect::<Vec<_>>()
        );
        let is_list = operation.name().ends_with(".list");
        let query = if is_list {
            vec!["limit", "cursor"]
        } else {
            vec![]
        };
        assert_eq!(names.remove("query").unwrap_or_default(), query);
        let is_action = operation.method() == Method::POST;
        let header = if is_action {
            vec!["idempotency-key", "x-churnkey-mode"]
        } else {
            vec!["x-churnkey-mode"]
        };
        assert_eq!(names.remove("header").unwrap_or_default(), header);
        assert_eq!(described.get("requestBody").is_some(), is_action);
    }
}

#[test]
fn an_integrations_own_document_has_its_own_paths_and_headers() {
    let builder = in_memory::churnkey::builder(&in_memory_store(), token());
    let plain = builder.build().unwrap().openapi();
    assert_eq!(
        plain["info"]["title"],
        "In-memory example: Churnkey integration"
    );
    assert_eq!(
        plain["security"],
        json!([{ "token": [] }, { "signature": [], "timestamp": [] }])
    );

    let builder = in_memory::churnkey::builder(&in_memory_store(), token());
    let builder = builder
        .prefix("/api/churnkey")
        .manifest_path("/manifest")
        .token_header("x-acme-token".parse().unwrap());
    let named = builder.build().unwrap().openapi();
    assert_eq!(named["servers"], json!([{ "url": "/api/churnkey" }]));
    assert_eq!(
        named["paths"]["/manifest"]["get"]["operationId"],
        "features"
    );
    assert_eq!(named["paths"].get("/features"), None);
    assert_eq!(
        named["components"]["securitySchemes"]["tokenHeader"]["name"],
        "x-acme-token"
    );
    assert_eq!(named["security"][1], json!({ "tokenHeader": [] }));

    let builder = in_memory::churnkey::builder(&in_memory_store(), token());
    let signed = builder.require_signature().build().unwrap().openapi();
    assert_eq!(
        signed["security"],
        json!([{ "signature": [], "timestamp": [] }])
    );
    assert_eq!(signed["components"]["securitySchemes"].get("token"), None);
}
