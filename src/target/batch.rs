//! Taking the answer to many phrases apart.

use serde_json::Value as Json;

use super::contract::{Batch, BatchOrder, ResponseMap};
use super::expression::{Expression, Scope};
use super::reading::{RawAnswer, Reading, malformed};
use crate::domain::{NoAnswer, Phrase};

impl Batch {
    /// One reading a phrase. An answer that cannot be matched with its phrase is no answer: a service that drops a
    /// message shifts all that follow.
    pub(super) fn read(&self, map: &ResponseMap, phrases: &[&Phrase], raw: &RawAnswer) -> Vec<Reading> {
        let read = |answers: Vec<Json>| match &self.order {
            BatchOrder::AsSent => in_order(map, phrases, raw, answers),
            BatchOrder::Index(index) => {
                complete(phrases, &answers)?;
                by_key(index, map, phrases, raw, answers, |place, _, key| key.as_u64() == Some(place as u64))
            }
            BatchOrder::Id(id) => {
                by_key(id, map, phrases, raw, answers, |_, phrase, key| key.as_str() == Some(&phrase.id))
            }
        };
        self.answers(map, raw)
            .and_then(read)
            .unwrap_or_else(|none| phrases.iter().map(|_| Reading::none(none.clone())).collect())
    }

    fn answers(&self, map: &ResponseMap, raw: &RawAnswer) -> Result<Vec<Json>, NoAnswer> {
        if !map.statuses.contains(&raw.status) {
            return Err(raw.refusal());
        }
        let scope = Scope::new(raw.status, &raw.headers, raw.json(map.any_content_type)?);
        match self.answers.find(&scope).map_err(malformed)? {
            Some(Json::Array(answers)) => Ok(answers),
            _ => Err(malformed(format!("the batch answer has no list `{}`", self.answers.source()))),
        }
    }
}

/// Finds the answer to each phrase by what `key` reads of an answer and `is_for` says of it.
fn by_key(
    key: &Expression,
    map: &ResponseMap,
    phrases: &[&Phrase],
    raw: &RawAnswer,
    answers: Vec<Json>,
    is_for: impl Fn(usize, &Phrase, &Json) -> bool,
) -> Result<Vec<Reading>, NoAnswer> {
    let mut by_key: Vec<(Option<Json>, Json)> = Vec::with_capacity(answers.len());
    for answer in answers {
        let scope = Scope::new(raw.status, &raw.headers, answer.clone());
        by_key.push((key.find(&scope).map_err(malformed)?, answer));
    }
    let read = |(place, phrase): (usize, &&Phrase)| {
        let is_for = |key: &Json| is_for(place, phrase, key);
        let mut mine = by_key.iter().filter(|(key, _)| key.as_ref().is_some_and(is_for));
        match (mine.next(), mine.next()) {
            (Some((_, answer)), None) => Reading::of_json(map, raw.status, &raw.headers, answer.clone()),
            (None, _) => Reading::none(malformed("the batch answer leaves this phrase out".to_owned())),
            (Some(_), Some(_)) => {
                Reading::none(malformed("the batch answer has this phrase more than once".to_owned()))
            }
        }
    };
    Ok(phrases.iter().enumerate().map(read).collect())
}

/// Whether there are as many answers as phrases: where one was dropped, the places of the others say nothing.
fn complete(phrases: &[&Phrase], answers: &[Json]) -> Result<(), NoAnswer> {
    if answers.len() == phrases.len() {
        return Ok(());
    }
    let (sent, back) = (phrases.len(), answers.len());
    Err(malformed(format!("{sent} phrases were sent and {back} answers came back")))
}

fn in_order(
    map: &ResponseMap,
    phrases: &[&Phrase],
    raw: &RawAnswer,
    answers: Vec<Json>,
) -> Result<Vec<Reading>, NoAnswer> {
    complete(phrases, &answers)?;
    let read = |answer| Reading::of_json(map, raw.status, &raw.headers, answer);
    Ok(answers.into_iter().map(read).collect())
}
