//! Pages and reports that take a while to make: as many at once as there are cores, some more wait for their turn, and
//! whoever comes then is sent away. Others are answered meanwhile, and memory stays bounded.

use std::sync::Arc;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;

/// So many wait for their turn, at most.
const WAITING: usize = 64;

/// Who may make something now.
#[derive(Debug)]
pub(super) struct Rendering {
    at_once: Arc<Semaphore>,
    /// For those who make something and those who wait.
    room: Arc<Semaphore>,
}

/// The right to make something now. What it is made of is best read once one has it.
#[derive(Debug)]
pub(super) struct Turn {
    _place: OwnedSemaphorePermit,
    _room: OwnedSemaphorePermit,
}

impl Default for Rendering {
    fn default() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, usize::from), WAITING)
    }
}

impl Rendering {
    fn new(at_once: usize, waiting: usize) -> Self {
        Self { at_once: Arc::new(Semaphore::new(at_once)), room: Arc::new(Semaphore::new(at_once + waiting)) }
    }

    /// Waits for a turn; a problem where too many wait already.
    pub(super) async fn turn(&self) -> Result<Turn, Problem> {
        let busy = || Problem::busy("too many pages and reports are asked for at once");
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| busy())?;
        // Nobody closes it.
        let place = Arc::clone(&self.at_once).acquire_owned().await.map_err(|_| busy())?;
        Ok(Turn { _place: place, _room: room })
    }
}

impl Turn {
    /// Makes something, called `what`, where nobody waits for it but its caller.
    pub(super) async fn make<T: Send + 'static>(
        self,
        what: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let made = tokio::task::spawn_blocking(move || {
            // A caller who went away gives nobody else the turn before this has come to its end.
            let _turn = self;
            work()
        });
        made.await.map_err(|panic| cannot(what, &panic))
    }
}

/// The problem with something that cannot be made, which is a bug.
pub(super) fn cannot(what: &str, error: &(dyn std::error::Error + 'static)) -> Problem {
    tracing::error!(error = crate::dispatch::chain(error), "{what} cannot be rendered");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{what} cannot be rendered; the log says why"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn some_wait_for_their_turn_and_one_too_many_is_sent_away() {
        let rendering = Arc::new(Rendering::new(1, 1));
        let first = rendering.turn().await.expect("a turn");
        let second = {
            let rendering = Arc::clone(&rendering);
            tokio::spawn(async move { rendering.turn().await?.make("it", || 7).await })
        };
        while rendering.room.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(!second.is_finished());
        let third = rendering.turn().await.expect_err("there is no room");
        assert_eq!((third.status, third.retry_after), (503, Some(1)));
        assert_eq!(first.make("it", || 3).await, Ok(3));
        assert_eq!(second.await.expect("it ends"), Ok(7));
        assert!(rendering.turn().await.is_ok());
    }

    #[tokio::test]
    async fn what_panics_is_a_problem_and_gives_its_turn_back() {
        let rendering = Rendering::new(1, 0);
        let problem = rendering.turn().await.expect("a turn").make("it", || panic!("a bug")).await;
        assert_eq!(problem.map(|(): ()| ()).expect_err("it panicked").status, 500);
        assert!(rendering.turn().await.is_ok());
    }
}
