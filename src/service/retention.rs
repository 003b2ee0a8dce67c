//! At the start and once a day, what is older than it may become goes.
//!
//! Every instance does so at its own time: what one removed the next does not find.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;

use super::Service;
use crate::dispatch::{RetentionPolicy, chain, retain, spool};

const EVERY: Duration = Duration::from_hours(24);
/// After a store that failed.
const AGAIN: Duration = Duration::from_hours(1);

pub(super) async fn work(service: Arc<Service>) {
    let policy = RetentionPolicy::from(&service.config.settings.retention);
    let spool = spool(&service.config);
    let stop = &service.stopping.drain;
    while !stop.is_cancelled() {
        let removing = retain(service.store.as_ref(), &spool, &policy, Utc::now(), false);
        let removed = tokio::select! {
            () = stop.cancelled() => return,
            removed = removing => removed,
        };
        let wait = match removed {
            Ok(removed) => {
                if !removed.is_nothing() {
                    tracing::info!(target: "thrash::audit", "by `retention`: {removed}");
                }
                EVERY
            }
            Err(error) => {
                tracing::warn!(error = chain(&error), "what is too old cannot be removed");
                AGAIN
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}
