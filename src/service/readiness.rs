//! Whether a run would come to its end now: the database, the target, the model.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Service;
use super::lately::Lately;
use crate::config::Config;
use crate::dispatch::{Connected, chain};
use crate::reference::Model;
use crate::report::figures;

/// How long what was seen counts. Whoever asks often must not become a load for the target.
const FRESH: Duration = Duration::from_secs(10);
/// The same for the database: it is near, and a disk that is full is news.
const DATABASE_FRESH: Duration = Duration::from_secs(1);
/// How long a page shows what was seen, rather than wait for a new look; `watch` looks more often than that.
const SHOWN: Duration = Duration::from_secs(30);
/// How long a model that could be loaded counts as there.
const MODEL_FRESH: Duration = Duration::from_hours(1);
/// Scheduled targets beyond so many are not looked at.
const MOST_TARGETS: usize = 20;
/// How long a look at one of them may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// How one of them stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It was looked at and is well.
    Ok,
    /// It is not, or nobody could tell.
    Failed,
    /// None is wanted.
    None,
}

/// What was seen of one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Look {
    /// How it stands.
    pub(super) state: State,
    /// Which one it is, or what is wrong with it; left out for callers without a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Looks {
    /// Where runs are kept.
    pub(super) database: Look,
    /// The configured target.
    pub(super) target: Look,
    /// The reference model.
    pub(super) model: Look,
}

/// What was seen last.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    /// Held while somebody looks: of many who ask at once, one does.
    looking: Mutex<()>,
    seen: std::sync::Mutex<Option<(Instant, Looks)>>,
    database: Lately<Look>,
    model: Mutex<Option<Instant>>,
    targets: Lately<BTreeMap<String, bool>>,
}

impl Looks {
    /// Whether nothing is missing.
    pub(super) fn are_well(&self) -> bool {
        [&self.database, &self.target, &self.model].iter().all(|look| look.state != State::Failed)
    }

    /// The same without names and reasons.
    pub(super) fn without_details(mut self) -> Self {
        for look in [&mut self.database, &mut self.target, &mut self.model] {
            look.detail = None;
        }
        self
    }
}

impl Look {
    fn of(seen: Result<String, String>) -> Self {
        match seen {
            Ok(detail) => Self { state: State::Ok, detail: Some(detail) },
            Err(detail) => Self { state: State::Failed, detail: Some(detail) },
        }
    }
}

impl Readiness {
    fn seen(&self) -> MutexGuard<'_, Option<(Instant, Looks)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen_within(&self, age: Duration) -> Option<Looks> {
        self.seen().as_ref().filter(|(at, _)| at.elapsed() < age).map(|(_, looks)| looks.clone())
    }
}

impl Service {
    /// Looks at all three, or gives what was seen a moment ago.
    pub(super) async fn look(&self) -> Looks {
        let _looking = self.readiness.looking.lock().await;
        if let Some(looks) = self.readiness.seen_within(FRESH) {
            let looks = Looks { database: self.database().await, ..looks };
            return self.with_memory(looks);
        }
        let (database, target, model) =
            tokio::join!(self.database(), target(&self.config, self.config.target_name()), self.model());
        let looks = Looks { database, target, model };
        *self.readiness.seen() = Some((Instant::now(), looks.clone()));
        self.with_memory(looks)
    }

    /// What was seen not long ago, without a look.
    pub(super) fn seen(&self) -> Option<Looks> {
        self.readiness.seen_within(SHOWN).map(|looks| self.with_memory(looks))
    }

    /// The same, and what is in memory alone at this moment.
    fn with_memory(&self, mut looks: Looks) -> Looks {
        let waiting = self.queue.in_memory() as u64;
        if waiting > 0 {
            let runs = figures::count(waiting, "finished run is", "finished runs are");
            looks.database = Look::of(Err(format!(
                "{runs} in memory alone: neither the database nor the spool takes more; the log says why"
            )));
        }
        looks
    }

    /// Whether each target answers that the service runs against by itself: the configured one, and those of the
    /// schedules that are on.
    pub(super) async fn targets_up(&self, scheduled: &BTreeSet<String>) -> BTreeMap<String, bool> {
        let own = self.config.target_name();
        let mut up: BTreeMap<String, bool> =
            [(own.to_owned(), self.look().await.target.state == State::Ok)].into();
        let others = async {
            let mut looks = JoinSet::new();
            for name in scheduled.iter().filter(|name| *name != own).take(MOST_TARGETS) {
                let (config, name) = (Arc::clone(&self.config), name.clone());
                looks.spawn(async move {
                    let look = target(&config, &name).await;
                    (name, look.state == State::Ok)
                });
            }
            Ok::<_, Infallible>(looks.join_all().await.into_iter().collect())
        };
        let Ok(others) = self.readiness.targets.get(FRESH, others).await;
        up.extend(others);
        up
    }

    /// Whether finished runs can be kept; no, if nobody could tell within this time.
    pub(super) async fn store_is_up(&self, patience: Duration) -> bool {
        let look = tokio::time::timeout(patience, self.database()).await;
        self.queue.in_memory() == 0 && look.is_ok_and(|look| look.state == State::Ok)
    }

    async fn database(&self) -> Look {
        let look = async {
            let beat = async { self.store.beat().await.map(|()| "it takes what is written".to_owned()) };
            let mut seen = within(beat).await;
            if seen.is_ok() && self.queue.is_failing() {
                seen = Err("the queue cannot be used; the log says why".to_owned());
            }
            Ok::<_, Infallible>(Look::of(seen))
        };
        let Ok(look) = self.readiness.database.get(DATABASE_FRESH, look).await;
        look
    }

    async fn model(&self) -> Look {
        let Some(options) = self.config.reference() else { return Look { state: State::None, detail: None } };
        let mut seen = self.readiness.model.lock().await;
        let loaded = "it can be loaded".to_owned();
        if seen.is_some_and(|at| at.elapsed() < MODEL_FRESH) {
            return Look::of(Ok(loaded));
        }
        let loading = tokio::task::spawn_blocking(move || Model::load(&options).map(drop)).await;
        let look = match loading {
            Ok(Ok(())) => Ok(loaded),
            Ok(Err(error)) => Err(chain(&error)),
            Err(panic) => Err(panic.to_string()),
        };
        *seen = look.is_ok().then(Instant::now);
        Look::of(look)
    }
}

async fn target(config: &Config, name: &str) -> Look {
    let look = async {
        let connected = Connected::to_look(&config.for_target(name)).await?;
        let version =
            connected.health.version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
        connected.close().await;
        Ok::<_, crate::dispatch::DispatchError>(format!("{name}{version}"))
    };
    Look::of(Box::pin(within(look)).await)
}

async fn within<E: std::error::Error + 'static>(
    look: impl Future<Output = Result<String, E>>,
) -> Result<String, String> {
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(seen) => seen.map_err(|error| chain(&error)),
        Err(_) => Err(format!("it did not answer within {PATIENCE:?}")),
    }
}
