//! Contrast pairs: two phrases that share words and differ in what they mean.

use std::collections::HashMap;

/// The pairs of which both are there, each once, in the order of the first of them; `link` tells an item's id and that
/// of its partner.
///
/// That either names the other makes them a pair. A service that spots keywords gets one of the two wrong.
pub fn contrast_pairs<'a, T>(
    items: &'a [T],
    link: impl Fn(&'a T) -> (&'a str, Option<&'a str>),
) -> Vec<[&'a T; 2]> {
    let places: HashMap<&str, usize> =
        items.iter().enumerate().map(|(place, item)| (link(item).0, place)).collect();
    let pair = |place: usize| {
        let partner = *places.get(link(&items[place]).1?)?;
        (partner != place).then_some([place.min(partner), place.max(partner)])
    };
    let mut pairs: Vec<[usize; 2]> = (0..items.len()).filter_map(pair).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.into_iter().map(|pair| pair.map(|place| &items[place])).collect()
}
