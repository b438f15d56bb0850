//! What the two programs that run the suite have in common: what they print is read by the third one.
#![forbid(unsafe_code)]

use std::{error::Error, process::ExitCode};

use churnkey_conformance::{Client, Fixtures, check};
use churnkey_integrator::Integration;
use example_app::demo_token;

/// Anything that goes wrong before the suite runs.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Checks an integration, and prints each rule that was broken with the operation that broke it.
///
/// # Errors
/// If it is no integration.
pub async fn run(integration: Integration, fixtures: &Fixtures) -> Result<ExitCode, BoxError> {
    let client = Client::new(integration.into_router(), demo_token()?);
    let report = check(&client, fixtures).await?;
    for finding in report.findings() {
        println!("{} {}", finding.rule().name(), finding.operation().name());
    }
    Ok(match report.findings() {
        [] => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
