//! The settings of a run: the command line over the environment over `churnkey.toml`.

mod file;
mod token;

use std::{env, path::PathBuf, time::Duration};

use churnkey_conformance::churnkey_integrator::{IntegrationToken, Mode};

use self::file::File;
pub(crate) use self::{file::NAME as FILE_NAME, token::TokenSource};
use crate::{
    arguments::{ConnectionArguments, HttpVersion, ModeArgument},
    connection::{Override, Target},
    dev::Blueprint,
    exit::Failure,
    fixtures::Named,
};

/// How to reach the integration.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) target: Target,
    pub(crate) token_source: TokenSource,
    pub(crate) token: IntegrationToken,
    pub(crate) mode: Mode,
    pub(crate) timeout: Duration,
    pub(crate) resolve: Option<Override>,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) http: Option<HttpVersion>,
    /// The records that the file names.
    pub(crate) fixtures: Named,
    /// The cancel flow that the file describes.
    pub(crate) flow: Option<Blueprint>,
}

const TIMEOUT_SECONDS: u32 = 15;
/// Where `cargo run -p in-memory` listens, and the token that it has unless it is given one.
const DEMO_URL: &str = "http://127.0.0.1:3000/churnkey";
const DEMO_TOKEN: &str = "ck-demo-integration-token-0001";

fn demo_token() -> Result<IntegrationToken, Failure> {
    IntegrationToken::new(DEMO_TOKEN).map_err(|error| Failure::Usage(error.to_string()))
}

fn no_url() -> Failure {
    Failure::Usage(
        "there is no URL: give --url, set CHURNKEY_URL, or write `url` into churnkey.toml"
            .to_owned(),
    )
}

impl Settings {
    pub(crate) fn load(given: ConnectionArguments) -> Result<Self, Failure> {
        Self::load_with(given, None)?.ok_or_else(no_url)
    }

    /// Without a URL and a token, those of the example merchant, which are public.
    pub(crate) fn load_or_demo(given: ConnectionArguments) -> Result<Self, Failure> {
        Self::load_with(given, Some(DEMO_URL))?.ok_or_else(no_url)
    }

    /// None if there is no URL.
    pub(crate) fn load_if_any(given: ConnectionArguments) -> Result<Option<Self>, Failure> {
        Self::load_with(given, None)
    }

    fn load_with(given: ConnectionArguments, demo: Option<&str>) -> Result<Option<Self>, Failure> {
        let folder = env::current_dir().map_err(|error| {
            Failure::Usage(format!("the working folder can't be read: {error}"))
        })?;
        let file = File::find(given.config.as_deref(), &folder)?;

        let is_named = given.url.is_some() || file.url.is_some();
        let demo = demo.filter(|_| !is_named);
        let Some(url) = given.url.or(file.url).or(demo.map(str::to_owned)) else {
            return Ok(None);
        };
        let target: Target = url.parse()?;
        let token_source = match (given.token_env, given.token_file) {
            (Some(name), _) => TokenSource::Variable(name, "--token-env"),
            (None, Some(file)) => TokenSource::File(file, "--token-file"),
            (None, None) if env::var_os(token::VARIABLE).is_some() => {
                TokenSource::Variable(token::VARIABLE.to_owned(), token::VARIABLE)
            }
            (None, None) => match (file.token_env, file.token_file) {
                (Some(name), _) => TokenSource::Variable(name, "token-env in churnkey.toml"),
                (None, Some(file)) => TokenSource::File(file, "token-file in churnkey.toml"),
                (None, None) => TokenSource::Variable(token::VARIABLE.to_owned(), token::VARIABLE),
            },
        };
        let resolve =
            match (given.resolve, file.resolve) {
                (Some(given), _) => Some(given),
                (None, Some(text)) => Some(text.parse().map_err(|error| {
                    Failure::Usage(format!("`resolve` in churnkey.toml: {error}"))
                })?),
                (None, None) => None,
            };
        let seconds = given.timeout.or(file.timeout).unwrap_or(TIMEOUT_SECONDS);
        Ok(Some(Self {
            token: match token_source.read() {
                Err(_) if demo.is_some() && token_source.is_unset() => demo_token()?,
                token => token?,
            },
            token_source,
            target,
            mode: given
                .mode
                .or(file.mode)
                .unwrap_or(ModeArgument::Live)
                .into(),
            timeout: Duration::from_secs(seconds.max(1).into()),
            resolve,
            ca: given.ca.or(file.ca),
            http: given.http,
            fixtures: file.fixtures,
            flow: file.flow,
        }))
    }
}
