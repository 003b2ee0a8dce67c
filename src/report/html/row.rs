//! A phrase as a row that opens: as HTML, and as the data that the script builds the same HTML of.

use std::collections::{HashMap, HashSet};

use maud::{Markup, html};
use serde_json::{Value, json};

use super::super::failure::{Failure, Severity};
use super::super::figures;
use super::facets::{FLAGS, Facets, Values, flag};
use super::facts::{self, Beside, Fact, Piece};
use super::{clean, flips};
use crate::domain::{
    Change, PhraseChange, PhraseResult, ReferenceAnswer, ReferenceRecord, RunRecord, TextPolicy, Verdict,
    WaiverRecord,
};

/// A phrase, ready to be shown.
pub(super) struct Row {
    /// Its fragment on the page; none where another phrase has the same.
    anchor: Option<String>,
    /// Where it stands in each facet.
    values: Values,
    /// What is said of it besides.
    flags: u32,
    verdict: Verdict,
    id: String,
    category: String,
    expected: String,
    got: String,
    off: String,
    score: String,
    text: Option<String>,
    facts: Vec<Fact>,
}

/// What other parts of the record know of its phrases, by id.
pub(super) struct Known<'a> {
    changes: HashMap<&'a str, &'a PhraseChange>,
    waivers: HashMap<&'a str, &'a WaiverRecord>,
    opinions: HashMap<&'a str, &'a ReferenceAnswer>,
    changed: HashSet<&'a str>,
    record: &'a RunRecord,
    text: TextPolicy,
    taken: HashSet<String>,
}

impl<'a> Known<'a> {
    pub(super) fn new(record: &'a RunRecord, text: TextPolicy) -> Self {
        let comparison = record.baseline.as_ref().and_then(|baseline| baseline.comparison());
        let changes = comparison.into_iter().flat_map(|comparison| &comparison.changes);
        let waivers = record.waivers.iter().flat_map(|report| &report.waivers);
        let reference = record.reference.iter().filter_map(ReferenceRecord::report);
        let opinions = reference.flat_map(|report| &report.answers);
        Self {
            opinions: opinions.map(|answer| (answer.id.as_str(), answer)).collect(),
            changes: changes
                .filter(|phrase| phrase.change != Change::Gone)
                .map(|phrase| (phrase.id.as_str(), phrase))
                .collect(),
            waivers: waivers.map(|waiver| (waiver.phrase.as_str(), waiver)).collect(),
            changed: record.integrity.changed.iter().map(String::as_str).collect(),
            record,
            text,
            taken: HashSet::new(),
        }
    }

    /// The fates that phrases of this run have, the phrases that are right in both included.
    pub(super) fn fates(&self) -> Vec<String> {
        let mut fates: Vec<Change> = self.changes.values().map(|phrase| phrase.change).collect();
        fates.sort_unstable();
        fates.dedup();
        let words = fates.into_iter().map(|change| flips::word(change).to_owned());
        std::iter::once(String::new()).chain(words).collect()
    }

    /// The row of a result.
    pub(super) fn row(&mut self, facets: &Facets, result: &'a PhraseResult) -> Row {
        let change = self.changes.get(result.id.as_str()).copied();
        let word = change.map_or("", |phrase| flips::word(phrase.change));
        let anchor = clean::anchor(&result.id);
        let waiver = self.waivers.get(result.id.as_str()).copied();
        let opinion = self.opinions.get(result.id.as_str()).copied();
        let prediction = facts::prediction(result);
        Row {
            anchor: self.taken.insert(anchor.clone()).then_some(anchor),
            values: facets.values(result, word, opinion),
            flags: self.flags(result),
            verdict: result.verdict,
            id: clean::name(&result.id),
            category: clean::name(&result.category),
            expected: result.expected.to_string(),
            got: facts::got(result),
            off: off_by(result),
            score: figures::number(prediction.and_then(|prediction| prediction.score)),
            text: result
                .text
                .as_deref()
                .and_then(|text| self.text.apply(text))
                .map(|text| clean::cut(&text, clean::PHRASE)),
            facts: facts::of(result, self.record, &Beside { change, waiver, opinion }),
        }
    }

    fn flags(&self, result: &PhraseResult) -> u32 {
        let any = |holds: &dyn Fn(&crate::domain::Observation) -> bool| result.observations.iter().any(holds);
        let severe = Failure::of(result).is_some_and(|failure| failure.severity == Severity::SevereMiss);
        [
            ("severe miss", severe),
            ("must pass", result.must_pass),
            ("critical", result.critical),
            ("fail-open", facts::fails_open(result)),
            ("contradicts itself", any(&|seen| !seen.violations.is_empty())),
            ("changed when repeated", self.changed.contains(result.id.as_str())),
            ("from a cache", any(&|seen| seen.cached)),
            ("retried", any(&|seen| seen.attempts.len() > 1)),
        ]
        .into_iter()
        .filter(|(_, holds)| *holds)
        .fold(0, |flags, (name, _)| flags | flag(name))
    }
}

/// How far off, as `2 under`; nothing for an exact answer or none.
fn off_by(result: &PhraseResult) -> String {
    let distance = |level| {
        let steps = result.expected.iter().map(|expected| expected.steps_above(level).unsigned_abs());
        steps.min().unwrap_or_default()
    };
    match (result.verdict, result.level) {
        (Verdict::Exact | Verdict::Unanswered, _) | (_, None) => String::new(),
        (verdict, Some(level)) => format!("{} {}", distance(level), verdict.as_str()),
    }
}

impl Row {
    /// The flags that it has.
    pub(super) const fn flags(&self) -> u32 {
        self.flags
    }

    /// Where it stands in each facet.
    pub(super) const fn values(&self) -> &Values {
        &self.values
    }

    /// The row as HTML. The script makes the same of [`Row::data`].
    pub(super) fn html(&self) -> Markup {
        let severe = if self.flags & flag("severe miss") == 0 { "" } else { " severe" };
        html! {
            li class={ (self.verdict.as_str()) (severe) } id=[self.anchor.as_deref()] {
                details {
                    summary {
                        b { (self.id) } i { (self.category) } i { (self.expected) }
                        i { (self.got) } i { (self.off) } i { (self.score) }
                    }
                    @if let Some(text) = &self.text { p { q { (text) } } }
                    dl { @for fact in &self.facts { dt { (fact.name) } dd { @for piece in &fact.pieces { (piece.text()) } } } }
                }
            }
        }
    }

    /// Where the row stands, for the script to filter what is HTML already.
    pub(super) fn facets(&self) -> Value {
        json!([self.values.as_slice(), &[self.flags as usize]].concat())
    }

    /// The row as data: facets, flags, then the texts, those that many rows share as places in `words`.
    pub(super) fn data(&self, words: &mut Words) -> Value {
        let mut data: Vec<Value> = self.values.iter().map(|value| json!(value)).collect();
        data.extend([json!(self.flags), json!(self.id), json!(self.text)]);
        data.extend([&self.expected, &self.got, &self.off, &self.score].map(|word| words.place(word)));
        for fact in &self.facts {
            data.push(words.place(fact.name));
            let pieces = fact.pieces.iter().filter(|piece| !piece.text().is_empty());
            data.push(
                pieces
                    .map(|piece| match piece {
                        Piece::Own(text) => json!(text),
                        Piece::Shared(text) => words.place(text),
                    })
                    .collect(),
            );
        }
        Value::Array(data)
    }
}

/// Texts that rows share, each once.
#[derive(Debug, Default)]
pub(super) struct Words {
    places: HashMap<String, usize>,
    words: Vec<String>,
}

impl Words {
    /// Where the word is; it is added if it is new.
    fn place(&mut self, word: &str) -> Value {
        if let Some(place) = self.places.get(word) {
            return json!(place);
        }
        self.words.push(word.to_owned());
        self.places.insert(word.to_owned(), self.words.len() - 1);
        json!(self.words.len() - 1)
    }

    /// The words in their places.
    pub(super) fn into_list(self) -> Vec<String> {
        self.words
    }
}

/// The names of the flags.
pub(super) const fn flag_names() -> [&'static str; 8] {
    FLAGS
}
