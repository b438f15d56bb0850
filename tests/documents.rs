//! The programs in the repository's documents, run as examples of a crate that can see them.

/// The README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The guide to mapping.
#[cfg(doctest)]
#[doc = include_str!("../docs/mapping.md")]
struct Mapping;
