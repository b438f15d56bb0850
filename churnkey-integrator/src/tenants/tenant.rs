//! A merchant as requests see it: id, name, accepted tokens and the keys of cursors, prepared once.

use std::{fmt, sync::Arc};

use crate::{
    auth::{AcceptedTokens, Key},
    id::TenantId,
    secret::IntegrationToken,
    signed_cursor::CursorKeys,
};

/// The merchant of an integration, which has no id, or one of its tenants.
#[derive(Clone)]
pub(crate) struct Merchant {
    id: Option<TenantId>,
    name: String,
    keys: Vec<Key>,
    cursor_keys: CursorKeys,
}

impl Merchant {
    pub(crate) fn new(id: Option<TenantId>, name: String, token: IntegrationToken) -> Self {
        Self {
            id,
            name,
            cursor_keys: CursorKeys::new(&token),
            keys: vec![Key::from(token)],
        }
    }

    pub(crate) fn also_accept(&mut self, token: IntegrationToken) {
        self.cursor_keys.also_accept(&token);
        self.keys.push(Key::from(token));
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
