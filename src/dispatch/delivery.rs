//! The spool, as a service empties it: at every look, and no faster than the store takes it.

use std::mem::take;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::error::chain;
use crate::domain::{Job, RunId};
use crate::store::{Spool, Store, StoreError, StoreErrorKind, run_of};

/// How long a record rests that the store does not take although it is there.
const REST: Duration = Duration::from_mins(1);

/// A spool, and what is known of it.
#[derive(Debug)]
pub(super) struct Delivery {
    spool: Spool,
    /// The files that the store did not take.
    left: Vec<PathBuf>,
    /// When they are tried again.
    again: Instant,
    /// Runs whose jobs the store does not know to be over yet; the files of some are gone.
    unsettled: Vec<RunId>,
    /// Runs whose records are damaged, with what is to be said of their jobs, which the store does not know yet.
    damaged: Vec<(RunId, String)>,
    /// Jobs that are over, and were not given to anybody.
    ended: Vec<Job>,
}

impl Delivery {
    pub(super) fn new(spool: Spool) -> Self {
        let (left, unsettled, damaged, ended) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { spool, left, again: Instant::now(), unsettled, damaged, ended }
    }

    /// Brings what waits to the store, and gives the jobs that are over by that. While the store does not know of all of
    /// them it is an error: whoever took a job then could begin one anew whose record is here.
    pub(super) async fn look(&mut self, store: &dyn Store) -> Result<Vec<Job>, StoreError> {
        let pending = self.spool.pending()?;
        if !pending.is_empty() && pending == self.left && Instant::now() < self.again {
            // The lease of one of them may be over by now.
            self.ended.extend(store.settle_jobs(&self.spool.runs()?).await?);
        } else if !pending.is_empty() {
            self.deliver(store).await?;
        }
        if !self.unsettled.is_empty() {
            self.ended.extend(store.settle_jobs(&self.unsettled).await?);
            self.unsettled.clear();
        }
        // A job that had finished by a record which is none has failed since.
        while let Some((run, why)) = self.damaged.last() {
            self.ended.extend(store.fail_job(run, why).await?);
            self.damaged.pop();
        }
        Ok(take(&mut self.ended))
    }

    async fn deliver(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let report = self.spool.deliver(store).await?;
        if !report.delivered.is_empty() {
            tracing::info!(delivered = report.delivered.len(), "records that waited went to the database");
        }
        for (path, reason) in &report.set_aside {
            let reason = chain(reason);
            tracing::error!(path = %path.display(), reason, "NOT KEPT: a record that waited is damaged");
            // That is no end of its run.
            let Some(run) = run_of(path) else { continue };
            self.unsettled.retain(|unsettled| *unsettled != run);
            self.damaged.push((run, damaged(path)));
        }
        for (path, error) in &report.failed {
            tracing::warn!(path = %path.display(), error = chain(error), "a record has to wait");
        }
        let away =
            |error: &StoreError| matches!(error.kind(), StoreErrorKind::Unreachable | StoreErrorKind::Busy);
        let rest = if report.failed.iter().any(|(_, error)| away(error)) { Duration::ZERO } else { REST };
        self.ended.extend(report.ended);
        if let Some((runs, error)) = report.unsettled {
            self.unsettled.retain(|run| !runs.contains(run));
            self.unsettled.extend(runs);
            return Err(error);
        }
        (self.left, self.again) = (self.spool.pending()?, Instant::now() + rest);
        Ok(())
    }
}

/// What is said of a job whose record was found to be damaged, and set aside as this file.
pub(super) fn damaged(path: &Path) -> String {
    format!("NOT KEPT: the record that waited was damaged: `{}`", path.display())
}
