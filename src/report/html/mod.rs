//! A run as one HTML file that needs nothing else: no network, and no script to be read.
//!
//! The verdict comes first, then what explains it, worst first, then the numbers, then where they come from. One
//! function a section: a live page can serve the same ones. Everything comes from the record; only the trend needs to
//! be told of earlier runs.
//!
//! Nothing in a record is trusted: its texts come from phrase files and from services. They are escaped by maud, cut
//! and cleaned by [`clean`], and the page's policy lets nothing run or load but its own script and style, by hash.

mod categories;
pub(crate) mod clean;
mod command;
mod comparison;
mod confusion;
mod facets;
mod facts;
mod failures;
mod flips;
mod gates;
mod histogram;
mod history;
mod integrity;
mod latency;
mod load;
mod load_categories;
mod load_curve;
mod load_limits;
mod loads;
mod matrix;
pub(crate) mod page;
mod provenance;
mod reference;
mod reliability;
mod row;
mod scores;
pub(crate) mod section;
mod series;
mod steadiness;
mod svg;
mod thresholds;
pub(crate) mod trend;
pub(crate) mod verdict;
mod waivers;
mod whisker;

pub(crate) use comparison::page as comparison_page;
pub(crate) use history::page as history_page;
pub use trend::TrendPoint;

use page::Page;
use section::Place;

use crate::domain::{History, RunComparison, RunRecord, RunVerdict, TextPolicy};

/// The run as a page; `earlier` are the runs before it.
pub(super) fn render(record: &RunRecord, text: TextPolicy, earlier: &[TrendPoint]) -> Vec<u8> {
    run_page(record, text, earlier).render()
}

/// The run as a page that something can still be put around.
pub(crate) fn run_page(record: &RunRecord, text: TextPolicy, earlier: &[TrendPoint]) -> Page {
    let failures = failures::failures(record, text);
    let waivers = record.waivers.as_ref().and_then(|report| waivers::show(report, record));
    let sections = [
        Some(gates::section(&record.verdict, waivers, Place::BesideTheFailures)),
        flips::section(record.baseline.as_ref()),
        load::section(record),
        Some(integrity::section(record)),
        reference::section(record),
        Some(failures.section),
        categories::categories(record),
        confusion::section(&record.metrics),
        categories::capabilities(record),
        steadiness::section(record),
        scores::section(record),
        latency::section(record),
        trend::section(record, earlier),
        Some(provenance::section(record)),
    ];
    Page {
        title: verdict::title(record),
        tone: verdict::tone(record.verdict.conclusion),
        header: verdict::header(record),
        sections: sections.into_iter().flatten().collect(),
        data: Some(failures.data),
        frame: None,
    }
}

/// A page over two runs: the verdict on the candidate, and what changed.
///
/// ```
/// # fn show(comparison: &thrash::domain::RunComparison, verdict: &thrash::domain::RunVerdict) -> Vec<u8> {
/// use thrash::report::render_comparison_html;
///
/// render_comparison_html(comparison, verdict)
/// # }
/// ```
pub fn render_comparison_html(comparison: &RunComparison, verdict: &RunVerdict) -> Vec<u8> {
    comparison_page(comparison, verdict).render()
}

/// A page over the runs of a suite against a target: what shifted, and the numbers over time.
///
/// ```
/// # fn show(history: &thrash::domain::History) -> Vec<u8> {
/// use thrash::report::render_history_html;
///
/// render_history_html(history)
/// # }
/// ```
pub fn render_history_html(history: &History) -> Vec<u8> {
    history_page(history).render()
}
