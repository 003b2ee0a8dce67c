//! What a run found, in the forms that people and machines read.
//!
//! A report is a pure function from a [`RunRecord`] to bytes: [`render`] opens no file, reads no clock and asks no
//! network, so a stored run gives the same report as a fresh one. Where the bytes go is a [`Sink`]'s matter: it is
//! checked before the run, because nobody wants to learn after an hour that the report's folder is missing, and it
//! is written whole or not at all. What a terminal shows is text of its own: [`render_terminal`].
//!
//! Phrases are painful and private: their text is in a report only where the reader asked for it and the record
//! holds it.

mod annotations;
mod drift;
mod error;
mod explanation;
mod failure;
pub mod figures;
mod finding;
mod fit;
pub(crate) mod headline;
pub(crate) mod html;
mod json;
mod junit;
mod loads;
mod markdown;
mod observations;
mod places;
mod sarif;
mod second_opinion;
mod seconds;
mod shadow;
mod sink;
mod split;
mod terminal;
mod unpaired;

pub use annotations::render_annotations;
pub use error::{ReportError, SinkError, WriteError};
pub use explanation::{explanation, figure};
pub use failure::{Failure, Severity, worst_first};
pub use fit::{clean, clean_lines};
pub use html::{TrendPoint, render_comparison_html, render_history_html};
pub use json::{
    comparison_schema, history_schema, record_schema, render_comparison_json, render_history_json,
};
pub use junit::JunitCases;
pub use markdown::render_comparison_markdown;
pub use places::Places;
pub use shadow::{render_shadow_csv, render_shadow_json, shadow_schema};
pub use sink::{Sink, check_apart, check_together, stdout_is_closed};
pub use split::Splits;
pub use terminal::{
    TerminalOptions, render_comparison_terminal, render_history, render_shadow_terminal, render_terminal,
};

use std::fmt;

use crate::domain::{RunRecord, TextPolicy};

/// A file format that a run can be rendered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The run record itself.
    Json,
    /// `JUnit` XML, for CI servers.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Markdown, for pull requests and step summaries.
    Markdown,
    /// A row an observation, for spreadsheets.
    Csv,
    /// A page to be read in a browser.
    Html,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] = [Self::Json, Self::Html, Self::Junit, Self::Sarif, Self::Markdown, Self::Csv];

    /// The format's name, as people write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Junit => "JUnit",
            Self::Sarif => "SARIF",
            Self::Markdown => "Markdown",
            Self::Csv => "CSV",
            Self::Html => "HTML",
        }
    }

    /// How the names of its files end, after the dot.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Junit => "junit.xml",
            Self::Sarif => "sarif",
            Self::Markdown => "md",
            Self::Csv => "csv",
            Self::Html => "html",
        }
    }

    /// Whether the record still holds what the format lists: of an old run only the figures may be left.
    pub fn check(self, record: &RunRecord) -> Result<(), ReportError> {
        let lists_answers = self == Self::Csv && record.load.is_none();
        match record.answers_removed_at {
            Some(_) if lists_answers => Err(ReportError::Removed(record.id.clone())),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a run is rendered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RenderOptions {
    /// What the report shows of the phrases' text, never more than the record holds. None leaves it to the format:
    /// JSON gives the record as it is, HTML hides them until the reader asks, the others name phrases by their id alone;
    /// Markdown always does.
    pub text: Option<TextPolicy>,
    /// Which test cases `JUnit` lists.
    pub junit_cases: JunitCases,
    /// JSON in one line.
    pub compact: bool,
    /// Where phrases and gates stand in the repository.
    pub places: Places,
    /// Earlier runs of the same suite against the same target, for the trend in HTML.
    pub trend: Vec<TrendPoint>,
}

/// Renders a run in a format.
pub fn render(format: Format, record: &RunRecord, options: &RenderOptions) -> Result<Vec<u8>, ReportError> {
    format.check(record)?;
    let text = options.text;
    let quiet = text.unwrap_or(TextPolicy::None);
    match format {
        Format::Json => json::render(record, text.unwrap_or(TextPolicy::Full), options.compact),
        // Under load no phrase by itself decides anything: a case for each would be red in a run that passed.
        Format::Junit if record.load.is_some() => junit::render(record, quiet, JunitCases::Gates),
        Format::Junit => junit::render(record, quiet, options.junit_cases),
        Format::Sarif => sarif::render(record, quiet, &options.places),
        Format::Markdown => Ok(markdown::render(record).into_bytes()),
        Format::Csv => match &record.load {
            Some(load) => seconds::render(record, load),
            None => observations::render(record, quiet),
        },
        Format::Html => Ok(html::render(record, text.unwrap_or(TextPolicy::Full), &options.trend)),
    }
}
