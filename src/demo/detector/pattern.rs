//! The small pattern language of the lexicon, and the matching of one pattern at one place.
//!
//! A pattern is words separated by spaces: `wish|want` is either, `to?` may be missing, `..2` skips up to two words, `@body`
//! stands for a named set of words. A match never crosses the end of a sentence.

use std::collections::HashMap;

use super::vocabulary::{Vocabulary, Word, WordId};

/// A compiled pattern.
pub(super) struct Pattern(Vec<Element>);

enum Element {
    Word { any_of: Vec<WordId>, optional: bool },
    Gap(usize),
}

impl Pattern {
    /// Compiles `text`. The lexicon is part of the program, so a mistake in it panics in the first test that touches it.
    pub(super) fn compile(text: &str, sets: &HashMap<&str, Vec<&str>>, vocabulary: &mut Vocabulary) -> Self {
        let elements = text.split(' ').map(|element| {
            if let Some(gap) = element.strip_prefix("..") {
                return Element::Gap(gap.parse().expect("a gap has a length"));
            }
            let (words, optional) = element.strip_suffix('?').map_or((element, false), |words| (words, true));
            let any_of = words
                .split('|')
                .flat_map(|word| match word.strip_prefix('@') {
                    Some(set) => {
                        sets.get(set).unwrap_or_else(|| panic!("no set `{set}` for `{text}`")).clone()
                    }
                    None => vec![word],
                })
                .map(|word| vocabulary.intern(word))
                .collect();
            Element::Word { any_of, optional }
        });
        let pattern = Self(elements.collect());
        assert!(
            matches!(pattern.0.first(), Some(Element::Word { optional: false, .. })),
            "`{text}` must start with a word"
        );
        pattern
    }

    /// The words that a match can start with.
    pub(super) fn first_words(&self) -> &[WordId] {
        match self.0.first() {
            Some(Element::Word { any_of, .. }) => any_of,
            Some(Element::Gap(_)) | None => &[],
        }
    }

    /// Where a match that starts at `start` ends (one past its last word).
    pub(super) fn matches_at(&self, words: &[Word], start: usize) -> Option<usize> {
        let first = words.get(start)?;
        matches(&self.0, &words[start..], first.sentence).map(|end| start + end)
    }
}

/// How many of `words` the elements take, if all of them are found within the sentence.
fn matches(elements: &[Element], words: &[Word], sentence: u32) -> Option<usize> {
    let Some((element, rest)) = elements.split_first() else { return Some(0) };
    match element {
        Element::Word { any_of, optional } => {
            let here = words.first().filter(|word| word.sentence == sentence && any_of.contains(&word.id));
            let taken = here.and_then(|_| matches(rest, &words[1..], sentence)).map(|end| end + 1);
            if *optional { taken.or_else(|| matches(rest, words, sentence)) } else { taken }
        }
        Element::Gap(most) => (0..=(*most).min(words.len()))
            .find_map(|skip| matches(rest, &words[skip..], sentence).map(|end| end + skip)),
    }
}
