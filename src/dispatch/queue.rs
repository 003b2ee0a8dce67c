//! One queue for everybody who asks for runs: the HTTP API, the schedule, whoever comes next.
//!
//! [`Queue::submit`] takes names and nothing else: a suite or a scenario that this program knows, and a target that the
//! configuration names. Jobs are in the store, so that several instances share them; [`super::Worker`] runs them.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Utc;
use tokio::sync::Notify;

use super::error::{DispatchError, chain};
use super::execute::check_batch;
use super::feed::Feed;
use super::in_memory::InMemory;
use super::load::may_be_loaded;
use crate::config::Config;
use crate::document::nearest_hint;
use crate::domain::{Job, NewJob, RunId, RunKind, RunRecord};
use crate::load::{ScenarioError, scenario_names, shipped_scenario};
use crate::store::{Store, StoreError, Submitted};
use crate::suite::SuiteError;
use crate::target::ContractError;

/// Feeds of jobs that are over are kept for late readers, so many.
const KEPT_FEEDS: usize = 32;
/// How long a watcher may take before its news are given up.
const WATCHER_PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// Longest idempotency key, and longest name of a requester, in bytes.
const LONGEST_WORD: usize = 200;

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// The suite of this name.
    Suite(String),
    /// The shipped scenario of this name.
    Scenario(String),
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What is to be run.
    pub work: Work,
    /// Against which target; nothing means the scenario's own, or the configured one.
    pub target: Option<String>,
    /// Of two that wait, the one of higher priority goes first.
    pub priority: i32,
    /// Who asks: `api:NAME`, `schedule:NAME`.
    pub requester: String,
    /// A word of the requester's own: asking again with the same one makes no second run.
    pub idempotency_key: Option<String>,
}

/// Why nothing was put into the queue.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no such suite, scenario or target here.
    #[error("there is no {what} `{name}` here")]
    Unknown {
        /// Suite, scenario or target.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// Advice.
        hint: String,
    },
    /// The target does not take what is to be run.
    #[error("{message}")]
    Unfit {
        /// What it does not take.
        message: String,
        /// Advice.
        hint: String,
    },
    /// A word is empty, or too long.
    #[error("{what} must have 1 to {LONGEST_WORD} characters, none of them a control character")]
    Word {
        /// Which word.
        what: &'static str,
    },
    /// The key stands for another request.
    #[error("the idempotency key was used for another request: run `{known}`")]
    KeyReused {
        /// What it stands for.
        known: RunId,
    },
    /// So many wait that one more would not have its turn in any useful time.
    #[error("the queue is full: `service.queue_limit` is {most}")]
    Full {
        /// How many may wait.
        most: u32,
    },
    /// The suites cannot be read.
    #[error(transparent)]
    Suites(#[from] SuiteError),
    /// The scenario cannot be read.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The target's contract cannot be used.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DispatchError> for AskError {
    fn from(error: DispatchError) -> Self {
        match error {
            DispatchError::Contract(error) => Self::Contract(error),
            DispatchError::Suite(error) => Self::Suites(error),
            other => Self::Unfit { hint: other.hint().unwrap_or_default(), message: chain(&other) },
        }
    }
}

impl AskError {
    /// What is wrong on one line, for those who cannot open the files. It holds no text of a phrase.
    pub fn in_a_line(&self) -> String {
        match self {
            Self::Suites(error) => format!("the suite cannot be read: {}", error.in_a_line()),
            Self::Scenario(error) => format!("the scenario cannot be read: {}", error.in_a_line()),
            Self::Contract(error) => format!("the target cannot be used: {}", error.problems.in_a_line()),
            Self::Unknown { .. }
            | Self::Unfit { .. }
            | Self::Word { .. }
            | Self::KeyReused { .. }
            | Self::Full { .. }
            | Self::Store(_) => chain(self),
        }
    }

    /// How to mend it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { hint, .. } | Self::Unfit { hint, .. } => Some(hint.clone()),
            Self::KeyReused { .. } => Some("use a new key for a new request".to_owned()),
            Self::Full { .. } => Some("ask again when some have run, or stop some".to_owned()),
            Self::Suites(error) => error.hint().map(str::to_owned),
            Self::Scenario(error) => error.hint().map(str::to_owned),
            Self::Store(error) => error.hint().map(str::to_owned),
            Self::Word { .. } | Self::Contract(_) => None,
        }
    }
}

/// What happened to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It is in the queue.
    Queued,
    /// This instance began to run it.
    Began,
    /// It is over, as its state says.
    Ended,
    /// The instance that ran it is gone; it waits again, or is lost.
    Lost,
    /// This instance stops, or could not hold it, and put it back into the queue.
    HandedBack,
}

/// Something that happened, for those who watch the queue.
#[derive(Debug, Clone)]
pub struct News {
    /// What happened.
    pub turn: Turn,
    /// The job, as it stands since.
    pub job: Job,
    /// What its run found, where this instance ran it to its end.
    pub record: Option<Arc<RunRecord>>,
}

/// Somebody who is told what happens: notifications, metrics. The instance to whom it happens tells, so that of several
/// on one database one does.
pub trait Watcher: fmt::Debug + Send + Sync {
    /// Takes the news in. The worker waits for it, though not for long.
    fn tell<'a>(&'a self, news: &'a News) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// The queue, and what is known here of its jobs.
#[derive(Debug)]
pub struct Queue {
    pub(super) config: Arc<Config>,
    pub(super) store: Arc<dyn Store>,
    /// Who this instance is.
    pub(super) instance: String,
    /// Woken when a job may have become ready.
    pub(super) ready: Notify,
    /// Told of each wish that a job may stop, so that one that runs here hears it at once.
    pub(super) asked: Notify,
    /// How many workers could not use it when they looked last.
    pub(super) failing: AtomicUsize,
    /// Finished runs that nothing takes.
    pub(super) in_memory: InMemory,
    feeds: Mutex<VecDeque<(RunId, Arc<Feed>)>>,
    watchers: Vec<Arc<dyn Watcher>>,
}

impl Queue {
    /// A queue in this store; `instance` is how this process is called in it.
    pub fn new(
        config: Arc<Config>,
        store: Arc<dyn Store>,
        instance: String,
        watchers: Vec<Arc<dyn Watcher>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            config,
            store,
            instance,
            ready: Notify::new(),
            asked: Notify::new(),
            failing: AtomicUsize::new(0),
            in_memory: InMemory::default(),
            feeds: Mutex::default(),
            watchers,
        })
    }

    /// Puts a run into the queue; the job that is there already, if this requester asked with the same key before.
    ///
    /// What stands in our own files and is broken is no fault of who asks: that job fails when its turn comes, and is
    /// seen, counted and told of. An older pass must not stand for it.
    ///
    /// # Errors
    /// There is no such thing, or the target does not take it; the queue is full, or the store fails.
    pub async fn submit(&self, ask: Ask) -> Result<Submitted, AskError> {
        let (config, wanted) = (Arc::clone(&self.config), ask.clone());
        // Files are read for it.
        let checked = tokio::task::spawn_blocking(move || {
            is_known(&config, &wanted)?;
            match fits(&config, &wanted) {
                Err(error @ AskError::Unfit { .. }) => Err(error),
                Ok(()) | Err(_) => Ok(()),
            }
        });
        match checked.await {
            Ok(checked) => checked?,
            Err(panic) => std::panic::resume_unwind(Box::new(panic.to_string())),
        }
        self.submit_unseen(ask).await
    }

    /// The same for names that were looked up when the service began. If they are gone by now the job fails when its turn
    /// comes, and is seen, counted and told of like any other; one that was never made would be missed by nobody.
    ///
    /// # Errors
    /// A word cannot be used, or the store fails.
    pub async fn submit_unseen(&self, ask: Ask) -> Result<Submitted, AskError> {
        let job = self.job(ask)?;
        let most = self.config.settings.service.queue_limit;
        let submitted = self.store.submit_job(&job, most).await?.ok_or(AskError::Full { most })?;
        match &submitted {
            Submitted::Known(known) => {
                let is_same = (known.kind, &known.name, &known.target) == (job.kind, &job.name, &job.target);
                if !is_same {
                    return Err(AskError::KeyReused { known: known.id.clone() });
                }
            }
            Submitted::New(job) => {
                self.ready.notify_one();
                self.tell(News { turn: Turn::Queued, job: job.clone(), record: None }).await;
            }
        }
        Ok(submitted)
    }

    /// Stops a job for somebody. One that is over stays as it is.
    ///
    /// # Errors
    /// There is no such job, or the store fails.
    pub async fn cancel(&self, id: &RunId, by: &str) -> Result<Job, StoreError> {
        let job = self.store.cancel_job(id, by).await?;
        self.asked.notify_waiters();
        if job.state.is_over() && job.attempt == 0 && job.cancelled_by.as_deref() == Some(by) {
            self.tell(News { turn: Turn::Ended, job: job.clone(), record: None }).await;
        }
        Ok(job)
    }

    /// What a job tells, if it runs here or ran here not long ago.
    pub fn feed(&self, id: &RunId) -> Option<Arc<Feed>> {
        self.feeds().iter().rev().find(|(known, _)| known == id).map(|(_, feed)| Arc::clone(feed))
    }

    /// Whether somebody who is to run what waits here cannot use the queue.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed) > 0
    }

    /// The instance's name.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    fn job(&self, ask: Ask) -> Result<NewJob, AskError> {
        let target = asked_target(&self.config, &ask);
        let Ask { work, target: _, priority, requester, idempotency_key } = ask;
        let is_word =
            |word: &str| (1..=LONGEST_WORD).contains(&word.len()) && !word.chars().any(char::is_control);
        if idempotency_key.as_deref().is_some_and(|key| !is_word(key)) {
            return Err(AskError::Word { what: "an idempotency key" });
        }
        if !is_word(&requester) {
            return Err(AskError::Word { what: "a requester" });
        }
        let (kind, name) = match work {
            Work::Suite(name) => (RunKind::Accuracy, name),
            Work::Scenario(name) => (RunKind::Load, name),
        };
        let id = RunId::new(Utc::now(), rand::random());
        Ok(NewJob { id, kind, name, target, priority, requester, idempotency_key })
    }

    /// Begins to keep what a job tells.
    pub(super) fn open_feed(&self, job: &Job) -> Arc<Feed> {
        let feed = Feed::new(job.clone());
        let mut feeds = self.feeds();
        feeds.retain(|(known, _)| known != &job.id);
        feeds.push_back((job.id.clone(), Arc::clone(&feed)));
        while feeds.len() > KEPT_FEEDS {
            feeds.pop_front();
        }
        feed
    }

    /// Tells everybody who watches, but not of what was typed: whoever typed it knows.
    pub(super) async fn tell(&self, news: News) {
        if news.job.typed {
            return;
        }
        for watcher in &self.watchers {
            if tokio::time::timeout(WATCHER_PATIENCE, watcher.tell(&news)).await.is_err() {
                tracing::warn!(job = %news.job.id, ?watcher, "one who watches the queue took too long");
            }
        }
    }

    fn feeds(&self) -> MutexGuard<'_, VecDeque<(RunId, Arc<Feed>)>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses what could not be run: names that mean nothing here, a suite or a contract that cannot be used, and what the
/// target does not take.
///
/// # Errors
/// The first of it.
pub fn check_ask(config: &Config, ask: &Ask) -> Result<(), AskError> {
    is_known(config, ask)?;
    if let Work::Suite(name) = &ask.work {
        config.catalog().load(std::slice::from_ref(name), config.suite_size(name))?;
    }
    fits(config, ask)
}

fn is_known(config: &Config, ask: &Ask) -> Result<(), AskError> {
    known_work(config, &ask.work)?;
    known_target(config, &asked_target(config, ask))
}

/// Whether the target that is meant takes it; which ones do, if not.
fn fits(config: &Config, ask: &Ask) -> Result<(), AskError> {
    let target = asked_target(config, ask);
    takes(&config.for_target(&target), &ask.work).map_err(|error| match error {
        AskError::Unfit { message, hint } => {
            let takers = takers(config, &ask.work);
            let hint = if takers.is_empty() {
                hint
            } else {
                format!("these targets take it: {}", takers.join(", "))
            };
            AskError::Unfit { message, hint }
        }
        error => error,
    })
}

/// The targets that take it.
pub fn takers(config: &Config, work: &Work) -> Vec<String> {
    let is_fit = |name: &String| takes(&config.for_target(name), work).is_ok();
    config.served_targets().into_iter().filter(is_fit).collect()
}

/// Whether the configured target takes it.
fn takes(config: &Config, work: &Work) -> Result<(), AskError> {
    let contract = config.contract_here(config.target_name())?;
    let Work::Scenario(name) = work else {
        return Ok(check_batch(&contract, config.settings.run.batch)?);
    };
    let scenario = shipped_scenario(name)?;
    may_be_loaded(&contract, &scenario, config.wants_demo())?;
    scenario.fits(&contract).map_err(|error| {
        let found = error.problems.iter().next();
        let why = found.map_or_else(String::new, |problem| problem.message.clone());
        let message =
            format!("the scenario `{name}` sends {} phrases in a request, and {why}", scenario.batch);
        AskError::Unfit {
            message,
            hint: "a target's `batch` describes its endpoint: docs/targets.md".to_owned(),
        }
    })
}

/// The target that is meant.
pub fn asked_target(config: &Config, ask: &Ask) -> String {
    let own = || match &ask.work {
        Work::Scenario(name) => shipped_scenario(name).ok()?.target,
        Work::Suite(_) => None,
    };
    ask.target.clone().or_else(own).unwrap_or_else(|| config.target_name().to_owned())
}

/// A suite is found by its name alone: a file or a folder of that name is another thing.
pub(super) fn known_work(config: &Config, work: &Work) -> Result<(), AskError> {
    match work {
        Work::Suite(name) => {
            let names: Vec<String> = config.catalog().names()?.into_iter().map(|(name, _)| name).collect();
            known("suite", name, &names)
        }
        Work::Scenario(name) => {
            let names: Vec<String> = scenario_names().into_iter().map(str::to_owned).collect();
            known("scenario", name, &names)?;
            shipped_scenario(name)?;
            Ok(())
        }
    }
}

/// Whether there is such a target here, and what is to be run.
///
/// # Errors
/// There is not, or nobody knows.
pub fn look_up(config: &Config, work: Option<&Work>, target: &str) -> Result<(), AskError> {
    known_target(config, target)?;
    work.map_or(Ok(()), |work| known_work(config, work))
}

fn known_target(config: &Config, name: &str) -> Result<(), AskError> {
    let served = config.served_targets();
    known("target", name, &served).map_err(|error| match error {
        AskError::Unknown { what, name, .. } if config.target_names().contains(&name) => {
            let hint = format!("`{name}` is a preset: name a target that extends it under `targets`");
            AskError::Unknown { what, name, hint }
        }
        error => error,
    })
}

fn known(what: &'static str, name: &str, names: &[String]) -> Result<(), AskError> {
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    Err(AskError::Unknown { what, name: name.to_owned(), hint: nearest_hint(name, &words) })
}
