//! The target's own word that it is well, while it is loaded.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesOrdered, StreamExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::domain::LoadAbort;
use crate::load::Scenario;
use crate::target::{HealthError, LoadTarget};

/// How often it is asked for, whether or not the look before has ended...
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// ...and how long each answer may take: of a target that hangs the second look has failed within two seconds.
const LONGEST: Duration = Duration::from_secs(1);

/// Looks at the target's health again and again, in a task of their own: one that hangs must not hide anything else.
/// Dropping it ends them.
pub(super) struct Looks {
    told: mpsc::Receiver<Vec<HealthError>>,
    looking: JoinHandle<()>,
}

impl Looks {
    /// Begins, where the scenario asks for it.
    pub(super) fn begin(target: &Arc<LoadTarget>, scenario: &Scenario) -> Self {
        let (telling, told) = mpsc::channel(1);
        let (target, is_wanted) = (Arc::clone(target), scenario.abort_when.unhealthy);
        let looking = tokio::spawn(async move {
            let mut ticks = interval(LOOK_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut looks = FuturesOrdered::new();
            let mut failed = Vec::new();
            while is_wanted && failed.len() < 2 {
                tokio::select! {
                    _ = ticks.tick() => looks.push_back(target.look_for(LONGEST)),
                    Some(look) = looks.next() => {
                        match look {
                            Ok(_) => failed.clear(),
                            Err(error) => failed.push(error),
                        }
                    }
                }
            }
            if is_wanted {
                let _ = telling.send(failed).await;
            }
        });
        Self { told, looking }
    }

    /// Returns once two in a row have failed, with how many of them found no port or file on this machine; never else.
    pub(super) async fn failed(&mut self) -> (LoadAbort, u64) {
        let Some(failed) = self.told.recv().await else { return pending().await };
        let exhausted = failed.iter().map(|error| u64::from(error.is_exhaustion())).sum();
        // Without the one that was slow there were no two.
        let slow = failed.iter().find(|error| error.is_timeout());
        let why = slow.or(failed.last()).map(HealthError::detail);
        let seen = format!("the target's health request failed twice in a row: {}", why.unwrap_or_default());
        let rule = "unhealthy: true".to_owned();
        (LoadAbort { rule, seen, at_ms: 0.0, timed_out: slow.is_some() }, exhausted)
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        self.looking.abort();
    }
}
