//! Keeping records: in the store, or in the spool until the store is back.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::baseline::{Search, Searching};
use crate::config::Config;
use crate::domain::{RunRecord, Series};
use crate::store::{
    self, DeliveryReport, LocationError, RunFilter, RunSummary, Spool, Store, StoreError, StoreLocation,
    StoreOptions,
};

/// So many earlier runs are looked up for a trend.
const EARLIER: usize = 40;

/// What became of a record.
#[derive(Debug)]
pub enum Kept {
    /// It is in the store.
    Stored {
        /// Where, without secrets.
        location: String,
        /// The runs before it, newest first.
        earlier: Vec<RunSummary>,
    },
    /// The store could not take it, and it waits in the spool.
    Spooled {
        /// The file.
        path: PathBuf,
        /// Why the store could not take it.
        cause: StoreError,
    },
    /// No store was wanted.
    NotWanted,
    /// Neither the store nor the spool could take it.
    Lost {
        /// Why the store could not.
        cause: StoreError,
        /// Why the spool could not.
        spool: StoreError,
    },
}

impl Kept {
    /// The runs before this one, newest first; none where the store could not be asked.
    pub fn earlier(&self) -> &[RunSummary] {
        match self {
            Self::Stored { earlier, .. } => earlier,
            Self::Spooled { .. } | Self::NotWanted | Self::Lost { .. } => &[],
        }
    }
}

/// The runs of the same suite against the same target, in the same place, before this one, newest first.
///
/// They are for a picture: where they cannot be read there is none, and nothing else is harmed.
pub async fn earlier(store: &dyn Store, record: &RunRecord) -> Vec<RunSummary> {
    let filter = RunFilter {
        recorded: true,
        limit: Some(EARLIER),
        before: Some(record.started_at),
        ..RunFilter::of_series_at(&Series::of(record), &record.target.url)
    };
    let found = store.list(&filter).await;
    found.inspect_err(|error| tracing::warn!(%error, "the earlier runs cannot be read")).unwrap_or_default()
}

/// Opens the store while the run goes on, so that nobody waits for it.
#[derive(Debug)]
pub struct Keeper {
    place: Option<(StoreLocation, JoinHandle<Opened>)>,
    /// The store, as soon as it is open, for who asks first.
    opened: Option<oneshot::Receiver<Arc<dyn Store>>>,
    spool: Spool,
}

type Opened = Result<(Arc<dyn Store>, Option<DeliveryReport>), StoreError>;

/// The spool of this configuration.
pub fn spool(config: &Config) -> Spool {
    Spool::new(config.data_folder().join("spool"))
}

/// Brings the records that wait in the spool to the store; none if none waits.
pub async fn deliver_spool(spool: &Spool, store: &dyn Store) -> Option<DeliveryReport> {
    let waiting = spool.pending().ok()?;
    if waiting.is_empty() {
        return None;
    }
    // What cannot be delivered stays where it is, and the next command tries again.
    let report = spool.deliver(store).await;
    let wrong = match &report {
        Ok(report) => report.unsettled.as_ref().map(|(_, error)| error),
        Err(error) => Some(error),
    };
    if let Some(error) = wrong {
        tracing::warn!(%error, "the spool cannot be delivered");
    }
    report.ok()
}

/// Opens a store as the configuration asks; without `migrate` it changes nothing in it.
///
/// # Errors
/// The store cannot be opened.
pub async fn open_store(
    config: &Config,
    location: &StoreLocation,
    migrate: bool,
) -> Result<Box<dyn Store>, StoreError> {
    let connect_timeout = config.settings.store.connect_timeout.0;
    store::open(location, &StoreOptions { connect_timeout, migrate, ..StoreOptions::default() }).await
}

/// The store as it is, to look into; nothing where there is none yet, or none that can be used.
pub async fn store_to_look(config: &Config) -> Option<Box<dyn Store>> {
    let location = Keeper::location(config).ok()??;
    if matches!(&location, StoreLocation::Sqlite(path) if !path.exists()) {
        return None;
    }
    open_store(config, &location, false).await.ok()
}

impl Keeper {
    /// Reads where records are kept, begins to connect, and searches for the baseline; `none` keeps nothing. The store may be
    /// open already.
    ///
    /// # Errors
    /// The location cannot be read.
    pub(super) fn open(
        config: &Config,
        search: Search,
        store: Option<Arc<dyn Store>>,
    ) -> Result<(Self, Searching), LocationError> {
        let spool = spool(config);
        let (found, searching) = search.begin();
        let Some(location) = Self::location(config)? else {
            tokio::spawn(async move {
                // Nobody waits any more only when the run has been given up.
                let _ = found.send(search.without_store().await.unwrap_or_else(Search::no_store));
            });
            return Ok((Self { place: None, opened: None, spool }, searching));
        };
        let options = StoreOptions {
            connect_timeout: config.settings.store.connect_timeout.0,
            ..StoreOptions::default()
        };
        let (to_open, to_deliver) = (location.clone(), spool.clone());
        let (tell, opened) = oneshot::channel();
        let opening = tokio::spawn(async move {
            let search = match search.without_store().await {
                Ok(had) => {
                    let _ = found.send(had);
                    None
                }
                Err(search) => Some((search, found)),
            };
            let open = match store {
                Some(store) => Ok(store),
                None => store::open(&to_open, &options).await.map(Arc::from),
            };
            let store: Arc<dyn Store> = match open {
                Ok(store) => store,
                Err(error) => {
                    if let Some((search, found)) = search {
                        let _ = found.send(search.store_away(&error));
                    }
                    return Err(error);
                }
            };
            // Nobody may want it.
            let _ = tell.send(Arc::clone(&store));
            // First, because the baseline may be among what waits.
            let delivered = deliver_spool(&to_deliver, store.as_ref()).await;
            if let Some((search, found)) = search {
                let _ = found.send(search.in_store(store.as_ref()).await);
            }
            Ok((store, delivered))
        });
        Ok((Self { place: Some((location, opening)), opened: Some(opened), spool }, searching))
    }

    /// Waits for the store, if there is to be one; once.
    pub(super) fn opened(&mut self) -> Option<oneshot::Receiver<Arc<dyn Store>>> {
        self.opened.take()
    }

    /// Where this configuration keeps records.
    pub fn location(config: &Config) -> Result<Option<StoreLocation>, LocationError> {
        match config.settings.store.database_url.as_deref() {
            Some("none") => Ok(None),
            Some(url) => StoreLocation::parse(url).map(Some),
            None => Ok(Some(StoreLocation::Sqlite(config.data_folder().join("thrash.db")))),
        }
    }

    /// Keeps a record, in one place or the other, and gives the store, which is still open. Once `hurry` ends the store is
    /// waited for no longer.
    pub(super) async fn keep(
        self,
        record: &RunRecord,
        hurry: impl Future<Output = ()>,
    ) -> (Kept, Option<DeliveryReport>, Option<Arc<dyn Store>>) {
        let Some((location, opening)) = self.place else { return (Kept::NotWanted, None, None) };
        let (mut delivered, mut open) = (None, None);
        let storing = async {
            let opened = opening.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
            let (store, report) = opened?;
            delivered = report;
            let store = open.insert(store);
            store.save(record).await?;
            let earlier = earlier(store.as_ref(), record).await;
            Ok(Kept::Stored { location: location.redacted(), earlier })
        };
        let kept = keep(record, &location.redacted(), storing, &self.spool, hurry).await;
        (kept, delivered, open)
    }
}

/// Keeps a record by storing it in this database, or else in the spool. Once `hurry` ends the store is waited for no
/// longer.
pub(super) async fn keep(
    record: &RunRecord,
    database: &str,
    storing: impl Future<Output = Result<Kept, StoreError>>,
    spool: &Spool,
    hurry: impl Future<Output = ()>,
) -> Kept {
    let began = Instant::now();
    let stored = tokio::select! {
        biased;
        stored = storing => stored,
        () = hurry => Err(StoreError::TimedOut {
            doing: format!("save run `{}`", record.id),
            database: database.to_owned(),
            after: began.elapsed(),
        }),
    };
    stored.unwrap_or_else(|cause| match spool.put(record) {
        Ok(path) => Kept::Spooled { path, cause },
        Err(spool) => Kept::Lost { cause, spool },
    })
}
