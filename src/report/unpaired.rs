//! Two runs over different phrases, in words and rows: wherever it is shown it is called weaker.

use super::figures;
use crate::domain::{PairedRate, RunComparison, UnpairedRate};

/// What stands above the numbers.
pub(super) const TITLE: &str = "Unpaired: each run over its own phrases";

/// What the numbers are, and what they are not.
pub(super) const NOTE: &str = "Weaker than a comparison phrase by phrase, and not about the service alone: where one run \
     has the harder phrases, the same service looks worse. Newcombe's hybrid 95 % interval, Fisher's exact test. No gate \
     reads these numbers.";

/// The headings of [`row`].
pub(super) const HEAD: [&str; 6] = ["Rate", "Baseline", "Candidate", "Difference", "p worse", "p differs"];

/// A rate in both runs: name, both shares with their counts, the difference in points, both p-values.
pub(super) fn row(found: &UnpairedRate) -> [String; 6] {
    let rate = |rate: &crate::domain::Rate| {
        format!("{} ({} of {})", figures::percent(rate.value), rate.count, rate.of)
    };
    let difference = &found.difference;
    let ends = difference.lower.zip(difference.upper).map(<[f64; 2]>::from);
    [
        found.metric.clone(),
        rate(&found.baseline),
        rate(&found.candidate),
        figures::signed(Some(difference.value), ends),
        chance(found.p_worse),
        chance(found.p_differ),
    ]
}

/// The accuracy of both runs as a whole, for a page that has a line for it.
pub(super) fn accuracy(comparison: &RunComparison) -> Option<&UnpairedRate> {
    comparison.unpaired.iter().find(|found| found.metric == PairedRate::Accuracy.as_str())
}

fn chance(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }
}
