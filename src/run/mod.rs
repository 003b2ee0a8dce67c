//! Runs: a suite against a target becomes a record.
//!
//! A run tells what happens on a channel and never waits for who listens; it neither stores nor prints. What it found
//! is [`Measured`]; the verdict is made when it is known what the run is held against.

mod accuracy;
mod control;
mod jobs;
mod load;
mod load_health;
mod load_idle;
mod load_record;
mod measured;
mod record;
mod reference;
mod sender;
mod shadow;
mod waive;
mod workers;

pub use accuracy::{AccuracyRun, RunOptions};
pub use control::RunControl;
pub use load::LoadRun;
pub use load_idle::IDLE_LONGEST;
pub use load_record::RunFacts;
pub use measured::Measured;
pub use reference::ReferencePlan;
pub use shadow::{ShadowOptions, ShadowRun};
