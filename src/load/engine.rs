//! What sends a scenario.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::deck::Deck;
use super::open::OpenEngine;
use super::scenario::Scenario;
use super::schedule::{Ramp, Schedule};
use super::shard::Shard;
use super::tally::{Tally, Window};
use super::users::UsersEngine;
use crate::domain::ShardRecord;
use crate::target::LoadTarget;

/// What is sent, and by which rules.
#[derive(Debug, Clone)]
pub struct Sending {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The steps of it that are sent.
    pub ramps: Vec<Ramp>,
    /// What starts in this time at the beginning is in no number.
    pub warm_up: Duration,
    /// The target.
    pub target: Arc<LoadTarget>,
    /// Which phrase each request sends.
    pub deck: Deck,
    /// Whether each phrase is right when idle, where that is known.
    pub idle_right: Option<Vec<bool>>,
    /// The number of the first request.
    pub first: u64,
    /// No start is later than this.
    pub longest: Duration,
    /// Nor are there more.
    pub most: u64,
    /// The part of it that is sent from here.
    pub shard: Shard,
    /// When it begins; at once if nothing is said.
    pub start: Option<Instant>,
}

/// A start that the schedule asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) number: u64,
    /// So long after the run's start.
    pub(super) after: Duration,
    /// The step it belongs to; none in the warm-up.
    pub(super) step: Option<usize>,
}

impl Sending {
    /// The starts that the schedule asks for, of all shards, until a limit ends them.
    pub(super) fn starts(&self) -> impl Iterator<Item = Start> + use<> {
        let most = self.most;
        self.starts_in_time().take_while(move |start| start.number < most)
    }

    /// The same with those beyond the most requests.
    pub(super) fn starts_in_time(&self) -> impl Iterator<Item = Start> + use<> {
        let (warm_up, longest) = (self.warm_up, self.longest);
        let ends: Vec<Duration> = self
            .ramps
            .iter()
            .scan(Duration::ZERO, |end, ramp| {
                *end += ramp.duration;
                Some(*end)
            })
            .collect();
        let schedule = Schedule::new(self.ramps.clone(), self.scenario.spacing, self.scenario.seed);
        let mut step = 0;
        let starts = (0..).zip(schedule).take_while(move |(_, after)| *after < longest);
        starts.map(move |(number, after)| {
            while step + 1 < ends.len() && after >= ends[step] {
                step += 1;
            }
            Start { number, after, step: (after >= warm_up).then_some(step) }
        })
    }

    /// How many of them there are in so long, by step.
    pub(super) fn planned(&self, within: Duration) -> Vec<u64> {
        let mut planned = vec![0; self.ramps.len()];
        for step in self.starts().take_while(|start| start.after <= within).filter_map(|start| start.step) {
            planned[step] += 1;
        }
        planned
    }
}

/// One of the two engines, by the scenario's model; or other machines, each with an engine of its own.
#[derive(Debug)]
pub enum LoadEngine {
    /// A schedule decides when a request starts.
    Open(OpenEngine),
    /// Users decide, each by waiting for the answer.
    Users(Box<UsersEngine>),
    /// Other machines send.
    Elsewhere(Arc<dyn Elsewhere>),
}

/// Machines that send a load together.
pub trait Elsewhere: fmt::Debug + Send + Sync {
    /// How many there are.
    fn machines(&self) -> usize;

    /// Has it sent; as [`LoadEngine::run`].
    fn run<'a>(
        &'a self,
        sending: Sending,
        drain: CancellationToken,
        abort: CancellationToken,
        windows: mpsc::UnboundedSender<Window>,
    ) -> Pin<Box<dyn Future<Output = std::io::Result<Sent>> + Send + 'a>>;
}

/// What an engine brought.
#[derive(Debug)]
pub struct Sent {
    /// What it found.
    pub tally: Tally,
    /// Why this machine ended it before its time, if it did: then the tally may lack the last requests.
    pub broken: Option<String>,
    /// What passed before the load began.
    pub lead: Duration,
    /// The machines that sent it, where it was not this one.
    pub shards: Vec<ShardRecord>,
}

impl Sent {
    /// What was sent from here.
    pub(super) const fn here(tally: Tally, broken: Option<String>) -> Self {
        Self { tally, broken, lead: Duration::ZERO, shards: Vec::new() }
    }
}

impl LoadEngine {
    /// Threads that send, or machines whose windows count as those of one thread.
    pub fn threads(&self) -> usize {
        match self {
            Self::Open(open) => open.threads,
            Self::Users(_) => 1,
            Self::Elsewhere(machines) => machines.machines(),
        }
    }

    /// How much later than others a window may come.
    pub const fn lateness(&self) -> Duration {
        match self {
            Self::Open(_) | Self::Users(_) => Duration::from_millis(600),
            Self::Elsewhere(_) => Duration::from_millis(1500),
        }
    }

    /// Sends it all, or until `drain` or `abort` is cancelled: the first waits for answers on their way, the second for
    /// nothing. What is seen meanwhile goes to `windows`, a few times a second from every thread.
    ///
    /// # Errors
    /// The system gives no thread, no clock or no process; nothing was sent then.
    pub async fn run(
        &self,
        sending: Sending,
        drain: CancellationToken,
        abort: CancellationToken,
        windows: mpsc::UnboundedSender<Window>,
    ) -> std::io::Result<Sent> {
        match self {
            Self::Open(open) => Ok(Sent::here(open.run(sending, drain, abort, windows).await?, None)),
            Self::Users(users) => users.run(&sending, drain, abort, windows).await,
            Self::Elsewhere(machines) => machines.run(sending, drain, abort, windows).await,
        }
    }
}
