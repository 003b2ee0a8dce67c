//! The words that the rules know, as numbers.

use std::collections::HashMap;

use super::spelling::{CLAUSE_STARTERS, FILLERS, SHORTHAND};

/// A word of the lexicon as a number; every other word is `UNKNOWN`.
pub(super) type WordId = u32;

/// What a word that no rule mentions is.
pub(super) const UNKNOWN: WordId = 0;

/// A word of a message, as the rules see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) id: WordId,
    /// The number of the sentence.
    pub(super) sentence: u32,
    /// The number of the clause: commas and `but` end one.
    pub(super) clause: u32,
    /// Between quotation marks, or in a quoted line.
    pub(super) quoted: bool,
}

/// What a spelling is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    /// A word of the rules.
    Word(WordId),
    /// A word of the rules that starts a clause.
    ClauseStarter(WordId),
    /// Short for these words.
    Shorthand(&'static str),
    /// Emphasis, which the rules look past.
    Filler,
}

/// The words that the rules know.
pub(super) struct Vocabulary {
    entries: HashMap<Box<str>, Entry>,
    words: WordId,
}

impl Vocabulary {
    /// The words that no rule mentions by itself.
    pub(super) fn new() -> Self {
        let mut vocabulary = Self { entries: HashMap::new(), words: UNKNOWN };
        vocabulary.entries.extend(FILLERS.iter().map(|word| (Box::from(*word), Entry::Filler)));
        vocabulary
            .entries
            .extend(SHORTHAND.iter().map(|(short, long)| (Box::from(*short), Entry::Shorthand(long))));
        for word in CLAUSE_STARTERS {
            let id = vocabulary.intern(word);
            vocabulary.entries.insert(Box::from(*word), Entry::ClauseStarter(id));
        }
        vocabulary
    }

    /// The number of `word`, a new one if need be.
    pub(super) fn intern(&mut self, word: &str) -> WordId {
        match self.entries.get(word) {
            Some(Entry::Word(id) | Entry::ClauseStarter(id)) => *id,
            Some(entry @ (Entry::Shorthand(_) | Entry::Filler)) => {
                panic!("a rule with `{word}` never matches: it is {entry:?}")
            }
            None => {
                self.words += 1;
                self.entries.insert(Box::from(word), Entry::Word(self.words));
                self.words
            }
        }
    }

    /// What `spelling` is, if the rules know it.
    pub(super) fn entry(&self, spelling: &str) -> Option<Entry> {
        self.entries.get(spelling).copied()
    }

    /// The highest number of a word.
    pub(super) fn last(&self) -> WordId {
        self.words
    }
}
