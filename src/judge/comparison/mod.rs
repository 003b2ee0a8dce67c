//! Two runs over the same phrases, held against each other: what changed, and whether that can be chance.

mod answers;
mod latency;
mod pairs;
mod tables;
mod unpaired;
mod warnings;

use crate::domain::{Change, Level, LoadComparison, RunBrief, RunComparison, RunId, RunKind, RunRecord};

/// Why two runs cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// One of them holds no phrase at all.
    #[error("the run `{run}` holds no phrase")]
    NoPhrase {
        /// That one.
        run: RunId,
    },
    /// The answers of one were removed: whether a phrase was steady and how long it took cannot be told any more.
    #[error(
        "the answers of the run `{run}` were removed for their age, and its figures alone cannot be paired"
    )]
    Removed {
        /// That one.
        run: RunId,
    },
    /// One is a load run and the other is not.
    #[error("the runs `{baseline}` and `{candidate}` are not of one kind: one of them is a load run")]
    Kinds {
        /// The baseline.
        baseline: RunId,
        /// The other run.
        candidate: RunId,
    },
    /// Their targets alert a human at different levels, so that their rates count different things.
    #[error(
        "the runs `{baseline}` and `{candidate}` alert from different levels on, `{baseline_level}` and \
         `{candidate_level}`: their false positives and negatives are not the same thing"
    )]
    AlertLevels {
        /// The baseline.
        baseline: RunId,
        /// Its alert level.
        baseline_level: Level,
        /// The other run.
        candidate: RunId,
        /// Its alert level.
        candidate_level: Level,
    },
}

impl Incomparable {
    /// What can be done about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Kinds { .. } => "compare a load run with one of the same scenario".to_owned(),
            Self::NoPhrase { .. } => "`thrash runs list` tells which runs there are".to_owned(),
            Self::Removed { .. } => {
                "`thrash runs hold` and `thrash baseline set` keep a run's answers, if said in time"
                    .to_owned()
            }
            Self::AlertLevels { candidate_level, .. } => {
                format!("`--alert-level {candidate_level}` counts both from one level on")
            }
        }
    }
}

/// Compares two runs whose targets alert a human at the same level.
///
/// A phrase is the same one when id and text are the same. Both answers are judged by the candidate's labels, so that a
/// corrected label is no change of the service. Where too few are the same, the runs as a whole stand beside it.
///
/// # Errors
/// [`Incomparable`] says what keeps the comparison from meaning anything.
pub fn compare(baseline: &RunRecord, candidate: &RunRecord) -> Result<RunComparison, Incomparable> {
    let [baseline_level, candidate_level] = [baseline, candidate].map(|run| run.target.alert_level);
    if baseline_level != candidate_level {
        return Err(Incomparable::AlertLevels {
            baseline: baseline.id.clone(),
            baseline_level,
            candidate: candidate.id.clone(),
            candidate_level,
        });
    }
    compare_at(baseline, candidate, candidate_level)
}

/// Compares two runs, counting alerts from this level on whatever their targets' own is.
///
/// # Errors
/// One of the runs holds no phrase.
pub fn compare_at(
    baseline: &RunRecord,
    candidate: &RunRecord,
    alert_level: Level,
) -> Result<RunComparison, Incomparable> {
    if let Some(empty) = [baseline, candidate].into_iter().find(|run| run.results.is_empty()) {
        return Err(Incomparable::NoPhrase { run: empty.id.clone() });
    }
    let removed = |run: &&RunRecord| run.answers_removed_at.is_some() && run.kind == RunKind::Accuracy;
    if let Some(run) = [baseline, candidate].into_iter().find(removed) {
        return Err(Incomparable::Removed { run: run.id.clone() });
    }
    if baseline.kind != candidate.kind {
        return Err(Incomparable::Kinds { baseline: baseline.id.clone(), candidate: candidate.id.clone() });
    }
    let pairing = pairs::pair(baseline, candidate);
    let steady: Vec<_> = pairing.pairs.iter().filter(|pair| pair.change != Some(Change::Flaky)).collect();
    let warnings = warnings::warnings(baseline, candidate, alert_level, &pairing);
    let batch = baseline.options.batch.max(candidate.options.batch).max(1) as u64;
    let rates = tables::rates(&steady, alert_level, batch);
    let mut comparison = RunComparison {
        baseline: brief(baseline, alert_level),
        candidate: brief(candidate, alert_level),
        warnings,
        compared: steady.len() as u64,
        accuracy: tables::accuracy(&steady),
        metrics: rates,
        slices: tables::slices(&steady),
        latency: match (&baseline.load, &candidate.load) {
            (Some(_), Some(_)) => latency::compare_histograms(&baseline.latency, &candidate.latency),
            _ => latency::compare(&pairing.pairs),
        },
        load: LoadComparison::of(baseline, candidate).map(Box::new),
        changes: pairs::changes(pairing),
        unpaired: Vec::new(),
    };
    if comparison.accuracy.answers.is_some() {
        comparison.warnings.extend(warnings::slower(&comparison.latency));
    }
    if !comparison.compares_enough() {
        comparison.unpaired = unpaired::rates(baseline, candidate, alert_level);
    }
    Ok(comparison)
}

fn brief(run: &RunRecord, alert_level: Level) -> RunBrief {
    RunBrief {
        id: run.id.clone(),
        status: Some(run.status),
        started_at: run.started_at,
        suite: run.suite.name.clone(),
        selection_hash: run.suite.selection_hash.clone(),
        target: run.target.name.clone(),
        target_version: run.target.version.clone(),
        contract_hash: run.target.contract_hash.clone(),
        alert_level,
        phrases: run.metrics.phrases,
    }
}
