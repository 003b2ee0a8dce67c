//! Taking the answer to many phrases apart.

use serde_json::Value as Json;

use super::contract::{Batch, ResponseMap};
use super::expression::Scope;
use super::reading::{RawAnswer, Reading, malformed};
use crate::domain::{NoAnswer, Phrase};

impl Batch {
    /// One reading a phrase. An answer that cannot be matched with its phrase is no answer: a service that drops a
    /// message shifts all that follow.
    pub(super) fn read(&self, map: &ResponseMap, phrases: &[&Phrase], raw: &RawAnswer) -> Vec<Reading> {
        let read = |answers: Vec<Json>| match &self.answer_id {
            None => in_order(map, phrases, raw, answers),
            Some(_) => self.by_id(map, phrases, raw, answers),
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

    fn by_id(
        &self,
        map: &ResponseMap,
        phrases: &[&Phrase],
        raw: &RawAnswer,
        answers: Vec<Json>,
    ) -> Result<Vec<Reading>, NoAnswer> {
        let Some(answer_id) = &self.answer_id else { return Ok(Vec::new()) };
        let mut by_id: Vec<(Option<Json>, Json)> = Vec::with_capacity(answers.len());
        for answer in answers {
            let scope = Scope::new(raw.status, &raw.headers, answer.clone());
            by_id.push((answer_id.find(&scope).map_err(malformed)?, answer));
        }
        let read = |phrase: &&Phrase| {
            let mut mine =
                by_id.iter().filter(|(id, _)| id.as_ref().and_then(Json::as_str) == Some(&phrase.id));
            match (mine.next(), mine.next()) {
                (Some((_, answer)), None) => Reading::of_json(map, raw.status, &raw.headers, answer.clone()),
                (None, _) => Reading::none(malformed("the batch answer leaves this phrase out".to_owned())),
                (Some(_), Some(_)) => {
                    Reading::none(malformed("the batch answer has this phrase more than once".to_owned()))
                }
            }
        };
        Ok(phrases.iter().map(read).collect())
    }
}

fn in_order(
    map: &ResponseMap,
    phrases: &[&Phrase],
    raw: &RawAnswer,
    answers: Vec<Json>,
) -> Result<Vec<Reading>, NoAnswer> {
    if answers.len() != phrases.len() {
        let detail = format!("{} phrases were sent and {} answers came back", phrases.len(), answers.len());
        return Err(malformed(detail));
    }
    let read = |answer| Reading::of_json(map, raw.status, &raw.headers, answer);
    Ok(answers.into_iter().map(read).collect())
}
