//! The run that another one is held against: which one is set, finding it while that other one goes on, and comparing.
//!
//! A baseline that was asked for and cannot be had is recorded as missing, with the reason: what would have been held
//! against it is undecided then, never passed.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

use super::error::{BaselineError, DispatchError, chain};
use super::record_file::read_record_file;
use crate::domain::{
    Baseline, BaselineRecord, BaselineWish, Conclusion, RunId, RunRecord, RunStatus, Series,
};
use crate::judge::compare;
use crate::run::RunControl;
use crate::store::{RunFilter, RunSummary, Store, StoreError, StoreErrorKind};

/// How long a run that has ended waits for its baseline. The search began with the run.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to do where there is no latest one.
const NAME_ONE: &str = "name one with `thrash baseline set RUN` or `--baseline RUN`";

/// How the baseline is called that nobody named.
const SET: &str = "the set baseline";

/// Makes a run the baseline of its suite and target. A run that shows too little is refused.
///
/// # Errors
/// There is no such run, it cannot be a baseline, or the store fails.
pub async fn set_baseline(
    store: &dyn Store,
    run: &RunId,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Baseline, BaselineError> {
    let summary = store.summary(run).await?;
    if summary.legacy {
        return Err(StoreError::NoRecord { id: run.clone() }.into());
    }
    let mut why = too_little(summary.status, summary.conclusion);
    if why.is_none() {
        why = too_little_left(&store.load(run).await?);
    }
    if let Some(why) = why {
        return Err(BaselineError::TooLittle { run: run.clone(), why });
    }
    Ok(store.set_baseline(run, note, now).await?)
}

/// Why a run is too little to hold another one against: what it did not get right, a later one cannot get wrong.
fn too_little(status: Option<RunStatus>, conclusion: Option<Conclusion>) -> Option<&'static str> {
    match (status, conclusion) {
        (Some(RunStatus::Interrupted), _) => Some("it was interrupted, and holds a part of its phrases"),
        (Some(RunStatus::Aborted), _) => Some("it ended before its time, and holds a part of its phrases"),
        (Some(RunStatus::Completed), Some(Conclusion::TargetFailed)) => {
            Some("its target failed: too many phrases are unanswered")
        }
        (Some(RunStatus::Completed), _) => None,
        (None, _) => Some("it is not known how far it came"),
    }
}

/// Why a whole run is too little: it lost its answers, without which phrases cannot be paired, or it is a load that is not
/// what its scenario asks for.
fn too_little_left(record: &RunRecord) -> Option<&'static str> {
    let Some(load) = record.load.as_deref() else {
        return record.answers_removed_at.map(|_| "its answers were removed for their age");
    };
    if !load.scenario.is_judged() {
        Some("its requests had one fixed body, and runs are held against each other by their phrases")
    } else if load.generator.starved {
        Some("whatever sent it could not make its load")
    } else if load.beside.as_ref().is_some_and(|beside| beside.place_lost) {
        Some("it lost its place in the queue, and another load may have been sent beside it")
    } else if load.cut.is_some() {
        Some("a limit of its scenario ended it before its stages did")
    } else if !load.generator.limits.is_empty() {
        Some("whatever sent it was slow, and so its times are too long")
    } else {
        None
    }
}

/// Why a load run cannot be held against another one: they did not send the same. None for any other runs.
fn other_load(baseline: &RunRecord, candidate: &RunRecord) -> Option<String> {
    let (before, now) = (baseline.load.as_deref()?, candidate.load.as_deref()?);
    let (before, now) = (&before.scenario, &now.scenario);
    let same = before.hash == now.hash
        && before.seed == now.seed
        && before.time_scale.to_bits() == now.time_scale.to_bits()
        && (before.max_rate, before.max_in_flight) == (now.max_rate, now.max_in_flight);
    (!same).then(|| {
        format!(
            "it made another load: its scenario `{}` says something else, or its seed, scale or limits",
            before.name
        )
    })
}

/// What is looked for, and for which run.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// What was asked for; none is the set baseline, if there is one.
    pub(super) wish: Option<BaselineWish>,
    /// The run that is to be held against it.
    pub(super) run: RunId,
    pub(super) series: Series,
    /// Where the run's target is, as records have it: only a run against that place can be the latest.
    pub(super) url: String,
    pub(super) selection_hash: String,
}

/// What a search found.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing was asked for, and none is set.
    Nothing,
    Run(Box<RunRecord>),
    /// It cannot be had now; what it holds is not known.
    Missing {
        wanted: String,
        reason: String,
    },
    /// There is no such run, or it cannot be one.
    Wrong {
        wanted: String,
        reason: String,
    },
}

/// A search on its way.
#[derive(Debug)]
pub(super) struct Searching {
    wanted: String,
    /// Whether somebody named the run or the file.
    is_named: bool,
    answer: oneshot::Receiver<Found>,
}

impl Search {
    fn wanted(&self) -> String {
        self.wish.as_ref().map_or_else(|| SET.to_owned(), ToString::to_string)
    }

    fn missing(&self, reason: impl Into<String>) -> Found {
        Found::Missing { wanted: self.wanted(), reason: reason.into() }
    }

    fn wrong(&self, reason: impl Into<String>) -> Found {
        Found::Wrong { wanted: self.wanted(), reason: reason.into() }
    }

    /// The search's two ends: whoever searches answers on the first.
    pub(super) fn begin(&self) -> (oneshot::Sender<Found>, Searching) {
        let (sender, answer) = oneshot::channel();
        let is_named = self.wish.as_ref().is_some_and(BaselineWish::is_named);
        (sender, Searching { wanted: self.wanted(), is_named, answer })
    }

    /// Searches where no store is needed; else gives the search back.
    pub(super) async fn without_store(self) -> Result<Found, Self> {
        match &self.wish {
            Some(BaselineWish::Nothing) => Ok(Found::Nothing),
            Some(BaselineWish::File(path)) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read(&path)).await;
                Ok(match read.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())) {
                    Ok(record) => self.usable(record),
                    Err(reason) => self.wrong(reason),
                })
            }
            Some(BaselineWish::Latest | BaselineWish::Run(_)) | None => Err(self),
        }
    }

    /// Refuses a run or a file that somebody named and that is none; what cannot be asked now may be there later.
    pub(super) async fn check(self, store: &dyn Store) -> Result<(), DispatchError> {
        if !self.wish.as_ref().is_some_and(BaselineWish::is_named) {
            return Ok(());
        }
        let found = match self.without_store().await {
            Ok(found) => found,
            Err(search) => search.in_store(store).await,
        };
        match found {
            Found::Wrong { wanted, reason } => Err(DispatchError::Baseline { wanted, reason }),
            Found::Nothing | Found::Run(_) | Found::Missing { .. } => Ok(()),
        }
    }

    /// What follows from there being no store.
    pub(super) fn no_store(self) -> Found {
        match self.wish {
            None => Found::Nothing,
            Some(_) => self.wrong("there is no store: the database is `none`"),
        }
    }

    /// What follows from the store being away: whether a baseline is set is not known then.
    pub(super) fn store_away(self, cause: &StoreError) -> Found {
        self.missing(chain(cause))
    }

    pub(super) async fn in_store(self, store: &dyn Store) -> Found {
        match self.look_up(store).await {
            Ok(found) => found,
            Err(error) => match error.kind() {
                StoreErrorKind::NotFound | StoreErrorKind::Ambiguous => self.wrong(chain(&error)),
                _ => self.missing(chain(&error)),
            },
        }
    }

    async fn look_up(&self, store: &dyn Store) -> Result<Found, StoreError> {
        let id = match &self.wish {
            Some(BaselineWish::Run(query)) => store.resolve(query).await?,
            Some(BaselineWish::Latest) => match self.latest(store).await? {
                Ok(id) => id,
                Err(reason) => return Ok(self.missing(reason)),
            },
            None => match store.baseline(&self.series).await? {
                Some(baseline) => baseline.run,
                None => return Ok(Found::Nothing),
            },
            Some(BaselineWish::Nothing | BaselineWish::File(_)) => return Ok(Found::Nothing),
        };
        Ok(self.usable(store.load(&id).await?))
    }

    /// The newest run of the same phrases against the same place that another one can be held against; else why there
    /// is none.
    ///
    /// One that failed its gates is passed by: beside a red run the same service looks no worse, and a second try would
    /// turn it green. One that could not tell is kept, or the first run could never become a baseline.
    async fn latest(&self, store: &dyn Store) -> Result<Result<RunId, String>, StoreError> {
        let here = RunFilter {
            selection_hash: Some(self.selection_hash.clone()),
            recorded: true,
            ..RunFilter::of_series_at(&self.series, &self.url)
        };
        let mut runs = store.list(&here).await?;
        let whole = |run: &RunSummary| too_little(run.status, run.conclusion).is_none() && run.id != self.run;
        runs.retain(whole);
        let (failed, usable): (Vec<_>, Vec<_>) =
            runs.iter().partition(|run| run.conclusion == Some(Conclusion::GateFailed));
        if let Some(run) = usable.first() {
            return Ok(Ok(run.id.clone()));
        }
        let reason = match failed.first() {
            Some(newest) => {
                format!("no earlier run passed, and the newest, `{}`, failed its gates", newest.id)
            }
            None => format!("no complete run of these phrases is stored for {}", self.series),
        };
        let mut elsewhere = store.list(&RunFilter { places: Vec::new(), ..here }).await?;
        elsewhere.retain(|run| whole(run) && !runs.iter().any(|here| here.id == run.id));
        Ok(Err(match (elsewhere.len(), failed.is_empty()) {
            (0, true) => reason,
            (0, false) => format!("{reason}; {NAME_ONE}"),
            (elsewhere, _) => {
                format!("{reason} at {}; {elsewhere} against other URLs passed over: {NAME_ONE}", self.url)
            }
        }))
    }

    fn usable(&self, record: RunRecord) -> Found {
        let found = too_little(Some(record.status), Some(record.verdict.conclusion));
        let why = match found.or_else(|| too_little_left(&record)) {
            None if record.target.demo == self.series.demo => return Found::Run(Box::new(record)),
            None if record.target.demo => "its target is the built-in demo, and this one's is not",
            None => "its target is not the built-in demo, and this one's is",
            Some(why) => why,
        };
        self.wrong(format!("run `{}` cannot be one: {why}", record.id))
    }
}

impl Searching {
    /// Waits for a run or a file that somebody named, so that a wrong name is found before anything is sent. What cannot
    /// be asked now is left to the end of the run.
    pub(super) async fn settled(mut self) -> Result<Self, DispatchError> {
        if !self.is_named {
            return Ok(self);
        }
        let Ok(Ok(found)) = tokio::time::timeout(PATIENCE, &mut self.answer).await else { return Ok(self) };
        if let Found::Wrong { wanted, reason } = found {
            return Err(DispatchError::Baseline { wanted, reason });
        }
        let (sender, answer) = oneshot::channel();
        // Its other end is right here.
        let _ = sender.send(found);
        Ok(Self { answer, ..self })
    }

    /// Waits for the search, though not for long, and holds the run against what it found.
    pub(super) async fn compare(self, candidate: &RunRecord, control: &RunControl) -> Option<BaselineRecord> {
        let Self { wanted, answer, .. } = self;
        let missing = |reason: String| Found::Missing { wanted: wanted.clone(), reason };
        let found = tokio::select! {
            biased;
            found = answer => found.unwrap_or_else(|_| missing("the search for it broke off".to_owned())),
            () = control.aborted() => missing("everything was stopped before it was loaded".to_owned()),
            () = tokio::time::sleep(PATIENCE) => {
                missing(format!("it was not loaded {PATIENCE:?} after the end of the run"))
            }
        };
        match found {
            Found::Nothing => None,
            Found::Missing { wanted, reason } | Found::Wrong { wanted, reason } => {
                Some(BaselineRecord::Missing { wanted, reason })
            }
            Found::Run(baseline) if let Some(reason) = other_load(&baseline, candidate) => {
                Some(BaselineRecord::Missing { wanted, reason })
            }
            Found::Run(baseline) => Some(match compare(&baseline, candidate) {
                Ok(comparison) => BaselineRecord::Compared(Box::new(comparison)),
                Err(error) => BaselineRecord::Missing { wanted, reason: error.to_string() },
            }),
        }
    }
}

/// Reads a record; a pipe might hold the run up.
fn read(path: &Path) -> Result<RunRecord, String> {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => Err("it is no file that holds a record".to_owned()),
        _ => read_record_file(path),
    }
}
