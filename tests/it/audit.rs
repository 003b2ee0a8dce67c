//! Near-duplicates, against comparing every text with every other.

use proptest::prelude::*;
use thrash::audit::similar;

/// Few words, so that texts share many grams and many pairs stand near the threshold.
fn text() -> impl Strategy<Value = String> {
    const WORDS: [&str; 12] = [
        "rain", "train", "river", "bread", "window", "garden", "paper", "stone", "green", "older", "walk",
        "talking",
    ];
    prop::collection::vec(prop::sample::select(&WORDS), 0..9).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_pair_is_missed_and_none_is_made_up(
        texts in prop::collection::vec(text(), 0..40),
        threshold in 0.05_f64..=1.0,
    ) {
        let all: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut by_hand = Vec::new();
        for (i, first) in all.iter().enumerate() {
            for (j, second) in all.iter().enumerate().skip(i + 1) {
                // Two texts alone: there is nothing to look up, and nothing that could be passed over.
                by_hand.extend(similar([*first, *second], 1e-9).first().filter(|pair| pair.similarity >= threshold).map(|_| (i, j)));
            }
        }
        let found: Vec<(usize, usize)> =
            similar(all, threshold).iter().map(|pair| (pair.first, pair.second)).collect();
        prop_assert_eq!(found, by_hand);
    }
}
