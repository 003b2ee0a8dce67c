//! Answers to variants, held against the answers to the phrases they are made of.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::family::{Families, rate};
use crate::domain::{
    Answer, Expectation, Level, PerturbationCounts, PerturbationFlip, PerturbationGroup, PerturbationKind,
    PerturbationReport, PhraseResult, Variant,
};

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
struct Base {
    /// The number of the family that it is of.
    family: usize,
    level: Option<Level>,
    score: Option<f64>,
    steady: bool,
}

/// A variant whose answer could be held against its phrase's.
struct Judged<'a> {
    variant: &'a Variant,
    base: &'a Base,
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
/// human is alerted. Variants of one phrase, or of phrases of one family, tend to flip together, so both intervals of a
/// rate are those of as many independent variants as they are worth ([`worth`](crate::stats::cluster::worth)).
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

fn bases(results: &[PhraseResult]) -> HashMap<&str, Base> {
    let families = Families::of_results(results);
    let base = |(place, result): (usize, &'_ PhraseResult)| {
        let predictions = || result.observations.iter().filter_map(|seen| seen.answer.prediction());
        let scores: Vec<f64> = predictions()
            .filter(|prediction| Some(prediction.level) == result.level)
            .filter_map(|prediction| prediction.score)
            .filter(|score| score.is_finite())
            .collect();
        Base {
            // A phrase without relatives is a family with its variants, numbered from the other end.
            family: families.number(&result.id).unwrap_or(usize::MAX - place),
            level: result.level,
            score: mean(&scores),
            steady: result.observations.iter().all(|seen| seen.answer.level() == result.level),
        }
    };
    results.iter().enumerate().map(|(place, result)| (result.id.as_str(), base((place, result)))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a handful of repeats")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn outcome<'a>(bases: &'a HashMap<&str, Base>, answer: &VariantAnswer<'a>) -> Outcome<'a> {
    let base = bases.get(answer.variant.of.as_str());
    let Some((base, from)) = base.and_then(|base| Some((base, base.level?))) else {
        return Outcome::WithoutBase;
    };
    let Some(to) = answer.level else { return Outcome::Unanswered };
    let scores = answer.score.filter(|score| score.is_finite()).zip(base.score);
    let score_change = scores.map(|(score, before)| score - before);
    Outcome::Judged(Judged { variant: answer.variant, base, from, to, score_change })
}

#[expect(clippy::cast_precision_loss, reason = "variants of a run are few")]
fn counts(outcomes: &[&Outcome<'_>], alert_level: Level) -> PerturbationCounts {
    let mut counts = PerturbationCounts::default();
    let mut cases: Vec<(Option<usize>, bool)> = Vec::new();
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
        cases.push((Some(judged.base.family), is_flip));
        if is_flip {
            counts.flips += 1;
            counts.up += u64::from(judged.to > judged.from);
            counts.down += u64::from(judged.to < judged.from);
            counts.alerts_lost += u64::from(judged.from >= alert_level && judged.to < alert_level);
            counts.alerts_raised += u64::from(judged.from < alert_level && judged.to >= alert_level);
        }
    }
    counts.rate = rate(&cases);
    counts.seeds = cases.iter().map(|(family, _)| family).collect::<HashSet<_>>().len() as u64;
    counts.design_effect =
        (!cases.is_empty()).then(|| counts.rate.effective.map_or(1.0, |worth| cases.len() as f64 / worth));
    counts
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
