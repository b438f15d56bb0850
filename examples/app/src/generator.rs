//! New ids and tokens: random ones, or predictable ones for tests.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Where new ids and tokens come from.
#[derive(Debug, Clone)]
pub enum Generator {
    /// The system's random numbers.
    Random,
    /// Counting numbers, for tests.
    Counting(Arc<AtomicU64>),
}

/// The system has no random numbers.
pub type NoRandomness = getrandom::Error;

impl Generator {
    /// Counts from 1.
    #[must_use]
    pub fn counting() -> Self {
        Self::Counting(Arc::default())
    }

    /// A UUID of version 4.
    ///
    /// # Errors
    /// [`NoRandomness`] if the system has none.
    pub fn uuid(&self) -> Result<String, NoRandomness> {
        let bytes = self.bytes()?;
        Ok(uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string())
    }

    /// 256 bits as 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`NoRandomness`] if the system has none.
    pub fn token(&self) -> Result<String, NoRandomness> {
        Ok(hex::encode(self.bytes::<32>()?))
    }

    fn bytes<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut bytes = [0; N];
        match self {
            Self::Random => getrandom::fill(&mut bytes)?,
            Self::Counting(last) => {
                let number = last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
                let digits = number.to_be_bytes();
                for (byte, digit) in bytes.iter_mut().rev().zip(digits.iter().rev()) {
                    *byte = *digit;
                }
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_counts_has_the_form_of_what_is_random() {
        let counting = Generator::counting();
        assert_eq!(
            counting.uuid().unwrap(),
            "00000000-0000-4000-8000-000000000001"
        );
        assert_eq!(counting.token().unwrap(), format!("{:064x}", 2));

        let (uuid, token) = (Generator::Random.uuid(), Generator::Random.token());
        assert_eq!(uuid.as_ref().unwrap().len(), 36);
        assert_eq!(uuid.as_ref().unwrap().as_bytes()[14], b'4');
        assert_eq!(token.as_ref().unwrap().len(), 64);
        assert_ne!(uuid, Generator::Random.uuid());
        assert_ne!(token, Generator::Random.token());
    }
}
