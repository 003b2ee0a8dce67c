//! The program as it is called: what it answers, where it writes, and how it ends.

mod arguments;
mod baseline;
mod compare;
mod exits;
mod github;
mod history;
mod inputs;
mod newcomer;
mod pages;
mod phrases;
mod places;
mod privacy;
mod readme;
mod repeats;
mod runs;
mod schedule;
pub(crate) mod schemas;
mod signals;
mod streams;
mod suites;
mod waivers;
