//! What the numbers rest on: known failures, flaky answers, and signs that something is not what it seems.

use super::super::figures;
use super::super::terminal::integrity::findings;
use super::escape::{code, prose};
use super::page::{Page, table};
use crate::domain::{FlakyPhrase, RepeatReport, RunRecord, WaiverRecord, WaiverReport, WaiverState};

/// So many known failures and flaky phrases are shown.
const MOST: usize = 20;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    if let Some(report) = &record.waivers {
        waivers(page, report);
    }
    if let Some(report) = &record.repeats {
        repeats(page, report);
    }
    let findings = findings(record);
    if !findings.is_empty() {
        page.block("### Integrity");
        page.warnings(&findings);
    }
}

fn waivers(page: &mut Page, report: &WaiverReport) {
    let count = |state| report.waivers.iter().filter(|waiver| waiver.state == state).count();
    page.block("### Known failures");
    page.block(format!(
        "{} passed over (at most {}), {} no longer needed, {} expired, {} not in this run.",
        count(WaiverState::Used),
        report.most,
        count(WaiverState::Unneeded),
        count(WaiverState::Expired),
        count(WaiverState::NotRun),
    ));
    let mut shown: Vec<&WaiverRecord> =
        report.waivers.iter().filter(|waiver| waiver.state != WaiverState::NotRun).collect();
    shown.sort_by_key(|waiver| match waiver.state {
        WaiverState::Expired => 0,
        WaiverState::Unneeded => 1,
        WaiverState::Used | WaiverState::NotRun => 2,
    });
    let row = |waiver: &WaiverRecord| {
        let state = match waiver.state {
            WaiverState::Used => "passed over",
            WaiverState::Unneeded => "⚠️ right again: remove it",
            WaiverState::Expired => "⚠️ expired",
            WaiverState::NotRun => "not in this run",
        };
        vec![
            code(&waiver.phrase),
            state.to_owned(),
            code(&waiver.owner),
            waiver.expires.to_string(),
            prose(&waiver.reason),
        ]
    };
    page.block(table(&["phrase", "", "owner", "until", "reason"], shown, MOST, row));
}

fn repeats(page: &mut Page, report: &RepeatReport) {
    page.block("### Repeats");
    page.block(format!(
        "{} sent more than once: right every time {}, flaky {}, answers that differ from the usual one {}.",
        figures::count(report.phrases, "phrase", "phrases"),
        figures::rate(&report.always_right),
        figures::rate(&report.flaky_rate),
        figures::rate(&report.flip_rate),
    ));
    let row = |flaky: &FlakyPhrase| {
        let answers = flaky.answers.iter().map(|answer| {
            let level = answer.level.map_or("no answer", |level| level.as_str());
            format!("{level} ×{}", answer.count)
        });
        vec![
            code(&flaky.id),
            code(&flaky.category),
            answers.collect::<Vec<_>>().join(", "),
            format!("{} of {}", flaky.passing.count, flaky.passing.of),
        ]
    };
    page.details(
        "Flaky phrases",
        &table(&["phrase", "category", "answers", "right"], &report.flaky, MOST, row),
    );
}
