//! From words to a score: what is found, what its surroundings leave of it, and what it adds up to.

use super::lexicon::{Lexicon, Meaning, Role};
use super::normalise::{Normalised, normalise};
use super::vocabulary::Word;
use super::{Analysis, Cue, Earlier, GRAVE, Signal};
use crate::demo::severity::{Severity, round};

/// The score of a message in which no rule finds anything.
const NOTHING_FOUND: f64 = 0.05;

/// How far back a negator or the person spoken of is looked for, in words.
const REACH: usize = 5;

/// Scores `text` in the light of earlier messages, oldest first.
pub fn analyse(text: &str, history: &[Earlier<'_>]) -> Analysis {
    let earlier_scores: Vec<f64> =
        history.iter().map(|earlier| earlier.score.unwrap_or_else(|| alone(earlier.text).score)).collect();
    let mut analysis = alone(text);
    let peak = earlier_scores.iter().copied().fold(0.0, f64::max);
    if peak >= Severity::Low.floor() {
        analysis.score = round(analysis.score + 0.12 * peak * (1.0 - analysis.score));
        analysis.severity = Severity::of_score(analysis.score);
        analysis.confidence = confidence(analysis.score, analysis.is_doubtful());
    }
    Analysis { earlier_scores, ..analysis }
}

/// Scores `text` by itself.
fn alone(text: &str) -> Analysis {
    let lexicon = Lexicon::get();
    let normalised = normalise(text, &lexicon.vocabulary);
    let found = find(&normalised.words, lexicon);
    let signals = weigh(&normalised, &found, lexicon);
    let score = round(combine(&signals, &found.cues, normalised.emphasis));
    let severity = Severity::of_score(score);
    let mut analysis = Analysis {
        score,
        score_alone: score,
        severity,
        confidence: 0.0,
        signals,
        cues: found.cues,
        earlier_scores: Vec::new(),
    };
    analysis.confidence = confidence(score, analysis.is_doubtful());
    analysis
}

/// A sign of something, and the words it was found in.
struct Hit {
    signal: Signal,
    weight: f64,
    start: usize,
    end: usize,
}

struct Found {
    hits: Vec<Hit>,
    cues: Vec<Cue>,
}

/// Every match of every rule, less those that touch an idiom.
fn find(words: &[Word], lexicon: &Lexicon) -> Found {
    let mut found = Found { hits: Vec::new(), cues: Vec::new() };
    let mut harmless = vec![false; words.len()];
    for (start, word) in words.iter().enumerate() {
        for rule in lexicon.rules_starting_with(word.id) {
            let Some(end) = rule.pattern.matches_at(words, start) else { continue };
            match rule.meaning {
                Meaning::Signal(signal, weight) => found.hits.push(Hit { signal, weight, start, end }),
                Meaning::Cue(cue) if found.cues.contains(&cue) || is_negated(words, start, lexicon) => {}
                Meaning::Cue(cue) => found.cues.push(cue),
                Meaning::Harmless => harmless[start..end].fill(true),
            }
        }
    }
    found.hits.retain(|hit| !harmless[hit.start..hit.end].contains(&true));
    found.cues.sort_unstable();
    found
}

/// The strongest hit of every signal after negation, person and context, the weightiest first.
fn weigh(text: &Normalised, found: &Found, lexicon: &Lexicon) -> Vec<(Signal, f64)> {
    let mut signals: Vec<(Signal, f64)> = Vec::new();
    for hit in &found.hits {
        let weight =
            hit.weight * context_factor(hit.signal, &found.cues) * place_factor(hit, &text.words, lexicon);
        match signals.iter_mut().find(|(signal, _)| *signal == hit.signal) {
            Some((_, strongest)) => *strongest = strongest.max(weight),
            None => signals.push((hit.signal, weight)),
        }
    }
    signals.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    signals
}

/// What the message is about, as a factor on one of its signals.
fn context_factor(signal: Signal, cues: &[Cue]) -> f64 {
    let about = cues.iter().map(|cue| dampens(*cue)).fold(1.0, f64::min);
    // What was done to someone, or taken from them, still hurts; joy makes everyday stress small and nothing else.
    let lasts = matches!(signal, Signal::Abuse | Signal::Grief);
    let past = if cues.contains(&Cue::Past) && !lasts { 0.62 } else { 1.0 };
    let joy = if cues.contains(&Cue::Positive) && signal == Signal::Stress { 0.65 } else { 1.0 };
    about * past * joy
}

/// How much of a signal is left when the message is about something else.
pub(super) fn dampens(cue: Cue) -> f64 {
    match cue {
        Cue::Gaming => 0.40,
        Cue::Fiction | Cue::Informative => 0.42,
        Cue::Joking => 0.55,
        Cue::Past | Cue::Soon | Cue::Means | Cue::Positive => 1.0,
    }
}

/// Negation, quotation and person around the match, as a factor.
fn place_factor(hit: &Hit, words: &[Word], lexicon: &Lexicon) -> f64 {
    let before = &words[hit.start.saturating_sub(REACH)..hit.start];
    let mut factor = 1.0;
    if is_negated(words, hit.start, lexicon) {
        factor *= 0.32;
    }
    if words[hit.start..hit.end].iter().all(|word| word.quoted) {
        factor *= 0.50;
    }
    if is_about_another(&words[hit.start..hit.end], before, words[hit.start].sentence, lexicon)
        && !matches!(hit.signal, Signal::Grief | Signal::Abuse | Signal::Threat)
    {
        factor *= 0.72;
    }
    factor
}

/// Whether a negator shortly before `start`, in the same clause, reaches it.
fn is_negated(words: &[Word], start: usize, lexicon: &Lexicon) -> bool {
    words[start.saturating_sub(REACH)..start]
        .iter()
        .rev()
        .take_while(|word| word.clause == words[start].clause && !lexicon.plays(word.id, Role::NegationEnd))
        .any(|word| lexicon.plays(word.id, Role::Negator))
}

/// Whether the person nearest to the match is someone else than the writer; people often leave out the `I`.
fn is_about_another(matched: &[Word], before: &[Word], sentence: u32, lexicon: &Lexicon) -> bool {
    let is_writer = |word: &&Word| lexicon.plays(word.id, Role::FirstPerson);
    let is_other = |word: &&Word| lexicon.plays(word.id, Role::ThirdPerson);
    if matched.iter().any(|word| is_writer(&word)) {
        return false;
    }
    let nearest = before
        .iter()
        .rev()
        .take_while(|word| word.sentence == sentence)
        .chain(matched)
        .find(|word| is_writer(word) || is_other(word));
    nearest.is_some_and(|word| is_other(&word))
}

/// The score of signals found together: the strongest, and what the others add to the rest up to 1.
fn combine(signals: &[(Signal, f64)], cues: &[Cue], emphasis: u32) -> f64 {
    let Some((strongest, top)) = signals.first().copied() else { return NOTHING_FOUND };
    let mut score = top;
    for ((_, weight), share) in signals[1..].iter().zip([0.30, 0.20, 0.10]) {
        score += share * weight * (1.0 - score);
    }
    let about_life =
        signals.iter().any(|(signal, weight)| GRAVE.contains(signal) && *weight >= Severity::Medium.floor());
    if about_life {
        if cues.contains(&Cue::Soon) {
            score += 0.40 * (1.0 - score);
        }
        if cues.contains(&Cue::Means) {
            score += 0.30 * (1.0 - score);
        }
    }
    score += 0.02 * f64::from(emphasis.min(3)) * (1.0 - score);
    // However much of it there is, stress alone is no crisis, nor distress without a word of death a matter of life.
    let most = match (strongest, about_life) {
        (Signal::Stress, _) if signals.len() == 1 => 0.48,
        (_, false) => 0.69,
        (_, true) => 0.99,
    };
    score.clamp(NOTHING_FOUND, most)
}

fn confidence(score: f64, is_doubtful: bool) -> f64 {
    let severity = Severity::of_score(score);
    let edge = (score - severity.floor()).min(severity.ceiling() - score).abs();
    let sure = 0.70 + (edge * 2.0).min(0.25);
    round(if is_doubtful { sure - 0.20 } else { sure })
}
