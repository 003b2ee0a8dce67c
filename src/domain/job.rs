//! A run that somebody asked for, from the asking to the end.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Conclusion, RunId, RunKind};

/// How far a job came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for its turn.
    Queued,
    /// An instance runs it.
    Running,
    /// It ran, and its run is kept: `conclusion` says what came out.
    Finished,
    /// It could not be run, or its run could not be kept: `message` says why.
    Failed,
    /// Somebody stopped it; what was found until then is kept.
    Cancelled,
    /// The instance that ran it is gone, and it is not run again.
    Lost,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Running, Self::Finished, Self::Failed, Self::Cancelled, Self::Lost];

    /// The state's name, as it is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }

    /// Whether nothing more will happen to it.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Finished | Self::Failed | Self::Cancelled | Self::Lost => true,
        }
    }
}

/// What is asked for: a suite or a scenario by its name, against a target by its name. Nothing here is an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewJob {
    /// Its name; the first run that it makes has the same.
    pub id: RunId,
    /// Whether it is a suite or a scenario that is run.
    pub kind: RunKind,
    /// The suite's or the scenario's name.
    pub name: String,
    /// The target's name.
    pub target: String,
    /// Of two that wait, the one of higher priority goes first.
    pub priority: i32,
    /// Who asked: `api:NAME`, `schedule:NAME`, `cli:USER`.
    pub requester: String,
    /// A word of the requester's own: asking again with the same one makes no second job.
    pub idempotency_key: Option<String>,
}

/// A job, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// Its name.
    pub id: RunId,
    /// Whether it is a suite or a scenario that is run.
    pub kind: RunKind,
    /// The suite's or the scenario's name.
    pub name: String,
    /// The target's name.
    pub target: String,
    /// Of two that wait, the one of higher priority goes first.
    pub priority: i32,
    /// Who asked.
    pub requester: String,
    /// The requester's own word for it.
    pub idempotency_key: Option<String>,
    /// How far it came.
    pub state: JobState,
    /// When it was asked for.
    pub submitted_at: DateTime<Utc>,
    /// When the newest attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
    /// How often it was begun.
    pub attempt: i32,
    /// How often the instance that ran it was lost.
    pub times_lost: i32,
    /// The instance that runs it or ran it last.
    pub instance: Option<String>,
    /// Who asked it to stop.
    pub cancelled_by: Option<String>,
    /// The run of the newest attempt; there is a record of it once the job has finished.
    pub run: Option<RunId>,
    /// What came out.
    pub conclusion: Option<Conclusion>,
    /// What else there is to say: why it failed, who lost it.
    pub message: Option<String>,
    /// Whether it was typed in a terminal: its own process runs it, and nobody else.
    pub typed: bool,
    /// When the answers of its run were removed for their age.
    pub answers_removed_at: Option<DateTime<Utc>>,
}

/// What stands before a scenario's name where a suite's would stand.
const LOAD: &str = "load ";

impl RunKind {
    /// What records call a suite or a scenario of this name. A scenario is `load NAME`, so that its runs are a series of
    /// their own.
    pub fn suite_name(self, name: &str) -> String {
        match self {
            Self::Accuracy => name.to_owned(),
            Self::Load => format!("{LOAD}{name}"),
        }
    }

    /// What records call so, and its own name.
    pub fn of_suite_name(suite: &str) -> (Self, &str) {
        suite.strip_prefix(LOAD).map_or((Self::Accuracy, suite), |scenario| (Self::Load, scenario))
    }
}

impl Job {
    /// What is said of a job that came to no run, or whose run is not kept: whatever it was, nothing shows it.
    pub const NOT_RUN: &'static str = "not_run";

    /// What came of it, in a word; none while it is not over.
    pub fn outcome(&self) -> Option<&'static str> {
        match (self.state, self.conclusion) {
            (JobState::Queued | JobState::Running, _) => None,
            (JobState::Finished | JobState::Cancelled, Some(conclusion)) => Some(conclusion.as_str()),
            (JobState::Cancelled, None) => Some(JobState::Cancelled.as_str()),
            // It takes no run to find that out.
            (JobState::Failed | JobState::Lost, Some(Conclusion::TargetFailed)) => {
                Some(Conclusion::TargetFailed.as_str())
            }
            (JobState::Finished | JobState::Failed | JobState::Lost, _) => Some(Self::NOT_RUN),
        }
    }

    /// What records call the suite or scenario.
    pub fn suite_name(&self) -> String {
        self.kind.suite_name(&self.name)
    }
}
