//! Right and wrong in two runs, cross-tabulated: overall, by rate and by slice.

use crate::judge::estimate::paired_test;
use std::collections::BTreeMap;

use super::answers::{self, Shares};
use super::pairs::Pair;
use crate::domain::{Level, MetricComparison, PairedRate, PairedTest, Rate, SliceComparison, SliceKind};
use crate::judge::family::{plain_rate, worth_of_families};
use crate::stats::multiplicity::holm;
use crate::stats::{PairedTable, Proportion};

/// Kinds of slices that are compared, each a family of tests of its own.
const SLICED_BY: [SliceKind; 3] = [SliceKind::Category, SliceKind::Capability, SliceKind::Language];

pub(super) fn accuracy(pairs: &[&Pair<'_>]) -> PairedTest {
    // From which level on a human is alerted plays no part in it.
    test(&cases(PairedRate::Accuracy, pairs, Level::Low), PairedRate::Accuracy, 1)
}

/// Whether a phrase was right and is right, and the number of its family.
struct Case {
    family: Option<usize>,
    right: (bool, bool),
    /// All its answers, in load runs.
    shares: Option<Shares>,
}

/// The phrases that count for a rate in both runs.
fn cases(of: PairedRate, pairs: &[&Pair<'_>], alert_level: Level) -> Vec<Case> {
    let case = |pair: &&Pair<'_>| {
        if pair.answers.is_some() {
            let shares = Shares::of(of, pair, alert_level)?;
            return Some(Case { family: pair.family, right: shares.right(), shares: Some(shares) });
        }
        let right = |found| of.is_right(pair.phrase.expected, alert_level, found);
        let right = right(&pair.baseline).zip(right(&pair.candidate))?;
        Some(Case { family: pair.family, right, shares: None })
    };
    pairs.iter().filter_map(case).collect()
}

fn table(cases: &[Case]) -> PairedTable {
    cases.iter().map(|case| case.right).collect()
}

/// The rates besides the accuracy, each over the phrases that count for it in both runs.
/// Requests hold so many phrases each, where they do.
pub(super) fn rates(pairs: &[&Pair<'_>], alert_level: Level, batch: u64) -> Vec<MetricComparison> {
    let others = PairedRate::ALL.into_iter().filter(|rate| *rate != PairedRate::Accuracy);
    others.map(|rate| compared(rate, pairs, alert_level, batch)).collect()
}

fn compared(of: PairedRate, pairs: &[&Pair<'_>], alert_level: Level, batch: u64) -> MetricComparison {
    let cases = cases(of, pairs, alert_level);
    let table = table(&cases);
    let rate_of = |right: Proportion| -> Rate {
        plain_rate(if of.counts_errors() { right.failures() } else { right.successes() }, right.trials())
    };
    let test = test(&cases, of, batch);
    let [baseline, candidate] = match test.answers {
        Some(answers) => [answers.baseline, answers.candidate]
            .map(|right| if of.counts_errors() { others_of(right) } else { right }),
        None => [table.baseline(), table.candidate()].map(rate_of),
    };
    MetricComparison { metric: of.as_str().to_owned(), baseline, candidate, test }
}

/// The share of all others.
fn others_of(right: Rate) -> Rate {
    let others = |[lower, upper]: [f64; 2]| [1.0 - upper, 1.0 - lower];
    Rate {
        count: right.of - right.count,
        value: right.value.map(|value| 1.0 - value),
        wilson: right.wilson.map(others),
        exact: right.exact.map(others),
        ..right
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

fn test(cases: &[Case], of: PairedRate, batch: u64) -> PairedTest {
    let table = table(cases);
    let change = |(before, after): (bool, bool)| f64::from(u8::from(after)) - f64::from(u8::from(before));
    let changes: Vec<(Option<usize>, f64)> =
        cases.iter().map(|case| (case.family, change(case.right))).collect();
    let shares: Vec<(Option<usize>, Shares)> =
        cases.iter().filter_map(|case| Some((case.family, case.shares?))).collect();
    if shares.is_empty() {
        return paired_test(table, worth_of_families(&changes));
    }
    let mut test = paired_test(table, None);
    match of {
        PairedRate::UnansweredRate => answers::write_requests(&mut test, &shares, batch),
        _ => answers::write(&mut test, &shares),
    }
    test
}
