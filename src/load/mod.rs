//! Load: scenarios, when each request starts, and what sends them.
//!
//! A [`Scenario`] says what is sent and how much of it; a [`Schedule`] says when each request should start. The open
//! engine sends by the schedule, whether or not earlier requests are answered, and takes every time from the intended
//! start: a target that stalls is seen to stall. In the closed model users ask, wait, think and ask again; goose drives
//! them, in a process of its own ([`UsersEngine`]). Every answer is judged. What an engine found is a [`Tally`], which merges
//! without loss with those of other threads and other machines; what it sees on the way are [`Window`]s, and
//! [`Watch`] ends a run before it does harm.

#![expect(clippy::cast_precision_loss, reason = "no run has so many requests")]

mod alarm;
mod catalog;
mod cpu;
mod deck;
mod engine;
mod open;
mod overrides;
mod pool;
mod recorder;
mod scenario;
mod scenario_check;
mod scenario_file;
mod schedule;
mod shard;
mod tally;
mod turns;
mod users;
mod watch;

pub use catalog::{
    ScenarioError, load_scenario, scenario_names, scenario_schema, scenario_text, shipped_scenario,
};
pub use deck::Deck;
pub use engine::{Elsewhere, LoadEngine, Sending, Sent};
pub use open::OpenEngine;
pub use overrides::Overrides;
pub use scenario::Scenario;
pub use scenario_file::{AbortEntry, Beyond, Rate, Spacing, ThinkTime};
pub use schedule::{Ramp, Schedule};
pub use shard::Shard;
pub use tally::{StepTally, Tally, Window, categories};
pub use users::{DRAIN, Report, UsersEngine, UsersOrder, alive, send};
pub use watch::Watch;
