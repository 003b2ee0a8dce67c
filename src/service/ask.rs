//! What callers change, through the API or on a page: it is done, and written down who did it.

use axum::http::StatusCode;
use chrono::Utc;

use super::problem::Problem;
use super::schedule::{self, ScheduleView};
use super::{Caller, Service};
use crate::config::PlannedJob;
use crate::dispatch::{Ask, Work};
use crate::domain::{Job, JobState, RunId};
use crate::store::Submitted;

/// What somebody wants to be run.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) work: Work,
    /// Against which target; none leaves it to the scenario or the configuration.
    pub(super) target: Option<String>,
    pub(super) priority: i32,
    pub(super) idempotency_key: Option<String>,
}

impl Service {
    /// Puts a run into the queue for somebody.
    pub(super) async fn submit(&self, caller: &Caller, wish: Wish) -> Result<Job, Problem> {
        if self.stopping.drain.is_cancelled() {
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the service is about to stop"));
        }
        let Wish { work, target, priority, idempotency_key } = wish;
        let ask = Ask { work, target, priority, requester: caller.requester(), idempotency_key };
        Ok(match self.queue.submit(ask).await? {
            Submitted::New(job) => {
                caller.audit(&format!("asked for run {} (`{}` against `{}`)", job.id, job.name, job.target));
                job
            }
            Submitted::Known(job) => job,
        })
    }

    /// Stops a run for somebody, and gives it as it stands: one that was over stays as it is.
    pub(super) async fn stop(&self, caller: &Caller, id: &RunId) -> Result<Job, Problem> {
        let job = self.queue.cancel(id, &caller.requester()).await?;
        if !job.state.is_over() || job.state == JobState::Cancelled {
            caller.audit(&format!("stopped run {id}"));
        }
        Ok(job)
    }

    /// Begins a run of a schedule's job now.
    pub(super) async fn run_schedule(&self, caller: &Caller, name: &RunId) -> Result<Job, Problem> {
        let job = schedule::run_now(&self.queue, &self.planned(name)?).await?;
        caller.audit(&format!("asked for run {} of the schedule `{name}`", job.id));
        Ok(job)
    }

    /// Switches a schedule on or off.
    pub(super) async fn switch_schedule(
        &self,
        caller: &Caller,
        name: &RunId,
        on: bool,
    ) -> Result<ScheduleView, Problem> {
        let job = self.planned(name)?;
        let view = schedule::enable(&self.config, self.store.as_ref(), &job, on, Utc::now()).await?;
        caller.audit(&format!("switched the schedule `{name}` {}", if on { "on" } else { "off" }));
        Ok(view)
    }

    fn planned(&self, name: &RunId) -> Result<PlannedJob, Problem> {
        let job = schedule::planned_job(&self.config, name.as_str());
        job.ok_or_else(|| Problem::not_found("there is no such schedule"))
    }
}
