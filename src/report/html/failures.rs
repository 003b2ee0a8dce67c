//! The failures, worst first, and every other phrase for those who ask.
//!
//! The first failures are HTML, so that they can be read without a script. The others, and all that passed, are data
//! that the script builds rows of, a few at a time.

use maud::{Markup, PreEscaped, html};
use serde_json::json;

use super::super::failure::worst_first;
use super::super::figures::count;
use super::facets::{FLAGS, Facet, Facets, flag};
use super::row::{Known, Row, Words, flag_names};
use super::section::Section;
use crate::domain::{RunRecord, TextPolicy};

/// So many failures are HTML, at most, and
const READY: usize = 300;
/// so many bytes for each phrase of the run, at most, because a page is to be sent around: a small run or a good one
/// has all its failures in HTML;
const READY_BYTES_EACH: usize = 40;
/// so many bytes may always be.
const READY_BYTES: usize = 16 << 10;

/// The section, and the data of the rows that it does not hold yet.
pub(super) struct Failures {
    pub(super) section: Section,
    pub(super) data: String,
}

pub(super) fn failures(record: &RunRecord, text: TextPolicy) -> Failures {
    let mut known = Known::new(record, text);
    let facets = Facets::new(&record.results, known.fates());
    let failed = worst_first(&record.results);
    let failed_rows: Vec<Row> = failed.iter().map(|failure| known.row(&facets, failure.result)).collect();
    let passed = record.results.iter().filter(|result| result.verdict.passes());
    let passed_rows: Vec<Row> = passed.map(|result| known.row(&facets, result)).collect();

    let (ready, ready_html) = ready(&failed_rows, record.results.len());
    let later = &failed_rows[ready..];
    let mut words = Words::default();
    let rows: Vec<_> = later.iter().chain(&passed_rows).map(|row| row.data(&mut words)).collect();
    let data = json!({
        "facets": facets.facets.iter().map(|facet| (facet.key, &facet.names)).collect::<Vec<_>>(),
        "flags": flag_names(),
        "ready": failed_rows[..ready].iter().map(Row::facets).collect::<Vec<_>>(),
        "rows": rows,
        "words": words.into_list(),
    });

    let all: Vec<&Row> = failed_rows.iter().chain(&passed_rows).collect();
    let summary = format!("{} of {}", failed.len(), count(record.results.len() as u64, "phrase", "phrases"));
    let body = html! {
        (phrases_switch(record, text))
        (form(&facets, &all))
        p #count role="status" hidden {}
        @if failed.is_empty() { p #none { "No phrase failed." } }
        p.columns aria-hidden="true" { span { "Phrase" } span { "Category" } span { "Expected" } span { "Got" } span { "Off by" } span { "Score" } }
        ol #rows.rows { (ready_html) }
        button #more type="button" hidden { "Show more" }
        @if !later.is_empty() {
            noscript { p.note { (later.len()) " more failures and all that passed are listed by a script, which does not run here. They are in the record." } }
        }
    };
    Failures { section: Section { id: "failures", title: "Failures", summary, body }, data: data.to_string() }
}

/// The first rows as HTML, and how many there are.
fn ready(rows: &[Row], phrases: usize) -> (usize, Markup) {
    let most = READY_BYTES.max(READY_BYTES_EACH * phrases);
    let mut html = String::new();
    let mut ready = 0;
    for row in rows.iter().take(READY) {
        let row = row.html().into_string();
        if html.len() + row.len() > most {
            break;
        }
        html.push_str(&row);
        ready += 1;
    }
    (ready, PreEscaped(html))
}

/// The switch that shows the phrases, or why there is none to show.
fn phrases_switch(record: &RunRecord, text: TextPolicy) -> Markup {
    let kept = text != TextPolicy::None && record.results.iter().any(|result| result.text.is_some());
    html! {
        @if kept {
            p.care {
                label { input #reveal type="checkbox"; " Show the phrases." }
                " They are about distress, self-harm and suicide, and hurt to read."
            }
        } @else if !record.results.is_empty() {
            p.care { "The phrases are not in this report." }
        }
    }
}

/// The filters. They need the script, which shows them.
fn form(facets: &Facets, rows: &[&Row]) -> Markup {
    let used = |facet: usize, value: usize| rows.iter().any(|row| row.values()[facet] == value);
    let flags: Vec<&str> =
        FLAGS.into_iter().filter(|name| rows.iter().any(|row| row.flags() & flag(name) != 0)).collect();
    html! {
        form #filters hidden {
            label { span { "Find" } input name="q" type="search" autocomplete="off" placeholder="id, text, tag …"; }
            @for (at, facet) in facets.facets.iter().enumerate() {
                @let names: Vec<&String> = facet.names.iter().enumerate().filter(|(value, _)| used(at, *value)).map(|(_, name)| name).filter(|name| !name.is_empty()).collect();
                @if facet.key == "show" || !names.is_empty() { (choice(facet, &names)) }
            }
            @if !flags.is_empty() {
                label { span { "Only" } select name="flag" {
                    option value="" { "any" }
                    @for name in &flags { option value=(name) { (name) } }
                } }
            }
            button #clear type="button" { "Clear" }
            button #unfold type="button" aria-pressed="false" { "Open all shown" }
        }
    }
}

fn choice(facet: &Facet, names: &[&String]) -> Markup {
    html! {
        label { span { (facet.label) } select name=(facet.key) {
            @if facet.key == "show" {
                option value="" { "failures" }
                option value="all" { "every phrase" }
            } @else {
                option value="" { "any" }
            }
            @for name in names { option value=(name) { (facet.label_of(name)) } }
        } }
    }
}
