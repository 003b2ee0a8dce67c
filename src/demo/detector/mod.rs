//! Message → score, by rules alone: pure, deterministic, a few microseconds.
//!
//! `normalise` turns what people type into words, `lexicon` knows what words mean (`signals`, `idioms` and `words` are its data,
//! `pattern` the language they are written in), `analyse` weighs what is found. The rules say what an engineer would think of
//! in two days and were written without a look at any suite: what they get wrong, they get wrong honestly.

mod analyse;
mod idioms;
mod lexicon;
mod normalise;
mod pattern;
mod signals;
mod spelling;
mod vocabulary;
mod words;

use super::severity::Severity;

pub use analyse::analyse;
pub(super) use lexicon::Lexicon;

/// What a match is a sign of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Means, time or preparation of a suicide.
    Plan,
    /// A wish to die.
    Ideation,
    /// Wounding oneself.
    SelfHarm,
    /// Taking leave, giving things away.
    Goodbye,
    /// No way out, being a burden, self-hatred.
    Hopelessness,
    /// Panic and loss of control.
    Panic,
    /// The loss of someone.
    Grief,
    /// Violence, rejection, addiction: harm that is being suffered.
    Abuse,
    /// Harm announced to others.
    Threat,
    /// Everyday stress and sadness.
    Stress,
}

/// What surrounds a match and changes its weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cue {
    /// Talk of games.
    Gaming,
    /// Talk of stories, songs and films.
    Fiction,
    /// Talk about the subject: research, prevention, news.
    Informative,
    /// Laughter.
    Joking,
    /// What is over.
    Past,
    /// Now or soon.
    Soon,
    /// Means of killing oneself.
    Means,
    /// Joy.
    Positive,
}

/// An earlier message of the same person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Earlier<'a> {
    /// What was said.
    pub text: &'a str,
    /// The score it got then (0..1); scored anew if missing.
    pub score: Option<f64>,
}

/// What the rules find in a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// How grave, from 0 to 1, rounded to four decimals.
    pub score: f64,
    /// The score before earlier messages raised it.
    pub score_alone: f64,
    /// The band of `score`.
    pub severity: Severity,
    /// How sure the rules are (0..1): far from a band's edge and unanimous is sure.
    pub confidence: f64,
    /// What was found, the weightiest first, with the weight that was left after negation, person and context.
    pub signals: Vec<(Signal, f64)>,
    /// What changed the weights.
    pub cues: Vec<Cue>,
    /// The scores of the earlier messages, in the order given.
    pub earlier_scores: Vec<f64>,
}

/// Signals that a life may be at stake.
pub(super) const GRAVE: [Signal; 4] = [Signal::Plan, Signal::Ideation, Signal::SelfHarm, Signal::Goodbye];

impl Analysis {
    /// The weight of the strongest of these signals; 0 if none was found.
    pub(super) fn strongest(&self, of: &[Signal]) -> f64 {
        self.signals
            .iter()
            .filter(|(signal, _)| of.contains(signal))
            .map(|(_, weight)| *weight)
            .fold(0.0, f64::max)
    }

    /// Whether the context spoke against the words.
    pub(super) fn is_doubtful(&self) -> bool {
        self.cues.iter().any(|cue| analyse::dampens(*cue) < 1.0) && self.strongest(&GRAVE) > 0.0
    }
}
