//! The scripts that Redis runs, each as one step that nothing comes between.

use std::{
    hash::{BuildHasher, RandomState},
    sync::LazyLock,
};

use churnkey_integrator::{
    idempotency::{Attempt, IdempotencyKey},
    replays::SignedRead,
};
use redis::{Script, ScriptInvocation};

static BEGIN: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("begin.lua")));
static COMPLETE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("complete.lua")));
static FORGET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("forget.lua")));
static IS_FIRST: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("is_first.lua")));
static CHECK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("check.lua")));

/// A script with what it is given. It may be sent any number of times.
pub(crate) struct Call {
    script: &'static Script,
    keys: Vec<String>,
    arguments: Vec<String>,
}

impl Call {
    /// Returns the word of a `Known`.
    pub(crate) fn begin(namespace: &str, attempt: &Attempt) -> Self {
        let parameters = attempt.parameters();
        Self {
            script: &BEGIN,
            keys: attempt.keys().map(|key| name(namespace, key)).collect(),
            arguments: vec![
                namespace.to_owned(),
                parameters.number().to_string(),
                parameters.fingerprint().to_owned(),
                parameters.now().to_string(),
                parameters.runs_until().to_string(),
                parameters.kept_until().to_string(),
                u8::from(attempt.signature_key().is_some()).to_string(),
            ],
        }
    }

    /// Returns nothing.
    pub(crate) fn complete(namespace: &str, attempt: &Attempt) -> Self {
        Self::end(&COMPLETE, namespace, attempt)
    }

    /// Returns nothing.
    pub(crate) fn forget(namespace: &str, attempt: &Attempt) -> Self {
        Self::end(&FORGET, namespace, attempt)
    }

    /// Returns 1 if the read is the first.
    pub(crate) fn is_first(namespace: &str, read: &SignedRead) -> Self {
        let kept = read.kept_until().unix_millis();
        let millis = kept.saturating_sub(read.now().unix_millis()).max(1);
        // By this the script knows the call again if it comes twice.
        let number = RandomState::new().hash_one(read.digest());
        Self {
            script: &IS_FIRST,
            keys: vec![format!("{namespace}:read:{}", read.digest())],
            arguments: vec![number.to_string(), millis.to_string()],
        }
    }

    /// Returns nothing.
    pub(crate) fn check(namespace: &str) -> Self {
        Self {
            script: &CHECK,
            keys: vec![format!("{namespace}:check")],
            arguments: Vec::new(),
        }
    }

    fn end(script: &'static Script, namespace: &str, attempt: &Attempt) -> Self {
        Self {
            script,
            keys: attempt
                .keys()
                .take(1)
                .map(|key| name(namespace, key))
                .collect(),
            arguments: vec![namespace.to_owned(), attempt.number().to_string()],
        }
    }

    pub(crate) fn invocation(&self) -> ScriptInvocation<'_> {
        let mut invocation = self.script.prepare_invoke();
        invocation.key(&self.keys).arg(&self.arguments);
        invocation
    }
}

fn name(namespace: &str, key: &IdempotencyKey) -> String {
    format!("{namespace}:key:{}", key.as_str())
}
