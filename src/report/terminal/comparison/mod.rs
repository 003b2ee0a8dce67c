//! Two runs beside each other: the verdict, what makes it less than it seems, what changed, and whether that can be
//! chance.

mod apart;
mod changes;
mod latency;
mod loads;
mod rates;
mod slices;

use std::collections::BTreeMap;

use crate::domain::{
    BaselineRecord, Change, ComparisonRecord, PairedTest, RunBrief, RunComparison, RunRecord,
};

use super::super::{figures, fit};
use super::footer::{Place, places};
use super::page::{Line, Page, Tone};
use super::{TerminalOptions, gates, headline};

/// Shows a comparison as text whose last line ends in a newline. `texts` are the phrases' texts by id, for a reader who
/// asked for them.
pub fn render_comparison_terminal(
    record: &ComparisonRecord,
    texts: &BTreeMap<String, String>,
    options: &TerminalOptions,
) -> String {
    let mut page = Page::new(options.width, options.color);
    let comparison = &record.comparison;
    let (tone, word) = headline::word(record.verdict.conclusion);
    let lead = Line::of(tone, &word).with(Tone::Plain, "  ");
    page.paragraph(lead, Tone::Strong, &counts(comparison));
    let indent = Line::of(Tone::Plain, " ".repeat(word.len() + 2));
    page.paragraph(indent, Tone::Plain, &record.verdict.sentence);
    page.blank();
    for (label, run) in [("Baseline   ", &comparison.baseline), ("Candidate  ", &comparison.candidate)] {
        page.paragraph(Line::of(Tone::Dim, label), Tone::Plain, &brief(run));
    }
    warnings(&mut page, comparison);
    gates::show(&mut page, &record.verdict.checks);
    loads::show(&mut page, comparison.load.as_deref());
    changes::worse(&mut page, comparison, texts);
    changes::others(&mut page, comparison, texts);
    apart::show(&mut page, comparison);
    rates::show(&mut page, comparison);
    slices::show(&mut page, comparison);
    latency::show(&mut page, &comparison.latency);

    page.blank();
    for note in &options.notes {
        page.paragraph(Line::of(Tone::Dim, "note  "), Tone::Plain, note);
    }
    page.blank();
    let files =
        options.files.iter().map(|(label, path)| (label.clone(), Place::End(path.display().to_string())));
    let rows: Vec<_> = files.collect();
    places(&mut page, &rows);
    page.finish()
}

/// What a run's page says of its baseline: what changed, and what got worse.
pub(super) fn show_baseline(page: &mut Page, record: &RunRecord) {
    match &record.baseline {
        None => {}
        Some(BaselineRecord::Missing { wanted, reason }) => {
            page.section("Baseline", &format!("`{wanted}` cannot be used: {reason}"));
        }
        Some(BaselineRecord::Compared(comparison)) => {
            page.section("Baseline", &format!("{}: {}", comparison.baseline.id, counts(comparison)));
            if comparison.compared > 0 {
                page.paragraph(Line::of(Tone::Plain, "    "), Tone::Plain, &chance(&comparison.accuracy));
            }
            warnings(page, comparison);
            apart::brief(page, comparison);
            changes::worse(page, comparison, &BTreeMap::new());
        }
    }
}

fn warnings(page: &mut Page, comparison: &RunComparison) {
    if comparison.warnings.is_empty() {
        return;
    }
    page.blank();
    for warning in &comparison.warnings {
        page.paragraph(Line::of(Tone::Warn, "warning  "), Tone::Plain, warning);
    }
}

/// How many got worse and better.
fn counts(comparison: &RunComparison) -> String {
    let PairedTest { regressed, improved, .. } = comparison.accuracy;
    let compared = figures::count(comparison.compared, "phrase", "phrases");
    let flaky = comparison.changed(Change::Flaky).count();
    let flaky = if flaky > 0 { format!(", {flaky} flaky") } else { String::new() };
    if comparison.compared == 0 {
        return format!("no phrase is compared{flaky}");
    }
    match (regressed, improved) {
        (0, 0) => format!("none of {compared} got worse or better{flaky}"),
        (worse, better) => format!("{worse} worse, {better} better of {compared}{flaky}"),
    }
}

/// What the counts mean, in a sentence.
fn chance(test: &PairedTest) -> String {
    let (worse, better) = (test.regressed, test.improved);
    if let Some(answers) = &test.answers {
        let [is, was] = [answers.candidate, answers.baseline].map(|rate| figures::percent(rate.value));
        let p = fit::unbroken(&figures::percent(Some(test.p_worse)));
        return format!(
            "{is} of {} answers are right, and {was} before: by chance alone, that or worse happens in {p} of cases",
            answers.candidate.of
        );
    }
    let what = match (worse, better) {
        (0, 0) => return "nothing changed".to_owned(),
        (0, better) => return format!("none got worse, {better} better"),
        (worse, 0) => format!("{worse} got worse, none better"),
        (worse, better) => format!("{worse} got worse, {better} better"),
    };
    let p = figures::percent(Some(test.p_worse));
    format!("{what}: by chance alone, that or worse happens in {} of cases", fit::unbroken(&p))
}

/// A run in a line.
fn brief(run: &RunBrief) -> String {
    let version = run.target_version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let started = fit::unbroken(&run.started_at.format("%Y-%m-%d %H:%M").to_string());
    // Of a load the suite's name says what was sent.
    let (one, many) =
        if run.suite.starts_with("load ") { ("answer", "answers") } else { ("phrase", "phrases") };
    let phrases = figures::count(run.phrases, one, many);
    format!("{}  {started}, {phrases} of {} against {}{version}", run.id, run.suite, run.target)
}
