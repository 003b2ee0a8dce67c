//! The cases that a gate over a share rests on, if every phrase is answered.

use std::collections::HashMap;

use crate::domain::{Comparison, Level, Phrase, Polarity, contrast_pairs};
use crate::gate::{Gate, Metric};
use crate::judge::Families;
use crate::stats::cluster::{effective_cases, planned_effect};

/// The phrases of a suite as cases of gates.
pub(super) struct Cases<'a> {
    phrases: &'a [Phrase],
    alert_level: Level,
    families: Families<'a>,
    /// Families of phrases with their contrasts, for gates over pairs.
    pairs: Vec<Option<usize>>,
}

impl<'a> Cases<'a> {
    pub(super) fn of(phrases: &'a [Phrase], alert_level: Level) -> Self {
        let seeds =
            || phrases.iter().filter_map(|phrase| Some((phrase.id.as_str(), phrase.seed_of.as_deref()?)));
        let pairs = contrast_pairs(phrases, |phrase| (&phrase.id, phrase.pair.as_deref()));
        let links = pairs.iter().map(|[one, other]| (one.id.as_str(), other.id.as_str()));
        let with_contrasts = Families::of(seeds().chain(links));
        let pairs = pairs.iter().map(|[one, _]| with_contrasts.number(&one.id)).collect();
        Self { phrases, alert_level, families: Families::of(seeds()), pairs }
    }

    /// How many there are; none for a gate that is not over a share whose errors it limits.
    pub(super) fn count(&self, gate: &Gate) -> Option<u64> {
        Some(self.numbers(gate)?.len() as u64)
    }

    /// How many independent ones they are worth by plan; none where each stands alone, and where there is no count.
    pub(super) fn worth(&self, gate: &Gate) -> Option<f64> {
        let numbers = self.numbers(gate)?;
        let mut sizes: HashMap<usize, u64> = HashMap::new();
        for number in numbers.iter().flatten() {
            *sizes.entry(*number).or_default() += 1;
        }
        if sizes.values().all(|size| *size == 1) {
            return None;
        }
        let alone = numbers.iter().filter(|number| number.is_none()).map(|_| 1);
        let effect = planned_effect(sizes.into_values().chain(alone));
        effective_cases(numbers.len() as u64, effect?)
    }

    /// The number of each case's family, where it has one.
    fn numbers(&self, gate: &Gate) -> Option<Vec<Option<usize>>> {
        let counts: fn(&Phrase, Polarity) -> bool = match (gate.metric, gate.comparison) {
            (Metric::Accuracy | Metric::AccuracyAnswered | Metric::ExactAccuracy, Comparison::AtLeast)
            | (Metric::UnansweredRate, Comparison::AtMost) => |_, _| true,
            (Metric::FalsePositiveRate, Comparison::AtMost) => |_, polarity| polarity == Polarity::Negative,
            (Metric::FalseNegativeRate, Comparison::AtMost) => |_, polarity| polarity == Polarity::Positive,
            (Metric::SevereMissRate, Comparison::AtMost) => |phrase, _| phrase.expected.min() >= Level::High,
            (Metric::PairAccuracy, Comparison::AtLeast) => return Some(self.pairs.clone()),
            _ => return None,
        };
        let inside = |phrase: &&Phrase| {
            gate.slice.as_ref().is_none_or(|(kind, name)| phrase.slices(*kind).contains(&name.as_str()))
        };
        let cases = self.phrases.iter().filter(inside);
        let cases = cases.filter(|phrase| counts(phrase, phrase.expected.polarity(self.alert_level)));
        Some(cases.map(|phrase| self.families.number(&phrase.id)).collect())
    }
}
