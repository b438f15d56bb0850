//! Where the token comes from. Nothing here repeats what was given: a token may have been given in the wrong place.

use std::{env, fs, path::PathBuf};

use churnkey_conformance::churnkey_integrator::{IntegrationToken, TokenError};

use crate::exit::Failure;

/// The variable that is read if nothing else is said.
pub(crate) const VARIABLE: &str = "CK_INTEGRATION_TOKEN";

/// Where the token is, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenSource {
    /// A variable, and what names it.
    Variable(String, &'static str),
    /// A file, and what names it.
    File(PathBuf, &'static str),
}

impl TokenSource {
    /// Whether nothing says where the token is.
    pub(crate) fn is_unset(&self) -> bool {
        matches!(self, Self::Variable(name, _) if name == VARIABLE)
            && env::var_os(VARIABLE).is_none()
    }

    /// Reads the token.
    pub(crate) fn read(&self) -> Result<IntegrationToken, Failure> {
        let (text, named_by) = match self {
            Self::Variable(name, named_by) => match env::var(name) {
                Ok(text) => (text, *named_by),
                Err(_) if name == VARIABLE => {
                    return Err(Failure::Usage(format!(
                        "there is no token: set {VARIABLE}, or name another variable with --token-env or a file with --token-file"
                    )));
                }
                Err(_) => {
                    return Err(Failure::Usage(format!(
                        "the environment variable that {named_by} names is not set: give the name of a variable, not the token"
                    )));
                }
            },
            Self::File(path, named_by) => match fs::read_to_string(path) {
                Ok(text) => {
                    let text = text.strip_suffix('\n').unwrap_or(&text);
                    let text = text.strip_suffix('\r').unwrap_or(text);
                    (text.to_owned(), *named_by)
                }
                Err(error) => {
                    return Err(Failure::Usage(format!(
                        "the file that {named_by} names can't be read ({}): give the path of a file, not the token",
                        error.kind()
                    )));
                }
            },
        };
        IntegrationToken::new(text).map_err(|error: TokenError| {
            Failure::Usage(format!("the token from {named_by} can't be one: {error}"))
        })
    }
}
