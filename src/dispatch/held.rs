//! A typed run's place in the queue while it goes on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::attempt::not_begun;
use super::entry::{Entry, PATIENCE, Tell, not_sent};
use super::error::{DispatchError, chain};
use super::load_check::before_it;
use crate::config::Config;
use crate::domain::{Beside, NewJob};
use crate::run::RunControl;
use crate::store::{JobEnd, Store};

/// How long the queue may take to hear of the end of a run whose record the database did not take.
const LESS_PATIENCE: Duration = Duration::from_secs(1);
/// And how long, once everything is to stop at once: the record may have taken almost all the time that there is.
const LAST_PATIENCE: Duration = Duration::from_millis(500);

/// What is known of other loads when one that was typed begins.
#[derive(Debug)]
pub enum Others {
    /// They wait: this one's turn has come.
    Wait(Held),
    /// There is no queue to look into.
    NoQueue,
    /// The queue could not be asked, and why.
    Unknown(String),
}

/// An entry that is held while its run goes on.
#[derive(Debug)]
pub struct Held {
    /// The load, where it is one.
    load: Option<Arc<Entry>>,
    over: oneshot::Sender<JobEnd>,
    /// Gives what the queue could not be told.
    holding: JoinHandle<Option<String>>,
}

impl Others {
    /// The store of the queue, if it was opened for that.
    pub(super) fn store(&self) -> Option<Arc<dyn Store>> {
        match self {
            Self::Wait(held) => held.store(),
            Self::NoQueue | Self::Unknown(_) => None,
        }
    }

    /// Its place in the queue.
    pub(super) fn held(self) -> Option<Held> {
        match self {
            Self::Wait(held) => Some(held),
            Self::NoQueue | Self::Unknown(_) => None,
        }
    }

    /// Whether another load may have been sent beside this one, whose sending is over; and whether that ended it.
    pub(super) async fn beside(&self, control: &RunControl) -> Option<(Beside, bool)> {
        let entry = match self {
            Self::Wait(Held { load: Some(entry), .. }) => entry,
            Self::Wait(_) | Self::NoQueue => return None,
            Self::Unknown(why) => {
                let reason = format!("whether another load was sent beside it is not known: {why}");
                return Some((Beside { place_lost: false, reason }, false));
            }
        };
        tokio::select! {
            biased;
            beside = entry.beside() => beside,
            () = control.aborted() => Some(entry.not_asked("everything was stopped")),
        }
    }
}

impl Held {
    /// Holds the place of a load that has begun.
    pub(super) fn hold(entry: Entry, control: RunControl, say: Tell) -> Self {
        let (over, ended) = oneshot::channel();
        let entry = Arc::new(entry);
        let load = Some(Arc::clone(&entry));
        Self { load, over, holding: tokio::spawn(async move { entry.hold(control, say, ended).await }) }
    }

    /// Puts a suite into the queue as soon as the store is open, and holds it. The run need not wait for that.
    pub(super) fn suite(
        config: &Config,
        job: NewJob,
        store: oneshot::Receiver<Arc<dyn Store>>,
        control: RunControl,
        say: Tell,
    ) -> Self {
        let (over, ended) = oneshot::channel();
        let config = config.clone();
        let holding = tokio::spawn(async move {
            // Whoever keeps the record says why there is no store.
            let Ok(store) = store.await else { return None };
            let entry = Entry::new(store, job, config.settings.service.lease.0);
            match entry.enter().await {
                Ok(()) => {
                    // Each run has a demo of its own.
                    if !config.wants_demo()
                        && let Some(load) = entry.load_at_its_target().await
                    {
                        say(&format!("{}: what this run sees may be its doing", before_it(&load)));
                    }
                    entry.forget_old(&config).await;
                    entry.hold(control, say, ended).await
                }
                Err(error) => {
                    entry.leave().await;
                    Some(format!("the queue does not know of this run: {}", chain(&error)))
                }
            }
        });
        Self { load: None, over, holding }
    }

    fn store(&self) -> Option<Arc<dyn Store>> {
        self.load.as_ref().map(|entry| Arc::clone(&entry.store))
    }

    /// Says how the run ended; gives what the queue could not be told. Where the database did not even take the record
    /// (`is_well`) it is not waited for as long, and once everything is to stop at once hardly at all.
    pub(super) async fn end(self, end: JobEnd, is_well: bool, control: &RunControl) -> Option<String> {
        let Self { load: _, over, mut holding } = self;
        // Nobody hears it where the queue could not be entered.
        let _ = over.send(end);
        let hurry = async {
            let aborted = async {
                control.aborted().await;
                sleep(LAST_PATIENCE).await;
            };
            let _ = timeout(if is_well { PATIENCE } else { LESS_PATIENCE }, aborted).await;
        };
        tokio::select! {
            biased;
            untold = &mut holding => untold.unwrap_or_else(|panic| Some(panic.to_string())),
            () = hurry => {
                holding.abort();
                Some("the queue was not told in time that this run has ended".to_owned())
            }
        }
    }

    /// Says that no run came of it, and why.
    pub(super) async fn fail(self, error: &DispatchError, control: &RunControl) {
        let end = match error {
            DispatchError::Stopped { .. } => not_sent(),
            error => not_begun(error),
        };
        let store = self.store();
        if let Some(untold) = self.end(end, true, control).await {
            tracing::warn!("{untold}");
        }
        if let Some(store) = store {
            store.close().await;
        }
    }
}
