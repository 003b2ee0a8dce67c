//! The scores: are they honest, do they separate, and where would a threshold cut.

use maud::{Markup, html};

use super::super::figures;
use super::section::{Section, Tone, folded, mark};
use super::{reliability, thresholds};
use crate::domain::{Level, PhraseResult, Polarity, RunRecord};
use crate::stats::{Binning, BootstrapOptions, ScoredCase, ScoredCases};

/// With fewer cases on a side, curves are steps of a few phrases.
const LEAST: u64 = 10;
/// Below so many different scores, a service that speaks of probability means classes.
const LEAST_DISTINCT: usize = 10;
/// Rounds for what chance alone would give.
const ROUNDS: usize = 100;
/// Draws for the interval of the calibration error, over all cases: more phrases, fewer draws.
const DRAWS: usize = 2_000_000;

/// What the scores show; none where the service gives none.
pub(super) fn section(record: &RunRecord) -> Option<Section> {
    let results = || record.results.iter().filter(|result| result.polarity != Polarity::Straddling);
    let scored: Vec<ScoredCase> = results().filter_map(case).collect();
    if scored.is_empty() {
        return None;
    }
    let (count, all) = (scored.len(), results().count());
    let alert = record.target.alert_level;
    let body = match ScoredCases::new(scored) {
        Err(error) => html! {
            p.finding { (mark(Tone::Unsure)) " Nothing can be said of the scores: " (error.to_string()) "." }
        },
        Ok(cases) => shown(&cases, alert, record.options.seed),
    };
    let summary = format!("{count} of {all} phrases have one");
    Some(Section { id: "scores", title: "Scores", summary, body })
}

/// The score of a phrase that stands on one side of the alert level.
fn case(result: &PhraseResult) -> Option<ScoredCase> {
    let score = super::facts::prediction(result)?.score?;
    Some(ScoredCase { score, positive: result.polarity == Polarity::Positive })
}

fn shown(cases: &ScoredCases, alert: Level, seed: u64) -> Markup {
    let base = cases.base_rate();
    let few = base.successes() < LEAST || base.failures() < LEAST;
    html! {
        p {
            "Read as the probability that a phrase must reach a human (“" (alert.as_str()) "” or above): "
            (base.successes()) " must, " (base.failures()) " must not. "
            "If your service means something else by its score, the calibration says nothing; the ranking still does."
        }
        @if few {
            p.finding { (mark(Tone::Unsure)) " With fewer than " (LEAST) " phrases on a side, the curves are steps of single phrases: they cannot tell much." }
        }
        @if cases.distinct_scores() < LEAST_DISTINCT {
            p.finding { (mark(Tone::Unsure)) " There are only " (cases.distinct_scores()) " different scores: they are classes rather than probabilities." }
        }
        (measures(cases, seed))
        (reliability::figure(cases))
        (thresholds::roc(cases))
        (thresholds::sweep(cases))
    }
}

fn measures(cases: &ScoredCases, seed: u64) -> Markup {
    let calibration = cases.calibration(Binning::default());
    let resamples = (DRAWS / cases.as_slice().len().max(1)).clamp(200, 1000);
    let options = BootstrapOptions { resamples, seed, ..BootstrapOptions::default() };
    let error = match (&calibration, cases.calibration_error_interval(Binning::default(), options)) {
        (_, Ok(found)) => format!(
            "{} [{}, {}]",
            figures::number(Some(found.estimate)),
            figures::number(Some(found.interval.lower)),
            figures::number(Some(found.interval.upper))
        ),
        (Some(calibration), Err(why)) => {
            format!("{} (no interval: {why})", figures::number(Some(calibration.expected_error)))
        }
        (None, Err(_)) => figures::NOTHING.to_owned(),
    };
    let chance = cases.calibration_error_by_chance(Binning::default(), ROUNDS, seed);
    let rows = [
        (
            "Area under the ROC curve",
            figures::number(cases.roc_auc()),
            "1 separates perfectly, 0.5 is chance".to_owned(),
        ),
        (
            "Average precision",
            figures::number(cases.average_precision()),
            format!("{} by chance", figures::number(cases.base_rate().rate())),
        ),
        (
            "Calibration error",
            error,
            format!(
                "expected, in 10 bins; an honest service with these scores would show {}",
                figures::number(chance)
            ),
        ),
        (
            "Brier score",
            figures::number(cases.brier()),
            format!("0 is best; skill {}", figures::number(cases.brier_skill())),
        ),
    ];
    let murphy = calibration.map(|calibration| calibration.murphy);
    html! {
        dl.facts { @for (name, value, detail) in rows { dt { (name) } dd { b { (value) } " " span.detail { (detail) } } } }
        @if let Some(murphy) = murphy {
            (folded("What the Brier score is made of", &html! {
                p {
                    "Reliability " (precise(murphy.reliability)) " − resolution " (precise(murphy.resolution))
                    " + uncertainty " (precise(murphy.uncertainty)) " + residual " (precise(murphy.residual)) "."
                }
            }))
        }
    }
}

fn precise(value: f64) -> String {
    format!("{:.4}", value + 0.0)
}
