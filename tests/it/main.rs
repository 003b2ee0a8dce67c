//! Everything that is tested through the front door.

mod demo;
mod report;
mod statistics;
mod store;
mod support;
