//! The side that sends.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::message::Job;
use super::shift::Shift;
use super::{board, can_share, may_pass, patiently};
use crate::config::Config;
use crate::dispatch::DispatchError;
use crate::dispatch::connect::{Connected, Connecting};
use crate::dispatch::load::{deck, load_target, may_be_loaded, phrases, send_again, threads, within_limits};
use crate::domain::{LoadModel, Wait, count};
use crate::load::{LoadEngine, OpenEngine, Scenario, Sending, Shard, UsersEngine, UsersOrder};
use crate::run::RunControl;
use crate::store::{JoinedShard, LoadBoard, PostedJob};

/// How often it is looked whether the run has begun.
const FIND_EVERY: Duration = Duration::from_millis(500);

/// A worker that has found its run.
#[derive(Debug)]
pub struct Waiting {
    board: LoadBoard,
    posted: PostedJob,
    job: Job,
}

/// A worker that can send.
#[derive(Debug)]
pub struct PreparedWorker {
    pub(super) board: LoadBoard,
    pub(super) joined: JoinedShard,
    pub(super) engine: Arc<LoadEngine>,
    /// What it sends, but for what each load says.
    pub(super) sending: Sending,
}

/// How a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// It did what the run asked of it.
    Done {
        /// Requests that it started.
        requests: u64,
    },
    /// It was stopped by hand.
    Stopped,
}

impl Waiting {
    /// Waits for the run of this name to begin.
    ///
    /// # Errors
    /// The database cannot be used, or no such run began in time.
    pub async fn find(
        config: &Config,
        name: &str,
        wait: Duration,
        control: &RunControl,
    ) -> Result<Self, DispatchError> {
        let board = board(config).await?;
        let until = Instant::now() + wait;
        loop {
            let found = match board.find(name).await {
                Err(error) if may_pass(&error) && Instant::now() <= until => None,
                found => found?,
            };
            if let Some(posted) = found {
                let job = serde_json::from_str(&posted.orders).map_err(|_| other_version(None))?;
                return Ok(Self { board, posted, job });
            }
            if Instant::now() > until || control.is_stopping() {
                return Err(DispatchError::Workers {
                    message: format!("no load run called `{name}` began within {}", Wait(wait)),
                    hint: format!("begin it with `thrash load SCENARIO --workers N --job {name}`"),
                });
            }
            sleep(FIND_EVERY).await;
        }
    }

    /// The name of the target that the run is about.
    pub fn target(&self) -> &str {
        &self.job.target
    }
}

fn other_version(theirs: Option<&str>) -> DispatchError {
    let theirs = theirs.unwrap_or("another version");
    DispatchError::Options {
        message: format!("the run was begun by thrash {theirs}, and this is {}", env!("CARGO_PKG_VERSION")),
        hint: "use the same version everywhere: what they count is added up".to_owned(),
    }
}

impl PreparedWorker {
    /// Prepares what the run asks for from this machine's own files, and takes the shard. Nothing is sent but one look
    /// at the target.
    ///
    /// # Errors
    /// Anything that makes it impossible, or that is not here as it is where the run began.
    pub async fn new(config: &Config, waiting: Waiting, shard: Shard) -> Result<Self, DispatchError> {
        let Waiting { board, posted, job } = waiting;
        let refuse = |message: String, hint: &str| DispatchError::Options { message, hint: hint.to_owned() };
        if job.version != env!("CARGO_PKG_VERSION") {
            return Err(other_version(Some(&job.version)));
        }
        if shard.count != posted.shards {
            return Err(refuse(
                format!(
                    "the run wants {}, and this is one of {}",
                    count(posted.shards, "worker", "workers"),
                    shard.count
                ),
                "give both sides the same number",
            ));
        }
        let mut scenario = Scenario::parse(&job.name, &job.name, &job.text, job.time_scale, job.overrides)
            .map_err(|problems| {
                refuse(format!("the run's scenario cannot be read: {problems}"), "begin the run again")
            })?;
        scenario.seed = job.seed;
        if config.wants_demo() {
            return Err(refuse("a worker has no demo to load".to_owned(), "name the target and its URL"));
        }
        let contract = config.contract_here(config.target_name())?;
        may_be_loaded(&contract, &scenario, false)?;
        if contract.shown_url() != job.url || contract.hash != job.contract_hash {
            return Err(refuse(
                format!(
                    "the run is about {}, and this worker would send to {} as `{}` describes it",
                    job.url,
                    contract.shown_url(),
                    contract.name
                ),
                "give both sides the same target, URL and configuration",
            ));
        }
        let suite = phrases(config, &contract, &scenario)?;
        if suite.record.selection_hash != job.selection_hash {
            return Err(refuse(
                format!("the phrases of `{}` are not those that the run is about", scenario.suite),
                "give both sides the same phrase files",
            ));
        }
        let deck = deck(&suite, &scenario)?;
        let Connected { target, .. } =
            Connecting::new(config, contract, &posted.run).for_load(&scenario).connect(config).await?;
        let connections = match scenario.model {
            LoadModel::Arrivals => scenario.connections_of(shard),
            // A process of their own sends.
            LoadModel::Users => 1,
        };
        let target = Box::pin(load_target(target, &suite, &scenario, connections)).await?;
        let scenario = within_limits(scenario, target.target().contract());
        can_share(&scenario, shard.count)?;
        let engine = match scenario.model {
            LoadModel::Arrivals => {
                LoadEngine::Open(OpenEngine { threads: threads(scenario.peak(), shard.count) })
            }
            LoadModel::Users => LoadEngine::Users(Box::new(UsersEngine {
                arguments: send_again(config),
                order: UsersOrder {
                    name: job.name,
                    text: job.text,
                    time_scale: job.time_scale,
                    overrides: job.overrides,
                    seed: job.seed,
                    run: posted.run.to_string(),
                    target: config.target_name().to_owned(),
                    url: config.settings.url.clone(),
                    selection_hash: job.selection_hash,
                    idle_right: None,
                    shard,
                    start: None,
                },
            })),
        };
        let worker = format!("{:016x}", rand::random::<u64>());
        let joined = JoinedShard { run: posted.run, shard: shard.index, worker };
        if !patiently(|| board.join(&joined)).await? {
            return Err(refuse(
                format!("another worker has number {} of run `{}`", shard.index, joined.run),
                "each worker needs a number of its own",
            ));
        }
        let sending = Sending {
            ramps: Vec::new(),
            warm_up: Duration::ZERO,
            target: target.into(),
            deck,
            idle_right: None,
            first: 0,
            longest: Duration::ZERO,
            most: 0,
            shard,
            start: None,
            scenario: scenario.into(),
        };
        Ok(Self { board, joined, engine: Arc::new(engine), sending })
    }

    /// Sends what the run asks for, until it is over.
    ///
    /// # Errors
    /// The board cannot be reached, or whoever began the run is gone; nothing is sent any more then.
    pub async fn work(self, control: &RunControl) -> Result<Worked, DispatchError> {
        let worked = Shift::new(&self).work(control).await;
        self.board.close().await;
        worked
    }
}
