//! Everything that is tested through the front door.

mod demo;
mod perturb;
mod report;
mod statistics;
mod store;
mod support;
