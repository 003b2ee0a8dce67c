//! What can go wrong with a report: making it, before the run, and writing it, after.

use std::io;
use std::path::PathBuf;

use super::Format;
use crate::domain::RunId;

/// A report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The record could not be written as JSON.
    #[error("cannot write the run record as JSON")]
    Json(#[source] serde_json::Error),
    /// The record could not be written as `JUnit` XML.
    #[error("cannot write the run record as JUnit XML")]
    Junit(#[source] quick_junit::SerializeError),
    /// The findings could not be written as SARIF.
    #[error("cannot write the run's findings as SARIF")]
    Sarif(#[source] serde_json::Error),
    /// The observations could not be written as CSV.
    #[error("cannot write the run's observations as CSV")]
    Csv(#[source] csv::Error),
    /// There is nothing left that could be listed.
    #[error("the answers of run `{0}` were removed for their age: there is none to list as CSV")]
    Removed(RunId),
}

/// A place that a report cannot be written to. It is found before the run: a usage error.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// No name at all.
    #[error("cannot write the {format} report: its file name is empty")]
    Empty {
        /// What was to be written.
        format: Format,
    },
    /// There is no standard output to write to.
    #[error("cannot write the {format} report to standard output: it is closed")]
    Closed {
        /// What was to be written.
        format: Format,
    },
    /// A folder stands there, or the name says that one should.
    #[error("cannot write the {format} report to `{}`: it is a folder", path.display())]
    Folder {
        /// What was to be written.
        format: Format,
        /// Where.
        path: PathBuf,
    },
    /// The folder that it would stand in does not exist.
    #[error("cannot write the {format} report to `{}`: its folder `{}` does not exist", path.display(), folder.display())]
    NoFolder {
        /// What was to be written.
        format: Format,
        /// Where.
        path: PathBuf,
        /// The missing folder.
        folder: PathBuf,
    },
    /// The file or its folder does not let us write, or cannot be looked at.
    #[error("cannot write the {format} report to `{}`", path.display())]
    Refused {
        /// What was to be written.
        format: Format,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something that is read, or kept, stands there.
    #[error("cannot write the {format} report to `{}`: that is {what}", path.display())]
    Needed {
        /// What was to be written.
        format: Format,
        /// Where.
        path: PathBuf,
        /// What would be lost.
        what: &'static str,
    },
    /// Two reports would go to the same place.
    #[error("cannot write both the {first} and the {second} report to {place}")]
    Twice {
        /// One of them.
        first: Format,
        /// The other.
        second: Format,
        /// The place, as it reads in a sentence.
        place: String,
    },
}

impl SinkError {
    /// What the reader can do about it, where there is something to say beyond the error.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Empty { .. } => Some("give a file, or `-` for standard output".to_owned()),
            Self::Closed { .. } => Some("name a file, or leave standard output open".to_owned()),
            Self::Folder { .. } => Some("name a file inside it".to_owned()),
            Self::NoFolder { folder, .. } => {
                Some(format!("make it first: `mkdir -p '{}'`", folder.display()))
            }
            Self::Refused { .. } => None,
            Self::Needed { .. } => Some("give the report a file of its own".to_owned()),
            Self::Twice { .. } => Some("give one of them a file of its own".to_owned()),
        }
    }
}

/// A report that could not be written when the run was over. What stood there before is unharmed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There is no room.
    #[error("cannot write the {format} report to {place}: the disk is full")]
    DiskFull {
        /// What was to be written.
        format: Format,
        /// Where, as it reads in a sentence.
        place: String,
        /// What the system said.
        source: io::Error,
    },
    /// Whoever was to read it has gone, as `head` does when it has seen enough.
    #[error("cannot write the {format} report to {place}: nobody reads it any more")]
    ReaderGone {
        /// What was to be written.
        format: Format,
        /// Where, as it reads in a sentence.
        place: String,
        /// What the system said.
        source: io::Error,
    },
    /// Anything else.
    #[error("cannot write the {format} report to {place}")]
    Failed {
        /// What was to be written.
        format: Format,
        /// Where, as it reads in a sentence.
        place: String,
        /// What the system said.
        source: io::Error,
    },
}

impl WriteError {
    /// Sorts what the system said.
    pub(super) fn new(format: Format, place: String, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { format, place, source }
            }
            io::ErrorKind::BrokenPipe => Self::ReaderGone { format, place, source },
            _ => Self::Failed { format, place, source },
        }
    }
}
