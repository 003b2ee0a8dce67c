//! The spool, as a service empties it: at every look, and no faster than the store takes it.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use super::error::chain;
use crate::domain::Job;
use crate::store::{Spool, Store, StoreError, StoreErrorKind};

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
}

impl Delivery {
    pub(super) fn new(spool: Spool) -> Self {
        Self { spool, left: Vec::new(), again: Instant::now() }
    }

    /// Brings what waits to the store, and gives the jobs that are over by that.
    pub(super) async fn look(&mut self, store: &dyn Store) -> Result<Vec<Job>, StoreError> {
        let pending = self.spool.pending()?;
        if pending.is_empty() {
            return Ok(Vec::new());
        }
        if pending == self.left && Instant::now() < self.again {
            // The lease of one of them may be over by now.
            return store.settle_jobs(&self.spool.runs()?).await;
        }
        let report = self.spool.deliver(store).await?;
        tracing::info!(delivered = report.delivered.len(), "records that waited go to the database");
        for (path, error) in &report.failed {
            tracing::warn!(path = %path.display(), error = chain(error), "a record has to wait");
        }
        let away =
            |error: &StoreError| matches!(error.kind(), StoreErrorKind::Unreachable | StoreErrorKind::Busy);
        let rest = if report.failed.iter().any(|(_, error)| away(error)) { Duration::ZERO } else { REST };
        (self.left, self.again) = (self.spool.pending()?, Instant::now() + rest);
        Ok(report.ended)
    }
}
