//! `churnkey dev`: a local Churnkey.

use std::{env, io::Write, net::SocketAddr};

use churnkey_integrator::{ApiKey, WebhookSecret};
use reqwest::Url;
use tokio::net::TcpListener;

use crate::{
    arguments::DevArguments,
    connection,
    dev::{AppKeys, Blueprint, DevSettings, Merchant, Origins, Password, Webhook, serve},
    exit::{Failure, Outcome},
    output::{self, UNCHECKED, styled},
    settings::Settings,
};

const API_KEY: &str = "CK_API_KEY";
const WEBHOOK_SECRET: &str = "CK_WEBHOOK_SECRET";
const PASSWORD: &str = "CHURNKEY_DEV_PASSWORD";
/// The keys of the example merchants, which are public.
const DEMO_API_KEY: &str = "ck-demo-api-key";

pub(crate) async fn run(
    arguments: DevArguments,
    mut settings: Settings,
) -> Result<Outcome, Failure> {
    let blueprint = settings.flow.take().map(Blueprint::checked).transpose();
    let blueprint = blueprint.map_err(|error| Failure::Usage(format!("churnkey.toml: {error}")))?;
    for warning in blueprint.iter().flat_map(Blueprint::warnings) {
        let text = format!("warning: churnkey.toml: {warning}");
        output::note(styled(UNCHECKED, text))?;
    }
    let webhook = match arguments.webhook_url {
        None => None,
        Some(url) => Some(webhook(&url, &settings)?),
    };
    let address = arguments.listen;
    let password = password()?;
    if password.is_none() && !address.ip().is_loopback() {
        return Err(Failure::Usage(format!(
            "{address} can be reached from other machines, and the pages show customers and change their subscriptions: \
             set a password in {PASSWORD}, or listen on 127.0.0.1 or [::1]"
        )));
    }
    let keys = AppKeys {
        app_id: arguments.app_id,
        api_key: api_key(arguments.api_key_env.as_deref(), address)?,
    };
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::Usage(format!(
            "{address} can't be listened on: {error}; name another with --listen"
        ))
    })?;
    let at = listener.local_addr()?;
    output::line(format_args!("listening on http://{at}"))?;
    // A program that starts the tool waits for this line, and may close the pipe behind it.
    std::io::stdout().flush()?;
    let _ = output::note(format_args!("apiBaseUrl of the component: http://{at}/v1"));
    if password.is_some() {
        let _ = output::note(format_args!(
            "the pages ask for the password of {PASSWORD}, with any user name"
        ));
    }
    let settings = DevSettings {
        merchant: Merchant::new(settings)?,
        keys,
        origins: Origins::new(arguments.allow_origin),
        blueprint,
        webhook,
        password,
    };
    serve(listener, settings).await?;
    Ok(Outcome::Good)
}

fn api_key(named: Option<&str>, address: SocketAddr) -> Result<ApiKey, Failure> {
    let key = match (named, env::var(named.unwrap_or(API_KEY))) {
        (_, Ok(key)) => key,
        (None, Err(env::VarError::NotPresent)) if !address.ip().is_loopback() => {
            return Err(Failure::Usage(format!(
                "{address} can be reached from other machines, and without {API_KEY} there is only the public demo key, \
                 by which they can make session tokens: set {API_KEY}"
            )));
        }
        (None, Err(env::VarError::NotPresent)) => DEMO_API_KEY.to_owned(),
        (_, Err(_)) => {
            return Err(Failure::Usage(
                "the environment variable with the API key is not set: name it with --api-key-env"
                    .to_owned(),
            ));
        }
    };
    ApiKey::new(key).map_err(|error| Failure::Usage(format!("the API key can't be one: {error}")))
}

fn password() -> Result<Option<Password>, Failure> {
    let text = match env::var(PASSWORD) {
        Ok(text) => text,
        Err(env::VarError::NotPresent) => return Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            return Err(Failure::Usage(format!(
                "{PASSWORD} can't be the password: it is not UTF-8"
            )));
        }
    };
    let password = Password::new(&text)
        .map_err(|error| Failure::Usage(format!("{PASSWORD} can't be the password: {error}")))?;
    Ok(Some(password))
}

fn webhook(url: &str, settings: &Settings) -> Result<Webhook, Failure> {
    let invalid = || Failure::Usage("--webhook-url is no http or https URL".to_owned());
    let url: Url = url.parse().map_err(|_| invalid())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid());
    }
    let secret = env::var(WEBHOOK_SECRET).map_err(|_| {
        Failure::Usage(format!(
            "there is no secret for the webhook: set {WEBHOOK_SECRET}"
        ))
    })?;
    let secret = WebhookSecret::new(secret)
        .map_err(|error| Failure::Usage(format!("{WEBHOOK_SECRET} can't be one: {error}")))?;
    Ok(Webhook::new(connection::any_host(settings)?, url, secret))
}
