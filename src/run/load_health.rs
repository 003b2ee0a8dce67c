//! The target's own word that it is well, while it is loaded.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::interval;

use crate::domain::LoadAbort;
use crate::load::Scenario;
use crate::target::LoadTarget;

/// How often it is asked for, and how long each answer may take: the second look in a row that fails has ended within a
/// second, and so a target that hangs is known to within three.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks at the target's health again and again, in a task of their own: one that hangs must not hide anything else.
/// Dropping it ends them.
pub(super) struct Looks {
    told: mpsc::Receiver<()>,
    looking: JoinHandle<()>,
}

impl Looks {
    /// Begins, where the scenario asks for it.
    pub(super) fn begin(target: &Arc<LoadTarget>, scenario: &Scenario) -> Self {
        let (telling, told) = mpsc::channel(1);
        let (target, is_wanted) = (Arc::clone(target), scenario.abort_when.unhealthy);
        let looking = tokio::spawn(async move {
            let mut looks = interval(LOOK_EVERY);
            let mut failed_in_a_row = 0;
            while is_wanted && failed_in_a_row < 2 {
                looks.tick().await;
                let look = target.target().look_for(LOOK_EVERY).await;
                failed_in_a_row = if look.is_ok() { 0 } else { failed_in_a_row + 1 };
            }
            if is_wanted {
                let _ = telling.send(()).await;
            }
        });
        Self { told, looking }
    }

    /// Returns once two in a row have failed; never else.
    pub(super) async fn failed(&mut self) -> LoadAbort {
        if self.told.recv().await.is_none() {
            return pending().await;
        }
        let seen = "the target's health request failed twice in a row".to_owned();
        LoadAbort { rule: "unhealthy: true".to_owned(), seen, at_ms: 0.0 }
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        self.looking.abort();
    }
}
