//! The owners of an address.

use churnkey_integrator::HandlerError;

/// The owners of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owners<C> {
    /// Nobody.
    None,
    /// This customer.
    One(Box<C>),
    /// Several customers: the first ids.
    Many(Vec<String>),
}

impl<C> Owners<C> {
    /// The owners among these customers. Several are named by their ids.
    pub fn of(mut customers: Vec<C>, id: impl Fn(&C) -> String) -> Self {
        if customers.len() > 1 {
            return Self::Many(customers.iter().map(id).collect());
        }
        customers
            .pop()
            .map_or(Self::None, |one| Self::One(Box::new(one)))
    }

    /// The only owner. Of several none is chosen: Churnkey would offer one the subscriptions of another. They are logged, and the
    /// address is refused as ambiguous, or treated as unknown if `hide_ambiguous` says so.
    ///
    /// # Errors
    /// [`HandlerError::ambiguous`]. `what` names the field that they share.
    pub fn only(self, what: &'static str, hide_ambiguous: bool) -> Result<Option<C>, HandlerError> {
        match self {
            Self::None => Ok(None),
            Self::One(owner) => Ok(Some(*owner)),
            Self::Many(customers) => {
                tracing::warn!(?customers, "these customers share one {what}");
                match hide_ambiguous {
                    true => Ok(None),
                    false => Err(HandlerError::ambiguous(what)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_owners_none_is_chosen() {
        let owners = |ids: &[i64]| Owners::of(ids.to_vec(), i64::to_string);
        for hide in [false, true] {
            assert_eq!(owners(&[]).only("email", hide).unwrap(), None);
            assert_eq!(owners(&[7]).only("email", hide).unwrap(), Some(7));
        }
        let several = Owners::Many(vec!["7".to_owned(), "8".to_owned()]);
        assert_eq!(owners(&[7, 8]), several);
        let refused = owners(&[7, 8]).only("email", false).unwrap_err();
        assert_eq!(refused.status(), 409);
        assert_eq!(owners(&[7, 8]).only("email", true).unwrap(), None);
    }
}
