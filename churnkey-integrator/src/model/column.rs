//! What a merchant's text columns hold. A blank often stands for nothing there, and `char` columns are padded.

use super::{Country, InvalidCountry, OptionalText};
use crate::{
    money::{Currency, InvalidCurrency},
    pii::{Email, InvalidContact, Phone},
};

impl OptionalText {
    /// What a text column holds, without the white space around it. A blank is no text.
    ///
    /// ```
    /// # use churnkey_integrator::{CustomerId, model::{Customer, OptionalText}};
    /// # let customer = Customer::new(CustomerId::new("cus_1")?);
    /// # struct Row { name: String }
    /// # let row = Row { name: String::new() };
    /// let customer = customer.with_name(OptionalText::from_column(row.name));
    /// # assert_eq!(customer.name(), None);
    /// # Ok::<(), churnkey_integrator::InvalidId>(())
    /// ```
    #[must_use]
    pub fn from_column(text: impl Into<Self>) -> Self {
        let Self(text) = text.into();
        let text = text.map(|text| text.trim().to_owned());
        Self(text.filter(|text| !text.is_empty()))
    }

    /// What is there, read by a constructor.
    fn read<T, E>(
        text: impl Into<Self>,
        new: impl FnOnce(String) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        Self::from_column(text).0.map(new).transpose()
    }
}

impl Email {
    /// What a text column holds, without the white space around it. A blank is no address. Any other text is one, as
    /// for [`new`](Self::new): `not an email` too.
    ///
    /// ```
    /// use churnkey_integrator::Email;
    ///
    /// assert_eq!(Email::from_column("")?, None);
    /// assert_eq!(Email::from_column(None::<&str>)?, None);
    /// assert_eq!(Email::from_column("ada@example.com ")?, Some(Email::new("ada@example.com")?));
    /// # Ok::<(), churnkey_integrator::InvalidContact>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidContact`] if [`new`](Self::new) rejects the text.
    pub fn from_column(text: impl Into<OptionalText>) -> Result<Option<Self>, InvalidContact> {
        OptionalText::read(text, Self::new)
    }
}

impl Phone {
    /// What a text column holds, without the white space around it. A blank is no number. Any other text is one, as for
    /// [`new`](Self::new): `12` too.
    ///
    /// # Errors
    /// [`InvalidContact`] if [`new`](Self::new) rejects the text.
    pub fn from_column(text: impl Into<OptionalText>) -> Result<Option<Self>, InvalidContact> {
        OptionalText::read(text, Self::new)
    }
}

impl Currency {
    /// What a text column holds, without the white space around it. A blank is no currency.
    ///
    /// # Errors
    /// [`InvalidCurrency`] if ISO 4217 has no such code.
    pub fn from_column(text: impl Into<OptionalText>) -> Result<Option<Self>, InvalidCurrency> {
        OptionalText::read(text, |code| Self::new(&code))
    }
}

impl Country {
    /// What a text column holds, without the white space around it. A blank is no country.
    ///
    /// # Errors
    /// [`InvalidCountry`] if ISO 3166-1 has no such code.
    pub fn from_column(text: impl Into<OptionalText>) -> Result<Option<Self>, InvalidCountry> {
        OptionalText::read(text, |code| Self::new(&code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_column_is_an_absent_value() {
        for blank in ["", " ", "\t\r\n", "\u{a0}"] {
            assert_eq!(Email::from_column(blank), Ok(None), "{blank:?}");
            assert_eq!(Phone::from_column(blank.to_owned()), Ok(None));
            assert_eq!(Currency::from_column(Some(blank)), Ok(None));
            assert_eq!(Country::from_column(Some(blank.to_owned())), Ok(None));
            assert_eq!(OptionalText::from_column(blank).0, None);
        }
        assert_eq!(Email::from_column(None::<String>), Ok(None));
    }

    #[test]
    fn a_padded_column_is_read_and_a_wrong_one_is_an_error() {
        assert_eq!(
            Email::from_column(" ada@example.com\n"),
            Email::new("ada@example.com").map(Some)
        );
        assert_eq!(Phone::from_column("+44 1 "), Phone::new("+44 1").map(Some));
        assert_eq!(
            Currency::from_column("usd "),
            Currency::new("usd").map(Some)
        );
        assert_eq!(Country::from_column("gb "), Country::new("GB").map(Some));
        assert_eq!(
            OptionalText::from_column(" Ada L. ").0.as_deref(),
            Some("Ada L.")
        );

        assert!(Email::from_column("ada\0@example.com").is_err());
        assert!(Phone::from_column("1".repeat(65)).is_err());
        assert_eq!(Currency::from_column("BTC"), Err(InvalidCurrency));
        assert_eq!(Country::from_column("England"), Err(InvalidCountry));
    }
}
