//! An attempt at a job: prepared and run, short of being kept.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::error::{DispatchError, chain};
use super::execute::{Executed, Judged, Prepared};
use super::held::Others;
use super::hold::{Reason, Why};
use super::keep::Kept;
use super::load::LoadPlan;
use super::queue::{Queue, Work, known_work};
use crate::domain::{Conclusion, Job, JobState, RunEvent, RunKind, RunRecord, RunRequest, RunStatus};
use crate::load::shipped_scenario;
use crate::run::RunControl;
use crate::store::{JobEnd, SPOOLED};

/// A job whose lease runs out in so many attempts is lost.
const MOST_ATTEMPTS: i32 = 3;

/// What an attempt came to.
pub(super) enum Attempt {
    /// It found something, which is to be kept.
    Judged(Box<Judged>),
    /// There is nothing to keep.
    Ended(Outcome),
}

/// What becomes of a job.
pub(super) enum Outcome {
    /// It is over.
    Over {
        end: JobEnd,
        record: Option<Arc<RunRecord>>,
        /// The file in which the record waits for the database.
        waits: Option<PathBuf>,
    },
    /// It goes back into the queue, if it is still ours.
    HandBack,
}

/// Prepares and runs.
pub(super) async fn attempt(
    queue: Arc<Queue>,
    job: Job,
    control: RunControl,
    reason: Arc<Reason>,
    events: mpsc::Sender<RunEvent>,
) -> Attempt {
    // Another instance may know targets that this one does not: what would be asked here under that name is another thing.
    if !queue.config.served_targets().contains(&job.target) {
        let message = format!("the instance that took it knows no target `{}`", job.target);
        return Attempt::Ended(Outcome::failed(message, None));
    }
    let config = queue.config.for_target(&job.target);
    let id = job.run.clone().unwrap_or_else(|| job.id.clone());
    let judged = match job.kind {
        RunKind::Accuracy => {
            if let Err(error) = known_work(&config, &Work::Suite(job.name.clone())) {
                return Attempt::Ended(Outcome::failed(chain(&error), None));
            }
            let request = RunRequest { suites: vec![job.name.clone()], ..RunRequest::default() };
            let prepared = tokio::select! {
                prepared = Prepared::named(&config, &request, &[], id) => prepared,
                () = control.stopping() => return Attempt::Ended(unbegun(&job, &reason)),
            };
            match prepared {
                Ok(prepared) => Ok(Box::pin(prepared.judge(control, events)).await),
                Err(error) => Err(error),
            }
        }
        RunKind::Load => {
            let scenario = match shipped_scenario(&job.name) {
                Ok(scenario) => scenario,
                Err(error) => return Attempt::Ended(Outcome::failed(chain(&error), None)),
            };
            let plan = match LoadPlan::named(&config, scenario, &[], id) {
                Ok(plan) => plan,
                Err(error) => return Attempt::Ended(Outcome::over(not_begun(&error))),
            };
            let prepared = tokio::select! {
                prepared = Box::pin(plan.connect(&config, None, None)) => prepared,
                () = control.stopping() => return Attempt::Ended(unbegun(&job, &reason)),
            };
            match prepared {
                Ok(prepared) => Box::pin(prepared.judge(&Others::NoQueue, control, events)).await,
                Err(error) => Err(error),
            }
        }
    };
    let judged = match judged {
        Ok(judged) => judged,
        Err(error) => return Attempt::Ended(Outcome::over(not_begun(&error))),
    };
    match (job.kind, judged.record.status, reason.get()) {
        // Half a suite is no result: it is run again.
        (RunKind::Accuracy, RunStatus::Interrupted, Some(Why::Leaving)) => Attempt::Ended(Outcome::HandBack),
        (RunKind::Accuracy, RunStatus::Interrupted, Some(Why::Superseded)) => {
            Attempt::Ended(Outcome::superseded(&job))
        }
        // It had come to its end before it was told to stop, or is to be kept as far as it came.
        (
            RunKind::Accuracy | RunKind::Load,
            RunStatus::Completed | RunStatus::Aborted | RunStatus::Interrupted,
            _,
        ) => Attempt::Judged(Box::new(judged)),
    }
}

/// What becomes of a job whose run was told to stop before its first phrase.
fn unbegun(job: &Job, reason: &Reason) -> Outcome {
    match reason.get() {
        Some(Why::Cancelled) | None => Outcome::over(JobEnd {
            state: JobState::Cancelled,
            conclusion: None,
            message: Some("nothing was sent yet".to_owned()),
        }),
        Some(Why::Leaving) => Outcome::HandBack,
        Some(Why::Superseded) => Outcome::superseded(job),
    }
}

impl Outcome {
    /// What becomes of a job whose lease ran out in mid-run: it is run again, but not for ever where the database is too slow
    /// for any lease.
    fn superseded(job: &Job) -> Self {
        if job.attempt < MOST_ATTEMPTS {
            return Self::HandBack;
        }
        let message = format!("its lease ran out in attempt {}: the database is too slow", job.attempt);
        Self::over(JobEnd { state: JobState::Lost, conclusion: None, message: Some(message) })
    }

    /// The end of a job of which nothing is kept.
    pub(super) fn over(end: JobEnd) -> Self {
        Self::Over { end, record: None, waits: None }
    }

    pub(super) fn failed(message: String, conclusion: Option<Conclusion>) -> Self {
        Self::over(JobEnd { state: JobState::Failed, conclusion, message: Some(message) })
    }

    /// The end of a job whose run has ended. One of which nothing is left is run again, unless it is a load.
    pub(super) fn of(executed: Executed, why: Option<Why>) -> Self {
        let Executed { record, kept, .. } = executed;
        if matches!((&kept, record.kind), (Kept::Lost { .. }, RunKind::Accuracy)) {
            return Self::HandBack;
        }
        let end = end_of(&record, &kept, why == Some(Why::Cancelled));
        let waits = match kept {
            Kept::Spooled { path, .. } => Some(path),
            Kept::Stored { .. } | Kept::NotWanted | Kept::Lost { .. } => None,
        };
        Self::Over { end, record: Some(Arc::new(record)), waits }
    }
}

/// The end of a job whose run has ended; `is_cancelled` is whether one that was cut short counts as cancelled.
pub(super) fn end_of(record: &RunRecord, kept: &Kept, is_cancelled: bool) -> JobEnd {
    let message = match kept {
        Kept::Stored { .. } => None,
        Kept::NotWanted => Some("no store is configured: the record was not kept".to_owned()),
        Kept::Spooled { cause, .. } => Some(format!("{SPOOLED}: {}", chain(cause))),
        Kept::Lost { cause, spool } => {
            Some(format!("NOT KEPT: {}; and the spool cannot take it either: {}", chain(cause), chain(spool)))
        }
    };
    let is_kept = matches!(kept, Kept::Stored { .. } | Kept::Spooled { .. });
    let state = match (is_kept, record.status) {
        (false, _) => JobState::Failed,
        (true, RunStatus::Interrupted) if is_cancelled => JobState::Cancelled,
        (true, RunStatus::Completed | RunStatus::Aborted | RunStatus::Interrupted) => JobState::Finished,
    };
    JobEnd { state, conclusion: Some(record.verdict.conclusion), message }
}

/// The end of a job whose run could not begin.
pub(super) fn not_begun(error: &DispatchError) -> JobEnd {
    let conclusion = match error {
        DispatchError::Health(_) => Some(Conclusion::TargetFailed),
        // What fails on this machine says nothing of the target.
        DispatchError::Demo(_)
        | DispatchError::Load(_)
        | DispatchError::Suite(_)
        | DispatchError::Contract(_)
        | DispatchError::Url(_)
        | DispatchError::Connection(_)
        | DispatchError::Options { .. }
        | DispatchError::Reference(_)
        | DispatchError::Baseline { .. }
        | DispatchError::Location(_)
        | DispatchError::Board(_)
        | DispatchError::Busy { .. }
        | DispatchError::PlaceLost { .. }
        | DispatchError::Stopped { .. }
        | DispatchError::Workers { .. } => None,
    };
    JobEnd { state: JobState::Failed, conclusion, message: Some(chain(error)) }
}
