//! The check of a record that a controller returned for an id.

use crate::error::{ContractViolation, HandlerError, Result};

/// The record with this id, or a 404 with the message `missing`. A controller that returns a record with another id breaks
/// its contract: that is an error, and the record is not served.
pub(super) fn with_id<T, I: AsRef<str>>(
    returned: Option<T>,
    id: &I,
    id_of: impl Fn(&T) -> &I,
    missing: &'static str,
) -> Result<T> {
    let record = returned.ok_or_else(|| HandlerError::not_found(missing))?;
    if id_of(&record).as_ref() == id.as_ref() {
        Ok(record)
    } else if differ_in_letter_case(id_of(&record), id) {
        Err(in_other_letter_case(missing))
    } else {
        Err(ContractViolation::AnotherRecord.into())
    }
}

/// Whether two ids that are not equal differ in letter case alone. A column that ignores it, such as one of UUIDs, finds
/// either.
pub(super) fn differ_in_letter_case<I: AsRef<str>>(one: &I, other: &I) -> bool {
    one.as_ref().to_lowercase() == other.as_ref().to_lowercase()
}

/// The 404 for a requested id in another letter case than the record's. It is logged with its reason.
pub(super) fn in_other_letter_case(missing: &'static str) -> HandlerError {
    HandlerError::not_found(missing).with_source(ContractViolation::OtherLetterCase)
}
