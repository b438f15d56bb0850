//! `churnkey dev`, called as Churnkey's component calls Churnkey.

mod browser;
mod calls;
mod customers;
mod end_to_end;
mod flow;
mod local;
mod page;
mod password;
mod recorded;
mod sessions;
