//! Variants of phrases: the same message with slips, dodges, other words around it, or a sentence more.
//!
//! Invariance and direction tests after `CheckList` (Ribeiro et al. 2020, arXiv:2005.04118): a variant has no label of
//! its own, its answer is held against the same target's answer to the phrase itself. What is drawn depends on
//! nothing but the seed, the phrase's id and text, the kind and the index, so a variant keeps its text when other
//! phrases come or go.
//!
//! ```
//! use thrash::suite::perturb::Kinds;
//!
//! let kinds: Kinds = "case,identity".parse()?;
//! assert_eq!(kinds.to_string(), "case_upper,case_lower,identity");
//! # Ok::<(), thrash::suite::perturb::UnknownKind>(())
//! ```

mod direction;
mod draws;
mod identity;
mod kind;
mod real_words;
mod typing;
mod unicode;
mod wording;
mod words;

use std::collections::HashSet;

use crate::domain::{Level, PerturbationGroup, PerturbationKind, Phrase, Variant};
use draws::Draws;

pub use kind::{Kinds, UnknownKind};
pub use unicode::fold;

/// Rounds over the kinds without a new text, after which a phrase is taken to have no more variants.
const FRUITLESS_ROUNDS: usize = 3;

/// The `index`-th variant of a phrase; `None` when the kind has nothing to change in it, or nothing more.
///
/// Never the phrase's own text. Two kinds, or two indices of one kind, may meet in the same text; [`variants`] keeps
/// them apart.
pub fn perturb(phrase: &Phrase, kind: PerturbationKind, index: u32, seed: u64) -> Option<Variant> {
    if !applies(phrase, kind) {
        return None;
    }
    let text = reworded(phrase, kind, index, seed).filter(|text| *text != phrase.text)?;
    Some(Variant { of: phrase.id.clone(), kind, index, expectation: kind.expectation(), text })
}

/// Up to `per_phrase` variants of every phrase, all of different text, in the phrases' order.
///
/// Every phrase draws its own order of the kinds, so that each kind gets its share of a suite even when `per_phrase`
/// is small; a second variant of a kind is made only when every kind has had its turn. `identity` goes first and one
/// kind of direction second, because few phrases have them.
pub fn variants<'a>(
    phrases: impl IntoIterator<Item = &'a Phrase>,
    kinds: &Kinds,
    per_phrase: usize,
    seed: u64,
) -> Vec<Variant> {
    phrases.into_iter().flat_map(|phrase| of_phrase(phrase, kinds, per_phrase, seed)).collect()
}

fn of_phrase(phrase: &Phrase, kinds: &Kinds, wanted: usize, seed: u64) -> Vec<Variant> {
    let order = order(phrase, kinds, seed);
    let mut made = Vec::new();
    let mut texts = HashSet::from([phrase.text.clone()]);
    let (mut index, mut fruitless) = (0, 0);
    while fruitless < FRUITLESS_ROUNDS && made.len() < wanted {
        let before = made.len();
        for kind in &order {
            if made.len() == wanted {
                break;
            }
            made.extend(
                perturb(phrase, *kind, index, seed).filter(|variant| texts.insert(variant.text.clone())),
            );
        }
        fruitless = if made.len() == before { fruitless + 1 } else { 0 };
        index += 1;
    }
    made
}

/// The order in which a phrase's kinds have their turn.
fn order(phrase: &Phrase, kinds: &Kinds, seed: u64) -> Vec<PerturbationKind> {
    let mut order: Vec<PerturbationKind> = kinds.iter().filter(|kind| applies(phrase, *kind)).collect();
    Draws::new(seed, &phrase.id, "order", 0).shuffle(&mut order);
    let direction = order.iter().copied().find(|kind| kind.group() == PerturbationGroup::Direction);
    order.sort_by_key(|kind| match kind {
        PerturbationKind::Identity => 0,
        _ if Some(*kind) == direction => 1,
        _ => 2,
    });
    order
}

/// Whether the kind keeps its promise for this phrase's language and label.
fn applies(phrase: &Phrase, kind: PerturbationKind) -> bool {
    use PerturbationKind as Kind;
    match kind {
        // Their upper and lower cases are not each other's (dotless i, dots over lower-case letters).
        Kind::CaseUpper | Kind::CaseLower => !["tr", "az", "lt"].contains(&language(phrase)),
        Kind::Emoji
        | Kind::Punctuation
        | Kind::ZeroWidth
        | Kind::Homoglyph
        | Kind::FullWidth
        | Kind::SoftHyphen
        | Kind::Rtl => true,
        // A plan after a joke about a game would be another message.
        Kind::Intensify => is_english(phrase) && phrase.expected.min() >= Level::Medium,
        // So would a resolution after a message that has nothing to resolve.
        Kind::Resolve => is_english(phrase) && phrase.expected.max() >= Level::Medium,
        Kind::Lol => is_english(phrase) && phrase.expected.min() >= Level::High,
        Kind::Typo
        | Kind::Swap
        | Kind::Delete
        | Kind::Double
        | Kind::SpaceAdd
        | Kind::SpaceDrop
        | Kind::Leet
        | Kind::Elongate
        | Kind::Combining
        | Kind::Prefix
        | Kind::FillerBefore
        | Kind::FillerAfter
        | Kind::Identity => is_english(phrase),
    }
}

/// The language itself, without region and script.
fn language(phrase: &Phrase) -> &str {
    let tag = phrase.language.as_deref().unwrap_or("en");
    tag.split(['-', '_']).next().unwrap_or_default()
}

fn is_english(phrase: &Phrase) -> bool {
    language(phrase).eq_ignore_ascii_case("en")
}

fn reworded(phrase: &Phrase, kind: PerturbationKind, index: u32, seed: u64) -> Option<String> {
    use PerturbationKind as Kind;
    let text = phrase.text.as_str();
    let mut draws = Draws::new(seed, &phrase.id, kind.as_str(), index);
    let listed = |candidates: Vec<String>| {
        // One order for all indices, so that they never draw the same twice.
        let mut candidates = candidates;
        Draws::new(seed, &phrase.id, kind.as_str(), u32::MAX).shuffle(&mut candidates);
        candidates.into_iter().nth(index as usize)
    };
    match kind {
        Kind::CaseUpper => listed(vec![typing::upper(text)]),
        Kind::CaseLower => listed(vec![typing::lower(text)]),
        Kind::Typo => typing::typo(text, &mut draws),
        Kind::Swap => typing::swap(text, &mut draws),
        Kind::Delete => typing::delete(text, &mut draws),
        Kind::Double => typing::double(text, &mut draws),
        Kind::SpaceAdd => typing::space_add(text, &mut draws),
        Kind::SpaceDrop => typing::space_drop(text, &mut draws),
        Kind::Leet => typing::leet(text, &mut draws),
        Kind::Emoji => listed(typing::emoji(text)),
        Kind::Elongate => typing::elongate(text, &mut draws),
        Kind::Punctuation => listed(typing::punctuation(text)),
        Kind::ZeroWidth => unicode::zero_width(text, &mut draws),
        Kind::Homoglyph => unicode::homoglyph(text, &mut draws),
        Kind::FullWidth => unicode::full_width(text, &mut draws),
        Kind::Combining => unicode::combining(text, &mut draws),
        Kind::SoftHyphen => unicode::soft_hyphen(text, &mut draws),
        Kind::Rtl => unicode::rtl(text, &mut draws),
        Kind::Prefix => listed(wording::prefix(text)),
        Kind::FillerBefore => listed(wording::filler_before(text)),
        Kind::FillerAfter => listed(wording::filler_after(text)),
        Kind::Identity => listed(identity::swaps(text)),
        Kind::Intensify => listed(direction::intensify(text)),
        Kind::Resolve => listed(direction::resolve(text)),
        Kind::Lol => listed(direction::lol(text)),
    }
}
