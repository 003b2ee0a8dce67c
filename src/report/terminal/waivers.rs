//! Known failures: who answers for each, why, and until when.

use crate::domain::{PhraseResult, RunRecord, Verdict, WaiverRecord, WaiverReport, WaiverState};

use super::page::{Line, Page, Tone};

/// So many are shown one by one.
const MOST: usize = 20;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let Some(report) = record.waivers.as_ref().filter(|report| !report.waivers.is_empty()) else { return };
    page.section("Waivers", &summary(report));
    let mut rows: Vec<(u8, Line, String)> =
        report.waivers.iter().filter_map(|waiver| row(waiver, &record.results)).collect();
    // What fails the run comes first.
    rows.sort_by_key(|(rank, ..)| *rank);
    let hidden = rows.len().saturating_sub(MOST);
    for (_, lead, text) in rows.into_iter().take(MOST) {
        page.paragraph(lead, Tone::Plain, &text);
    }
    if hidden > 0 {
        page.line(Line::of(Tone::Dim, format!("    +{hidden} more in the record")));
    }
}

fn summary(report: &WaiverReport) -> String {
    let count = |state, word: &str| {
        let count = report.waivers.iter().filter(|waiver| waiver.state == state).count();
        (count > 0 || state == WaiverState::Used).then(|| format!("{count} {word}"))
    };
    let parts = [
        count(WaiverState::Used, &format!("used, of {} at most", report.most)),
        count(WaiverState::Expired, "over"),
        count(WaiverState::Unneeded, "not needed"),
        count(WaiverState::NotRun, "without a say in this run"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Where the waiver stands, its lead, and its text; none for one that this run says nothing of.
fn row(waiver: &WaiverRecord, results: &[PhraseResult]) -> Option<(u8, Line, String)> {
    let WaiverRecord { phrase, owner, reason, expires, state } = waiver;
    let result = results.iter().find(|result| result.id == *phrase);
    let unanswered = result.is_some_and(|result| result.verdict == Verdict::Unanswered);
    let got = result.and_then(|result| result.level).map_or("no answer", |level| level.as_str());
    let (rank, tone, mark, what) = match state {
        WaiverState::Expired => (0, Tone::Bad, "✗", format!("held until {expires}")),
        WaiverState::Unneeded => (1, Tone::Bad, "✗", "passes, so it is not needed".to_owned()),
        WaiverState::NotRun if unanswered => {
            (2, Tone::Warn, "!", "got no answer, and that cannot be waived".to_owned())
        }
        WaiverState::Used => (3, Tone::Warn, "~", format!("got {got}, waived until {expires}")),
        WaiverState::NotRun => return None,
    };
    let lead = Line::of(Tone::Plain, "  ").with(tone, mark).with(Tone::Plain, " ");
    Some((rank, lead, format!("{phrase} {what}; {owner}: {reason}")))
}
