//! Target and reference over the same phrases: where they part, and who is right.

use std::collections::{BTreeMap, HashMap};

use super::estimate::{estimate, paired_test};
use super::family::{Families, rate};
use crate::domain::{
    Disagreement, Level, PairedTest, PhraseResult, Rate, ReferenceComparison, ReferenceSlice, ScoreGap,
    SliceKind,
};
use crate::stats::{Confidence, Confusion, KappaWeights};

/// Gaps that a report lists.
const LARGEST: usize = 25;

/// A smaller gap is none.
const SMALLEST: f64 = 0.1;

/// A phrase that both were asked.
#[derive(Clone, Copy)]
struct Pair<'a> {
    target: &'a PhraseResult,
    reference: &'a PhraseResult,
    /// The number of the phrase's family, if it was made from another or another from it.
    family: Option<usize>,
}

/// What target and reference made of a phrase.
pub fn disagreement(target: &PhraseResult, reference: &PhraseResult) -> Disagreement {
    match (target.verdict.passes(), reference.verdict.passes()) {
        _ if target.level.is_none() => Disagreement::Unanswered,
        (true, true) => Disagreement::BothRight,
        (false, true) => Disagreement::OnlyTargetWrong,
        (true, false) => Disagreement::OnlyReferenceWrong,
        (false, false) if target.level == reference.level => Disagreement::BothWrongAlike,
        (false, false) => Disagreement::BothWrong,
    }
}

/// Holds the reference's results against the target's; phrases that only one of them answered are counted and in nothing
/// else.
pub fn compare_reference(target: &[PhraseResult], reference: &[PhraseResult]) -> ReferenceComparison {
    let by_id: HashMap<&str, &PhraseResult> =
        reference.iter().map(|result| (result.id.as_str(), result)).collect();
    let families = Families::of_results(target);
    let mut pairs: Vec<Pair<'_>> = target
        .iter()
        .filter_map(|target| {
            let family = families.number(&target.id);
            Some(Pair { target, reference: by_id.get(target.id.as_str())?, family })
        })
        .collect();
    let mut disagreements = BTreeMap::new();
    for pair in &pairs {
        *disagreements.entry(disagreement(pair.target, pair.reference)).or_default() += 1;
    }
    let levels = levels(&pairs);
    pairs.retain(|pair| pair.target.level.is_some() && pair.reference.level.is_some());
    let kappa = levels
        .kappa(KappaWeights::Quadratic)
        .map(|kappa| estimate(kappa.value, kappa.interval(Confidence::PERCENT_95)));
    ReferenceComparison {
        compared: pairs.len() as u64,
        agreement: agreement(&pairs),
        kappa_quadratic: kappa,
        test: test(&pairs),
        disagreements,
        levels: levels.rows().to_vec(),
        slices: slices(&pairs),
        gaps: gaps(&pairs),
    }
}

fn agreement(pairs: &[Pair<'_>]) -> Rate {
    let same = |pair: &Pair<'_>| pair.target.level == pair.reference.level;
    rate(&pairs.iter().map(|pair| (pair.family, same(pair))).collect::<Vec<_>>())
}

fn levels(pairs: &[Pair<'_>]) -> Confusion {
    let mut levels = Confusion::new(Level::ALL.len());
    for pair in pairs {
        if let Some(reference) = pair.reference.level {
            // Both indices come from levels, so they are always in range.
            let _ = levels.record(reference.index(), pair.target.level.map(Level::index));
        }
    }
    levels
}

fn test(pairs: &[Pair<'_>]) -> PairedTest {
    let right = |pair: &Pair<'_>| (pair.reference.verdict.passes(), pair.target.verdict.passes());
    paired_test(pairs.iter().map(right).collect(), None)
}

fn slices(pairs: &[Pair<'_>]) -> Vec<ReferenceSlice> {
    let mut members: BTreeMap<(SliceKind, &str), Vec<Pair<'_>>> = BTreeMap::new();
    for pair in pairs {
        let mut add = |kind, name| members.entry((kind, name)).or_default().push(*pair);
        add(SliceKind::Category, pair.target.category.as_str());
        if let Some(capability) = &pair.target.capability {
            add(SliceKind::Capability, capability);
        }
    }
    members
        .into_iter()
        .map(|((kind, name), members)| ReferenceSlice {
            kind,
            name: name.to_owned(),
            agreement: agreement(&members),
            test: test(&members),
        })
        .collect()
}

/// The score of the observation that was judged: the first one with the judged level.
fn score(result: &PhraseResult) -> Option<f64> {
    let predictions = result.observations.iter().filter_map(|seen| seen.answer.prediction());
    predictions
        .filter(|prediction| Some(prediction.level) == result.level)
        .find_map(|prediction| prediction.score)
        .filter(|score| score.is_finite())
}

fn gaps(pairs: &[Pair<'_>]) -> Vec<ScoreGap> {
    let mut gaps: Vec<ScoreGap> = pairs
        .iter()
        .filter_map(|pair| {
            let target = (pair.target.level?, score(pair.target)?);
            let reference = (pair.reference.level?, score(pair.reference)?);
            Some(ScoreGap {
                id: pair.target.id.clone(),
                category: pair.target.category.clone(),
                expected: pair.target.expected,
                target,
                reference,
                gap: target.1 - reference.1,
                source: pair.target.source.clone(),
            })
        })
        .filter(|gap| gap.gap.abs() >= SMALLEST)
        .collect();
    gaps.sort_by(|one, other| other.gap.abs().total_cmp(&one.gap.abs()).then_with(|| one.id.cmp(&other.id)));
    gaps.truncate(LARGEST);
    gaps
}
