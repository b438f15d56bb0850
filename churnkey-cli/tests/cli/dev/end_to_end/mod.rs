//! The pages of `churnkey dev` as a person has them: in Chromium, over both examples.

mod bad_merchants;
mod browser;
mod keyboard;
mod looks;
mod offers;
mod other_sites;
mod pages;
mod shop;
