//! What takes a while to find out, and everybody may ask: it is found out once, and told for some seconds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokio::sync::Mutex;

use super::problem::Problem;
use crate::dispatch::chain;

/// How long it is told.
const FRESH: Duration = Duration::from_secs(5);

/// What was found out last. Whoever asks meanwhile waits for the same answer.
#[derive(Debug)]
pub(super) struct Lately<T>(Mutex<Option<(Instant, Arc<T>)>>);

impl<T> Default for Lately<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Send + Sync + 'static> Lately<T> {
    /// What was found out not long ago; else what this finds out now.
    pub(super) async fn get(&self, find: impl FnOnce() -> T + Send + 'static) -> Result<Arc<T>, Problem> {
        let mut last = self.0.lock().await;
        if let Some((_, found)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(Arc::clone(found));
        }
        let found = Arc::new(tokio::task::spawn_blocking(find).await.map_err(|panic| {
            tracing::error!(error = chain(&panic), "a request failed");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "this is a bug; the log says more")
        })?);
        *last = Some((Instant::now(), Arc::clone(&found)));
        Ok(found)
    }
}
