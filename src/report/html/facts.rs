//! What there is to say of one phrase, when its row is opened.

use super::super::{figures, second_opinion};
use super::{clean, flips, waivers};
use crate::domain::{
    Answer, Attempt, NoAnswer, NoAnswerReason, Observation, PhraseChange, PhraseResult, Prediction,
    ReferenceAnswer, RunRecord, WaiverRecord,
};

/// So many passes or attempts are written out.
const MOST: usize = 12;

/// A fact with its name.
pub(super) struct Fact {
    pub(super) name: &'static str,
    /// What it says, in pieces, so that what many rows say need not be repeated.
    pub(super) pieces: Vec<Piece>,
}

/// A piece of a fact.
pub(super) enum Piece {
    /// What hardly another row says.
    Own(String),
    /// What many rows say.
    Shared(String),
}

impl Piece {
    /// The piece as text.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Own(text) | Self::Shared(text) => text,
        }
    }
}

fn own(text: impl Into<String>) -> Piece {
    Piece::Own(text.into())
}

fn shared(text: impl Into<String>) -> Piece {
    Piece::Shared(text.into())
}

/// What other parts of the record say of a phrase.
pub(super) struct Beside<'a> {
    pub(super) change: Option<&'a PhraseChange>,
    pub(super) waiver: Option<&'a WaiverRecord>,
    pub(super) opinion: Option<&'a ReferenceAnswer>,
}

/// The facts of a phrase.
pub(super) fn of(result: &PhraseResult, record: &RunRecord, beside: &Beside<'_>) -> Vec<Fact> {
    let Beside { change, waiver, opinion } = *beside;
    let unanswered = result.observations.iter().find_map(no_answer);
    let facts = [
        ("No answer", vec![own(unanswered.map(|none| clean::sentence(&none.detail)).unwrap_or_default())]),
        ("Answer", answered(result, record)),
        ("Each pass", vec![own(passes(result))]),
        ("Contradicts", vec![shared(list(violations(result)))]),
        ("Baseline", vec![own(baseline(record, change))]),
        ("Reference", opinion.map(opinion_of).unwrap_or_default()),
        ("Known failure", vec![own(waiver.map(known).unwrap_or_default())]),
        ("Passes", vec![shared(passing(result))]),
        ("Phrase", phrase(result)),
    ];
    let says_something =
        |(_, pieces): &(&str, Vec<Piece>)| pieces.iter().any(|piece| !piece.text().is_empty());
    facts.into_iter().filter(says_something).map(|(name, pieces)| Fact { name, pieces }).collect()
}

/// How long it took, in how many attempts, and the answer's fields as they came, those left out that the row shows.
fn answered(result: &PhraseResult, record: &RunRecord) -> Vec<Piece> {
    let latency = list(result.observations.iter().map(|seen| figures::duration(Some(seen.latency_ms))));
    let mut pieces = vec![own(latency), shared(attempts(&result.observations))];
    let Some(prediction) = prediction(result) else { return pieces };
    if prediction.label != prediction.level.as_str() {
        pieces.push(shared(format!(", label “{}”", clean::name(&prediction.label))));
    }
    let service_latency = prediction.service_latency_ms.map(|ms| figures::duration(Some(ms)));
    let version = prediction.version.as_deref().filter(|_| prediction.version != record.target.version);
    for (name, value) in [
        (", score ", prediction.score.map(|score| score.to_string())),
        (", confidence ", prediction.confidence.map(|confidence| confidence.to_string())),
        (", its own time ", service_latency),
        (", version ", version.map(clean::name)),
    ] {
        if let Some(value) = value {
            pieces.extend([shared(name), own(value)]);
        }
    }
    pieces
}

/// What the suite says of it, and where it stands.
fn phrase(result: &PhraseResult) -> Vec<Piece> {
    let capability = result.capability.as_deref().map(clean::name);
    let weight = [(result.must_pass, "must pass"), (result.critical, "critical")];
    let weight = weight.into_iter().filter(|(holds, _)| *holds).map(|(_, word)| word.to_owned());
    let split = result.split.map(|split| split.as_str().to_owned());
    let language = result.language.as_deref().map(clean::name);
    let tags = result.tags.iter().map(|tag| clean::name(tag));
    let marks = list(capability.into_iter().chain(weight).chain(split).chain(language).chain(tags));
    let mut pieces = vec![shared(if marks.is_empty() { marks } else { marks + "; " })];
    for (name, id) in [("contrast to ", &result.pair), ("variant of ", &result.seed_of)] {
        if let Some(id) = id {
            pieces.extend([shared(name), own(clean::name(id)), shared("; ")]);
        }
    }
    pieces.push(shared(clean::cut(&result.source.file, 200)));
    if result.source.line > 0 {
        pieces.push(own(format!(":{}", result.source.line)));
    }
    pieces
}

/// What each pass brought, where there was more than one.
fn passes(result: &PhraseResult) -> String {
    if result.observations.len() < 2 { String::new() } else { list(result.observations.iter().map(answer)) }
}

/// What the baseline found.
fn baseline(record: &RunRecord, change: Option<&PhraseChange>) -> String {
    let compared = record.baseline.as_ref().is_some_and(|baseline| baseline.comparison().is_some());
    match change {
        None if compared => "right, too".to_owned(),
        None => String::new(),
        Some(change) => {
            let was = flips::answer(change.baseline.as_ref());
            let latency = change.baseline.map(|answer| figures::duration(Some(answer.latency_ms)));
            let latency = latency.map(|latency| format!(", {latency}")).unwrap_or_default();
            format!("{was}{latency}: {}", flips::word(change.change))
        }
    }
}

/// What the reference says, and what that makes of the phrase.
fn opinion_of(opinion: &ReferenceAnswer) -> Vec<Piece> {
    let label = match opinion.label.as_str() {
        label if label == opinion.level.as_str() => String::new(),
        label => format!(", label “{}”", clean::name(label)),
    };
    vec![
        shared(format!("{} ({}){label}, score ", opinion.level, opinion.verdict.as_str())),
        own(figures::number(Some(opinion.score))),
        shared(format!(": {}", second_opinion::words(opinion.disagreement))),
    ]
}

/// Who knows of the failure.
fn known(waiver: &WaiverRecord) -> String {
    let (owner, reason) = (clean::name(&waiver.owner), clean::sentence(&waiver.reason));
    format!("{owner}, until {}: {reason} ({})", waiver.expires, waivers::word(waiver.state))
}

/// The levels that pass, where they are more than the expected ones.
fn passing(result: &PhraseResult) -> String {
    if result.lowest_passing < result.expected.min() || result.highest_passing > result.expected.max() {
        format!("{} to {}", result.lowest_passing, result.highest_passing)
    } else {
        String::new()
    }
}

/// The first few, and how many more there are.
fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    figures::names(items.iter().map(String::as_str), MOST)
}

/// The first prediction of the level that was judged.
pub(super) fn prediction(result: &PhraseResult) -> Option<&Prediction> {
    let mut predictions = result.observations.iter().filter_map(|seen| seen.answer.prediction());
    predictions.find(|prediction| Some(prediction.level) == result.level)
}

/// What came back, in a word or two: the level, or why there is none.
pub(super) fn got(result: &PhraseResult) -> String {
    match (result.level, result.observations.iter().find_map(no_answer)) {
        (Some(level), _) => level.to_string(),
        (None, Some(no_answer)) => no_answer.reason.as_str().to_owned(),
        (None, None) => "no answer".to_owned(),
    }
}

/// Whether it was waved through unanalysed.
pub(super) fn fails_open(result: &PhraseResult) -> bool {
    let mut failures = result.observations.iter().filter_map(no_answer);
    failures.any(|no_answer| no_answer.reason == NoAnswerReason::FailOpen)
}

const fn no_answer(observation: &Observation) -> Option<&NoAnswer> {
    match &observation.answer {
        Answer::NoAnswer(no_answer) => Some(no_answer),
        Answer::Prediction(_) => None,
    }
}

/// What one pass brought.
fn answer(observation: &Observation) -> String {
    match &observation.answer {
        Answer::NoAnswer(no_answer) => no_answer.reason.as_str().to_owned(),
        Answer::Prediction(Prediction { level, score: Some(score), .. }) => {
            format!("{level} {}", figures::number(Some(*score)))
        }
        Answer::Prediction(Prediction { level, .. }) => level.to_string(),
    }
}

/// How many attempts it took, and how each ended where one of them failed.
fn attempts(observations: &[Observation]) -> String {
    let all: Vec<&Attempt> = observations.iter().flat_map(|seen| &seen.attempts).collect();
    let count = figures::count(all.len() as u64, "attempt", "attempts");
    if all
        .iter()
        .all(|attempt| attempt.failure.is_none() && attempt.status.is_none_or(|status| status == 200))
    {
        return format!(" in {count}");
    }
    let ends = all.iter().map(|attempt| {
        let status = attempt.status.map(|status| status.to_string());
        let failure = attempt.failure.map(|failure| failure.as_str().to_owned());
        let end: Vec<String> = status.into_iter().chain(failure).collect();
        format!("{} after {}", end.join(" "), figures::duration(Some(attempt.latency_ms)))
    });
    format!(" in {count} ({})", list(ends))
}

/// The invariants that its answers break, each once.
fn violations(result: &PhraseResult) -> impl Iterator<Item = String> {
    let mut names: Vec<&str> =
        result.observations.iter().flat_map(|seen| &seen.violations).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(clean::name)
}
