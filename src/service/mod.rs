//! `thrash serve`: what stands for months and is asked over HTTP.
//!
//! [`Serving::begin`] refuses what would be unsafe, takes the store, and listens; [`Serving::run`] answers and works until
//! it is told to stop. [`Service`] is what every part of it shares. The parts:
//!
//! - `api`: the resources, one file each. An `api::Endpoint` says what it is, who may ask, and who answers: the router
//!   and the document are both made from that.
//! - `dashboard`: the pages for people; `ask`: what both may change.
//! - `access`, `limit`, `guard`: who asks, how often, and from where.
//! - `server`: connections, their deadlines and their number.
//! - [`metrics`]: what Prometheus is told, on a listener of its own; `watch` keeps it true.
//! - [`schedule`]: runs that begin by themselves; `tell`: what came of each run, for notifications; `retention`: what
//!   is too old goes.
//!
//! More parts are plugged in at two places: pages and resources in `Service::router`, and what runs beside them (a
//! schedule, a metrics listener) in `Serving::beside`.

mod access;
mod api;
mod ask;
mod dashboard;
mod guard;
mod hash;
mod lately;
mod limit;
pub mod metrics;
mod problem;
mod readiness;
mod render;
mod retention;
pub mod schedule;
mod server;
mod serving;
mod tell;
mod tls;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::get;
use chrono::Utc;
use tokio::sync::Semaphore;

pub(crate) use access::Caller;
pub use api::trend;
pub use hash::{hash_key, new_key};
pub use serving::{SHORTEST_KEY, ServeError, Serving, check_settings};
pub use tls::connector;

use crate::config::{Config, ListedSuite};
use crate::dispatch::{Queue, Stopping};
use crate::store::{RunFilter, Store};
use access::Keys;
use dashboard::Sessions;
use lately::{Lately, blocking};
use limit::Limiter;
use problem::Problem;
use readiness::Readiness;
use render::Rendering;
use schedule::ScheduleView;
use tell::Teller;

/// How long what files say is told without reading them again.
const FILES_FRESH: Duration = Duration::from_secs(5);

/// What every part of the service shares.
#[derive(Debug)]
pub struct Service {
    /// The settings.
    pub config: Arc<Config>,
    /// Where runs are kept.
    pub store: Arc<dyn Store>,
    /// Who asked for what.
    pub queue: Arc<Queue>,
    /// How it stops.
    pub stopping: Stopping,
    /// What Prometheus is told.
    pub metrics: metrics::Metrics,
    keys: Keys,
    limiter: Limiter,
    readiness: Readiness,
    rendering: Rendering,
    /// Where each target is. A contract takes a while to read, and does not change.
    places: Vec<(String, String)>,
    /// Every suite, and why it cannot be run.
    suites: Lately<Arc<Result<Vec<ListedSuite>, String>>>,
    /// Why schedules cannot be run, by name.
    broken_schedules: Lately<Arc<BTreeMap<String, String>>>,
    /// The targets as they are shown.
    targets: Vec<api::TargetView>,
    teller: Arc<Teller>,
    results: api::ResultCache,
    sessions: Sessions,
    /// Room for those who read events.
    streams: Arc<Semaphore>,
}

impl Service {
    fn new(
        config: Arc<Config>,
        store: Arc<dyn Store>,
        queue: Arc<Queue>,
        teller: Arc<Teller>,
        stopping: Stopping,
    ) -> Arc<Self> {
        let keys = Keys::of(&config);
        // Those who read events keep their connections; half of them are for everybody else.
        let streams = (config.settings.service.connections / 2).max(1);
        let limiter = Limiter::new(&config.settings.service.rate_limit);
        let (places, targets) = (config.target_places(), api::target_views(&config));
        Arc::new(Self {
            config,
            store,
            queue,
            stopping,
            metrics: metrics::Metrics::default(),
            keys,
            limiter,
            readiness: Readiness::default(),
            rendering: Rendering::default(),
            places,
            suites: Lately::default(),
            broken_schedules: Lately::default(),
            targets,
            teller,
            results: api::ResultCache::default(),
            sessions: Sessions::new(),
            streams: Arc::new(Semaphore::new(streams)),
        })
    }

    /// Every suite, as it was read not long ago; or why nobody knows which there are.
    async fn suites(&self) -> Result<Arc<Result<Vec<ListedSuite>, String>>, Problem> {
        let config = Arc::clone(&self.config);
        let read = move || Arc::new(config.suites().map_err(|error| error.in_a_line()));
        self.suites.get(FILES_FRESH, blocking(read)).await
    }

    /// The schedules as they stand, and why those cannot be run that cannot.
    async fn schedules(&self) -> Result<Vec<ScheduleView>, Problem> {
        let mut views = schedule::views(&self.config, self.store.as_ref(), Utc::now()).await?;
        let config = Arc::clone(&self.config);
        let read = move || Arc::new(schedule::broken(&config));
        let broken = self.broken_schedules.get(FILES_FRESH, blocking(read)).await?;
        schedule::mark_broken(&mut views, &broken);
        Ok(views)
    }

    /// Runs that say something of what is configured here: one of a part of its suite says nothing of the whole, and one
    /// of another place nothing of the target.
    fn telling_runs(&self) -> RunFilter {
        let (whole, places) = (Some(self.config.suite_sizes()), self.places.clone());
        RunFilter { recorded: true, whole, places, ..RunFilter::default() }
    }

    /// The path of something here, as a caller sees it.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.config.settings.service.base_path)
    }

    /// Everything that is answered.
    fn router(self: &Arc<Self>) -> Router {
        let base = &self.config.settings.service.base_path;
        let inner = api::router(self).merge(dashboard::router(self));
        let outer = if base.is_empty() {
            inner
        } else {
            let home = base.clone();
            let to_home = get(move || async move { Redirect::permanent(&home) });
            Router::new().nest(base, inner).route(&format!("{base}/"), to_home)
        };
        // The last one is the first to see a request.
        outer
            .fallback(problem::no_such_path)
            .method_not_allowed_fallback(problem::no_such_method)
            .layer(from_fn_with_state(Arc::clone(self), access::identify))
            .layer(from_fn_with_state(Arc::clone(self), guard::guard))
            .layer(from_fn_with_state(Arc::clone(self), dashboard::as_pages))
    }
}
