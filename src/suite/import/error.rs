//! Why nothing was imported.

use std::io;
use std::path::PathBuf;

use super::report::ImportReport;
use crate::document::Problem;

/// Why nothing was imported; nothing was written either.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file or folder cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file has nothing in it.
    #[error("`{file}` is empty")]
    Empty {
        /// Which.
        file: String,
    },
    /// A folder has no file that could be imported.
    #[error("there is nothing to import in `{folder}`")]
    NoFiles {
        /// Which.
        folder: PathBuf,
    },
    /// A file is none of the known things.
    #[error("cannot tell what `{file}` is")]
    Unknown {
        /// Which.
        file: String,
    },
    /// A file is not what it should be.
    #[error("{0}")]
    Invalid(Box<Problem>),
    /// A column is not there, or cannot be told.
    #[error("{message}")]
    Column {
        /// Which, in which file.
        message: String,
        /// How to name it.
        hint: String,
    },
    /// Phrases could never fail, and were to keep their tolerance.
    #[error("{message}")]
    CannotFail {
        /// How many, in which categories, in which rows.
        message: String,
    },
    /// Nothing was left.
    #[error("nothing could be imported: {} rows, none of them fit", report.rows())]
    Nothing {
        /// Why.
        report: Box<ImportReport>,
    },
    /// Files would be overwritten.
    #[error("`{folder}` already has {}", files.join(", "))]
    Exists {
        /// Where.
        folder: PathBuf,
        /// Which.
        files: Vec<String>,
    },
    /// What would have been written does not load together with what is there.
    #[error("the imported phrases do not go with the phrase files in `{folder}`:\n{problems}")]
    Clash {
        /// Where.
        folder: PathBuf,
        /// Everything that is wrong.
        problems: String,
    },
    /// The folder cannot be written to.
    #[error("cannot write to `{path}`")]
    Write {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl ImportError {
    /// How to mend it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Read { .. } => "name files, or folders with .json, .jsonl, .csv or .tsv files",
            Self::Empty { .. } | Self::NoFiles { .. } => "name a file with phrases",
            Self::Unknown { .. } => "say it: `--from ash-thrash|hatecheck|csv|tsv|jsonl`",
            Self::Invalid(_) => "nothing was written",
            Self::Column { hint, .. } => hint,
            Self::CannotFail { .. } => {
                "without `--keep-tolerance` they get one level up and none down; or mend them in the source"
            }
            Self::Nothing { report } if report.unknown_labels.is_empty() => "the table above says why",
            Self::Nothing { .. } => "say what the labels mean: `--map hateful=high,non-hateful=none`",
            Self::Exists { .. } => "`--force` replaces them; or name another folder",
            Self::Clash { .. } => "name another folder, or mend the files that are there",
            Self::Write { .. } => "name a folder that can be written to",
        }
    }

    /// Whether the disk failed us, and not the caller.
    pub const fn is_storage(&self) -> bool {
        matches!(self, Self::Write { .. })
    }
}
