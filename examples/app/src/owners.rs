//! Who has an address.

use churnkey_integrator::HandlerError;

/// Who has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owners<C> {
    /// Nobody.
    None,
    /// This customer.
    One(Box<C>),
    /// These customers, the first of them, by id.
    Many(Vec<String>),
}

impl<C> Owners<C> {
    /// The owners, of whom several are told apart by id.
    pub fn of(mut customers: Vec<C>, id: impl Fn(&C) -> String) -> Self {
        if customers.len() > 1 {
            return Self::Many(customers.iter().map(id).collect());
        }
        customers
            .pop()
            .map_or(Self::None, |one| Self::One(Box::new(one)))
    }

    /// The owner of an address that is nobody else's. Of several none is chosen, as it could be another's subscription: they are
    /// logged and refused as ambiguous, or if those are to be hidden, nobody has the address.
    ///
    /// # Errors
    /// [`HandlerError::ambiguous`], with `what` it is that they share.
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
