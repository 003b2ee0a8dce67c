//! Which phrase each request sends.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::tally::categories;
use crate::domain::Phrase;

/// Phrases in the order in which they are sent; the same seed gives the same order.
///
/// Without weights every phrase is sent once before any is sent again, each time in another order: no phrase weighs more
/// than another. With weights a category is drawn by its weight, and a phrase of it evenly.
#[derive(Debug, Clone)]
pub struct Deck {
    seed: u64,
    phrases: usize,
    /// Each category with its phrases, and the sum of the weights up to it; empty without weights.
    categories: Vec<(f64, Vec<usize>)>,
    order: Vec<usize>,
    round: Option<u64>,
}

impl Deck {
    /// The deck of these phrases. A category that `weights` does not name weighs 1; one of weight 0 is not sent.
    ///
    /// # Errors
    /// A weight for a category that no phrase has, or none that is above 0.
    pub fn new(phrases: &[Phrase], weights: &[(String, f64)], seed: u64) -> Result<Self, String> {
        let names = categories(phrases);
        if let Some((unknown, _)) = weights.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            let hint = crate::document::nearest_hint(unknown, &names);
            return Err(format!("no phrase has the category `{unknown}` that `weights` names; {hint}"));
        }
        let mut categories = Vec::new();
        if !weights.is_empty() {
            let mut sum = 0.0;
            for name in names {
                let weight =
                    weights.iter().find(|(known, _)| known == name).map_or(1.0, |(_, weight)| *weight);
                if weight > 0.0 {
                    sum += weight;
                    let of = |(index, phrase): (usize, &Phrase)| (phrase.category == name).then_some(index);
                    categories.push((sum, phrases.iter().enumerate().filter_map(of).collect()));
                }
            }
            if categories.is_empty() {
                return Err("every category weighs 0, so nothing is left to send".to_owned());
            }
        }
        Ok(Self { seed, phrases: phrases.len(), categories, order: Vec::new(), round: None })
    }

    /// The phrase of the request with this number.
    pub fn phrase(&mut self, request: u64) -> usize {
        if let Some((sum, _)) = self.categories.last() {
            // A stream of its own for each request, so that it does not matter who sends it.
            let mut random =
                ChaCha8Rng::seed_from_u64(self.seed ^ request.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let drawn = random.random::<f64>() * sum;
            let category = self.categories.partition_point(|(up_to, _)| *up_to <= drawn);
            let members = &self.categories[category.min(self.categories.len() - 1)].1;
            return members[random.random_range(0..members.len())];
        }
        let length = self.phrases as u64;
        let round = request / length;
        if self.round != Some(round) {
            self.order = (0..self.phrases).collect();
            self.order.shuffle(&mut ChaCha8Rng::seed_from_u64(self.seed.wrapping_add(round)));
            self.round = Some(round);
        }
        self.order[usize::try_from(request % length).unwrap_or_default()]
    }
}
