//! The check of a record that a controller returned for an id.

use crate::error::{ContractViolation, HandlerError, Result};

/// The record with this id, or a 404 with the message `missing`. A controller that returns a record with another id breaks
/// its contract: that is an error, and the record is not served.
pub(super) fn with_id<T, I: PartialEq>(
    returned: Option<T>,
    id: &I,
    id_of: impl Fn(&T) -> &I,
    missing: &'static str,
) -> Result<T> {
    let record = returned.ok_or_else(|| HandlerError::not_found(missing))?;
    if id_of(&record) != id {
        return Err(ContractViolation::AnotherRecord.into());
    }
    Ok(record)
}
