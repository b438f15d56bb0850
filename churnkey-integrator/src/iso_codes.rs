//! Which ISO codes exist.

use std::sync::atomic::{AtomicU64, Ordering};

/// The codes that were looked up and found so far, a bit for each. iso_currency compares one code after the other, and
/// iso_country searches a table: both take longer than the rest of reading such a column.
pub(crate) struct FoundCodes<const WORDS: usize> {
    letters: u32,
    found: [AtomicU64; WORDS],
}

/// Codes of two letters.
pub(crate) type TwoLetters = FoundCodes<{ words(2) }>;
/// Codes of three letters.
pub(crate) type ThreeLetters = FoundCodes<{ words(3) }>;

/// How many words of 64 bits have one for each code of so many letters.
const fn words(letters: u32) -> usize {
    26_usize.pow(letters).div_ceil(64)
}

impl TwoLetters {
    pub(crate) const fn empty() -> Self {
        Self::of(2)
    }
}

impl ThreeLetters {
    pub(crate) const fn empty() -> Self {
        Self::of(3)
    }
}

impl<const WORDS: usize> FoundCodes<WORDS> {
    const fn of(letters: u32) -> Self {
        let found = [const { AtomicU64::new(0) }; WORDS];
        Self { letters, found }
    }

    /// Whether a code exists, in any letter case. It is looked up unless it was found before. Text of another length, or with
    /// anything but ASCII letters, is not a code.
    pub(crate) fn exists(&self, code: &str, look_up: impl FnOnce() -> bool) -> bool {
        if code.len() != self.letters as usize {
            return false;
        }
        let letter = |index: usize, letter: u8| {
            let place = letter.to_ascii_lowercase().checked_sub(b'a')?;
            (place < 26).then(|| index * 26 + usize::from(place))
        };
        let Some(index) = code.bytes().try_fold(0, letter) else {
            return false;
        };
        let Some(found) = self.found.get(index / 64) else {
            return false;
        };
        let this = 1 << (index % 64);
        if found.load(Ordering::Relaxed) & this != 0 {
            return true;
        }
        let exists = look_up();
        if exists {
            found.fetch_or(this, Ordering::Relaxed);
        }
        exists
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_looked_up_until_it_is_found() {
        let found = TwoLetters::empty();
        let not_again = || unreachable!("it was found");
        for code in ["AA", "zz", "gB"] {
            assert!(!found.exists(code, || false));
            assert!(found.exists(code, || true));
            assert!(found.exists(code, not_again));
            assert!(found.exists(&code.to_ascii_lowercase(), not_again));
        }
        assert!(!found.exists("GA", || false), "its neighbour was found");
    }

    #[test]
    fn the_end_of_a_code_that_was_found_is_no_code() {
        let found = TwoLetters::empty();
        assert!(found.exists("AA", || true));
        for text in ["", "A", "AAA", "G1", "@A", "{A", "\u{e9}"] {
            assert!(!found.exists(text, || true), "{text:?}");
        }
    }
}
