//! Removing what is older than it may become.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};

use crate::config::RetentionSettings;
use crate::domain::{RunId, count};
use crate::store::{PrunePolicy, Prunes, Spool, Store, StoreError};

/// How long what is stored is kept; none is for ever. Held runs and baselines stay whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetentionPolicy {
    /// Runs.
    pub runs: Option<Duration>,
    /// The answers, times and texts of their phrases.
    pub answers: Option<Duration>,
    /// Jobs and messages that are over, and damaged files in the spool.
    pub traces: Option<Duration>,
    /// The newest so many runs of each suite and target stay whole.
    pub keep_last: usize,
    /// At most so many runs of each suite and target stay, the newest; none is any number.
    pub most_runs: Option<usize>,
    /// At most so many of those keep their answers.
    pub most_answers: Option<usize>,
    /// At most so many damaged files stay in the spool, the newest; none is any number.
    pub most_damaged: Option<usize>,
}

impl From<&RetentionSettings> for RetentionPolicy {
    fn from(settings: &RetentionSettings) -> Self {
        Self {
            runs: settings.time(&settings.runs),
            answers: settings.time(&settings.answers),
            traces: settings.time(&settings.traces),
            keep_last: settings.keep_last,
            most_runs: settings.most_runs,
            most_answers: settings.most_answers,
            most_damaged: settings.most_damaged,
        }
    }
}

/// What was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Removed {
    /// Runs.
    pub runs: usize,
    /// Runs that lost the answers of their phrases.
    pub answers: usize,
    /// Runs that are still there.
    pub remaining: usize,
    /// Those of them that are whole only because they are held or a baseline.
    pub held: usize,
    /// Runs whose answers stay because their records cannot be read.
    pub unreadable: usize,
    /// Jobs that were over.
    pub jobs: u64,
    /// Messages that were over.
    pub messages: u64,
    /// Damaged files in the spool.
    pub damaged: Vec<PathBuf>,
    /// Whether nothing was really removed.
    pub dry_run: bool,
}

/// Removes what is older than the policy lets it become, or more than it lets be; a dry run only says what would go.
///
/// # Errors
/// The store or the spool fails; what was removed until then is gone.
pub async fn retain(
    store: &dyn Store,
    spool: &Spool,
    policy: &RetentionPolicy,
    now: DateTime<Utc>,
    dry_run: bool,
) -> Result<Removed, StoreError> {
    let prune = async |what, age: Option<Duration>, most| {
        // Without an age that number alone would decide.
        let keep_last = age.and(Some(policy.keep_last));
        let policy = PrunePolicy { what, older_than: age, keep_last, most, legacy: false, dry_run };
        store.prune(&policy, now).await
    };
    let runs = prune(Prunes::Run, policy.runs, policy.most_runs).await?;
    let answers = prune(Prunes::Answers, policy.answers, policy.most_answers).await?;
    let cutoff = policy.traces.and_then(|age| now.checked_sub_signed(TimeDelta::from_std(age).ok()?));
    let (mut jobs, mut messages) = (0, 0);
    if let Some(before) = cutoff {
        jobs = store.prune_jobs(before, dry_run).await?;
        messages = store.forget_messages(before, dry_run).await?;
    }
    let damaged = spool.forget_damaged(cutoff.map(SystemTime::from), policy.most_damaged, dry_run)?;
    // In a dry run those are still there that would go whole.
    let whole: HashSet<&RunId> = runs.pruned.iter().collect();
    let stay = |of: &[RunId]| of.iter().filter(|run| !whole.contains(run)).count();
    Ok(Removed {
        answers: stay(&answers.pruned),
        unreadable: stay(&answers.unreadable),
        runs: runs.pruned.len(),
        remaining: runs.remaining,
        held: runs.kept.max(answers.kept),
        jobs,
        messages,
        damaged,
        dry_run,
    })
}

impl Removed {
    /// Whether there was nothing to remove.
    pub fn is_nothing(&self) -> bool {
        (self.runs, self.answers, self.jobs, self.messages) == (0, 0, 0, 0) && self.damaged.is_empty()
    }
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answers, held, unreadable, .. } = self;
        let done = if self.dry_run { "would delete" } else { "deleted" };
        let (runs, jobs) = (count(self.runs, "run", "runs"), count(self.jobs, "ended job", "ended jobs"));
        let messages = count(self.messages, "message", "messages");
        let damaged = count(self.damaged.len(), "damaged file", "damaged files");
        write!(f, "{done} {runs}, the answers of {answers}, {jobs}, {messages} and {damaged}")?;
        write!(f, "; {} runs remain", self.remaining)?;
        if *held > 0 {
            write!(f, ", {held} of them whole only because they are held or baselines")?;
        }
        if *unreadable > 0 {
            write!(f, "; the answers of {unreadable} should go, and their records cannot be read")?;
        }
        Ok(())
    }
}
