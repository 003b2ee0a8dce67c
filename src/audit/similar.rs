//! Phrases that are nearly the same: sets of character 4-grams, compared by Jaccard similarity.
//!
//! An exact all-pairs join: two sets can only be similar if they share one of their rarest grams, so only those are
//! looked up (prefix filtering: Bayardo, Ma and Srikant 2007; Xiao et al. 2008), and two that meet are first compared
//! by a sketch of 256 bits (bitmap filtering: Sandes, Teodoro and Melo 2020). Natural text is far from quadratic; text
//! out of a handful of words costs some nanoseconds a pair.

#![expect(clippy::cast_precision_loss, reason = "sets of grams are far smaller than 2^52")]

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use unicode_normalization::UnicodeNormalization;

/// Letters in a gram.
const GRAM: usize = 4;

/// Two texts, by their place in the list, and how alike they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// The place of the first.
    pub first: usize,
    /// The place of the second, which comes later.
    pub second: usize,
    /// Jaccard similarity of their 4-grams, 0 to 1.
    pub similarity: f64,
}

/// Every pair of texts at least so similar, by place.
///
/// `threshold` is above 0 and at most 1.
pub fn similar<'a>(texts: impl IntoIterator<Item = &'a str>, threshold: f64) -> Vec<Likeness> {
    let mut sets: Vec<Vec<u32>> = texts.into_iter().map(grams).collect();
    rank_by_rarity(&mut sets);
    let sketches: Vec<Sketch> = sets.iter().map(|set| Sketch::of(set)).collect();
    // Shorter sets first: then what is in the index is never longer than what is looked up.
    let mut order: Vec<usize> = (0..sets.len()).filter(|&i| !sets[i].is_empty()).collect();
    order.sort_by_key(|&i| (sets[i].len(), i));

    let mut index: HashMap<u32, Vec<usize>> = HashMap::new();
    let mut found = Vec::new();
    let mut last_met: Vec<usize> = vec![usize::MAX; sets.len()];
    for &i in &order {
        let set = &sets[i];
        let needed = at_least(threshold, set.len());
        for gram in &set[..=set.len() - needed] {
            let Some(shorter) = index.get(gram) else { continue };
            // The index is sorted by length, so what is too short stands at its front.
            let long_enough = shorter.partition_point(|&j| sets[j].len() < needed);
            for &j in &shorter[long_enough..] {
                if std::mem::replace(&mut last_met[j], i) == i {
                    continue;
                }
                let sizes = set.len() + sets[j].len();
                let common = at_least(threshold / (1.0 + threshold), sizes);
                if sketches[i].differing(&sketches[j]) > sizes.saturating_sub(2 * common) {
                    continue;
                }
                let similarity = jaccard(set, &sets[j]);
                if similarity >= threshold {
                    found.push(Likeness { first: i.min(j), second: i.max(j), similarity });
                }
            }
        }
        // Whatever is looked up later is as long or longer, so more of this set must be in it.
        let needed = at_least(2.0 * threshold / (1.0 + threshold), set.len());
        for gram in &set[..=set.len() - needed] {
            index.entry(*gram).or_default().push(i);
        }
    }
    found.sort_by_key(|pair| (pair.first, pair.second));
    found
}

/// A set in 256 bits: bits in which two sketches differ are never more than grams in which the sets differ.
struct Sketch([u64; 4]);

impl Sketch {
    fn of(set: &[u32]) -> Self {
        let mut bits = [0_u64; 4];
        for gram in set {
            // Grams are ranks by now; a multiplication spreads neighbours (Knuth, TAOCP 3, §6.4).
            let at = gram.wrapping_mul(2_654_435_769) >> 24;
            bits[(at >> 6) as usize] |= 1 << (at & 63);
        }
        Self(bits)
    }

    fn differing(&self, other: &Self) -> usize {
        self.0.iter().zip(&other.0).map(|(a, b)| (a ^ b).count_ones() as usize).sum()
    }
}

/// The fewest common grams that are this share of so many, and one at least.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a size is a size")]
fn at_least(share: f64, size: usize) -> usize {
    ((share * size as f64 - 1e-9).ceil() as usize).clamp(1, size)
}

/// A text as people see it: case, width, punctuation and spacing do not count; its words stand a blank apart.
pub(super) fn normalised(text: &str) -> String {
    let mut letters = String::with_capacity(text.len());
    for c in text.nfkc().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() || !c.is_ascii() && !c.is_whitespace() && !c.is_control() {
            letters.push(c);
        } else if c.is_whitespace() && !letters.is_empty() && !letters.ends_with(' ') {
            letters.push(' ');
        }
    }
    letters.truncate(letters.trim_end().len());
    letters
}

/// The 4-grams of a text, with a blank before and after it.
fn grams(text: &str) -> Vec<u32> {
    let text = normalised(text);
    let blank = if text.is_empty() { "" } else { " " };
    let letters: Vec<char> = [" ", &text, blank].concat().chars().collect();
    let mut grams: Vec<u32> =
        if letters.len() < GRAM { vec![hash(&letters)] } else { letters.windows(GRAM).map(hash).collect() };
    grams.sort_unstable();
    grams.dedup();
    grams
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "32 bits of a hash are hash enough for some thousand grams"
)]
fn hash(letters: &[char]) -> u32 {
    let mut hasher = DefaultHasher::new();
    letters.hash(&mut hasher);
    hasher.finish() as u32
}

/// Renames grams by how rare they are, rarest first, and sorts every set by that.
fn rank_by_rarity(sets: &mut [Vec<u32>]) {
    let mut counts: HashMap<u32, u32> = HashMap::new();
    for gram in sets.iter().flatten() {
        *counts.entry(*gram).or_default() += 1;
    }
    let mut by_rarity: Vec<(u32, u32)> = counts.iter().map(|(gram, count)| (*count, *gram)).collect();
    by_rarity.sort_unstable();
    let ranks: HashMap<u32, u32> = by_rarity.into_iter().map(|(_, gram)| gram).zip(0..).collect();
    for set in sets {
        for gram in set.iter_mut() {
            *gram = ranks[gram];
        }
        set.sort_unstable();
    }
}

fn jaccard(a: &[u32], b: &[u32]) -> f64 {
    let (mut i, mut j, mut common) = (0, 0, 0_usize);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                common += 1;
                i += 1;
                j += 1;
            }
        }
    }
    common as f64 / (a.len() + b.len() - common) as f64
}
