//! The numbers over a set of results.

use std::collections::BTreeMap;

use super::estimate::estimate;
use super::family::{Families, rate};
use super::judge;
use crate::domain::{
    AnswerScores, Level, LevelSet, Metrics, PhraseResult, Polarity, Rate, Slice, SliceKind, Verdict,
    VerdictCounts, contrast_pairs,
};
use crate::stats::{Confidence, Confusion, KappaWeights, Unanswered};

/// Measures a set of results; `alert_level` is the level from which a human is alerted.
///
/// Phrases that were made from one another (`seed_of`) count in every number, and together for less in the intervals.
pub fn measure<'a>(results: impl IntoIterator<Item = &'a PhraseResult>, alert_level: Level) -> Metrics {
    let results: Vec<&PhraseResult> = results.into_iter().collect();
    let families = Families::of_results(results.iter().copied());
    measure_with(&families, &results, alert_level)
}

fn measure_with(families: &Families<'_>, results: &[&PhraseResult], alert_level: Level) -> Metrics {
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

    let numbers: Vec<Option<usize>> = results.iter().map(|result| families.number(&result.id)).collect();
    // The share of the phrases that `of` picks for which `counts` holds.
    let share = |of: &dyn Fn(&PhraseResult) -> bool, counts: &dyn Fn(&PhraseResult) -> bool| {
        let cases = results.iter().zip(&numbers).filter(|(result, _)| of(result));
        rate(&cases.map(|(result, number)| (*number, counts(result))).collect::<Vec<_>>())
    };
    let all = |_: &PhraseResult| true;
    let answered = |result: &PhraseResult| result.level.is_some();
    let is_right = |result: &PhraseResult| result.verdict.passes();
    let alerts = |result: &PhraseResult| result.level.is_some_and(|level| level >= alert_level);
    let is = |result: &PhraseResult, polarity| result.polarity == polarity;
    let severe = |result: &PhraseResult| result.expected.min() >= Level::High;

    let confusion = confusion(results);
    let accuracy = share(&all, &is_right);
    let best = best_constant(
        results.iter().map(|result| (result.expected, result.lowest_passing, result.highest_passing, 1)),
    );
    Metrics {
        phrases,
        verdicts,
        accuracy,
        accuracy_answered: share(&answered, &is_right),
        exact_accuracy: share(&all, &|result| result.verdict == Verdict::Exact),
        false_positive_rate: share(&|result| is(result, Polarity::Negative) && answered(result), &alerts),
        false_negative_rate: share(&|result| is(result, Polarity::Positive), &|result| !alerts(result)),
        severe_miss_rate: share(&severe, &|result| result.level.is_none_or(|level| level < Level::High)),
        unanswered_rate: unanswered_rate(results, &numbers),
        straddling: count(&|result| is(result, Polarity::Straddling)),
        scores: scores(results, &confusion),
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
    let families = Families::of_results(results);
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
            slice(kind, name, targets, measure_with(&families, &members, alert_level))
        })
        .collect()
}

/// A slice with its numbers, and with what the suite asks of it if it is a category.
pub(super) fn slice(
    kind: SliceKind,
    name: &str,
    targets: &BTreeMap<String, (Option<f64>, bool)>,
    metrics: Metrics,
) -> Slice {
    let target = targets.get(name).filter(|_| kind == SliceKind::Category);
    Slice {
        kind,
        name: name.to_owned(),
        target_accuracy: target.and_then(|(accuracy, _)| *accuracy),
        critical: target.is_some_and(|(_, critical)| *critical),
        metrics,
    }
}

/// Contrast pairs of which both phrases are right; none where there is no whole pair.
///
/// Pairs whose phrases were made from those of another pair are of one family with it.
pub fn pair_accuracy(results: &[PhraseResult]) -> Option<Rate> {
    let pairs = contrast_pairs(results, |result| (&result.id, result.pair.as_deref()));
    let seeds = results.iter().filter_map(|result| Some((result.id.as_str(), result.seed_of.as_deref()?)));
    let families =
        Families::of(seeds.chain(pairs.iter().map(|[one, other]| (one.id.as_str(), other.id.as_str()))));
    let cases: Vec<(Option<usize>, bool)> = pairs
        .iter()
        .map(|pair| (families.number(&pair[0].id), pair.iter().all(|result| result.verdict.passes())))
        .collect();
    (!cases.is_empty()).then(|| rate(&cases))
}

/// A phrase that is answered twice in three tries must not look answered: here every try counts.
fn unanswered_rate(results: &[&PhraseResult], numbers: &[Option<usize>]) -> Rate {
    let repeats = results.iter().map(|result| result.observations.len()).max().unwrap_or(0);
    let tries = results.iter().zip(numbers).flat_map(|(result, number)| {
        let tries = result.observations.iter().enumerate();
        // What relatives have in common they have in each pass over the suite.
        tries.map(move |(pass, seen)| {
            (number.map(|number| number * repeats + pass), seen.answer.level().is_none())
        })
    });
    rate(&tries.collect::<Vec<_>>())
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
        kappa_quadratic: confusion
            .kappa(KappaWeights::Quadratic)
            .map(|kappa| estimate(kappa.value, kappa.interval(Confidence::PERCENT_95))),
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

/// The one answer that would be right most often, and how often: of what is expected, the lowest and the highest level
/// that passes, and how often that is asked.
#[expect(clippy::cast_precision_loss, reason = "a share")]
pub(super) fn best_constant(
    cases: impl IntoIterator<Item = (LevelSet, Level, Level, u64)>,
) -> Option<(Level, f64)> {
    let (mut right, mut all) = ([0_u64; 5], 0);
    for (expected, lowest, highest, count) in cases {
        all += count;
        for level in Level::ALL {
            if judge(expected, lowest, highest, Some(level)).passes() {
                right[level.index()] += count;
            }
        }
    }
    let best =
        Level::ALL.into_iter().max_by_key(|level| (right[level.index()], std::cmp::Reverse(*level)))?;
    (all > 0).then(|| (best, right[best.index()] as f64 / all as f64))
}
