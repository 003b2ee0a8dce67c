//! Answers to variants, held against the answers to the phrases they are made of.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use crate::domain::{
    Answer, Expectation, Level, PerturbationCounts, PerturbationFlip, PerturbationGroup, PerturbationKind,
    PerturbationReport, PhraseResult, Rate, Variant,
};
use crate::stats::Confidence;
use crate::stats::cluster::{clustered_mean, effective_cases, rate_interval};

/// Flips that a report lists.
const WORST: usize = 25;

/// A score that moved by no more than this did not move.
const SCORE_STEP: f64 = 0.1;

/// A variant and what came back for it.
#[derive(Debug, Clone, Copy)]
pub struct VariantAnswer<'a> {
    /// What was sent.
    pub variant: &'a Variant,
    /// The level of the answer; none for no answer.
    pub level: Option<Level>,
    /// Its score, where the target gives one.
    pub score: Option<f64>,
}

impl<'a> VariantAnswer<'a> {
    /// The answer to a variant.
    pub fn new(variant: &'a Variant, answer: &Answer) -> Self {
        let prediction = answer.prediction();
        Self { variant, level: answer.level(), score: prediction.and_then(|prediction| prediction.score) }
    }
}

/// What the target says of a phrase itself.
struct Base<'a> {
    /// The phrase that the whole family comes from.
    seed: &'a str,
    level: Option<Level>,
    score: Option<f64>,
    steady: bool,
}

/// A variant whose answer could be held against its phrase's.
struct Judged<'a> {
    variant: &'a Variant,
    base: &'a Base<'a>,
    from: Level,
    to: Level,
    score_change: Option<f64>,
}

impl Judged<'_> {
    fn is_flip(&self) -> bool {
        !self.variant.expectation.holds(self.from, self.to)
    }

    fn could_flip(&self) -> bool {
        self.variant.expectation.can_break(self.from)
    }

    /// Whether the score moved where it should have stayed, or the wrong way.
    fn score_moved(&self) -> bool {
        // A hair, because 0.4 − 0.3 is more than 0.1 in binary.
        let step = SCORE_STEP + 1e-9;
        self.score_change.is_some_and(|change| match self.variant.expectation {
            Expectation::Same => change.abs() > step,
            Expectation::NotBelow => change < -step,
            Expectation::NotAbove => change > step,
            // A fall is allowed, and levels say how deep.
            Expectation::NotBelowBy(_) => false,
        })
    }
}

/// What became of one variant.
enum Outcome<'a> {
    Judged(Judged<'a>),
    Unanswered,
    WithoutBase,
}

/// Counts the flips, in all, by group and by kind.
///
/// `results` are the phrases themselves, `answers` the variants that were sent, `alert_level` the level from which a
/// human is alerted. Variants of one seed phrase (`seed_of` followed to its end) tend to flip together, so both
/// intervals of a rate are taken at the effective number of cases: the cases over the design effect of the clustered
/// standard error, or the number of seeds where all variants agree and no effect can be estimated.
pub fn judge_variants(
    results: &[PhraseResult],
    answers: &[VariantAnswer<'_>],
    alert_level: Level,
) -> PerturbationReport {
    let bases = bases(results);
    let outcomes: Vec<(PerturbationKind, Outcome<'_>)> =
        answers.iter().map(|answer| (answer.variant.kind, outcome(&bases, answer))).collect();
    let mut groups: BTreeMap<PerturbationGroup, Vec<&Outcome<'_>>> = BTreeMap::new();
    let mut kinds: BTreeMap<PerturbationKind, Vec<&Outcome<'_>>> = BTreeMap::new();
    for (kind, outcome) in &outcomes {
        groups.entry(kind.group()).or_default().push(outcome);
        kinds.entry(*kind).or_default().push(outcome);
    }
    let all: Vec<&Outcome<'_>> = outcomes.iter().map(|(_, outcome)| outcome).collect();
    PerturbationReport {
        total: counts(&all, alert_level),
        groups: groups.into_iter().map(|(group, members)| (group, counts(&members, alert_level))).collect(),
        kinds: kinds.into_iter().map(|(kind, members)| (kind, counts(&members, alert_level))).collect(),
        worst: worst(&all),
    }
}

fn bases(results: &[PhraseResult]) -> HashMap<&str, Base<'_>> {
    let parents: HashMap<&str, &str> =
        results.iter().filter_map(|result| Some((result.id.as_str(), result.seed_of.as_deref()?))).collect();
    let base = |result: &'_ PhraseResult| {
        let predictions = || result.observations.iter().filter_map(|seen| seen.answer.prediction());
        let scores: Vec<f64> = predictions()
            .filter(|prediction| Some(prediction.level) == result.level)
            .filter_map(|prediction| prediction.score)
            .filter(|score| score.is_finite())
            .collect();
        let steady = result.observations.iter().all(|seen| seen.answer.level() == result.level);
        (mean(&scores), steady)
    };
    results
        .iter()
        .map(|result| {
            let (score, steady) = base(result);
            (
                result.id.as_str(),
                Base { seed: seed(&result.id, &parents), level: result.level, score, steady },
            )
        })
        .collect()
}

/// The phrase at the end of the line; of a line that bites its tail, the first by name.
fn seed<'a>(id: &'a str, parents: &HashMap<&'a str, &'a str>) -> &'a str {
    let mut line = vec![id];
    let mut last = id;
    while let Some(parent) = parents.get(last).copied() {
        if line.contains(&parent) {
            return line.into_iter().min().unwrap_or(id);
        }
        line.push(parent);
        last = parent;
    }
    last
}

#[expect(clippy::cast_precision_loss, reason = "a handful of repeats")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn outcome<'a>(bases: &'a HashMap<&str, Base<'a>>, answer: &VariantAnswer<'a>) -> Outcome<'a> {
    let base = bases.get(answer.variant.of.as_str());
    let Some((base, from)) = base.and_then(|base| Some((base, base.level?))) else {
        return Outcome::WithoutBase;
    };
    let Some(to) = answer.level else { return Outcome::Unanswered };
    let scores = answer.score.filter(|score| score.is_finite()).zip(base.score);
    let score_change = scores.map(|(score, before)| score - before);
    Outcome::Judged(Judged { variant: answer.variant, base, from, to, score_change })
}

fn counts(outcomes: &[&Outcome<'_>], alert_level: Level) -> PerturbationCounts {
    let mut counts = PerturbationCounts::default();
    let mut cases: Vec<(&str, bool)> = Vec::new();
    for outcome in outcomes {
        counts.variants += 1;
        let judged = match outcome {
            Outcome::Judged(judged) => judged,
            Outcome::Unanswered => {
                counts.unanswered += 1;
                continue;
            }
            Outcome::WithoutBase => {
                counts.without_base += 1;
                continue;
            }
        };
        counts.judged += 1;
        counts.unsteady += u64::from(!judged.base.steady);
        counts.scored += u64::from(judged.score_change.is_some());
        counts.score_moved += u64::from(judged.score_moved());
        if !judged.could_flip() {
            counts.cannot_flip += 1;
            continue;
        }
        let is_flip = judged.is_flip();
        cases.push((judged.base.seed, is_flip));
        if is_flip {
            counts.flips += 1;
            counts.up += u64::from(judged.to > judged.from);
            counts.down += u64::from(judged.to < judged.from);
            counts.alerts_lost += u64::from(judged.from >= alert_level && judged.to < alert_level);
            counts.alerts_raised += u64::from(judged.from < alert_level && judged.to >= alert_level);
        }
    }
    let clustered = Clustered::new(&cases);
    counts.rate = clustered.rate;
    counts.seeds = clustered.seeds;
    counts.design_effect = clustered.design_effect;
    counts
}

/// A rate over cases that come in families.
struct Clustered {
    rate: Rate,
    seeds: u64,
    design_effect: Option<f64>,
}

impl Clustered {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    fn new(cases: &[(&str, bool)]) -> Self {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let values: Vec<(usize, f64)> = cases
            .iter()
            .map(|(seed, flip)| {
                let next = numbers.len();
                (*numbers.entry(seed).or_insert(next), f64::from(u8::from(*flip)))
            })
            .collect();
        let of = cases.len() as u64;
        let count = cases.iter().filter(|(_, flip)| *flip).count() as u64;
        let seeds = numbers.len() as u64;
        if of == 0 {
            return Self { rate: Rate::default(), seeds, design_effect: None };
        }
        // Below 1 it is luck of a small sample: families never make an interval shorter.
        let design_effect = clustered_mean(&values)
            .and_then(|mean| mean.design_effect)
            .filter(|effect| effect.is_finite())
            .map(|effect| effect.max(1.0));
        let effective = design_effect.and_then(|effect| effective_cases(of, effect)).unwrap_or(seeds as f64);
        let value = count as f64 / of as f64;
        let exact = rate_interval(value, effective, Confidence::PERCENT_95);
        let rate = Rate {
            count,
            of,
            value: Some(value),
            wilson: Some(wilson(value, effective)),
            exact: exact.map(|interval| [interval.lower, interval.upper]),
        };
        Self { rate, seeds, design_effect }
    }
}

/// Wilson's score interval at 95 %, two-sided, over a number of cases that need not be whole.
fn wilson(rate: f64, cases: f64) -> [f64; 2] {
    /// The normal quantile at 97.5 %.
    const Z: f64 = 1.959_963_984_540_054;
    let square = Z * Z / cases;
    let centre = rate + square / 2.0;
    let half = Z * (rate * (1.0 - rate) / cases + square / (4.0 * cases)).sqrt();
    // At the ends the two terms cancel, but for the last bits.
    let lower = if rate <= 0.0 { 0.0 } else { (centre - half) / (1.0 + square) };
    let upper = if rate >= 1.0 { 1.0 } else { (centre + half) / (1.0 + square) };
    [lower.clamp(0.0, 1.0), upper.clamp(0.0, 1.0)]
}

/// The deepest falls first, then the highest rises; of equal ones the gravest phrase, then by id.
fn worst(outcomes: &[&Outcome<'_>]) -> Vec<PerturbationFlip> {
    let mut flips: Vec<&Judged<'_>> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Judged(judged) if judged.is_flip() => Some(judged),
            Outcome::Judged(_) | Outcome::Unanswered | Outcome::WithoutBase => None,
        })
        .collect();
    flips.sort_by_key(|flip| {
        let steps = flip.to.steps_above(flip.from);
        let variant = flip.variant;
        (steps > 0, Reverse(steps.abs()), Reverse(flip.from), &variant.of, variant.kind, variant.index)
    });
    flips
        .into_iter()
        .take(WORST)
        .map(|flip| PerturbationFlip {
            phrase: flip.variant.of.clone(),
            kind: flip.variant.kind,
            index: flip.variant.index,
            base: flip.from,
            level: flip.to,
            score_change: flip.score_change,
        })
        .collect()
}
