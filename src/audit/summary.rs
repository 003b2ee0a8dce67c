//! What is in a suite: counts and lengths.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::{HumanAgreement, Level, Phrase, Polarity, contrast_pairs};
use crate::judge::{Families, human_agreement};
use crate::suite::Suite;

/// What is in a suite.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SuiteSummary {
    /// The suite's name.
    pub suite: String,
    /// Hash of everything that a run's outcome can depend on.
    pub hash: String,
    /// Phrases.
    pub phrases: usize,
    /// The level from which a human is alerted.
    pub alert_level: Level,
    /// Phrases that must not alert.
    pub negatives: usize,
    /// Phrases that must.
    pub positives: usize,
    /// Phrases that count in neither rate.
    pub straddling: usize,
    /// Phrases by category, in the suite's order.
    pub categories: Vec<(String, usize)>,
    /// Phrases by capability.
    pub capabilities: BTreeMap<String, usize>,
    /// Phrases by tag.
    pub tags: BTreeMap<String, usize>,
    /// Phrases by language; English where nothing is said.
    pub languages: BTreeMap<String, usize>,
    /// Phrases by expected set.
    pub expected: BTreeMap<String, usize>,
    /// Contrast pairs.
    pub pairs: usize,
    /// Contrast pairs by capability; one of two capabilities counts with each.
    pub pairs_by_capability: BTreeMap<String, usize>,
    /// Phrases that are variants of another.
    pub variants: usize,
    /// Families of such phrases, siblings of a seed that is not there included.
    pub families: usize,
    /// How far the people who labelled the phrases agree, where the suite says what each of them said.
    pub human_agreement: Option<HumanAgreement>,
    /// Phrases that must pass.
    pub must_pass: usize,
    /// Phrases with earlier messages.
    pub with_history: usize,
    /// Characters of the shortest, the middle and the longest text.
    pub lengths: Option<[usize; 3]>,
}

/// Counts what is in the suite.
pub fn summarise(suite: &Suite, alert_level: Level) -> SuiteSummary {
    let phrases = &suite.phrases;
    let count = |holds: &dyn Fn(&Phrase) -> bool| phrases.iter().filter(|phrase| holds(phrase)).count();
    let polarity = |wanted| count(&|phrase| phrase.expected.polarity(alert_level) == wanted);
    let mut lengths: Vec<usize> = phrases.iter().map(|phrase| phrase.text.chars().count()).collect();
    lengths.sort_unstable();
    let in_category = |name: &str| count(&|phrase| phrase.category == name);
    SuiteSummary {
        suite: suite.name.clone(),
        hash: suite.record.hash.clone(),
        phrases: phrases.len(),
        alert_level,
        negatives: polarity(Polarity::Negative),
        positives: polarity(Polarity::Positive),
        straddling: polarity(Polarity::Straddling),
        categories: suite
            .categories
            .iter()
            .map(|category| (category.name.clone(), in_category(&category.name)))
            .collect(),
        capabilities: counted(phrases.iter().filter_map(|phrase| phrase.capability.clone())),
        tags: counted(phrases.iter().flat_map(|phrase| phrase.tags.iter().cloned())),
        languages: counted(
            phrases.iter().map(|phrase| phrase.language.clone().unwrap_or_else(|| "en".to_owned())),
        ),
        expected: counted(phrases.iter().map(|phrase| phrase.expected.to_string())),
        // A pair names each other; one that is named from one side only is still one pair.
        pairs: phrases
            .iter()
            .filter_map(|phrase| {
                let partner = phrase.pair.as_ref()?;
                Some(if *partner < phrase.id { (partner, &phrase.id) } else { (&phrase.id, partner) })
            })
            .collect::<BTreeSet<_>>()
            .len(),
        pairs_by_capability: counted(
            contrast_pairs(phrases, |phrase| (&phrase.id, phrase.pair.as_deref())).into_iter().flat_map(
                |pair| {
                    pair.into_iter().filter_map(|phrase| phrase.capability.clone()).collect::<BTreeSet<_>>()
                },
            ),
        ),
        families: families(phrases),
        human_agreement: human_agreement(phrases),
        variants: count(&|phrase| phrase.seed_of.is_some()),
        must_pass: count(&|phrase| phrase.must_pass),
        with_history: count(&|phrase| !phrase.history.is_empty()),
        lengths: lengths.len().checked_sub(1).map(|last| [lengths[0], lengths[last / 2], lengths[last]]),
    }
}

/// Families of two phrases or more.
fn families(phrases: &[Phrase]) -> usize {
    let seeds = phrases.iter().filter_map(|phrase| Some((phrase.id.as_str(), phrase.seed_of.as_deref()?)));
    let families = Families::of(seeds);
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    for number in phrases.iter().filter_map(|phrase| families.number(&phrase.id)) {
        *sizes.entry(number).or_default() += 1;
    }
    sizes.into_values().filter(|size| *size > 1).count()
}

fn counted(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}
