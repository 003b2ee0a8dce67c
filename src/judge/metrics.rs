//! The numbers over a set of results.

use std::collections::BTreeMap;

use super::judge;
use crate::domain::{
    AnswerScores, Estimate, Level, Metrics, PhraseResult, Polarity, Rate, Slice, SliceKind, Verdict,
    VerdictCounts,
};
use crate::stats::{Confidence, Confusion, IntervalMethod, KappaWeights, Proportion, Unanswered};

/// Measures a set of results; `alert_level` is the level from which a human is alerted.
pub fn measure<'a>(results: impl IntoIterator<Item = &'a PhraseResult>, alert_level: Level) -> Metrics {
    let results: Vec<&PhraseResult> = results.into_iter().collect();
    let count =
        |holds: &dyn Fn(&PhraseResult) -> bool| results.iter().filter(|result| holds(result)).count() as u64;
    let with = |verdict: Verdict| count(&|result| result.verdict == verdict);
    let verdicts = VerdictCounts {
        exact: with(Verdict::Exact),
        tolerated: with(Verdict::Tolerated),
        under: with(Verdict::Under),
        over: with(Verdict::Over),
        unanswered: with(Verdict::Unanswered),
    };
    let phrases = results.len() as u64;
    let answered = phrases - verdicts.unanswered;
    let right = verdicts.exact + verdicts.tolerated;

    let alerts = |result: &PhraseResult| result.level.is_some_and(|level| level >= alert_level);
    let is = |result: &PhraseResult, polarity| result.polarity == polarity;
    let false_positives = count(&|result| is(result, Polarity::Negative) && alerts(result));
    let negatives_answered = count(&|result| is(result, Polarity::Negative) && result.level.is_some());
    let positives = count(&|result| is(result, Polarity::Positive));
    let false_negatives = count(&|result| is(result, Polarity::Positive) && !alerts(result));
    let severe = count(&|result| result.expected.min() >= Level::High);
    let severe_misses = count(&|result| {
        result.expected.min() >= Level::High && result.level.is_none_or(|level| level < Level::High)
    });

    // A phrase that is answered twice in three tries must not look answered: here every try counts.
    let tries = results.iter().map(|result| result.observations.len() as u64).sum();
    let tries_unanswered = results
        .iter()
        .flat_map(|result| &result.observations)
        .filter(|observation| observation.answer.level().is_none())
        .count() as u64;

    let confusion = confusion(&results);
    let accuracy = rate(right, phrases);
    let best = best_constant(&results);
    Metrics {
        phrases,
        verdicts,
        accuracy,
        accuracy_answered: rate(right, answered),
        exact_accuracy: rate(verdicts.exact, phrases),
        false_positive_rate: rate(false_positives, negatives_answered),
        false_negative_rate: rate(false_negatives, positives),
        severe_miss_rate: rate(severe_misses, severe),
        unanswered_rate: rate(tries_unanswered, tries),
        straddling: count(&|result| is(result, Polarity::Straddling)),
        scores: scores(&results, &confusion),
        confusion: confusion.rows().to_vec(),
        best_constant: best.map(|(level, _)| level),
        best_constant_accuracy: best.map(|(_, share)| share),
        lift: accuracy.value.zip(best).map(|(accuracy, (_, share))| accuracy - share),
    }
}

/// Measures every category, tag, capability and language; `targets` is what the suite asks of its categories.
pub fn slices(
    results: &[PhraseResult],
    alert_level: Level,
    targets: &BTreeMap<String, (Option<f64>, bool)>,
) -> Vec<Slice> {
    let mut members: BTreeMap<(SliceKind, &str), Vec<&PhraseResult>> = BTreeMap::new();
    for result in results {
        let mut add = |kind, name| members.entry((kind, name)).or_default().push(result);
        add(SliceKind::Category, result.category.as_str());
        result.tags.iter().for_each(|tag| add(SliceKind::Tag, tag));
        result.capability.iter().for_each(|capability| add(SliceKind::Capability, capability));
        result.split.iter().for_each(|split| add(SliceKind::Split, split.as_str()));
        result.language.iter().for_each(|language| add(SliceKind::Language, language));
    }
    members
        .into_iter()
        .map(|((kind, name), members)| {
            let target = targets.get(name).filter(|_| kind == SliceKind::Category);
            Slice {
                kind,
                name: name.to_owned(),
                target_accuracy: target.and_then(|(accuracy, _)| *accuracy),
                critical: target.is_some_and(|(_, critical)| *critical),
                metrics: measure(members, alert_level),
            }
        })
        .collect()
}

/// A share with its intervals.
pub(super) fn rate(count: u64, of: u64) -> Rate {
    let proportion = Proportion::new(count, of).unwrap_or_default();
    let interval = |method| {
        proportion.interval(method, Confidence::PERCENT_95).map(|interval| [interval.lower, interval.upper])
    };
    Rate {
        count,
        of,
        value: proportion.rate(),
        wilson: interval(IntervalMethod::Wilson),
        exact: interval(IntervalMethod::ClopperPearson),
    }
}

fn confusion(results: &[&PhraseResult]) -> Confusion {
    let mut confusion = Confusion::new(Level::ALL.len());
    for result in results {
        // Both indices come from levels, so they are always in range.
        let _ = confusion.record(result.expected.primary().index(), result.level.map(Level::index));
    }
    confusion
}

#[expect(clippy::cast_precision_loss, reason = "phrases of a run are few")]
fn scores(results: &[&PhraseResult], confusion: &Confusion) -> AnswerScores {
    let distances: Vec<f64> = results.iter().filter_map(|result| distance(result)).collect();
    let mean = |sum: f64| (!distances.is_empty()).then(|| sum / distances.len() as f64);
    AnswerScores {
        kappa_quadratic: confusion.kappa(KappaWeights::Quadratic).map(|kappa| {
            let interval = kappa.interval(Confidence::PERCENT_95);
            Estimate {
                value: kappa.value,
                lower: interval.map(|interval| interval.lower),
                upper: interval.map(|interval| interval.upper),
            }
        }),
        macro_f1: confusion.macro_f1(Unanswered::Excluded),
        mcc: confusion.matthews(Unanswered::Excluded),
        mean_distance: mean(distances.iter().map(|distance| distance.abs()).sum()),
        bias: mean(distances.iter().sum()),
    }
}

/// Signed distance in levels from the nearest expected level.
fn distance(result: &PhraseResult) -> Option<f64> {
    let level = result.level?;
    result
        .expected
        .iter()
        .map(|expected| level.steps_above(expected))
        .min_by_key(|steps| steps.abs())
        .map(f64::from)
}

/// The one answer that would be right most often, and how often.
#[expect(clippy::cast_precision_loss, reason = "phrases of a run are few")]
fn best_constant(results: &[&PhraseResult]) -> Option<(Level, f64)> {
    if results.is_empty() {
        return None;
    }
    let right = |level: Level| {
        let passes = |result: &&&PhraseResult| {
            judge(result.expected, result.lowest_passing, result.highest_passing, Some(level)).passes()
        };
        results.iter().filter(passes).count()
    };
    let best = Level::ALL.into_iter().max_by_key(|level| (right(*level), std::cmp::Reverse(*level)))?;
    Some((best, right(best) as f64 / results.len() as f64))
}
