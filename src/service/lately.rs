//! What takes a while to find out, and everybody may ask: it is found out once, and told for some time.

use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::problem::Problem;
use crate::dispatch::chain;

/// What was found out last. Whoever asks meanwhile waits for the same answer.
#[derive(Debug)]
pub(super) struct Lately<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for Lately<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Lately<T> {
    /// What was found out less than so long ago; else what is found out now.
    pub(super) async fn get<E>(
        &self,
        fresh: Duration,
        find: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut last = self.0.lock().await;
        if let Some((_, found)) = last.as_ref().filter(|(at, _)| at.elapsed() < fresh) {
            return Ok(found.clone());
        }
        let found = find.await?;
        *last = Some((Instant::now(), found.clone()));
        Ok(found)
    }
}

/// Does what takes a while, such as reading files, where it holds up nobody else.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|panic| {
        tracing::error!(error = chain(&panic), "a request failed");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "this is a bug; the log says more")
    })
}
