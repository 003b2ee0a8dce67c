//! Right and wrong in two runs, cross-tabulated: overall, by rate and by slice.

use std::collections::BTreeMap;

use super::pairs::Pair;
use crate::domain::{
    AnswerBrief, Estimate, Level, MetricComparison, PairedRate, PairedTest, Rate, SliceComparison, SliceKind,
};
use crate::judge::family::plain_rate;
use crate::stats::multiplicity::holm;
use crate::stats::{Confidence, PairedTable, Proportion};

/// Kinds of slices that are compared, each a family of tests of its own.
const SLICED_BY: [SliceKind; 3] = [SliceKind::Category, SliceKind::Capability, SliceKind::Language];

pub(super) fn accuracy(pairs: &[&Pair<'_>]) -> PairedTest {
    test(passes(pairs))
}

fn passes(pairs: &[&Pair<'_>]) -> PairedTable {
    let passes = |found: &AnswerBrief| found.verdict.passes();
    pairs.iter().map(|pair| (passes(&pair.baseline), passes(&pair.candidate))).collect()
}

/// The rates besides the accuracy, each over the phrases that count for it in both runs.
pub(super) fn rates(pairs: &[&Pair<'_>], alert_level: Level) -> Vec<MetricComparison> {
    let others = PairedRate::ALL.into_iter().filter(|rate| *rate != PairedRate::Accuracy);
    others.map(|rate| compared(rate, pairs, alert_level)).collect()
}

fn compared(of: PairedRate, pairs: &[&Pair<'_>], alert_level: Level) -> MetricComparison {
    let right = |pair: &&Pair<'_>| {
        let right = |found| of.is_right(pair.phrase.expected, alert_level, found);
        right(&pair.baseline).zip(right(&pair.candidate))
    };
    let table: PairedTable = pairs.iter().filter_map(right).collect();
    let rate_of = |right: Proportion| -> Rate {
        plain_rate(if of.counts_errors() { right.failures() } else { right.successes() }, right.trials())
    };
    MetricComparison {
        metric: of.as_str().to_owned(),
        baseline: rate_of(table.baseline()),
        candidate: rate_of(table.candidate()),
        test: test(table),
    }
}

/// The accuracy of every slice, with Holm's correction within each kind.
pub(super) fn slices(pairs: &[&Pair<'_>]) -> Vec<SliceComparison> {
    let mut all = Vec::new();
    for kind in SLICED_BY {
        let mut members: BTreeMap<&str, Vec<&Pair<'_>>> = BTreeMap::new();
        for pair in pairs {
            if let Some(name) = name(pair, kind) {
                members.entry(name).or_default().push(pair);
            }
        }
        let mut slices: Vec<SliceComparison> = members
            .into_iter()
            .map(|(name, members)| SliceComparison {
                kind,
                name: name.to_owned(),
                critical: kind == SliceKind::Category && members.iter().any(|pair| pair.phrase.critical),
                test: test(passes(&members)),
            })
            .collect();
        let p_values: Vec<f64> = slices.iter().map(|slice| slice.test.p_worse).collect();
        for (slice, corrected) in slices.iter_mut().zip(holm(&p_values).unwrap_or_default()) {
            slice.test.p_worse_holm = Some(corrected);
        }
        all.extend(slices);
    }
    all
}

fn name<'a>(pair: &Pair<'a>, kind: SliceKind) -> Option<&'a str> {
    match kind {
        SliceKind::Category => Some(&pair.phrase.category),
        SliceKind::Capability => pair.phrase.capability.as_deref(),
        SliceKind::Language => pair.phrase.language.as_deref(),
        SliceKind::Tag | SliceKind::Split => None,
    }
}

fn test(table: PairedTable) -> PairedTest {
    let interval = table.difference_interval(Confidence::PERCENT_95);
    PairedTest {
        both_right: table.both_right,
        improved: table.improved,
        regressed: table.regressed,
        both_wrong: table.both_wrong,
        difference: table.difference().map(|value| Estimate {
            value,
            lower: interval.map(|interval| interval.lower),
            upper: interval.map(|interval| interval.upper),
        }),
        p_worse: table.regression_mid_p(),
        p_changed: table.mcnemar_mid_p(),
        p_worse_holm: None,
        effective: None,
    }
}
