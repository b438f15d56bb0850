//! Code that must not compile: `compile.rs` runs the programs of `cases`.
