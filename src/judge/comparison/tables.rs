//! Right and wrong in two runs, cross-tabulated: overall, by rate and by slice.

use crate::judge::estimate::paired_test;
use std::collections::BTreeMap;

use super::pairs::Pair;
use crate::domain::{Level, MetricComparison, PairedRate, PairedTest, Rate, SliceComparison, SliceKind};
use crate::judge::family::{plain_rate, worth_of_families};
use crate::stats::multiplicity::holm;
use crate::stats::{PairedTable, Proportion};

/// Kinds of slices that are compared, each a family of tests of its own.
const SLICED_BY: [SliceKind; 3] = [SliceKind::Category, SliceKind::Capability, SliceKind::Language];

pub(super) fn accuracy(pairs: &[&Pair<'_>]) -> PairedTest {
    // From which level on a human is alerted plays no part in it.
    test(&cases(PairedRate::Accuracy, pairs, Level::Low))
}

/// Whether a phrase was right and is right, and the number of its family.
struct Case {
    family: Option<usize>,
    right: (bool, bool),
}

/// The phrases that count for a rate in both runs.
fn cases(of: PairedRate, pairs: &[&Pair<'_>], alert_level: Level) -> Vec<Case> {
    let case = |pair: &&Pair<'_>| {
        let right = |found| of.is_right(pair.phrase.expected, alert_level, found);
        let right = right(&pair.baseline).zip(right(&pair.candidate))?;
        Some(Case { family: pair.family, right })
    };
    pairs.iter().filter_map(case).collect()
}

fn table(cases: &[Case]) -> PairedTable {
    cases.iter().map(|case| case.right).collect()
}

/// The rates besides the accuracy, each over the phrases that count for it in both runs.
pub(super) fn rates(pairs: &[&Pair<'_>], alert_level: Level) -> Vec<MetricComparison> {
    let others = PairedRate::ALL.into_iter().filter(|rate| *rate != PairedRate::Accuracy);
    others.map(|rate| compared(rate, pairs, alert_level)).collect()
}

fn compared(of: PairedRate, pairs: &[&Pair<'_>], alert_level: Level) -> MetricComparison {
    let cases = cases(of, pairs, alert_level);
    let table = table(&cases);
    let rate_of = |right: Proportion| -> Rate {
        plain_rate(if of.counts_errors() { right.failures() } else { right.successes() }, right.trials())
    };
    MetricComparison {
        metric: of.as_str().to_owned(),
        baseline: rate_of(table.baseline()),
        candidate: rate_of(table.candidate()),
        test: test(&cases),
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
                test: accuracy(&members),
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

fn test(cases: &[Case]) -> PairedTest {
    let table = table(cases);
    let change = |(before, after): (bool, bool)| f64::from(u8::from(after)) - f64::from(u8::from(before));
    let changes: Vec<(Option<usize>, f64)> =
        cases.iter().map(|case| (case.family, change(case.right))).collect();
    paired_test(table, worth_of_families(&changes))
}
