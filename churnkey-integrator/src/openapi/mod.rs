//! An OpenAPI 3.1 document of the contract, or of what one integration serves (feature `openapi`).
//!
//! It is made from the table of operations and from the models, so that it can't differ from them: paths, parameters,
//! bodies and answers, with the statuses of the contract's section 2.6. Paths are relative to the server's URL, which ends
//! with the prefix.
//!
//! Records and the manifest are open: a reader ignores the fields that it doesn't know. Errors have `code` and `message`
//! and nothing else. Rules that no schema can say are left out: an end is not before its start, the bounds of tiers grow,
//! and ids in a call are no longer than the integration allows.
//!
//! ```
//! use churnkey_integrator::{openapi, serde_json::json};
//!
//! let contract = openapi::document();
//! assert_eq!(contract["openapi"], "3.1.0");
//! assert_eq!(contract["paths"]["/customers/{id}"]["get"]["operationId"], "customers.retrieve");
//!
//! let manifest = json!({ "name": "Acme", "controllers": { "customers": { "retrieve": true } } });
//! let served = openapi::document_of(&manifest);
//! let paths: Vec<&String> = served["paths"].as_object().unwrap().keys().collect();
//! assert_eq!(paths, ["/customers/{id}", "/features"]);
//! ```

mod action;
mod manifest;
mod model;
mod response;

use http::{HeaderName, Method};
use serde_json::{Map, Value, json};

use self::model::{Models, with};
use crate::{
    auth::Schemes,
    id::{CouponId, CustomerId, FamilyId, PriceId, ProductId, SubscriptionId},
    model::{Coupon, Customer, Family, Price, Product, Subscription},
    operation::Operation,
    pii::{Email, Phone},
};

/// The document of the contract: every operation, with all that a caller may send.
#[must_use]
pub fn document() -> Value {
    as_the_contract_has_it(&Value::Null, Operation::all())
}

/// The document of what the integration with this features manifest serves (contract, section 2.3): its operations, and
/// what it declares of each action. The manifest doesn't say the rest, which is as the contract has it: the server's URL
/// is `/churnkey`, and headers have their usual names. [`Integration::openapi`](crate::Integration::openapi) knows its own.
#[must_use]
pub fn document_of(manifest: &Value) -> Value {
    let served = Operation::all().filter(|operation| operation.is_listed_in(manifest));
    as_the_contract_has_it(manifest, served)
}

fn as_the_contract_has_it(manifest: &Value, served: impl Iterator<Item = Operation>) -> Value {
    let api = Api {
        name: manifest.get("name").and_then(Value::as_str),
        manifest,
        prefix: "/churnkey",
        manifest_path: Operation::Features.path(),
        schemes: &Schemes::default(),
    };
    api.document(served)
}

/// How an integration is called.
pub(crate) struct Api<'a> {
    /// The merchant's, if it is one merchant's.
    pub(crate) name: Option<&'a str>,
    /// What it declares of its actions, in the form of the features manifest. What is absent is not restricted.
    pub(crate) manifest: &'a Value,
    pub(crate) prefix: &'a str,
    pub(crate) manifest_path: &'a str,
    pub(crate) schemes: &'a Schemes,
}

impl Api<'_> {
    pub(crate) fn document(&self, served: impl Iterator<Item = Operation>) -> Value {
        let mut models = Models::new();
        let mut paths = Map::new();
        for operation in served {
            let path = match operation {
                Operation::Features => self.manifest_path,
                operation => operation.path(),
            };
            let method = operation.method().as_str().to_ascii_lowercase();
            paths.insert(
                path.to_owned(),
                json!({ method: self.operation(operation, &mut models) }),
            );
        }
        let (schemes, security) = self.security();
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": self.name.map_or("Churnkey custom provider integration".to_owned(), |name| {
                    format!("{name}: Churnkey integration")
                }),
                "description": "The calls that Churnkey makes to a merchant with a custom provider.",
                "version": env!("CARGO_PKG_VERSION"),
            },
            "servers": [{ "url": self.prefix }],
            "security": security,
            "paths": paths,
            "components": {
                "schemas": models.into_schemas(),
                "responses": response::errors(),
                "headers": response::headers(),
                "parameters": self.parameters(),
                "securitySchemes": schemes,
            },
        })
    }

    fn operation(&self, operation: Operation, models: &mut Models) -> Value {
        let mut parameters = path_parameters(operation, models);
        let shared = |name: &str| json!({ "$ref": format!("#/components/parameters/{name}") });
        if is_list(operation) {
            parameters.extend(["limit", "cursor"].map(shared));
        }
        if operation.method() == Method::POST {
            parameters.push(shared("idempotencyKey"));
        }
        parameters.push(shared("mode"));
        let module = operation.manifest_line().map(|line| line.module());
        let described = json!({
            "operationId": operation.name(),
            "summary": summary(operation),
            "tags": [module.unwrap_or("features")],
            "parameters": parameters,
            "responses": response::of(operation, content(operation, models)),
        });
        match action::body(operation, self.manifest, models) {
            None => described,
            Some(schema) => with(
                described,
                "requestBody",
                json!({ "required": true, "content": { "application/json": { "schema": schema } } }),
            ),
        }
    }

    fn parameters(&self) -> Value {
        json!({
            "limit": {
                "name": "limit",
                "in": "query",
                "description": "How many records a page holds at most. A larger number than the integration allows is \
                                lowered to what it allows.",
                "schema": { "type": "integer", "minimum": 1 },
            },
            "cursor": {
                "name": "cursor",
                "in": "query",
                "description": "The `next` of the page before. Without it, the first page is answered.",
                "schema": { "type": "string", "minLength": 1 },
            },
            "mode": {
                "name": self.schemes.headers().mode.as_str(),
                "in": "header",
                "description": "Which data the call is about. Without it, live data.",
                "schema": { "enum": ["live", "test"] },
            },
            "idempotencyKey": {
                "name": "idempotency-key",
                "in": "header",
                "description": "Recognizes the retry of an action. For 24 hours it must not be used for another one.",
                "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$" },
            },
        })
    }

    /// The security schemes, and the ways to combine them.
    fn security(&self) -> (Map<String, Value>, Vec<Value>) {
        let header = |name: &HeaderName, about: &str| json!({ "type": "apiKey", "in": "header", "name": name.as_str(), "description": about });
        let mut schemes = Map::new();
        let mut ways = Vec::new();
        if self.schemes.takes_plain_tokens() {
            let about = "The integration token.";
            let bearer = json!({ "type": "http", "scheme": "bearer", "description": about });
            schemes.insert("token".to_owned(), bearer);
            ways.push(json!({ "token": [] }));
            if let Some(name) = self.schemes.token_header() {
                schemes.insert("tokenHeader".to_owned(), header(name, about));
                ways.push(json!({ "tokenHeader": [] }));
            }
        }
        let about = "`v1=` and the HMAC-SHA256 of the request under the integration token, in lower-case hexadecimal.";
        let names = self.schemes.headers();
        let signature = header(&names.signature, about);
        schemes.insert("signature".to_owned(), signature);
        let about = "The Unix seconds at which the request was signed.";
        let timestamp = header(&names.timestamp, about);
        schemes.insert("timestamp".to_owned(), timestamp);
        ways.push(json!({ "signature": [], "timestamp": [] }));
        (schemes, ways)
    }
}

fn path_parameters(operation: Operation, models: &mut Models) -> Vec<Value> {
    let names = operation.path().split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?;
        name.strip_suffix('}')
    });
    let parameter = |name| {
        let schema = match (name, operation) {
            ("customerId", _) | ("id", Operation::Customers(_)) => models.of::<CustomerId>(),
            ("email", _) => models.of::<Email>(),
            ("phone", _) => models.of::<Phone>(),
            (_, Operation::Subscriptions(_)) => models.of::<SubscriptionId>(),
            (_, Operation::Prices(_)) => models.of::<PriceId>(),
            (_, Operation::Coupons(_)) => models.of::<CouponId>(),
            (_, Operation::Products(_)) => models.of::<ProductId>(),
            (_, Operation::Families(_)) => models.of::<FamilyId>(),
            _ => json!({ "type": "string", "minLength": 1 }),
        };
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    };
    names.map(parameter).collect()
}

/// A list's path ends with what is listed, and that of one record with a parameter.
fn is_list(operation: Operation) -> bool {
    content_model(operation).is_some() && !operation.path().ends_with('}')
}

type SchemaOf = fn(&mut Models) -> Value;

/// The record that an operation answers with, or lists.
fn content_model(operation: Operation) -> Option<(&'static str, SchemaOf)> {
    Some(match operation {
        Operation::Customers(_) => ("customer", Models::of::<Customer>),
        Operation::Subscriptions(_) => ("subscription", Models::of::<Subscription>),
        Operation::Prices(_) => ("price", Models::of::<Price>),
        Operation::Coupons(_) => ("coupon", Models::of::<Coupon>),
        Operation::Products(_) => ("product", Models::of::<Product>),
        Operation::Families(_) => ("family", Models::of::<Family>),
        _ => return None,
    })
}

/// The schema of the body of a 200. None for an action, which is answered with nothing.
fn content(operation: Operation, models: &mut Models) -> Option<Value> {
    if operation == Operation::Features {
        return Some(manifest::schema(models));
    }
    let (_, model) = content_model(operation)?;
    let record = model(models);
    Some(match is_list(operation) {
        false => record,
        true => json!({
            "type": "object",
            "properties": {
                "data": { "type": "array", "items": record },
                "next": {
                    "type": "string",
                    "minLength": 1,
                    "description": "The cursor of the next page. The last page has none.",
                },
            },
            "required": ["data"],
        }),
    })
}

fn summary(operation: Operation) -> String {
    match (operation, content_model(operation)) {
        (Operation::Features, _) => "What the integration serves".to_owned(),
        (_, Some((record, _))) => {
            let segments = operation.path().rsplit('/');
            let last = segments
                .map(|segment| segment.trim_matches(['{', '}']))
                .next();
            let last = last.unwrap_or_default();
            match is_list(operation) {
                true => format!("A page of {last}"),
                false => format!("The {record} with this {last}"),
            }
        }
        (_, None) => action::summary(operation).to_owned(),
    }
}
