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
    let mut rows = vec![("Target".to_owned(), Place::Start(format!("{}{version}", record.target.url)))];
    rows.push(("Run".to_owned(), Place::Start(run(record))));
    rows.extend(
        options.files.iter().map(|(label, path)| (label.clone(), Place::End(path.display().to_string()))),
    );
    if options.kept {
        rows.push(("See again".to_owned(), Place::Start(format!("thrash report {}", record.id))));
    }
    places(page, &rows);
}

/// Where something is.
pub(super) enum Place {
    /// A URL or an id tells most at its start.
    Start(String),
    /// A path tells most at its end.
    End(String),
}

/// Rows of what something is and where it is.
pub(super) fn places(page: &mut Page, rows: &[(String, Place)]) {
    let labels: Vec<String> = rows.iter().map(|(label, _)| fit::cut(&fit::clean(label), 16)).collect();
    let widest = super::columns::width_of(labels.iter().map(String::as_str));
    for (label, (_, place)) in labels.iter().zip(rows) {
        let blanks = " ".repeat(2 + widest - super::columns::width_of([label.as_str()]));
        let room = page.width().saturating_sub(widest + 2);
        let text = match place {
            Place::Start(text) => fit::cut(&fit::clean(text), room),
            Place::End(text) => fit::cut_start(&fit::clean(text), room),
        };
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
