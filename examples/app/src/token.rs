//! The integration token of an example: from the environment, or on a loopback address the demo token.

use std::net::SocketAddr;

use churnkey_integrator::{IntegrationToken, TokenError};

const VARIABLE: &str = "CK_INTEGRATION_TOKEN";
const DEMO_TOKEN: &str = "ck-demo-integration-token-0001";

/// The token, and a way to write it in a shell that shows no secret.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The token itself.
    pub token: IntegrationToken,
    /// How to write it between double quotes in a shell.
    pub in_shell: &'static str,
}

/// No token may be used.
#[derive(Debug, thiserror::Error)]
pub enum NoToken {
    /// The token of the environment is not valid.
    #[error("CK_INTEGRATION_TOKEN: {0}")]
    Invalid(#[from] TokenError),
    /// The demo token is public, so it is not used on an address that others can reach.
    #[error(
        "set CK_INTEGRATION_TOKEN: without it there is only the public demo token, which is not used \
         on {0}, an address that other machines can reach (or listen on 127.0.0.1)"
    )]
    DemoTokenBeyondLoopback(SocketAddr),
}

/// The demo token, which is public.
///
/// # Errors
/// Never.
pub fn demo_token() -> Result<IntegrationToken, TokenError> {
    IntegrationToken::new(DEMO_TOKEN)
}

impl Credential {
    /// Takes the token from `CK_INTEGRATION_TOKEN`. Without it, and only on a loopback address, it is the demo token, with a
    /// warning.
    ///
    /// # Errors
    /// [`NoToken`] if the variable is not a valid token, or if the demo token would be reachable by others.
    pub fn from_env(listen: SocketAddr) -> Result<Self, NoToken> {
        match IntegrationToken::from_env(VARIABLE) {
            Ok(token) => Ok(Self {
                token,
                in_shell: "$CK_INTEGRATION_TOKEN",
            }),
            Err(TokenError::NotSet { .. }) if listen.ip().is_loopback() => {
                tracing::warn!(
                    "{VARIABLE} is not set: using the public demo token, for trying out only"
                );
                Ok(Self {
                    token: demo_token()?,
                    in_shell: DEMO_TOKEN,
                })
            }
            Err(TokenError::NotSet { .. }) => Err(NoToken::DemoTokenBeyondLoopback(listen)),
            Err(error) => Err(error.into()),
        }
    }
}
