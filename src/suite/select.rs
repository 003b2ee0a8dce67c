//! Which phrases of a suite are sent.

use std::collections::{BTreeSet, HashSet};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{Suite, SuiteError, content_hash};
use crate::document::nearest_hint;
use crate::domain::{Phrase, Selection, SliceKind};

impl Suite {
    /// Narrows the suite to a selection.
    ///
    /// # Errors
    /// A category or tag that no phrase has, or a selection that leaves nothing.
    pub fn select(mut self, selection: &Selection) -> Result<Self, SuiteError> {
        let selected_from = self.phrases.len();
        for category in &selection.categories {
            self.check_slice(SliceKind::Category, category)?;
        }
        for tag in &selection.tags {
            self.check_slice(SliceKind::Tag, tag)?;
        }
        self.phrases.retain(|phrase| {
            (selection.categories.is_empty() || selection.categories.contains(&phrase.category))
                && selection.split.is_none_or(|split| phrase.split == Some(split))
                && (selection.tags.is_empty() || phrase.tags.iter().any(|tag| selection.tags.contains(tag)))
        });
        if let Some(limit) = selection.limit {
            self.phrases = stratified(self.phrases, limit, selection.seed);
        }
        if self.phrases.is_empty() {
            return Err(SuiteError::Nothing {
                message: format!("nothing of suite `{}` is selected", self.name),
                hint: format!(
                    "it has {} phrases; loosen --category, --tag or --limit",
                    self.record.available
                ),
            });
        }
        self.categories.retain(|category| self.phrases.iter().any(|phrase| phrase.category == category.name));
        self.record.selected = self.phrases.len();
        self.record.selection_hash = content_hash(self.phrases.iter());
        // A size that the configuration asked for is a limit as well.
        let narrowed = (selected_from < self.record.available).then_some(selected_from);
        self.record.selection = Selection { limit: selection.limit.or(narrowed), ..selection.clone() };
        Ok(self)
    }

    /// Looks whether any phrase is in the slice of that name.
    ///
    /// # Errors
    /// None is.
    pub fn check_slice(&self, kind: SliceKind, name: &str) -> Result<(), SuiteError> {
        let names: BTreeSet<&str> = self.phrases.iter().flat_map(|phrase| phrase.slices(kind)).collect();
        if names.contains(name) {
            return Ok(());
        }
        let known: Vec<&str> = names.into_iter().collect();
        let kind = kind.as_str();
        let hint = match known.as_slice() {
            [] => format!("suite `{}` has no {kind} at all", self.name),
            known => nearest_hint(name, known),
        };
        Err(SuiteError::Nothing {
            message: format!("no phrase of suite `{}` has the {kind} `{name}`", self.name),
            hint,
        })
    }

    /// Leaves out the phrases that mean something else without their earlier messages, and counts them.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn without_history(mut self) -> Result<Self, SuiteError> {
        let (sent, left_out): (Vec<Phrase>, Vec<Phrase>) =
            self.phrases.into_iter().partition(|phrase| phrase.history.is_empty());
        self.phrases = sent;
        self.record.left_out = left_out.len();
        self.record.left_out_must_pass = left_out.iter().filter(|phrase| phrase.must_pass).count();
        self.record.selection_hash = content_hash(self.phrases.iter());
        if self.phrases.is_empty() {
            return Err(SuiteError::Nothing {
                message: "every selected phrase needs earlier messages, and the target takes none".to_owned(),
                hint: "a target takes them where its request body has `${history}`".to_owned(),
            });
        }
        Ok(self)
    }
}

/// Draws `limit` phrases so that every category keeps its share, by largest remainders; the order stays.
pub(super) fn stratified(phrases: Vec<Phrase>, limit: usize, seed: u64) -> Vec<Phrase> {
    if limit >= phrases.len() {
        return phrases;
    }
    let mut strata: Vec<(String, Vec<usize>)> = Vec::new();
    for (i, phrase) in phrases.iter().enumerate() {
        match strata.iter_mut().find(|(category, _)| *category == phrase.category) {
            Some((_, members)) => members.push(i),
            None => strata.push((phrase.category.clone(), vec![i])),
        }
    }
    let total = phrases.len();
    let mut shares: Vec<usize> = strata.iter().map(|(_, members)| members.len() * limit / total).collect();
    let mut by_remainder: Vec<usize> = (0..strata.len()).collect();
    by_remainder.sort_by_key(|&i| (std::cmp::Reverse(strata[i].1.len() * limit % total), i));
    let missing = limit - shares.iter().sum::<usize>();
    for &i in by_remainder.iter().take(missing) {
        shares[i] += 1;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut chosen = HashSet::with_capacity(limit);
    for ((_, members), share) in strata.iter_mut().zip(shares) {
        members.shuffle(&mut rng);
        chosen.extend(members.iter().take(share).copied());
    }
    let mut index = 0..;
    phrases.into_iter().filter(|_| index.next().is_some_and(|i| chosen.contains(&i))).collect()
}
