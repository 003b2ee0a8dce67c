//! Removing what is older than it may become.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::config::RetentionSettings;
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
}

impl From<&RetentionSettings> for RetentionPolicy {
    fn from(settings: &RetentionSettings) -> Self {
        Self {
            runs: settings.time(&settings.runs),
            answers: settings.time(&settings.answers),
            traces: settings.time(&settings.traces),
            keep_last: settings.keep_last,
        }
    }
}

/// What was removed, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
    /// Jobs and messages that were over, and damaged files in the spool; none in a dry run, which does not count them.
    pub traces: Option<u64>,
}

/// Removes what is older than the policy lets it become; a dry run only says what would go.
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
    let prune = async |what, age: Option<Duration>| {
        // Without an age the number alone would decide.
        let keep_last = age.and(Some(policy.keep_last));
        let policy = PrunePolicy { what, older_than: age, keep_last, legacy: false, dry_run };
        store.prune(&policy, now).await
    };
    let runs = prune(Prunes::Run, policy.runs).await?;
    let answers = prune(Prunes::Answers, policy.answers).await?;
    let mut traces = (!dry_run).then_some(0);
    let cutoff = policy.traces.and_then(|age| now.checked_sub_signed(TimeDelta::from_std(age).ok()?));
    if let (Some(traces), Some(before)) = (&mut traces, cutoff) {
        *traces += store.prune_jobs(before).await?;
        *traces += store.forget_messages(before).await?;
        *traces += spool.forget_damaged(before.into())?;
    }
    Ok(Removed {
        // In a dry run those are still there that would go whole.
        answers: answers.pruned.iter().filter(|run| !runs.pruned.contains(run)).count(),
        runs: runs.pruned.len(),
        remaining: runs.remaining,
        held: runs.kept.max(answers.kept),
        unreadable: answers.unreadable,
        traces,
    })
}

impl Removed {
    /// Whether there was nothing to remove.
    pub fn is_nothing(&self) -> bool {
        (self.runs, self.answers, self.traces.unwrap_or_default()) == (0, 0, 0)
    }
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answers, held, unreadable, .. } = self;
        let runs = format!("{} run{}", self.runs, if self.runs == 1 { "" } else { "s" });
        match self.traces {
            Some(traces) => write!(
                f,
                "deleted {runs}, the answers of {answers}, and {traces} ended jobs, messages and damaged files"
            )?,
            None => write!(
                f,
                "would delete {runs} and the answers of {answers}, besides ended jobs and messages"
            )?,
        }
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
