//! Target and reference over lines that nobody has labelled.

use super::estimate::estimate;
use super::family::rate;
use crate::domain::{Level, ShadowAnswer, ShadowComparison, ShadowDisagreement, ShadowPair};
use crate::stats::{Confidence, Confusion, KappaWeights};

/// Holds the answers against each other, and names so many of the strongest disagreements. A line without two answers
/// is neither agreement nor disagreement. Lines of the same text count as fewer independent ones.
pub fn compare_shadow(pairs: &[ShadowPair], alert_level: Level, most: usize) -> ShadowComparison {
    let mut levels = Confusion::new(Level::ALL.len());
    for pair in pairs {
        if let Some(reference) = &pair.reference {
            // Both indices come from levels, so they are always in range.
            let target = pair.target.as_ref().map(|answer| answer.level.index());
            let _ = levels.record(reference.level.index(), target);
        }
    }
    let both = || {
        let answered =
            |pair: &ShadowPair| Some((pair.line, pair.alike, pair.target.clone()?, pair.reference.clone()?));
        pairs.iter().filter_map(answered)
    };
    let share = |counts: &dyn Fn(Level, Level) -> bool| {
        let cases =
            both().map(|(_, alike, target, reference)| (alike, counts(target.level, reference.level)));
        rate(&cases.collect::<Vec<_>>())
    };
    let alerts = |level: Level| level >= alert_level;
    let mut strongest: Vec<ShadowDisagreement> = both()
        .filter(|(_, _, target, reference)| target.level != reference.level)
        .map(|(line, _, target, reference)| disagreement(line, target, reference))
        .collect();
    strongest.sort_by(|one, other| {
        let width = |seen: &ShadowDisagreement| seen.gap.unwrap_or(0.0).abs();
        let apart = |seen: &ShadowDisagreement| seen.levels_above.abs();
        apart(other)
            .cmp(&apart(one))
            .then_with(|| width(other).total_cmp(&width(one)))
            .then_with(|| one.line.cmp(&other.line))
    });
    strongest.truncate(most);
    ShadowComparison {
        disagreement: share(&|target, reference| target != reference),
        across_alert: share(&|target, reference| alerts(target) != alerts(reference)),
        kappa_quadratic: levels.kappa(KappaWeights::Quadratic).map(|kappa| {
            // An interval would take lines that are alike for independent ones.
            let interval = both()
                .all(|(_, alike, ..)| alike.is_none())
                .then(|| kappa.interval(Confidence::PERCENT_95))
                .flatten();
            estimate(kappa.value, interval)
        }),
        levels: levels.rows().to_vec(),
        strongest,
    }
}

fn disagreement(line: u64, target: ShadowAnswer, reference: ShadowAnswer) -> ShadowDisagreement {
    let steps = |answer: &ShadowAnswer| i64::try_from(answer.level.index()).unwrap_or_default();
    let scores = target.score.zip(reference.score);
    ShadowDisagreement {
        line,
        levels_above: steps(&target) - steps(&reference),
        gap: scores.map(|(target, reference)| target - reference).filter(|gap| gap.is_finite()),
        target,
        reference,
        text: None,
    }
}
