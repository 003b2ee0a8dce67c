//! Two runs over the same phrases: which answers flipped, and whether that can be chance.
//!
//! On a run's page this is one section against its baseline; on a comparison's page each part is a section of its own.

use maud::{Markup, html};

use super::super::{figures, unpaired};
use super::clean;
use super::section::{Place, Section, Table, Tone, cell, folded, mark};
use crate::domain::{
    AnswerBrief, BaselineRecord, Change, Estimate, PairedTest, PhraseChange, RunBrief, RunComparison,
};

/// The fates, in the order in which one reads of them, with their words.
const FATES: [(Change, &str); 6] = [
    (Change::Regressed, "regressed"),
    (Change::Fixed, "fixed"),
    (Change::StillWrong, "still wrong"),
    (Change::Flaky, "flaky"),
    (Change::New, "new"),
    (Change::Gone, "gone"),
];

/// What changed against the baseline; none where none was wanted.
pub(super) fn section(baseline: Option<&BaselineRecord>) -> Option<Section> {
    let (summary, body) = match baseline? {
        BaselineRecord::Missing { wanted, reason } => (
            "could not tell".to_owned(),
            html! {
                p.finding { (mark(Tone::Unsure)) " "
                    "The baseline " b { (clean::name(wanted)) } " could not be used: " (clean::sentence(reason))
                    ". So nothing is known of what changed."
                }
            },
        ),
        BaselineRecord::Compared(comparison) => (
            summary(comparison),
            html! {
                p { "Against " (brief(&comparison.baseline)) "." }
                (warnings(comparison))
                (outcome(comparison))
                (apart(comparison))
                (changes(comparison, Place::BesideTheFailures))
                (folded("Rates, slices and latency against the baseline", &html! { (super::comparison::numbers(comparison)) }))
            },
        ),
    };
    Some(Section { id: "flips", title: "Against the baseline", summary, body })
}

/// How many phrases have which fate.
pub(super) fn summary(comparison: &RunComparison) -> String {
    let counts = FATES.iter().filter_map(|(change, word)| {
        let count = comparison.changed(*change).count();
        (count > 0).then(|| format!("{count} {word}"))
    });
    let counts = counts.collect::<Vec<_>>().join(", ");
    if counts.is_empty() { "no answer changed".to_owned() } else { counts }
}

/// A run, by what tells it from others.
pub(super) fn brief(run: &RunBrief) -> Markup {
    html! {
        b { (clean::name(run.id.as_str())) } " of " (run.started_at.format("%Y-%m-%d %H:%M UTC").to_string())
        ": " (clean::name(&run.suite)) " against " (clean::name(&run.target))
        @if let Some(version) = &run.target_version { ", version " (clean::name(version)) }
    }
}

/// What makes the comparison less than it seems.
pub(super) fn warnings(comparison: &RunComparison) -> Markup {
    html! {
        @if !comparison.warnings.is_empty() {
            ul.findings {
                @for warning in &comparison.warnings { li { (mark(Tone::Unsure)) " " span { (clean::sentence(warning)) } } }
            }
        }
    }
}

/// The accuracy in both runs, in a sentence.
pub(super) fn outcome(comparison: &RunComparison) -> Markup {
    let test = &comparison.accuracy;
    if comparison.compared == 0 {
        return html! { p { "The runs share no phrase that was answered steadily: nothing is compared phrase by phrase." } };
    }
    if let Some(answers) = test.answers {
        return html! {
            p {
                (figures::rate(&answers.candidate)) " of " (answers.candidate.of) " answers are right, and "
                (figures::rate(&answers.baseline)) " of " (answers.baseline.of) " in the baseline: accuracy "
                b { (difference(test, false)) @if test.difference.is_some() { " points" } } ". "
                "The chance that a run which did not get worse looks at least so: " (probability(Some(test.p_worse))) ". "
                "Beyond chance " (test.regressed) " of " (comparison.compared) " phrases got worse, " (test.improved) " better."
            }
        };
    }
    html! {
        p {
            "Of " (comparison.compared) " phrases that both runs hold, "
            (test.both_right) " are right in both, " (test.regressed) " regressed, " (test.improved) " improved, "
            (test.both_wrong) " are wrong in both: accuracy " b { (difference(test, false)) @if test.difference.is_some() { " points" } } ". "
            "The chance that a run which did not get worse looks at least so: " (probability(Some(test.p_worse))) "."
        }
    }
}

/// The runs as a whole, where too few of their phrases are the same.
pub(super) fn apart(comparison: &RunComparison) -> Markup {
    let rows = comparison.unpaired.iter().map(|found| {
        let [name, cells @ ..] = unpaired::row(found);
        std::iter::once(cell(clean::name(&name))).chain(cells.into_iter().map(cell)).collect()
    });
    let head = vec!["Rate", "#Baseline", "#Candidate", "#Difference", "#p worse", "#p differs"];
    let table = Table { caption: "Both runs, each over its own phrases", head, rows: rows.collect() };
    html! {
        @if !table.rows.is_empty() {
            h3 { (unpaired::TITLE) }
            p.finding { (unpaired::NOTE) }
            (table.render())
        }
    }
}

/// The difference of the share that is shown, with its interval, in percentage points. A share of errors rises as the
/// cases get worse.
pub(super) fn difference(test: &PairedTest, of_errors: bool) -> String {
    let Some(Estimate { value, lower, upper }) = test.difference else { return figures::NOTHING.to_owned() };
    let ends = lower.zip(upper);
    if of_errors {
        figures::signed(Some(-value), ends.map(|(lower, upper)| [-upper, -lower]))
    } else {
        figures::signed(Some(value), ends.map(<[f64; 2]>::from))
    }
}

/// A p-value.
pub(super) fn probability(p: Option<f64>) -> String {
    match p.filter(|p| p.is_finite()) {
        Some(p) if p < 0.001 => "<0.001".to_owned(),
        Some(p) => format!("{p:.3}"),
        None => figures::NOTHING.to_owned(),
    }
}

/// The phrases by fate: those that got worse at once, the others folded.
pub(super) fn changes(comparison: &RunComparison, place: Place) -> Markup {
    html! {
        @for (change, word) in FATES {
            @let phrases: Vec<&PhraseChange> = comparison.changed(change).collect();
            @if !phrases.is_empty() {
                @if change == Change::Regressed {
                    h3 { "Regressed" }
                    (table(&phrases, change, place))
                } @else if change == Change::StillWrong && place == Place::BesideTheFailures {
                    p.folded { a href={ "#show=all&change=" (clean::encode(word)) } { (phrases.len()) " " (word) } }
                } @else {
                    (folded(&format!("{} {word}", phrases.len()), &table(&phrases, change, place)))
                }
            }
        }
    }
}

/// So many phrases of one fate are listed.
const fn most(place: Place) -> usize {
    match place {
        Place::BesideTheFailures => 100,
        Place::Alone => 1000,
    }
}

fn table(phrases: &[&PhraseChange], change: Change, place: Place) -> Markup {
    let linked = place == Place::BesideTheFailures && change != Change::Gone;
    let rows = phrases.iter().take(most(place)).map(|phrase| {
        let id = clean::name(&phrase.id);
        vec![
            html! { @if linked { a href={ "#" (clean::anchor(&phrase.id)) } { (id) } } @else { (id) } },
            cell(phrase.expected.to_string()),
            cell(answer(phrase.baseline.as_ref())),
            cell(answer(phrase.candidate.as_ref())),
            cell(clean::name(&phrase.category)),
            cell(weight(phrase)),
        ]
    });
    let caption = match change {
        Change::Regressed => "Right in the baseline and wrong now",
        Change::Fixed => "Wrong in the baseline and right now",
        Change::StillWrong => "Wrong in both runs",
        Change::Flaky => "Answers that differ within a run",
        Change::New => "Only in this run",
        Change::Gone => "Only in the baseline",
    };
    let head = vec!["Phrase", "Expected", "Was", "Is", "Category", "Weight"];
    let more = phrases.len().saturating_sub(most(place));
    html! {
        (Table { caption, head, rows: rows.collect() }.render())
        @if more > 0 { p.note { (more) " more in the record." } }
    }
}

/// What a run found for a phrase, as `low (under), 0.31`.
pub(super) fn answer(answer: Option<&AnswerBrief>) -> String {
    let Some(answer) = answer else { return figures::NOTHING.to_owned() };
    if let Some(answers) = answer.answers {
        return figures::answers(answers);
    }
    let level =
        answer.level.map_or("no answer".to_owned(), |level| format!("{level} ({})", answer.verdict.as_str()));
    match answer.score {
        Some(score) => format!("{level}, {}", figures::number(Some(score))),
        None => level,
    }
}

fn weight(phrase: &PhraseChange) -> String {
    let words = [(phrase.must_pass, "must pass"), (phrase.critical, "critical")];
    words.iter().filter(|(holds, _)| *holds).map(|(_, word)| *word).collect::<Vec<_>>().join(", ")
}

/// The fate in a word.
pub(super) fn word(change: Change) -> &'static str {
    FATES.iter().find(|(known, _)| *known == change).map_or("", |(_, word)| word)
}
