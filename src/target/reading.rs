//! From an answer's bytes to a prediction, or to the reason why there is none.

use serde_json::Value as Json;
use serde_json::error::Category;

use super::contract::ResponseMap;
use super::expression::{Expression, Scope};
use crate::domain::{Answer, NoAnswer, NoAnswerReason, PlainJson, Prediction};

/// How an answer was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The prediction, or why there is none.
    pub answer: Answer,
    /// Names of the invariants that the answer breaks.
    pub violations: Vec<String>,
    /// Whether the answer says that it comes from a cache.
    pub cached: bool,
    /// What should be different in every fresh answer, where the contract names such a thing.
    pub answer_id: Option<String>,
    /// Every field, for `thrash targets check`.
    pub fields: Vec<Field>,
}

/// One field of an answer, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The field's name in the contract.
    pub name: String,
    /// The expression that reads it.
    pub expression: String,
    /// What came out.
    pub value: Result<String, String>,
}

/// An HTTP answer that arrived whole.
#[derive(Debug, Clone)]
pub(super) struct RawAnswer {
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) is_http2: bool,
}

impl RawAnswer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub(super) fn json(&self, any_content_type: bool) -> Result<Json, NoAnswer> {
        if let Some(content_type) = self.header("content-type")
            && !any_content_type
            && !content_type.to_ascii_lowercase().contains("json")
        {
            let kind: String = shown(content_type.split(';').next().unwrap_or_default().trim());
            return Err(malformed(format!("the answer says it is `{kind}`, not JSON")));
        }
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Err(malformed("the answer is empty".to_owned()));
        }
        if std::str::from_utf8(&self.body).is_err() {
            return Err(malformed("the answer is not UTF-8".to_owned()));
        }
        let read: Result<PlainJson, _> = serde_json::from_slice(&self.body);
        read.map(|PlainJson(json)| json).map_err(|error| {
            let what = match error.classify() {
                Category::Eof => "the JSON ends too early",
                Category::Data => "the answer contradicts itself: a key stands twice, with different values",
                Category::Syntax | Category::Io => "the answer is not JSON",
            };
            malformed(format!("{what} (line {}, column {})", error.line(), error.column()))
        })
    }

    /// What a status that is no answer means.
    pub(super) fn refusal(&self) -> NoAnswer {
        let status = self.status;
        let reason = match status {
            429 => NoAnswerReason::RateLimited,
            300..=399 => NoAnswerReason::Redirected,
            400..=499 => NoAnswerReason::Rejected,
            500.. => NoAnswerReason::ServerError,
            _ => NoAnswerReason::UnexpectedStatus,
        };
        NoAnswer { reason, detail: format!("HTTP {status}") }
    }
}

/// An answer that could not be read.
pub(super) fn malformed(detail: String) -> NoAnswer {
    NoAnswer { reason: NoAnswerReason::Malformed, detail }
}

impl Reading {
    /// Reads an HTTP answer.
    pub(super) fn of(map: &ResponseMap, raw: &RawAnswer) -> Self {
        Self::with(map, raw, Some(Vec::new()))
    }

    /// As [`Reading::of`], without the fields: for answers of which there are many.
    pub(super) fn brief(map: &ResponseMap, raw: &RawAnswer) -> Self {
        Self::with(map, raw, None)
    }

    fn with(map: &ResponseMap, raw: &RawAnswer, fields: Option<Vec<Field>>) -> Self {
        if !map.statuses.contains(&raw.status) {
            return Self::none(raw.refusal());
        }
        match raw.json(map.any_content_type) {
            Ok(body) => Self::read(map, Scope::new(raw.status, &raw.headers, body), fields),
            Err(none) => Self::none(none),
        }
    }

    /// Reads one answer of a batch, without the fields.
    pub(super) fn of_json(map: &ResponseMap, status: u16, headers: &[(String, String)], body: Json) -> Self {
        Self::read(map, Scope::new(status, headers, body), None)
    }

    fn read(map: &ResponseMap, scope: Scope<'_>, fields: Option<Vec<Field>>) -> Self {
        let mut reader = Reader { scope, fields };
        let read = reader.read(map);
        let (violations, cached, answer_id) = match &read {
            Ok(prediction) => reader.look_at(map, prediction),
            Err(_) => (Vec::new(), false, None),
        };
        let answer = match read {
            Ok(prediction) => Answer::Prediction(prediction),
            Err(none) => Answer::NoAnswer(none),
        };
        Self { answer, violations, cached, answer_id, fields: reader.fields.unwrap_or_default() }
    }

    pub(super) const fn none(none: NoAnswer) -> Self {
        Self {
            answer: Answer::NoAnswer(none),
            violations: Vec::new(),
            cached: false,
            answer_id: None,
            fields: Vec::new(),
        }
    }
}

struct Reader<'a> {
    scope: Scope<'a>,
    /// None where nobody will look at them.
    fields: Option<Vec<Field>>,
}

impl Reader<'_> {
    fn note(&mut self, name: &str, expression: &Expression, value: impl FnOnce() -> Result<String, String>) {
        if let Some(fields) = &mut self.fields {
            let (name, expression) = (name.to_owned(), expression.source().to_owned());
            fields.push(Field { name, expression, value: value() });
        }
    }

    fn read(&mut self, map: &ResponseMap) -> Result<Prediction, NoAnswer> {
        if let Some(rule) = &map.fail_open {
            let held = rule.holds(&self.scope);
            self.note("fail_open", rule, || held.clone().map(|held| held.to_string()));
            match held {
                Ok(false) => {}
                Ok(true) => {
                    return Err(NoAnswer {
                        reason: NoAnswerReason::FailOpen,
                        detail: "the answer says that it could not analyse the phrase".to_owned(),
                    });
                }
                // A rule that cannot tell must not let the answer through as a good one.
                Err(message) => return Err(malformed(format!("fail-open rule {message}"))),
            }
        }
        let label = self.label(&map.level)?;
        let level = map.levels.get(&label).copied();
        self.note("level", &map.level, || match level {
            Some(level) => Ok(format!("{} → {level}", shown_word(&label))),
            None => Err(unknown_word(&label)),
        });
        let level = level.ok_or_else(|| malformed(unknown_word(&label)))?;
        let score = self.share("score", map.score.as_ref())?;
        let confidence = self.share("confidence", map.confidence.as_ref())?;
        let service_latency_ms = self.number("service_latency_ms", map.service_latency_ms.as_ref())?;
        if service_latency_ms.is_some_and(|ms| ms < 0.0) {
            return Err(malformed("`service_latency_ms` is below zero".to_owned()));
        }
        let version = self.text("version", map.version.as_ref()).map(|text| shown(&text));
        Ok(Prediction { level, label, score, confidence, service_latency_ms, version })
    }

    fn label(&mut self, expression: &Expression) -> Result<String, NoAnswer> {
        let wrong = match expression.find(&self.scope) {
            Ok(Some(Json::String(word))) => return Ok(word),
            Ok(Some(_)) => format!("`{}` is no text", expression.source()),
            Ok(None) => format!("the answer has no `{}`", expression.source()),
            Err(message) => message,
        };
        self.note("level", expression, || Err(wrong.clone()));
        Err(malformed(wrong))
    }

    fn number(&mut self, name: &str, expression: Option<&Expression>) -> Result<Option<f64>, NoAnswer> {
        let Some(expression) = expression else { return Ok(None) };
        let read = match expression.find(&self.scope) {
            Ok(None) => Ok(None),
            Ok(Some(Json::Number(number))) => number
                .as_f64()
                .filter(|x| x.is_finite())
                .map(Some)
                .ok_or(format!("`{name}` is no finite number")),
            Ok(Some(_)) => Err(format!("`{name}` is no number")),
            Err(message) => Err(message),
        };
        self.note(name, expression, || {
            read.clone().map(|number| number.map_or_else(|| "–".to_owned(), |number| number.to_string()))
        });
        read.map_err(malformed)
    }

    fn share(&mut self, name: &str, expression: Option<&Expression>) -> Result<Option<f64>, NoAnswer> {
        let number = self.number(name, expression)?;
        match number {
            Some(number) if !(0.0..=1.0).contains(&number) => {
                Err(malformed(format!("`{name}` is {number}, outside 0 to 1")))
            }
            number => Ok(number),
        }
    }

    fn text(&mut self, name: &str, expression: Option<&Expression>) -> Option<String> {
        let expression = expression?;
        let text = match expression.find(&self.scope) {
            Ok(Some(Json::String(text))) => Some(text),
            Ok(Some(Json::Number(number))) => Some(number.to_string()),
            _ => None,
        };
        self.note(name, expression, || Ok(text.as_deref().map_or_else(|| "–".to_owned(), shown)));
        text
    }

    /// Invariants and signs of a cache; both only make sense for an answer that could be read.
    fn look_at(&mut self, map: &ResponseMap, prediction: &Prediction) -> (Vec<String>, bool, Option<String>) {
        self.scope.add("level", Json::from(prediction.level.as_str()));
        self.scope.add("score", prediction.score.map_or(Json::Null, Json::from));
        self.scope.add("confidence", prediction.confidence.map_or(Json::Null, Json::from));
        let mut violations = Vec::new();
        for (name, rule) in &map.invariants {
            let held = rule.holds(&self.scope);
            self.note(&format!("invariant {name}"), rule, || held.clone().map(|held| held.to_string()));
            // "Could not tell" is not "fine".
            if !matches!(held, Ok(true)) {
                violations.push(name.clone());
            }
        }
        let cached = map.cache_hit.as_ref().is_some_and(|rule| {
            let hit = rule.holds(&self.scope);
            self.note("cache hit", rule, || hit.clone().map(|hit| hit.to_string()));
            // A rule such as `headers['x-cache'] == 'HIT'` has nothing to look at in most answers.
            hit.unwrap_or(false)
        });
        let answer_id = self.text("answer id", map.answer_id.as_ref());
        (violations, cached, answer_id)
    }
}

/// A text from outside as it may be kept and shown: short, and without what would move a terminal's cursor.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

fn unknown_word(word: &str) -> String {
    format!("the level {} is not known to the contract", shown_word(word))
}

/// The word, unless it is long or odd enough to be a piece of the phrase.
fn shown_word(word: &str) -> String {
    if word.len() <= 32 && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
        format!("`{word}`")
    } else {
        format!("(a text of {} characters)", word.chars().count())
    }
}
