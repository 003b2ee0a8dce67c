//! What a run found, in the forms that people and machines read.
//!
//! A report is a pure function from a [`RunRecord`] to bytes: [`render`] opens no file, reads no clock and asks no
//! network, so a stored run gives the same report as a fresh one. Where the bytes go is a [`Sink`]'s matter: it is
//! checked before the run, because nobody wants to learn after an hour that the report's folder is missing, and it
//! is written whole or not at all. What a terminal shows is text of its own: [`render_terminal`].
//!
//! Phrases are painful and private: their text is in a report only where the reader asked for it and the record
//! holds it.

mod error;
mod explanation;
mod failure;
pub mod figures;
mod fit;
mod json;
mod junit;
mod sink;
mod terminal;

pub use error::{ReportError, SinkError, WriteError};
pub use failure::{Failure, Severity, worst_first};
pub use json::record_schema;
pub use junit::JunitCases;
pub use sink::{Sink, check_together};
pub use terminal::{TerminalOptions, render_terminal};

use std::fmt;

use crate::domain::{RunRecord, TextPolicy};

/// A file format that a run can be rendered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The run record itself.
    Json,
    /// `JUnit` XML, for CI servers.
    Junit,
}

impl Format {
    /// The format's name, as people write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Junit => "JUnit",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a run is rendered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RenderOptions {
    /// What the report shows of the phrases' text, never more than the record holds. None leaves it to the format:
    /// JSON gives the record as it is, `JUnit` names phrases by their id alone.
    pub text: Option<TextPolicy>,
    /// Which test cases `JUnit` lists.
    pub junit_cases: JunitCases,
    /// JSON in one line.
    pub compact: bool,
}

/// Renders a run in a format.
pub fn render(format: Format, record: &RunRecord, options: &RenderOptions) -> Result<Vec<u8>, ReportError> {
    match format {
        Format::Json => json::render(record, options.text.unwrap_or(TextPolicy::Full), options.compact),
        Format::Junit => junit::render(record, options.text.unwrap_or(TextPolicy::None), options.junit_cases),
    }
}
