//! Where to read on: notes, files, and the run's name.

use crate::domain::RunRecord;

use super::super::{figures, fit};
use super::TerminalOptions;
use super::page::{Line, Page, Tone};

pub(super) fn show(page: &mut Page, record: &RunRecord, options: &TerminalOptions) {
    page.blank();
    for note in &options.notes {
        page.paragraph(Line::of(Tone::Dim, "note  "), Tone::Plain, note);
    }
    page.blank();
    let version =
        record.target.version.as_ref().map(|version| format!(", version {version}")).unwrap_or_default();
    let mut rows = vec![("Target".to_owned(), format!("{}{version}", record.target.url))];
    rows.push(("Run".to_owned(), run(record)));
    for (label, path) in &options.files {
        rows.push((fit::cut(&fit::clean(label), 16), path.display().to_string()));
    }
    rows.push(("See again".to_owned(), format!("thrash report {}", record.id)));

    let widest = super::columns::width_of(rows.iter().map(|(label, _)| label.as_str()));
    for (index, (label, text)) in rows.iter().enumerate() {
        let blanks = " ".repeat(2 + widest - super::columns::width_of([label.as_str()]));
        let room = page.width().saturating_sub(widest + 2);
        // A path tells most at its end, a URL and an id at their start.
        let is_file = index >= 2 && index + 1 < rows.len();
        let text =
            if is_file { fit::cut_start(&fit::clean(text), room) } else { fit::cut(&fit::clean(text), room) };
        page.line(Line::of(Tone::Dim, label).with(Tone::Plain, blanks).with(Tone::Plain, text));
    }
}

/// When and how long it ran.
fn run(record: &RunRecord) -> String {
    let took = figures::duration(Some(record.duration_ms));
    let hash: String = record.suite.hash.chars().take(12).collect();
    let started = record.started_at.format("%Y-%m-%d %H:%M UTC");
    format!("{started}, took {took}, suite {hash}")
}
