//! The parameters of a list (contract, section 2.5).

use std::borrow::Cow;

use super::{CursorKeys, Mode, Refusal};

const DEFAULT_LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 500;

/// The part of the list that a caller asks for.
pub(super) struct Asked {
    /// How many customers a page holds.
    pub(super) limit: usize,
    /// The number of the last customer of the page before, or 0.
    pub(super) after: u64,
}

impl Asked {
    pub(super) fn read(
        query: Option<&str>,
        cursors: &CursorKeys,
        mode: Mode,
    ) -> Result<Self, Refusal> {
        let (mut limit, mut cursor) = (None, None);
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "limit" if limit.is_some() => {
                    return Err(Refusal::bad_request("limit must not be repeated"));
                }
                "cursor" if cursor.is_some() => {
                    return Err(Refusal::bad_request("cursor must not be repeated"));
                }
                "limit" => limit = Some(value),
                "cursor" => cursor = Some(value),
                _ => {}
            }
        }
        let limit = limit.map_or(Some(DEFAULT_LIMIT), clamped);
        let limit = limit.ok_or(Refusal::bad_request("limit must be a positive integer"))?;
        let after = cursor.map_or(Some(0), |text| cursors.verify(mode, &text));
        Ok(Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            after: after.ok_or(Refusal::bad_request("Invalid cursor"))?,
        })
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "so that it can be named in `map_or`"
)]
fn clamped(text: Cow<'_, str>) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Digits alone can only be too many.
    let limit = text.parse().unwrap_or(u64::MAX);
    (limit > 0).then_some(limit.min(MAX_LIMIT))
}
