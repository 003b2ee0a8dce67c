//! Runs: a suite against a target becomes a record.
//!
//! A run tells what happens on a channel and never waits for who listens; it neither stores nor prints.

mod accuracy;
mod control;
mod jobs;
mod record;
mod sender;
mod waive;
mod workers;

pub use accuracy::{AccuracyRun, RunOptions};
pub use control::RunControl;
