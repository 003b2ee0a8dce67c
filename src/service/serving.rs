//! The service from its beginning to its end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::Service;
use super::access::Keys;
use super::retention;
use super::schedule::{ScheduleError, Scheduler, check_all};
use super::server::{Bounds, answer};
use super::tell::Teller;
use super::tls;
use super::watch;
use crate::config::{Config, ConfigError};
use crate::dispatch::{Keeper, Queue, Stopping, Worker, instance_name, open_store};
use crate::domain::asked_at;
use crate::notify::Notifier;
use crate::store::{InstanceLock, LocationError, Store, StoreError, StoreLocation};

/// How long answers on their way may take once there is nothing else left to wait for.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// Shortest key that a person may give it; shorter ones are guessed.
pub const SHORTEST_KEY: usize = 16;

/// Why the service does not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Anybody could use it.
    #[error(
        "`{listen}` is no address of this machine alone, and callers need no key: anybody there could start runs"
    )]
    Open {
        /// Where it was to listen.
        listen: SocketAddr,
    },
    /// Keys are asked for and there is none.
    #[error("callers need a key (`service.authentication`), and there is none")]
    NoKey,
    /// A key that no header carries as it is.
    #[error("the internal key holds blanks or signs beyond ASCII: no header carries it as it is")]
    OddKey,
    /// A key that somebody meant to be filled in.
    #[error("the internal key is the name of a variable, not its value")]
    UnfilledKey,
    /// A key that is too short.
    #[error("the internal key has fewer than {SHORTEST_KEY} characters")]
    ShortKey,
    /// There is no store.
    #[error("the service needs a store, and the database is `none`")]
    NoStore,
    /// A channel for messages cannot be used.
    #[error(transparent)]
    Notify(#[from] ConfigError),
    /// No connection to a channel can be made.
    #[error("messages cannot be sent")]
    Messages(#[from] reqwest::Error),
    /// The store's location cannot be read.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A schedule could never begin a run.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The address of the metrics is taken, or not ours.
    #[error("cannot show the metrics on `{listen}`")]
    Metrics {
        /// The address.
        listen: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The certificate cannot be used.
    #[error("the certificate `{}` or its key `{}` cannot be used: {reason}", .certificate.display(), .key.display())]
    Tls {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The address is taken, or not ours.
    #[error("cannot listen on `{listen}`")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
}

impl ServeError {
    /// How to mend it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Open { .. } => Some(
                "set a key (INTERNAL_API_KEY, or `service.keys`), or listen on 127.0.0.1 and let a proxy check who asks".into(),
            ),
            Self::NoKey | Self::OddKey | Self::UnfilledKey | Self::ShortKey => {
                Some("INTERNAL_API_KEY names one; `thrash serve --hash-key` makes one".into())
            }
            Self::Notify(error) => error.hint().map(str::to_owned),
            Self::Messages(_) => None,
            Self::NoStore => Some("name a database, or leave it out for a SQLite file".into()),
            Self::Location(error) => Some(error.hint()),
            Self::Store(error) => error.hint().map(str::to_owned),
            Self::Schedule(error) => error.hint(),
            Self::Metrics { .. } => {
                Some("METRICS_PORT_TESTING or `service.metrics_listen` names another address".into())
            }
            Self::Tls { .. } => Some("both are PEM files; the key belongs to the first certificate".into()),
            Self::Listen { .. } => Some("is another one running there? `--listen` names another address".into()),
        }
    }
}

/// A service that listens and does not answer yet.
#[derive(Debug)]
pub struct Serving {
    service: Arc<Service>,
    listener: TcpListener,
    metrics: TcpListener,
    listen: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    _lock: InstanceLock,
}

impl Serving {
    /// Checks that it may listen there, takes the store, and listens.
    ///
    /// # Errors
    /// Anything that makes it unsafe or impossible; nothing has been answered.
    pub async fn begin(config: Config, stopping: Stopping) -> Result<Self, ServeError> {
        let listen = config.listen();
        let (tls, location) = check_settings(&config)?;
        let notifier = Notifier::new(config.notify()?)?;
        let lock = InstanceLock::take(
            &location,
            &format!("process {}, started to listen on {listen}", std::process::id()),
        )?;
        let store: Arc<dyn Store> = Arc::from(open_store(&config, &location, true).await?);
        check_all(&config, store.as_ref()).await?;
        let failed = |source| ServeError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let apart = config.metrics_listen();
        let metrics = TcpListener::bind(apart).await;
        let metrics = metrics.map_err(|source| ServeError::Metrics { listen: apart, source })?;
        let listen = listener.local_addr().map_err(failed)?;
        let config = Arc::new(config);
        let teller = Teller::new(Arc::clone(&config), Arc::clone(&store), notifier);
        let queue =
            Queue::new(Arc::clone(&config), Arc::clone(&store), instance_name(), vec![teller.clone()]);
        let service = Service::new(config, store, queue, teller, stopping);
        Ok(Self { service, listener, metrics, listen, tls, _lock: lock })
    }

    /// Where it tells its metrics.
    pub fn metrics_url(&self) -> Option<String> {
        Some(format!("http://{}/metrics", asked_at(self.metrics.local_addr().ok()?)))
    }

    /// Where it is asked.
    pub fn url(&self) -> String {
        let listen = asked_at(self.listen);
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{listen}{}", self.service.config.settings.service.base_path)
    }

    /// Who can ask, and why.
    pub fn who(&self) -> &'static str {
        let is_told = self.metrics.local_addr().is_ok_and(|metrics| !metrics.ip().is_loopback());
        let is_open = self.service.config.settings.service.authentication == Some(false);
        match (self.listen.ip().is_loopback(), self.service.keys.required()) {
            (true, false) if is_open => {
                "it answers this machine alone: `service.authentication` (ENABLE_API_AUTHENTICATION) asks for no key, and \
                 anybody could start runs"
            }
            (true, _) if is_told => {
                "it answers this machine alone; its metrics are for anybody who reaches them (`service.metrics_listen`)"
            }
            (true, true) => "it answers this machine alone: `service.listen` (THRASH_LISTEN) says so",
            (true, false) => {
                "it answers this machine alone: no key is asked for (INTERNAL_API_KEY, `service.keys`), and anybody could start runs"
            }
            (false, _) => {
                "it answers other machines, too, with a key; its metrics are for anybody who reaches them"
            }
        }
    }

    /// What every part of it shares.
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Answers and works until it is told to stop; runs that are under way end or go back to the queue first. Gives how
    /// many finished runs were lost, because neither the database nor the spool took them.
    pub async fn run(self) -> usize {
        // The lock goes last.
        let Self { service, listener, metrics, tls, listen: _, _lock } = self;
        let tls = tls.map(TlsAcceptor::from);
        let settings = &service.config.settings.service;
        let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
        let bounds = Bounds { head: settings.header_timeout.0, connections: settings.connections };
        let answering =
            tokio::spawn(answer(listener, service.router(), bounds, tls, stop.clone(), abort.clone()));
        let told =
            tokio::spawn(answer(metrics, watch::router(&service), bounds, None, stop.clone(), abort.clone()));
        let mut working = JoinSet::new();
        for _ in 0..settings.workers {
            let worker = Worker::new(Arc::clone(&service.queue), settings.lease.0, service.stopping.clone());
            working.spawn(worker.work());
        }
        Self::beside(&service, &mut working);
        while let Some(ended) = working.join_next().await {
            if let Err(error) = ended {
                // A service that answers and does not work looks well.
                tracing::error!(%error, "a part of the service failed: it stops, to be started anew");
                service.stopping.drain.cancel();
            }
        }
        // It answered until here, so that whoever watches sees what becomes of the last run.
        stop.cancel();
        let later = abort.clone();
        let hurry = tokio::spawn(async move {
            tokio::time::sleep(LAST_ANSWERS).await;
            later.cancel();
        });
        let _ = tokio::join!(answering, told);
        hurry.abort();
        service.store.close().await;
        service.queue.lost()
    }

    /// Begins what runs beside the answers. Each part ends when `service.stopping.drain` says so.
    fn beside(service: &Arc<Service>, working: &mut JoinSet<()>) {
        working.spawn(watch::watch(Arc::clone(service)));
        if service.config.settings.retention.enabled {
            working.spawn(retention::work(Arc::clone(service)));
        }
        let drain = &service.stopping.drain;
        let queue = Arc::clone(&service.queue);
        let scheduler = Scheduler::new(&service.config, queue, Arc::clone(&service.store));
        working.spawn(scheduler.work(drain.clone()));
        working.spawn(Arc::clone(&service.teller).work(drain.clone()));
    }
}

/// Refuses settings that would make a service unsafe or impossible. Nothing is taken or changed.
///
/// # Errors
/// The first of them.
pub fn check_settings(config: &Config) -> Result<(Option<Arc<ServerConfig>>, StoreLocation), ServeError> {
    check_keys(config)?;
    let tls = tls::load(&config.settings.service.tls)?;
    Ok((tls, Keeper::location(config)?.ok_or(ServeError::NoStore)?))
}

/// Without a key nobody but this machine may ask.
fn check_keys(config: &Config) -> Result<(), ServeError> {
    let keys = Keys::of(config);
    let listen = config.listen();
    if let Some(key) = config.internal_key() {
        if !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ServeError::OddKey);
        }
        // Nobody filled it in: `$KEY` or `${KEY}`.
        let is_name =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase() || b"_{}".contains(&byte));
        if key.expose().strip_prefix('$').is_some_and(is_name) {
            return Err(ServeError::UnfilledKey);
        }
        if key.expose().len() < SHORTEST_KEY {
            return Err(ServeError::ShortKey);
        }
    }
    match keys.required() {
        true if keys.is_empty() => Err(ServeError::NoKey),
        false if !listen.ip().is_loopback() => Err(ServeError::Open { listen }),
        _ => Ok(()),
    }
}
