//! Phrase files become a suite.
//!
//! A suite is named (`quick`, `comprehensive`), or a file, or a folder. Files are read with every problem at once,
//! phrases keep the line they stand on, and a selection never depends on anything but the suite and its seed.

mod catalog;
mod category_file;
pub mod export;
mod fixed;
pub mod import;
pub mod lines;
pub mod perturb;
mod select;
mod unlabelled;
mod waivers;

use std::fmt::Write;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::document::Problems;
use crate::domain::{Phrase, SuiteRecord};

pub use catalog::Catalog;
pub(crate) use catalog::read_file;
pub use category_file::schema as category_schema;
pub use unlabelled::{LinesError, TextLine, TextLines};
pub use waivers::{Nameable, Waiver, Waivers, schema as waiver_schema};

/// Phrases with their labels, and what is asked of each category.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// Its name: of the suite, or of the files it came from.
    pub name: String,
    /// One line about it.
    pub title: String,
    /// The categories, in the order of their files.
    pub categories: Vec<Category>,
    /// The phrases, in the order of their files.
    pub phrases: Vec<Phrase>,
    /// What was there and how it was selected.
    pub record: SuiteRecord,
}

/// What a suite says of a category.
#[derive(Debug, Clone, PartialEq)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// One line about it.
    pub title: String,
    /// The accuracy asked of it, 0 to 1.
    pub target_accuracy: Option<f64>,
    /// Whether a miss here is among the costliest.
    pub critical: bool,
}

/// Why there is no suite.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// No suite, file or folder has that name.
    #[error("there is no suite, file or folder `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
        /// Advice.
        hint: String,
    },
    /// The disk said no.
    #[error("cannot read `{path}`")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The files say something that cannot be right.
    #[error("{problems}")]
    Invalid {
        /// All of it.
        problems: Problems,
    },
    /// Nothing is left to send.
    #[error("{message}")]
    Nothing {
        /// What was selected, from what.
        message: String,
        /// Advice.
        hint: String,
    },
}

impl SuiteError {
    /// What is wrong on one line, for those who cannot open the files.
    pub fn in_a_line(&self) -> String {
        match self {
            Self::Invalid { problems } => problems.in_a_line(),
            Self::Read { source, .. } => format!("{self}: {source}"),
            Self::Unknown { .. } | Self::Nothing { .. } => self.to_string(),
        }
    }

    /// How to mend it, where there is something to say.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Unknown { hint, .. } | Self::Nothing { hint, .. } => Some(hint),
            Self::Read { .. } | Self::Invalid { .. } => None,
        }
    }
}

/// Hash of everything in the phrases that a run's outcome can depend on; the order does not matter.
fn content_hash<'a>(phrases: impl Iterator<Item = &'a Phrase>) -> String {
    let mut lines: Vec<String> = phrases
        .map(|phrase| {
            format!(
                "{}\u{1f}{}\u{1f}{}\u{1f}{}\u{1f}{}\u{1f}{}",
                phrase.id,
                phrase.text_hash(),
                phrase.expected,
                phrase.escalation.steps(),
                phrase.de_escalation.steps(),
                phrase.must_pass,
            )
        })
        .collect();
    lines.sort_unstable();
    hex(&Sha256::digest(lines.join("\u{1e}")))
}

/// As much of a hash as names the things that it is of.
fn hex(digest: &[u8]) -> String {
    digest.iter().take(8).fold(String::with_capacity(16), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
