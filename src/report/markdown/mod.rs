//! Markdown for pull requests, step summaries and issues (GitHub's and GitLab's dialect).
//!
//! The verdict comes first, then what explains it, worst first. Words from outside are escaped: nothing in them links,
//! mentions or marks up. The text of phrases is never in it, since comments outlive what they are about.

mod changes;
mod comparison;
mod escape;
mod failures;
mod gates;
mod headline;
mod load;
mod numbers;
mod page;
mod provenance;
mod reference;
mod remarks;

pub use comparison::render_comparison_markdown;

use crate::domain::RunRecord;
use page::Page;

/// The run as Markdown of fewer than 65,536 characters, as much as a comment on GitHub holds.
pub(super) fn render(record: &RunRecord) -> String {
    let mut page = Page::default();
    headline::show(&mut page, record);
    gates::show(&mut page, &record.verdict.checks);
    load::show(&mut page, record);
    changes::of_baseline(&mut page, record.baseline.as_ref());
    failures::show(&mut page, record);
    remarks::show(&mut page, record);
    reference::show(&mut page, record);
    numbers::show(&mut page, record);
    provenance::show(&mut page, record);
    page.finish()
}
