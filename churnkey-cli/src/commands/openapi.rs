//! `churnkey openapi`: the OpenAPI document of the contract, or of what an integration serves.

use std::path::Path;

use churnkey_integrator::openapi;
use serde_json::{Value, json};

use crate::{
    arguments::OpenapiArguments,
    connection::Connection,
    exit::{Failure, Outcome},
    output,
};

/// The contract's.
pub(crate) fn of_contract(arguments: &OpenapiArguments) -> Result<Outcome, Failure> {
    write(&openapi::document(), arguments.output.as_deref())
}

/// That of what the integration serves.
pub(crate) async fn of_integration(
    arguments: &OpenapiArguments,
    connection: &Connection,
) -> Result<Outcome, Failure> {
    let mut document = openapi::document_of(&connection.manifest().await?);
    if let Some(document) = document.as_object_mut() {
        let server = json!({ "url": connection.target().url("") });
        document.insert("servers".to_owned(), json!([server]));
    }
    connection.progress().end();
    write(&document, arguments.output.as_deref())
}

fn write(document: &Value, file: Option<&Path>) -> Result<Outcome, Failure> {
    output::to(file, &format!("{document:#}"))?;
    Ok(Outcome::Good)
}
