//! What converts from text and into it, and what does not.
#![expect(clippy::unwrap_used, reason = "a test that panics has done its work")]

use std::{fmt, str::FromStr};

use churnkey_integrator::{
    CalendarUnit, InvalidVariant, Mode,
    actions::Schedule,
    model::{CycleUnit, PriceType, ProductType, TierMode},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{from_value, to_value};

fn converts<T>(variants: &[T])
where
    T: Copy + PartialEq + fmt::Debug + fmt::Display + AsRef<str> + FromStr<Err = InvalidVariant>,
{
    for variant in variants {
        let word = variant.to_string();
        assert_eq!(variant.as_ref(), word);
        assert_eq!(word.parse(), Ok(*variant));
        assert!(T::from_str(&word.to_uppercase()).is_err(), "{word}");
    }
}

fn is_its_json<T: Copy + PartialEq + fmt::Debug + AsRef<str> + Serialize + DeserializeOwned>(
    variants: &[T],
) {
    for variant in variants {
        let word = variant.as_ref();
        assert_eq!(to_value(variant).unwrap(), word);
        assert_eq!(from_value::<T>(word.into()).unwrap(), *variant);
    }
}

#[test]
fn a_variant_and_its_word_convert_into_each_other() {
    use CalendarUnit::{Day, Month, Week, Year};
    converts(&[Mode::Live, Mode::Test]);
    converts(&[Schedule::Immediate, Schedule::EndOfPeriod]);
    converts(&[Day, Week, Month, Year]);
    converts(&[CycleUnit::Month, CycleUnit::Year]);
    converts(&[PriceType::Standalone, PriceType::Product]);
    converts(&[ProductType::Standalone, ProductType::Family]);
    converts(&[TierMode::Graduated, TierMode::Total]);
}

#[test]
fn the_word_of_a_variant_is_the_one_in_json() {
    use CalendarUnit::{Day, Month, Week, Year};
    is_its_json(&[Schedule::Immediate, Schedule::EndOfPeriod]);
    is_its_json(&[Day, Week, Month, Year]);
    is_its_json(&[CycleUnit::Month, CycleUnit::Year]);
    is_its_json(&[PriceType::Standalone, PriceType::Product]);
    is_its_json(&[ProductType::Standalone, ProductType::Family]);
    is_its_json(&[TierMode::Graduated, TierMode::Total]);
}

#[test]
fn another_word_is_refused_with_those_that_are_expected_and_never_repeated() {
    let mode = "LIVE".parse::<Mode>().unwrap_err();
    assert_eq!(mode.to_string(), "not a mode: expected `live` or `test`");
    let unit = "hunter2".parse::<CalendarUnit>().unwrap_err();
    assert_eq!(
        unit.to_string(),
        "not a calendar unit: expected `day`, `week`, `month` or `year`"
    );
    assert!(!format!("{unit:?}").contains("hunter2"));
}
