//! Known failures: who answers for which, and what the gates read because of them.

use maud::{Markup, html};

use super::super::figures;
use super::clean;
use super::section::{Table, cell};
use crate::domain::{RunRecord, WaiverRecord, WaiverReport, WaiverState};

/// What the waivers did; none where the file is empty.
pub(super) fn show(report: &WaiverReport, record: &RunRecord) -> Option<Markup> {
    if report.waivers.is_empty() {
        return None;
    }
    let mut waivers: Vec<&WaiverRecord> = report.waivers.iter().collect();
    waivers.sort_by_key(|waiver| rank(waiver.state));
    let used = report.waivers.iter().filter(|waiver| waiver.state == WaiverState::Used).count();
    let rows = waivers.into_iter().map(|waiver| {
        let phrase = clean::name(&waiver.phrase);
        let was_sent = record.results.iter().any(|result| result.id == waiver.phrase);
        vec![
            html! { @if was_sent { a href={ "#" (clean::anchor(&waiver.phrase)) } { (phrase) } } @else { (phrase) } },
            cell(word(waiver.state)),
            cell(clean::name(&waiver.owner)),
            cell(clean::sentence(&waiver.reason)),
            cell(waiver.expires.to_string()),
        ]
    });
    let table = Table {
        caption: "Known failures",
        head: vec!["Phrase", "In this run", "Owner", "Reason", "Expires"],
        rows: rows.collect(),
    };
    Some(html! {
        h3 { "Known failures" }
        p {
            (used) " of at most " (report.most) " are in use: a gate that fails is asked again without them, at an accuracy of "
            b { (figures::rate(&report.metrics.accuracy)) } ". Every other number of this page counts all phrases: "
            (figures::rate(&record.metrics.accuracy)) "."
        }
        (table.render())
    })
}

/// What needs somebody first.
const fn rank(state: WaiverState) -> u8 {
    match state {
        WaiverState::Expired => 0,
        WaiverState::Unneeded => 1,
        WaiverState::Used => 2,
        WaiverState::NotRun => 3,
    }
}

/// The state in words.
pub(super) const fn word(state: WaiverState) -> &'static str {
    match state {
        WaiverState::Used => "used",
        WaiverState::Unneeded => "passed: remove it",
        WaiverState::Expired => "expired: waives nothing",
        WaiverState::NotRun => "says nothing here",
    }
}
