//! Whose an e-mail address or a phone number is.

use crate::error::{HandlerError, Result};

/// The one customer who was found by an e-mail address or a phone number, if there is one. Two rows are enough to ask the
/// store for: of several, none may be chosen, because it could hand one person another's subscription.
///
/// `what` is `"email"` or `"phone"`, as for [`HandlerError::ambiguous`].
///
/// ```
/// use churnkey_integrator::{Email, Result, model::Customer, sole_owner};
///
/// # struct Row;
/// # async fn query(_sql: &str, _key: &str) -> Result<Vec<Row>> { Ok(Vec::new()) }
/// # fn customer(_row: Row) -> Result<Customer> { Err("no customer".into()) }
/// async fn find_by_email(email: &Email) -> Result<Option<Customer>> {
///     let sql = "SELECT .. FROM customers WHERE email_key = $1 LIMIT 2";
///     let rows = query(sql, &email.lookup_key()).await?;
///     sole_owner(rows, "email")?.map(customer).transpose()
/// }
/// ```
///
/// # Errors
/// [`HandlerError::ambiguous`], a 409, if there are several.
pub fn sole_owner<T>(owners: impl IntoIterator<Item = T>, what: &'static str) -> Result<Option<T>> {
    let mut owners = owners.into_iter();
    match (owners.next(), owners.next()) {
        (_, Some(_)) => Err(HandlerError::ambiguous(what)),
        (owner, None) => Ok(owner),
    }
}

#[cfg(test)]
mod tests {
    use super::sole_owner;

    #[test]
    fn of_several_owners_none_is_chosen() {
        assert_eq!(sole_owner([0; 0], "email").unwrap(), None);
        assert_eq!(sole_owner([7], "email").unwrap(), Some(7));
        let error = sole_owner([7, 8], "phone").unwrap_err();
        assert_eq!(error.status(), 409);
        assert_eq!(error.message(), "More than one customer has this phone");
        assert_eq!(sole_owner(1.., "phone").unwrap_err().status(), 409);
    }
}
