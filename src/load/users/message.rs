//! What the process that sends is told, and what it tells; a line of JSON each.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::load::overrides::Overrides;
use crate::load::shard::Shard;
use crate::load::tally::{Tally, Window};

/// The line that asks it to start nothing more and wait for what is on its way.
pub const DRAIN: &str = "drain";

/// All that it needs besides the arguments and the environment, which are its parent's.
#[derive(Clone, Serialize, Deserialize)]
pub struct UsersOrder {
    /// The scenario's name.
    pub name: String,
    /// The scenario, as it is written.
    pub text: String,
    /// What its lengths of time are multiplied by.
    pub time_scale: f64,
    /// What holds in place of what it says.
    pub overrides: Overrides,
    /// The seed.
    pub seed: u64,
    /// The run's id.
    pub run: String,
    /// The target's name.
    pub target: String,
    /// Where it is, if not where its contract says. It may hold a password, so it is no argument.
    pub url: Option<String>,
    /// Hash of the phrases that are sent: both processes read them.
    pub selection_hash: String,
    /// Whether each phrase is right when idle, where that is known.
    pub idle_right: Option<Vec<bool>>,
    /// The part of the users that are sent from here.
    pub shard: Shard,
    /// When they begin, by this machine's clock; at once if nothing is said.
    pub start: Option<SystemTime>,
}

impl fmt::Debug for UsersOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsersOrder").field("name", &self.name).field("run", &self.run).finish_non_exhaustive()
    }
}

/// What it tells.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// It is there, though there is nothing to tell yet.
    Alive,
    /// Everything is ready, and nothing sent yet.
    Ready,
    /// What was seen since the last time.
    Window(Box<Window>),
    /// Everything that was found so far: what is left of it if it is killed.
    SoFar(Box<Tally>),
    /// Everything that was found; it sends nothing more.
    Done(Box<Tally>),
}
