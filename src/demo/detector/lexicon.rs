//! The rules, compiled once: what each means, and an index by the word that a match starts with.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::pattern::Pattern;
use super::vocabulary::{Vocabulary, WordId};
use super::words::{ROLES, SETS};
use super::{Cue, Signal, idioms, signals};

/// What a rule says of the words it matches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    Signal(Signal, f64),
    Cue(Cue),
    /// An idiom: what it covers means no harm.
    Harmless,
}

/// What a word does to the words around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Negator,
    /// What ends the reach of a negator.
    NegationEnd,
    FirstPerson,
    ThirdPerson,
}

/// A rule with its pattern.
pub(super) struct Rule {
    pub(super) meaning: Meaning,
    pub(super) pattern: Pattern,
}

/// All rules, ready to match.
pub(in crate::demo) struct Lexicon {
    pub(super) vocabulary: Vocabulary,
    rules: Vec<Rule>,
    /// By word: the rules that a match starting with it can belong to.
    starting_with: Vec<Vec<usize>>,
    /// By word: what it does to its neighbours (`but` and `because` have two roles).
    roles_by_word: Vec<Vec<Role>>,
}

impl Lexicon {
    /// The lexicon, compiled at the first call: milliseconds, which a server spends before its first request.
    pub(in crate::demo) fn get() -> &'static Self {
        static LEXICON: OnceLock<Lexicon> = OnceLock::new();
        LEXICON.get_or_init(Self::compile)
    }

    fn compile() -> Self {
        let sets: HashMap<&str, Vec<&str>> =
            SETS.iter().map(|(name, words)| (*name, words.to_vec())).collect();
        let mut vocabulary = Vocabulary::new();
        let mut rules = Vec::new();
        let mut add = |meaning, patterns: &[&str]| {
            for text in patterns {
                rules.push(Rule { meaning, pattern: Pattern::compile(text, &sets, &mut vocabulary) });
            }
        };
        for (signal, weight, patterns) in signals::SIGNALS {
            add(Meaning::Signal(*signal, *weight), patterns);
        }
        for (cue, patterns) in idioms::CUES {
            add(Meaning::Cue(*cue), patterns);
        }
        add(Meaning::Harmless, idioms::HARMLESS);
        let playing: Vec<(WordId, Role)> = ROLES
            .iter()
            .flat_map(|(role, words)| {
                words.iter().map(|word| (vocabulary.intern(word), *role)).collect::<Vec<_>>()
            })
            .collect();

        let words = vocabulary.last() as usize + 1;
        let mut starting_with = vec![Vec::new(); words];
        for (index, rule) in rules.iter().enumerate() {
            for word in rule.pattern.first_words() {
                starting_with[*word as usize].push(index);
            }
        }
        let mut roles_by_word = vec![Vec::new(); words];
        for (word, role) in playing {
            roles_by_word[word as usize].push(role);
        }
        Self { vocabulary, rules, starting_with, roles_by_word }
    }

    /// The rules that a match starting with `word` can belong to.
    pub(super) fn rules_starting_with(&self, word: WordId) -> impl Iterator<Item = &Rule> {
        self.starting_with.get(word as usize).into_iter().flatten().map(|index| &self.rules[*index])
    }

    /// Whether `word` plays `role`.
    pub(super) fn plays(&self, word: WordId, role: Role) -> bool {
        self.roles_by_word.get(word as usize).is_some_and(|roles| roles.contains(&role))
    }
}
