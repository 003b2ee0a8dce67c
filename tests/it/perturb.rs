//! Variants of phrases, and what is made of the answers to them.

mod clusters;
mod demo;
mod examples;
mod gates;
mod judging;
mod laws;
mod names;

use thrash::domain::{Annotations, Level, LevelSet, Phrase, PhraseSource, Tolerance};

/// A phrase of our own, in English.
fn phrase(id: &str, text: &str, level: Level) -> Phrase {
    Phrase {
        id: id.to_owned(),
        text: text.to_owned(),
        category: "own".to_owned(),
        capability: None,
        tags: Vec::new(),
        expected: LevelSet::only(level),
        escalation: Tolerance::NONE,
        de_escalation: Tolerance::NONE,
        critical: false,
        must_pass: false,
        pair: None,
        seed_of: None,
        history: Vec::new(),
        split: None,
        language: None,
        annotations: Annotations::default(),
        note: None,
        source: PhraseSource::default(),
    }
}
