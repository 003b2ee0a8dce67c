//! What a run found, for a person at a terminal.
//!
//! The verdict comes first, then what explains it, worst first, then the numbers, then where to read on. Marks and
//! words carry the meaning; colour only repeats it. No line is wider than the terminal.

mod answers;
mod categories;
mod columns;
mod comparison;
mod failures;
mod footer;
mod gates;
mod headline;
mod history;
pub(super) mod integrity;
mod latency;
mod load;
mod measures;
mod page;
mod pairs;
mod reference;
mod repeats;
mod shadow;
mod splits;
mod steadiness;
mod waivers;

pub use comparison::render_comparison_terminal;

use std::path::PathBuf;

use crate::domain::RunRecord;
pub use history::render_history;
use page::Page;
pub use shadow::render_shadow_terminal;

/// How a run is shown in a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalOptions {
    /// The terminal's width in columns.
    pub width: usize,
    /// Whether colours are allowed.
    pub color: bool,
    /// Whether the text of failed phrases is shown, as far as the record holds it.
    pub text: bool,
    /// The files that were written, each with what it is.
    pub files: Vec<(String, PathBuf)>,
    /// Anything else that the reader should know, a sentence each.
    pub notes: Vec<String>,
    /// Whether the run is kept, so that it can be seen again.
    pub kept: bool,
}

impl Default for TerminalOptions {
    /// 80 columns, no colour, no phrase text.
    fn default() -> Self {
        Self { width: 80, color: false, text: false, files: Vec::new(), notes: Vec::new(), kept: true }
    }
}

/// Shows a run as text whose last line ends in a newline.
///
/// ```
/// # fn show(record: &thrash::domain::RunRecord) -> String {
/// use thrash::report::{TerminalOptions, render_terminal};
///
/// render_terminal(record, &TerminalOptions { width: 100, ..TerminalOptions::default() })
/// # }
/// ```
pub fn render_terminal(record: &RunRecord, options: &TerminalOptions) -> String {
    let mut page = Page::new(options.width, options.color);
    headline::show(&mut page, record);
    gates::show(&mut page, &record.verdict.checks);
    integrity::show(&mut page, record);
    if let Some(load) = &record.load {
        load::show(&mut page, record, load);
        comparison::show_baseline(&mut page, record);
        categories::show(&mut page, record);
        answers::show(&mut page, &record.metrics);
        footer::show(&mut page, record, options);
        return page.finish();
    }
    waivers::show(&mut page, record);
    comparison::show_baseline(&mut page, record);
    categories::show(&mut page, record);
    splits::show(&mut page, record);
    pairs::show(&mut page, record);
    failures::show(&mut page, &record.results, options.text);
    repeats::show(&mut page, record);
    steadiness::show(&mut page, record);
    reference::show(&mut page, record);
    answers::show(&mut page, &record.metrics);
    measures::show(&mut page, record);
    latency::show(&mut page, record);
    footer::show(&mut page, record, options);
    page.finish()
}
