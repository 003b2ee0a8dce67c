//! Which runs are old enough to go, or to lose their answers.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::codec::{decode_record, encode_record};
use super::summary::stored_id;
use crate::domain::RunId;

/// What goes of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prunes {
    /// All of it.
    #[default]
    Run,
    /// The answers, times and texts of its phrases. Figures stay, and the level and verdict of each phrase.
    Answers,
}

/// Which runs are pruned: those that `older_than` and `keep_last` both let go, as far as they are set, and those beyond `most`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrunePolicy {
    /// What goes.
    pub what: Prunes,
    /// Runs that started longer ago than this.
    pub older_than: Option<Duration>,
    /// All but the newest so many of each suite and target: a quick run every half hour must not push out the nightly.
    pub keep_last: Option<usize>,
    /// However young they are, all but the newest so many of each suite and target.
    pub most: Option<usize>,
    /// Whether runs that an earlier program stored may go too. They have no record that answers could be taken from.
    pub legacy: bool,
    /// Whether nothing is deleted, only reported.
    pub dry_run: bool,
}

/// What pruning did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PruneReport {
    /// The runs that went, or lost their answers, newest first.
    pub pruned: Vec<RunId>,
    /// Runs that would have gone if they were not kept.
    pub kept: usize,
    /// Runs whose answers should have gone, and whose records cannot be read.
    pub unreadable: Vec<RunId>,
    /// Runs that are still there.
    pub remaining: usize,
    /// Whether nothing was really deleted.
    pub dry_run: bool,
}

/// What became of the answers of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinned {
    Gone,
    /// Somebody kept the run in the meantime, or was quicker.
    Kept,
    /// The record cannot be read, so they cannot be taken from it.
    Unreadable,
}

/// The record without the answers, times and texts of its phrases; else why it stays as it is.
pub(super) fn thinned(json: &str, now: DateTime<Utc>) -> Result<String, Thinned> {
    let mut record = decode_record(json).map_err(|_| Thinned::Unreadable)?;
    if record.answers_removed_at.is_some() {
        return Err(Thinned::Kept);
    }
    record.answers_removed_at = Some(now);
    for result in &mut record.results {
        result.text = None;
        result.observations.clear();
    }
    encode_record(&record).map_err(|_| Thinned::Unreadable)
}

/// Runs that go in one transaction, so that pruning years of them neither holds the lock long nor meets a deadline.
pub(super) const BATCH: usize = 200;

/// The columns of a run that pruning looks at: `id`, `run_id`, suite, `target`, `start_time`, `keep`, and whether its
/// answers are gone.
pub(super) type PruneRow = (i64, Option<String>, String, Option<String>, NaiveDateTime, bool, bool);

/// What is to go.
pub(super) struct PrunePlan {
    /// The rows' numbers, with the runs' names.
    pub(super) doomed: Vec<(i64, RunId)>,
    kept: usize,
    total: usize,
}

impl PrunePlan {
    /// Decides over all runs, given newest first.
    pub(super) fn of(runs: Vec<PruneRow>, policy: &PrunePolicy, now: DateTime<Utc>) -> Self {
        let mut plan = Self { doomed: Vec::new(), kept: 0, total: runs.len() };
        let cutoff =
            policy.older_than.and_then(|age| now.checked_sub_signed(chrono::TimeDelta::from_std(age).ok()?));
        let mut ranks: HashMap<(String, Option<String>), usize> = HashMap::new();
        for (number, run_id, suite, target, start, keep, thin) in runs {
            let rank = ranks.entry((suite, target)).or_default();
            *rank += 1;
            let too_old = cutoff.is_some_and(|cutoff| start.and_utc() < cutoff);
            let too_many = policy.keep_last.is_some_and(|last| *rank > last);
            let unwanted = match (policy.older_than, policy.keep_last) {
                (Some(_), Some(_)) => too_old && too_many,
                (Some(_), None) => too_old,
                (None, Some(_)) => too_many,
                (None, None) => false,
            } || policy.most.is_some_and(|most| *rank > most);
            let beyond = match policy.what {
                Prunes::Run => run_id.is_none() && !policy.legacy,
                Prunes::Answers => run_id.is_none() || thin,
            };
            if !unwanted || beyond {
                continue;
            }
            if keep {
                plan.kept += 1;
            } else {
                plan.doomed.push((number, stored_id(number, run_id)));
            }
        }
        plan
    }

    /// The report once the rows of these numbers are done with; others were kept by somebody in the meantime.
    pub(super) fn report(
        self,
        gone: &[i64],
        unreadable: &[i64],
        &PrunePolicy { what, dry_run, .. }: &PrunePolicy,
    ) -> PruneReport {
        let gone: std::collections::HashSet<&i64> = gone.iter().collect();
        let planned = self.doomed.len();
        let (mut pruned, mut stuck) = (Vec::with_capacity(gone.len()), Vec::with_capacity(unreadable.len()));
        for (number, id) in self.doomed {
            if gone.contains(&number) {
                pruned.push(id);
            } else if unreadable.contains(&number) {
                stuck.push(id);
            }
        }
        PruneReport {
            kept: self.kept + planned - pruned.len() - stuck.len(),
            unreadable: stuck,
            remaining: match what {
                Prunes::Run => self.total - pruned.len(),
                Prunes::Answers => self.total,
            },
            pruned,
            dry_run,
        }
    }
}
