//! By what the phrases can be filtered.

use super::super::second_opinion;
use super::clean;
use crate::domain::{Disagreement, Level, PhraseResult, ReferenceAnswer, Verdict};

/// The verdicts, as filters name them.
const VERDICTS: [Verdict; 5] =
    [Verdict::Under, Verdict::Over, Verdict::Unanswered, Verdict::Exact, Verdict::Tolerated];

/// What may be said of a phrase besides; each is a bit.
pub(super) const FLAGS: [&str; 8] = [
    "severe miss",
    "must pass",
    "critical",
    "fail-open",
    "contradicts itself",
    "changed when repeated",
    "from a cache",
    "retried",
];

/// The bit of a flag.
pub(super) fn flag(name: &str) -> u32 {
    FLAGS.iter().position(|known| *known == name).map_or(0, |at| 1 << at)
}

/// A way to filter: its key in the URL, its label, and its values; a phrase has the index of one.
#[derive(Debug)]
pub(super) struct Facet {
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) names: Vec<String>,
}

impl Facet {
    /// What a value is called where people choose it.
    pub(super) fn label_of(&self, name: &str) -> String {
        match Disagreement::ALL.into_iter().find(|kind| self.key == "reference" && kind.as_str() == name) {
            Some(kind) => second_opinion::words(kind).to_owned(),
            None => clean::name(name),
        }
    }
}

/// Every way to filter that divides these phrases.
#[derive(Debug)]
pub(super) struct Facets {
    /// Verdict, category, capability, expected, got, change, reference, opinion; always these, in this order.
    pub(super) facets: [Facet; 8],
}

/// A phrase's value in each facet.
pub(super) type Values = [usize; 8];

impl Facets {
    /// The facets of these results; `changes` are the fates that a baseline gave them.
    pub(super) fn new(results: &[PhraseResult], changes: Vec<String>) -> Self {
        let sorted = |names: &mut Vec<String>| {
            names.sort();
            names.dedup();
        };
        let mut categories: Vec<String> = results.iter().map(category).collect();
        sorted(&mut categories);
        let mut capabilities: Vec<String> = results.iter().map(capability).collect();
        sorted(&mut capabilities);
        let levels = || Level::ALL.map(|level| level.to_string()).to_vec();
        let facet = |key, label, names| Facet { key, label, names };
        Self {
            facets: [
                facet("show", "Show", VERDICTS.map(|verdict| verdict.as_str().to_owned()).to_vec()),
                facet("category", "Category", categories),
                facet("capability", "Capability", capabilities),
                facet("expected", "Expected", levels()),
                facet("got", "Got", [levels(), vec!["no answer".to_owned()]].concat()),
                facet("change", "Since the baseline", changes),
                facet(
                    "reference",
                    "Beside the reference",
                    after_none(&Disagreement::ALL.map(Disagreement::as_str)),
                ),
                facet("opinion", "Reference says", after_none(&Level::ALL.map(Level::as_str))),
            ],
        }
    }

    /// Where a result stands in each.
    pub(super) fn values(
        &self,
        result: &PhraseResult,
        change: &str,
        opinion: Option<&ReferenceAnswer>,
    ) -> Values {
        let named = |facet: &Facet, name: &str| {
            facet.names.binary_search_by(|known| known.as_str().cmp(name)).unwrap_or_default()
        };
        let at = |facet: &Facet, name: &str| {
            facet.names.iter().position(|known| known == name).unwrap_or_default()
        };
        let [_, categories, capabilities, _, _, changes, groups, _] = &self.facets;
        [
            VERDICTS.iter().position(|verdict| *verdict == result.verdict).unwrap_or_default(),
            named(categories, &category(result)),
            named(capabilities, &capability(result)),
            result.expected.primary().index(),
            result.level.map_or(Level::ALL.len(), Level::index),
            at(changes, change),
            at(groups, opinion.map_or("", |opinion| opinion.disagreement.as_str())),
            opinion.map_or(0, |opinion| 1 + opinion.level.index()),
        ]
    }
}

/// The names after the empty one, which phrases without any have.
fn after_none(names: &[&str]) -> Vec<String> {
    std::iter::once("").chain(names.iter().copied()).map(str::to_owned).collect()
}

fn category(result: &PhraseResult) -> String {
    clean::name(&result.category)
}

/// The capability; phrases without one have the empty one.
fn capability(result: &PhraseResult) -> String {
    result.capability.as_deref().map(clean::name).unwrap_or_default()
}
