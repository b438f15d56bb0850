//! A merchant as requests see it: id, name, accepted tokens and the keys of cursors, prepared once.

use std::{fmt, sync::Arc};

use super::token_use::TokenUse;
use crate::{
    auth::{AcceptedTokens, Key},
    id::TenantId,
    secret::IntegrationToken,
    signed_cursor::CursorKeys,
    time::Timestamp,
};

/// The merchant of an integration, which has no id, or one of its tenants.
#[derive(Clone)]
pub(crate) struct Merchant {
    id: Option<TenantId>,
    name: String,
    keys: Vec<Key>,
    /// Of the keys, in their order. Clones share them.
    uses: Vec<Arc<TokenUse>>,
    cursor_keys: CursorKeys,
}

impl Merchant {
    pub(crate) fn new(id: Option<TenantId>, name: String, token: IntegrationToken) -> Self {
        Self {
            id,
            name,
            cursor_keys: CursorKeys::new(&token),
            keys: vec![Key::from(token)],
            uses: vec![Arc::new(TokenUse::never())],
        }
    }

    pub(crate) fn also_accept(&mut self, token: IntegrationToken) {
        self.cursor_keys.also_accept(&token);
        self.keys.push(Key::from(token));
        self.uses.push(Arc::new(TokenUse::never()));
    }

    /// Notes that a request was authenticated by the token at this position.
    pub(crate) fn token_was_used(&self, position: u64, now: Timestamp) {
        let at = usize::try_from(position).ok();
        let Some(token) = at.and_then(|at| self.uses.get(at)) else {
            return;
        };
        token.note(now);
        // A tenant may be made anew for each request, and would be logged each time.
        if position > 0 && self.id.is_none() && token.is_to_be_said(now) {
            tracing::info!(
                position,
                "a token of also_accept is in use: before you drop it, let the caller have the builder's token"
            );
        }
    }

    pub(crate) fn tokens_last_used(&self) -> Vec<Option<Timestamp>> {
        self.uses.iter().map(|token| token.last()).collect()
    }

    pub(crate) fn id(&self) -> Option<&TenantId> {
        self.id.as_ref()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn tokens(&self) -> AcceptedTokens<'_> {
        AcceptedTokens::new(&self.keys)
    }

    /// How many tokens are accepted.
    pub(crate) fn accepted_tokens(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn cursor_keys(&self) -> &CursorKeys {
        &self.cursor_keys
    }
}

/// One of many merchants in a process, with tokens of its own. A [`TenantResolver`](crate::TenantResolver) returns it.
///
/// The constructor prepares the keys, and clones share them. So keep a `Tenant` in a cache, and not its token.
///
/// ```
/// use churnkey_integrator::{IntegrationToken, Tenant, TenantId};
///
/// let token = IntegrationToken::new("a-token-for-this-example")?;
/// let acme = Tenant::new(TenantId::new("acme")?, "Acme", token);
/// assert_eq!(acme.id().as_str(), "acme");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Tenant {
    id: TenantId,
    merchant: Arc<Merchant>,
}

impl Tenant {
    /// A tenant with its id, its name, which is in the manifest, and the token that its callers authenticate with.
    ///
    /// The id must be unique: it separates the cursors and the actions of tenants. It must not change when the token is
    /// changed.
    #[must_use]
    pub fn new(id: TenantId, name: impl Into<String>, token: IntegrationToken) -> Self {
        let merchant = Merchant::new(Some(id.clone()), name.into(), token);
        Self {
            id,
            merchant: Arc::new(merchant),
        }
    }

    /// Accepts a further token of this tenant, for as long as a rotation lasts. Cursors are signed with the first.
    #[must_use]
    pub fn also_accept(mut self, token: IntegrationToken) -> Self {
        Arc::make_mut(&mut self.merchant).also_accept(token);
        self
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &TenantId {
        &self.id
    }

    /// When each accepted token was last used, the constructor's first, and then those of
    /// [`also_accept`](Self::also_accept) in their order. See
    /// [`Integration::tokens_last_used`](crate::Integration::tokens_last_used). It counts for this tenant and its clones, so
    /// keep the tenant in a cache.
    #[must_use]
    pub fn tokens_last_used(&self) -> Vec<Option<Timestamp>> {
        self.merchant.tokens_last_used()
    }

    pub(crate) fn into_merchant(self) -> Arc<Merchant> {
        self.merchant
    }
}

/// Shows the id and the name, never a token.
impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("id", &self.id)
            .field("name", &self.merchant.name)
            .finish_non_exhaustive()
    }
}
