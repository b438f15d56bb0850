//! The contract: its operations and records, as the library's OpenAPI document has them.

use churnkey_integrator::Operation;
use maud::{Markup, html};
use serde_json::Value;

use crate::dev::contract::{Place, Schema, document, variant_anchor};

pub(super) fn content() -> Markup {
    html! {
        h1 { "The contract" }
        p {
            "What Churnkey calls, and what an integration answers. A record may have more fields: they are ignored."
        }
        nav.index aria-label="Contents" {
            p { "Operations:" @for operation in Operation::all() { " " a href=(format!("#{}", operation.name())) { (operation.name()) } } }
            p { "Records:" @for name in names() { " " a href=(format!("#{name}")) { (name) } } }
        }
        h2 { "Operations" }
        @for operation in Operation::all() { (self::operation(operation)) }
        h2 { "Parameters of several operations" }
        dl.described {
            @for (name, parameter) in shared("parameters") {
                (parameter_row(parameter, Some(name)))
            }
        }
        h2 { "Errors" }
        p { "Each has a body with the " code { "code" } ", which is the status, and a " code { "message" } "." }
        dl.described {
            @for (name, error) in shared("responses") {
                dt id=(name) { (name) }
                dd { (text(error, "description")) }
            }
        }
        h2 { "Records and their parts" }
        @for name in names() {
            @if let Some(schema) = Schema::named(name) {
                section.entry {
                    h3 id=(name) { (name) }
                    (described(&Place::new(name, schema)))
                }
            }
        }
    }
}

fn shared(what: &str) -> impl Iterator<Item = (&'static str, &'static Value)> {
    let parts = document().get("components").and_then(|all| all.get(what));
    let parts = parts.and_then(Value::as_object).into_iter().flatten();
    parts.map(|(name, part)| (name.as_str(), part))
}

fn names() -> impl Iterator<Item = &'static str> {
    shared("schemas").map(|(name, _)| name)
}

fn text(value: &'static Value, key: &str) -> &'static str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn operation(operation: Operation) -> Markup {
    let name = operation.name();
    let method = operation.method().as_str().to_ascii_lowercase();
    let described = document().get("paths");
    let described = described.and_then(|paths| paths.get(operation.path())?.get(method));
    let Some(described) = described else {
        return html! {};
    };
    let parameters = described.get("parameters").and_then(Value::as_array);
    let body = described.pointer("/requestBody/content/application~1json/schema");
    let answer = Schema::of_answer(operation);
    let others = described.get("responses").and_then(Value::as_object);
    html! {
        section.entry {
            h3 id=(name) { (name) }
            p { code { (operation.method()) " " (operation.path()) } ": " (text(described, "summary")) "." }
            @if let Some(parameters) = parameters {
                h4 { "Parameters" }
                dl.described { @for parameter in parameters { (parameter_row(parameter, None)) } }
            }
            @if let Some(body) = body {
                h4 { "Body" }
                (kind(&Place::new(format!("{name}.body"), Schema::new(body))))
            }
            h4 { "Answer" }
            @match answer {
                Some(schema) => (kind(&Place::new(name, schema))),
                None => p { "200, without a body." },
            }
            @if let Some(others) = others {
                p {
                    "Errors:"
                    @for (status, answer) in others {
                        @if let Some(error) = answer.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next()) {
                            " " a href=(format!("#{error}")) { (status) }
                        }
                    }
                }
            }
        }
    }
}

/// A parameter of an operation, or one that many have.
fn parameter_row(parameter: &'static Value, shared_name: Option<&str>) -> Markup {
    if let Some(reference) = parameter.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let of = shared("parameters").find(|(known, _)| *known == name);
        let called = of.map_or(name, |(_, parameter)| text(parameter, "name"));
        return html! { dt { code { (called) } } dd { a href=(format!("#parameters.{name}")) { "see below" } } };
    }
    let is_required = parameter.get("required") == Some(&Value::Bool(true));
    html! {
        dt id=[shared_name.map(|name| format!("parameters.{name}"))] { code { (text(parameter, "name")) } }
        dd {
            "In the " (text(parameter, "in")) ", " (if is_required { "required" } else { "optional" })
            @if let Some(schema) = parameter.get("schema") {
                ": " (kind(&Place::new("", Schema::new(schema))))
            }
            " " (text(parameter, "description"))
        }
    }
}

/// A link to what has a name, and else the description of it.
fn kind(place: &Place) -> Markup {
    match place.schema.name() {
        Some(name) => html! { a href=(format!("#{name}")) { (name) } },
        None => described(place),
    }
}

fn described(place: &Place) -> Markup {
    let schema = place.schema;
    let variants: Vec<Schema> = schema.variants().collect();
    let description = schema.description();
    let it_is = description.map(|_| "It is ");
    html! {
        @if let Some(description) = description { (description) " " }
        @if !variants.is_empty() {
            (it_is.unwrap_or_default()) "one of:"
            ul.variants {
                @for variant in variants {
                    @let anchor = variant_anchor(&place.anchor, variant);
                    li id=[(anchor != place.anchor).then_some(&anchor)] {
                        (described(&Place { anchor: anchor.clone(), schema: variant }))
                    }
                }
            }
        } @else if let Some(elements) = place.elements() {
            (it_is.unwrap_or_default()) "an array, each element: " (kind(&elements))
        } @else if schema.fields().next().is_some() {
            dl.described {
                @for (name, field) in schema.fields() {
                    @let anchor = format!("{}.{name}", place.anchor);
                    dt id=(anchor) { code { (name) } }
                    dd {
                        @if schema.requires(name) { "required: " } @else { "optional: " }
                        (kind(&Place::new(anchor.clone(), field)))
                        @if let Some(remark) = field.remark() { ". " (remark) }
                    }
                }
            }
        } @else if let Some(free) = schema.free_fields() {
            (it_is.unwrap_or_default()) "an object with any keys, each with: "
            (kind(&Place::new(place.anchor.clone(), free)))
        } @else {
            (it_is.unwrap_or_default()) (schema.expects()) @if it_is.is_some() { "." }
        }
    }
}
