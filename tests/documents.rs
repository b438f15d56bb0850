//! The program in the repository's README, run as an example of a crate that can see it.

/// The README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
