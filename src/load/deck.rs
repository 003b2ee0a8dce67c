//! Which phrase each request sends.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::tally::categories;
use crate::domain::Phrase;

/// Phrases in the order in which they are sent; the same seed gives the same order. A request never holds a phrase twice:
/// nobody could tell whose the answers are.
///
/// Without weights every phrase is sent once before any is sent again: no phrase weighs more than another. The order
/// changes where a request ends with it. With weights a category is drawn by its weight, and a phrase of it evenly.
#[derive(Debug, Clone)]
pub struct Deck {
    seed: u64,
    batch: usize,
    /// Each category that is sent with its weight and its phrases; empty without weights.
    categories: Vec<(f64, Vec<usize>)>,
    order: Vec<usize>,
    round: Option<u64>,
}

impl Deck {
    /// The deck of these phrases, so many of them in a request. A category that `weights` does not name weighs 1; one of
    /// weight 0 is not sent.
    ///
    /// # Errors
    /// A weight for a category that no phrase has, none that is above 0, or fewer phrases than a request holds.
    pub fn new(
        phrases: &[Phrase],
        weights: &[(String, f64)],
        batch: usize,
        seed: u64,
    ) -> Result<Self, String> {
        let names = categories(phrases);
        if let Some((unknown, _)) = weights.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            let hint = crate::document::nearest_hint(unknown, &names);
            return Err(format!("no phrase has the category `{unknown}` that `weights` names; {hint}"));
        }
        let mut categories = Vec::new();
        let mut sent = phrases.len();
        if !weights.is_empty() {
            for name in names {
                let weight =
                    weights.iter().find(|(known, _)| known == name).map_or(1.0, |(_, weight)| *weight);
                if weight > 0.0 {
                    let of = |(index, phrase): (usize, &Phrase)| (phrase.category == name).then_some(index);
                    categories.push((weight, phrases.iter().enumerate().filter_map(of).collect::<Vec<_>>()));
                }
            }
            sent = categories.iter().map(|(_, members)| members.len()).sum();
            if sent == 0 {
                return Err("every category weighs 0, so nothing is left to send".to_owned());
            }
        }
        if batch > sent {
            return Err(format!("a request holds {batch} different phrases, and there are {sent}"));
        }
        Ok(Self { seed, batch, categories, order: (0..phrases.len()).collect(), round: None })
    }

    /// Puts the phrases of the request with this number into `hand`.
    pub fn draw(&mut self, request: u64, hand: &mut Vec<usize>) {
        hand.clear();
        if self.categories.is_empty() { self.deal(request, hand) } else { self.pick(request, hand) }
    }

    /// The next ones in their order, from its end on to its beginning. It is shuffled when a request ends at its end.
    fn deal(&mut self, request: u64, hand: &mut Vec<usize>) {
        let length = self.order.len();
        let requests = (length / common(length, self.batch)) as u64;
        let round = request / requests;
        if self.round != Some(round) {
            self.order.sort_unstable();
            self.order.shuffle(&mut ChaCha8Rng::seed_from_u64(self.seed.wrapping_add(round)));
            self.round = Some(round);
        }
        let first = usize::try_from(request % requests).unwrap_or_default() * self.batch;
        hand.extend((first..first + self.batch).map(|place| self.order[place % length]));
    }

    /// Drawn ones, each by the weights of the categories that have any left.
    fn pick(&self, request: u64, hand: &mut Vec<usize>) {
        // A stream of its own for each request, so that it does not matter who sends it.
        let mut random = ChaCha8Rng::seed_from_u64(self.seed ^ request.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        while hand.len() < self.batch {
            let has_more =
                |(_, members): &&(f64, Vec<usize>)| members.iter().any(|phrase| !hand.contains(phrase));
            let open = || self.categories.iter().filter(has_more);
            let drawn = random.random::<f64>() * open().map(|(weight, _)| weight).sum::<f64>();
            let mut up_to = 0.0;
            let category = open().find(|(weight, _)| {
                up_to += weight;
                drawn < up_to
            });
            // Rounding may leave the last one out.
            let Some((_, members)) = category.or_else(|| open().next_back()) else { return };
            loop {
                let phrase = members[random.random_range(0..members.len())];
                if !hand.contains(&phrase) {
                    hand.push(phrase);
                    break;
                }
            }
        }
    }
}

/// The greatest common divisor.
const fn common(one: usize, other: usize) -> usize {
    if other == 0 { one } else { common(other, one % other) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::harmless_phrase;

    fn phrases(categories: &[(&str, usize)]) -> Vec<Phrase> {
        let of = |&(category, count): &(&str, usize)| {
            let category = category.to_owned();
            (0..count).map(move |_| Phrase { category: category.clone(), ..harmless_phrase() })
        };
        categories.iter().flat_map(of).collect()
    }

    fn hands(mut deck: Deck, requests: u64) -> Vec<Vec<usize>> {
        let mut hand = Vec::new();
        let mut draw = |request| {
            deck.draw(request, &mut hand);
            hand.clone()
        };
        (0..requests).map(&mut draw).collect()
    }

    #[test]
    fn a_request_never_holds_a_phrase_twice_and_all_are_sent_as_often() {
        for (length, batch) in [(10, 1), (10, 4), (10, 10), (7, 3), (6, 4), (25, 16)] {
            let deck = Deck::new(&phrases(&[("a", length)]), &[], batch, 3).unwrap();
            let requests = 3 * (length / common(length, batch)) as u64;
            let hands = hands(deck, requests);
            let mut counts = vec![0; length];
            for (sent, hand) in hands.iter().enumerate() {
                let mut different = hand.clone();
                different.sort_unstable();
                different.dedup();
                assert_eq!(different.len(), batch, "{length} phrases, {batch} at once: {hand:?}");
                for phrase in hand {
                    counts[*phrase] += 1;
                }
                let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
                assert!(most - least <= 1, "after {sent} requests of {batch}: {counts:?}");
            }
            assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
        }
    }

    #[test]
    fn what_a_request_holds_is_known_whoever_sends_it() {
        let mut deck = Deck::new(&phrases(&[("a", 9)]), &[], 4, 7).unwrap();
        let all = hands(deck.clone(), 40);
        let mut hand = Vec::new();
        for request in [39, 2, 17, 3] {
            deck.draw(request, &mut hand);
            assert_eq!(hand, all[usize::try_from(request).unwrap()]);
        }
    }

    #[test]
    fn weights_hold_within_a_request_as_far_as_there_are_phrases() {
        let weights = [("a".to_owned(), 3.0), ("none".to_owned(), 0.0)];
        let all = phrases(&[("a", 50), ("b", 50), ("none", 5)]);
        let sent = hands(Deck::new(&all, &weights, 4, 1).unwrap(), 1000);
        let of_a = sent.iter().flatten().filter(|phrase| **phrase < 50).count();
        // 3 of 4, of 4,000; five standard errors.
        assert!(of_a.abs_diff(3000) < 5 * 28, "{of_a}");
        assert!(sent.iter().flatten().all(|phrase| *phrase < 100));

        let few = phrases(&[("a", 2), ("b", 3)]);
        for mut hand in hands(Deck::new(&few, &weights[..1], 5, 1).unwrap(), 20) {
            hand.sort_unstable();
            assert_eq!(hand, [0, 1, 2, 3, 4]);
        }
    }

    #[test]
    fn more_phrases_in_a_request_than_there_are_is_refused() {
        let weights = [("b".to_owned(), 0.0)];
        let few = phrases(&[("a", 2), ("b", 3)]);
        assert!(
            Deck::new(&few, &[], 6, 0).unwrap_err().contains("holds 6 different phrases, and there are 5")
        );
        assert!(Deck::new(&few, &weights, 3, 0).unwrap_err().contains("there are 2"));
    }
}
