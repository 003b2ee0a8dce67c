//! A run as one HTML file that needs nothing else: no network, and no script to be read.
//!
//! The verdict comes first, then what explains it, worst first, then the numbers, then where they come from. One
//! function a section: a live page can serve the same ones. Everything comes from the record; only the trend needs to
//! be told of earlier runs.
//!
//! Nothing in a record is trusted: its texts come from phrase files and from services. They are escaped by maud, cut
//! and cleaned by [`clean`], and the page's policy lets nothing run or load but its own script and style, by hash.

mod categories;
mod clean;
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
mod load_curve;
mod matrix;
mod page;
mod provenance;
mod reference;
mod reliability;
mod row;
mod scores;
mod section;
mod series;
mod steadiness;
mod svg;
mod thresholds;
mod trend;
mod verdict;
mod waivers;
mod whisker;

pub use trend::TrendPoint;

use page::Page;
use section::Place;

use crate::domain::{History, RunComparison, RunRecord, RunVerdict, TextPolicy};

/// The run as a page; `earlier` are the runs before it.
pub(super) fn render(record: &RunRecord, text: TextPolicy, earlier: &[TrendPoint]) -> Vec<u8> {
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
    let page = Page {
        title: verdict::title(record),
        tone: verdict::tone(record.verdict.conclusion),
        header: verdict::header(record),
        sections: sections.into_iter().flatten().collect(),
        data: Some(failures.data),
    };
    page.render()
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
    comparison::page(comparison, verdict)
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
    history::page(history)
}
