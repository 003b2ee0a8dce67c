//! Contrast pairs: how many have both phrases right, and what those test that have not.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{PhraseResult, RunRecord, contrast_pairs};

use super::super::{figures, fit};
use super::page::{Line, Page, Tone};

/// So many capabilities are named.
const MOST_NAMES: usize = 8;

pub(super) fn show(page: &mut Page, record: &RunRecord) {
    let Some(rate) = &record.pair_accuracy else { return };
    page.section("Pairs", &format!("both right in {}/{}, {}", rate.count, rate.of, figures::rate(rate)));
    let names = worst(&record.results);
    if !names.is_empty() {
        let lead = Line::of(Tone::Plain, "    ").with(Tone::Dim, "both right, by capability: ");
        page.paragraph(lead, Tone::Plain, &figures::names(names.iter().map(String::as_str), MOST_NAMES));
    }
}

/// The capabilities of pairs that are not both right, the worst first, as `negated_risk 2/7`.
fn worst(results: &[PhraseResult]) -> Vec<String> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for pair in contrast_pairs(results, |result| (&result.id, result.pair.as_deref())) {
        let right = pair.iter().all(|result| result.verdict.passes());
        // A pair of two capabilities shows something of both.
        let names: BTreeSet<&str> = pair.iter().filter_map(|result| result.capability.as_deref()).collect();
        for name in names {
            let count = counts.entry(name).or_default();
            *count = (count.0 + usize::from(right), count.1 + 1);
        }
    }
    let mut wrong: Vec<(&str, (usize, usize))> =
        counts.into_iter().filter(|(_, (right, of))| right < of).collect();
    // By share, without dividing: a/b before c/d where a·d < c·b; of equal ones the larger first.
    wrong.sort_by(|(_, (a, b)), (_, (c, d))| (a * d).cmp(&(c * b)).then(d.cmp(b)));
    wrong.into_iter().map(|(name, (right, of))| fit::unbroken(&format!("{name} {right}/{of}"))).collect()
}
