//! Holding a job: its lease is renewed while it runs, and whoever wants the run to stop is listened to.
//!
//! As soon as the lease is over somebody else may take the job, so the run stops sending before that. It lasts, at the
//! least, from the moment when its last renewal was asked for, however long the answer took and whatever the two clocks
//! show.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::error::chain;
use super::queue::Queue;
use super::worker::Stopping;
use crate::domain::{Job, RunKind};
use crate::run::RunControl;
use crate::store::{Lease, Renewed};

/// A lease is renewed at least so often: that is how a wish to stop comes from another instance.
pub(super) const RENEW_EVERY: Duration = Duration::from_secs(3);
/// No renewal is given up sooner, however short the lease is.
pub(super) const RENEW_PATIENCE: Duration = Duration::from_secs(1);

/// Why a run was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Somebody asked for that.
    Cancelled,
    /// The job is somebody else's, or may be at any moment.
    Superseded,
    /// This instance stops.
    Leaving,
}

/// The first reason to stop a run, for those who run it and those who hold its lease.
pub(super) type Reason = OnceLock<Why>;

/// A job that is held.
pub(super) struct Hold<'a> {
    pub(super) queue: &'a Queue,
    pub(super) job: &'a Job,
    pub(super) lease: &'a Lease,
    /// How long the lease lasts.
    pub(super) length: Duration,
    pub(super) stopping: &'a Stopping,
    pub(super) control: &'a RunControl,
    pub(super) reason: &'a Reason,
}

impl Hold<'_> {
    /// Holds the job until nobody can want anything of it any more. The lease was asked for at `asked`.
    pub(super) async fn hold(&self, asked: Instant) {
        let (renewed, last) = watch::channel(asked);
        let holding = async {
            // A lease that could not be renewed in time is, as soon as it can be, unless somebody took the job: what was
            // found may still wait to be kept.
            tokio::join!(self.renew(renewed), self.run_out(last));
        };
        tokio::join!(holding, self.leave());
    }

    /// Renews the lease until it is over.
    async fn renew(&self, renewed: watch::Sender<Instant>) {
        let job = &self.job.id;
        let mut fails = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep((self.length / 3).min(RENEW_EVERY)) => {}
                () = self.queue.asked.notified() => {}
            }
            let asked = Instant::now();
            let renewal = self.queue.store.renew_job(self.lease, self.length);
            // One that hangs on a dead connection leaves room for another try.
            let told = tokio::time::timeout((self.length / 3).max(RENEW_PATIENCE), renewal).await;
            // Once is enough for the log.
            let failed = std::mem::replace(&mut fails, !matches!(told, Ok(Ok(_))));
            match told {
                Ok(Ok(Renewed::Held)) => drop(renewed.send_replace(asked)),
                Ok(Ok(Renewed::Cancelled)) => {
                    renewed.send_replace(asked);
                    self.stop(Why::Cancelled);
                }
                Ok(Ok(Renewed::Over)) => {
                    tracing::warn!(%job, "the run is somebody else's by now: it is given up here");
                    return self.stop(Why::Superseded);
                }
                Ok(Err(_)) | Err(_) if failed => {}
                Ok(Err(error)) => {
                    tracing::warn!(%job, error = chain(&error), "the lease of a run cannot be renewed");
                }
                Err(_) => tracing::warn!(%job, "the lease of a run was not renewed in time"),
            }
        }
    }

    /// Stops the run when a quarter of its lease is left.
    async fn run_out(&self, mut last: watch::Receiver<Instant>) {
        loop {
            let end = *last.borrow_and_update() + self.length * 3 / 4;
            tokio::select! {
                renewed = last.changed() => if renewed.is_err() { return },
                () = tokio::time::sleep_until(end) => break,
            }
        }
        tracing::warn!(job = %self.job.id, "the lease of a run ends: the run stops before others may take it");
        self.stop(Why::Superseded);
    }

    /// Stops the run when this instance stops.
    async fn leave(&self) {
        let Stopping { drain, abort } = self.stopping;
        // A suite may still come to its end in time. A load is not begun again by itself, so it ends here.
        if self.job.kind == RunKind::Load {
            tokio::select! {
                () = drain.cancelled() => self.stop(Why::Leaving),
                () = abort.cancelled() => {}
            }
        }
        abort.cancelled().await;
        self.stop(Why::Leaving);
        self.control.abort();
    }

    fn stop(&self, why: Why) {
        // The first reason counts.
        let _ = self.reason.set(why);
        match why {
            // Something is left of it: what it found until then.
            Why::Cancelled | Why::Leaving => self.control.drain(),
            // Not even what is on its way may reach the target beside somebody else's.
            Why::Superseded => self.control.abort(),
        }
    }
}
