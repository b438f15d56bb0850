//! `churnkey sign`: the headers that sign a request, or a curl command that sends it.

use churnkey_conformance::churnkey_integrator::{Timestamp, sign};
use serde_json::{Map, Value, json};

use super::body_of;
use crate::{
    arguments::{BodyArgument, SignArguments},
    curl,
    exit::{Failure, Outcome},
    output,
    settings::Settings,
};

pub(crate) fn run(
    arguments: &SignArguments,
    settings: &Settings,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let request = &arguments.request;
    let body = body_of(request)?;
    let path = format!("{}{}", settings.target.prefix(), request.path);
    let signature = sign(
        &settings.token,
        &request.method,
        &path,
        settings.mode,
        &body,
        Timestamp::now(),
    );
    let mut headers: Vec<(String, String)> = signature
        .headers()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    if request.body.is_some() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let url = settings.target.url(&request.path);

    if as_json {
        let headers: Map<String, Value> = headers
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        output::json(&json!({
            "version": output::VERSION,
            "method": request.method.as_str(),
            "url": url,
            "headers": headers,
        }))?;
    } else if arguments.curl {
        let data = request.body.as_ref().map(|body| match body {
            BodyArgument::File(file) => format!("@{}", file.display()),
            BodyArgument::Text(text) => text.clone(),
            BodyArgument::StandardInput => "@-".to_owned(),
        });
        output::line(curl::command(
            &request.method,
            &url,
            &headers,
            data.as_deref(),
        ))?;
    } else {
        for (name, value) in headers {
            output::line(format_args!("{name}: {value}"))?;
        }
    }
    Ok(Outcome::Good)
}
