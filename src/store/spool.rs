//! The folder where records wait while the database is away.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::codec::{RecordError, decode_record, encode_record};
use super::error::{StoreError, StoreErrorKind};
use super::{Saved, Store, private};
use crate::domain::{Job, RunId, RunRecord};

/// How a file ends that holds no record, and was renamed.
const BAD: &str = "json.bad";

/// A folder of records, a file each, named after their runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    folder: PathBuf,
}

/// What became of the records that waited.
#[derive(Debug, Default)]
pub struct DeliveryReport {
    /// Runs that are stored now.
    pub delivered: Vec<RunId>,
    /// Runs that had been stored before; their files are gone too.
    pub already_stored: Vec<RunId>,
    /// Files that hold no record: renamed to end in `.bad`, with the reason.
    pub set_aside: Vec<(PathBuf, RecordError)>,
    /// Files that stay where they are, with the reason: a newer program's records, and what the database refused.
    pub failed: Vec<(PathBuf, StoreError)>,
    /// Files that were not tried any more because the database is away.
    pub waiting: usize,
    /// Jobs that are over since.
    pub ended: Vec<Job>,
    /// Runs of which the store could not be told that their jobs are over, with the reason.
    pub unsettled: Option<(Vec<RunId>, StoreError)>,
}

/// What became of one file.
enum Delivery {
    Saved(RunId, Saved),
    SetAside(PathBuf, RecordError),
    /// Another process delivered it first.
    Gone,
}

impl Spool {
    /// The spool in this folder, which need not exist yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a record, whole or not at all, and gives the file's path.
    pub fn put(&self, record: &RunRecord) -> Result<PathBuf, StoreError> {
        let json = encode_record(record)
            .map_err(|source| StoreError::Record { of: format!("run `{}`", record.id), source })?;
        let path = self.folder.join(file_name(&record.id));
        self.write(&path, &json).map_err(|source| io_error("write the record to", &path, source))?;
        Ok(path)
    }

    fn write(&self, path: &Path, json: &str) -> io::Result<()> {
        private::create_folder(&self.folder)?;
        // A temporary file is readable by its owner alone, and goes away if anything below fails.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(json.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        // The name, too, must survive a power cut.
        File::open(&self.folder)?.sync_all()
    }

    /// The files that wait, oldest run first.
    pub fn pending(&self) -> Result<Vec<PathBuf>, StoreError> {
        let read = || -> io::Result<Vec<PathBuf>> {
            let mut paths = Vec::new();
            for entry in fs::read_dir(&self.folder)? {
                let entry = entry?;
                let path = entry.path();
                // A pipe or a device would never end.
                if entry.file_type()?.is_file()
                    && path.extension().is_some_and(|extension| extension == "json")
                {
                    paths.push(path);
                }
            }
            paths.sort();
            Ok(paths)
        };
        match read() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            other => other.map_err(|source| io_error("read the spool", &self.folder, source)),
        }
    }

    /// Deletes files that were set aside before this time, and all but the newest so many; gives those that went, the newest
    /// first. A dry run deletes nothing. Records that wait stay, however old and however many they are.
    pub fn forget_damaged(
        &self,
        before: Option<SystemTime>,
        most: Option<usize>,
        dry_run: bool,
    ) -> Result<Vec<PathBuf>, StoreError> {
        let sweep = || -> io::Result<Vec<PathBuf>> {
            let mut damaged = Vec::new();
            for entry in fs::read_dir(&self.folder)? {
                let entry = entry?;
                if entry.path().extension().is_some_and(|extension| extension == "bad") {
                    // A link's own time, and a link goes instead of what it names.
                    damaged.push((entry.metadata()?.modified()?, entry.path()));
                }
            }
            damaged.sort_by(|a, b| b.cmp(a));
            let is_doomed = |rank: usize, set_aside: SystemTime| {
                before.is_some_and(|before| set_aside < before) || most.is_some_and(|most| rank >= most)
            };
            let mut gone = Vec::new();
            for (rank, (set_aside, path)) in damaged.into_iter().enumerate() {
                if is_doomed(rank, set_aside) {
                    match if dry_run { Ok(()) } else { fs::remove_file(&path) } {
                        // Another process was quicker.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        other => other.map(|()| gone.push(path))?,
                    }
                }
            }
            Ok(gone)
        };
        match sweep() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            other => other.map_err(|source| io_error("clear the spool", &self.folder, source)),
        }
    }

    /// The runs whose records wait, oldest first.
    pub fn runs(&self) -> Result<Vec<RunId>, StoreError> {
        Ok(self.pending()?.iter().filter_map(|path| run_of(path)).collect())
    }

    /// Hands every record to the store, and says there that the jobs of these runs are over: nobody has to run them again,
    /// even where a record has to wait. A file goes once its run is stored; whatever else happens, it stays.
    ///
    /// Several processes may deliver at once: the store takes each run once.
    pub async fn deliver(&self, store: &dyn Store) -> Result<DeliveryReport, StoreError> {
        let mut report = DeliveryReport::default();
        let pending = self.pending()?;
        let runs: Vec<RunId> = pending.iter().filter_map(|path| run_of(path)).collect();
        let mut paths = pending.into_iter();
        for path in paths.by_ref() {
            match deliver_file(&path, store).await {
                Ok(Delivery::Saved(id, Saved::Stored)) => report.delivered.push(id),
                Ok(Delivery::Saved(id, Saved::AlreadyStored)) => report.already_stored.push(id),
                Ok(Delivery::SetAside(path, reason)) => report.set_aside.push((path, reason)),
                Ok(Delivery::Gone) => {}
                Err(error) => {
                    let away = is_away(error.kind());
                    report.failed.push((path, error));
                    if away {
                        break;
                    }
                }
            }
        }
        report.waiting = paths.count();
        // A file that holds no record is no end of a run.
        let bad: Vec<RunId> = report.set_aside.iter().filter_map(|(path, _)| run_of(path)).collect();
        let runs: Vec<RunId> = runs.into_iter().filter(|run| !bad.contains(run)).collect();
        if runs.is_empty() {
            return Ok(report);
        }
        match store.settle_jobs(&runs).await {
            Ok(ended) => report.ended = ended,
            Err(error) => report.unsettled = Some((runs, error)),
        }
        Ok(report)
    }
}

/// Whether the next record would fare no better.
fn is_away(kind: StoreErrorKind) -> bool {
    match kind {
        StoreErrorKind::Unreachable
        | StoreErrorKind::Refused
        | StoreErrorKind::Busy
        | StoreErrorKind::NotMigrated
        | StoreErrorKind::Full => true,
        StoreErrorKind::NotFound
        | StoreErrorKind::Ambiguous
        | StoreErrorKind::InUse
        | StoreErrorKind::Corrupt
        | StoreErrorKind::NewerSchema
        | StoreErrorKind::Io
        | StoreErrorKind::Failed => false,
    }
}

async fn deliver_file(path: &Path, store: &dyn Store) -> Result<Delivery, StoreError> {
    let bytes = match tokio::fs::read(path).await {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Delivery::Gone),
        Err(source) => return Err(io_error("read the record", path, source)),
    };
    let record = match decode_record(std::str::from_utf8(&bytes).unwrap_or_default()) {
        Ok(record) => record,
        Err(source @ RecordError::Newer { .. }) => {
            return Err(StoreError::Record { of: format!("`{}`", path.display()), source });
        }
        Err(reason) => return put_aside(path, reason),
    };
    let saved = store.save(&record).await?;
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error("remove the delivered record", path, error))
        }
        Ok(()) | Err(_) => Ok(Delivery::Saved(record.id, saved)),
    }
}

/// Renames a file that holds no record, beside any that was set aside before it.
fn put_aside(path: &Path, reason: RecordError) -> Result<Delivery, StoreError> {
    let mut bad = path.with_extension(BAD);
    for n in 1_u32.. {
        if !bad.exists() {
            break;
        }
        bad = path.with_extension(format!("json.{n}.bad"));
    }
    // How long it is kept counts from now, and not from when it was written.
    let touched = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
    match touched.and_then(|()| fs::rename(path, &bad)) {
        Ok(()) => Ok(Delivery::SetAside(bad, reason)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Delivery::Gone),
        Err(source) => Err(io_error("set aside the damaged record", path, source)),
    }
}

/// Where the record of this file is, if it was damaged and set aside.
pub(crate) fn set_aside(path: &Path) -> Option<PathBuf> {
    Some(path.with_extension(BAD)).filter(|bad| bad.exists())
}

/// The run's id, which is safe as a file name; what a damaged id holds beyond that is replaced.
fn file_name(id: &RunId) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("{}.json", id.as_str().chars().map(safe).collect::<String>())
}

/// The run that a file in the spool is named after, up to its first full stop.
pub(crate) fn run_of(path: &Path) -> Option<RunId> {
    let name = path.file_name()?.to_str()?;
    Some(RunId::from_stored(name.split('.').next()?))
}

fn io_error(doing: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io { doing, path: path.into(), source }
}
