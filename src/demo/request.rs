//! Bodies of requests, checked as `FastAPI` checks them: every problem at once, as `{"detail": [{type, loc, msg}]}`.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value, json};

/// The longest message, in characters.
const LONGEST_MESSAGE: usize = 10_000;
/// The most earlier messages.
const LONGEST_HISTORY: usize = 20;
/// The most messages of a batch.
const LARGEST_BATCH: usize = 100;

/// How much an explanation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verbosity {
    Minimal,
    Standard,
    Detailed,
}

impl Verbosity {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Standard => "standard",
            Self::Detailed => "detailed",
        }
    }
}

/// A valid body of `POST /analyze`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    pub(super) message: String,
    /// Empty if context is not to be looked at.
    pub(super) history: Vec<PastMessage>,
    pub(super) include_explanation: bool,
    pub(super) verbosity: Verbosity,
    pub(super) consensus_algorithm: &'static str,
    pub(super) include_context_analysis: bool,
    pub(super) user_timezone: Option<String>,
}

/// An item of `message_history`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PastMessage {
    pub(super) message: String,
    pub(super) timestamp: DateTime<Utc>,
    pub(super) crisis_score: Option<f64>,
}

/// A valid body of `POST /analyze/batch`, without its blank messages.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Batch {
    pub(super) messages: Vec<String>,
    pub(super) include_details: bool,
    pub(super) include_explanation: bool,
}

/// Something wrong with a body. It never quotes the body: messages stay out of errors.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Problem {
    kind: &'static str,
    loc: Vec<Value>,
    msg: String,
}

impl Problem {
    fn new(kind: &'static str, loc: Vec<Value>, msg: impl Into<String>) -> Self {
        Self { kind, loc, msg: msg.into() }
    }
}

/// The body of a 422.
pub(super) fn unprocessable(problems: &[Problem]) -> Value {
    let detail: Vec<Value> = problems
        .iter()
        .map(|problem| json!({"type": problem.kind, "loc": problem.loc, "msg": problem.msg}))
        .collect();
    json!({ "detail": detail })
}

/// Reads the body of `POST /analyze`.
pub(super) fn question(headers: &HeaderMap, body: &[u8]) -> Result<Question, Vec<Problem>> {
    let body = object(headers, body)?;
    let mut check = Check { fields: &body, at: vec![json!("body")], problems: Vec::new() };
    let message = check.message();
    for name in ["user_id", "channel_id"] {
        check.text(name, 100);
    }
    check.optional("metadata", "dict_type", "Input should be a valid dictionary", Value::as_object);
    let include_explanation = check.flag("include_explanation", true);
    let verbosity = check.one_of("verbosity", &["minimal", "standard", "detailed"]);
    let consensus_algorithm = check.one_of(
        "consensus_algorithm",
        &["weighted_voting", "majority_voting", "unanimous", "conflict_aware"],
    );
    let history = check.history();
    let include_context_analysis = check.flag("include_context_analysis", true);
    let user_timezone = check.text("user_timezone", 50);
    if !check.problems.is_empty() {
        return Err(check.problems);
    }
    Ok(Question {
        message,
        history: if include_context_analysis { history } else { Vec::new() },
        include_explanation,
        verbosity: match verbosity {
            Some("minimal") => Verbosity::Minimal,
            Some("detailed") => Verbosity::Detailed,
            _ => Verbosity::Standard,
        },
        consensus_algorithm: consensus_algorithm.unwrap_or("weighted_voting"),
        include_context_analysis,
        user_timezone,
    })
}

/// Reads the body of `POST /analyze/batch`. Blank messages are dropped, as the real service drops them: the index that
/// the answer gives is the index among those that are left.
pub(super) fn batch(headers: &HeaderMap, body: &[u8]) -> Result<Batch, Vec<Problem>> {
    let body = object(headers, body)?;
    let mut check = Check { fields: &body, at: vec![json!("body")], problems: Vec::new() };
    let items = check.list("messages", 1, LARGEST_BATCH).unwrap_or(&[]);
    let mut messages = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match item.as_str().map(str::trim) {
            Some("") => {}
            Some(message) => messages.push(message.to_owned()),
            None => {
                let at = vec![json!("body"), json!("messages"), json!(index)];
                check.problems.push(Problem::new("string_type", at, "Input should be a valid string"));
            }
        }
    }
    if check.problems.is_empty() && messages.is_empty() {
        check.wrong("messages", "value_error", "Value error, At least one non-empty message required");
    }
    let include_details = check.flag("include_details", false);
    let include_explanation = check.flag("include_explanation", false);
    if check.problems.is_empty() {
        Ok(Batch { messages, include_details, include_explanation })
    } else {
        Err(check.problems)
    }
}

fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Vec<Problem>> {
    let wrong = |kind, loc, msg: &str| vec![Problem::new(kind, loc, msg)];
    let no_object = || {
        wrong(
            "model_attributes_type",
            vec![json!("body")],
            "Input should be a valid dictionary or object to extract fields from",
        )
    };
    if body.is_empty() {
        return Err(wrong("missing", vec![json!("body")], "Field required"));
    }
    // FastAPI reads a body that is not declared as JSON as plain bytes, which are no object.
    let declared =
        headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase());
    let media_type = declared.as_deref().map(|value| value.split(';').next().unwrap_or(value).trim());
    if media_type.is_some_and(|media_type| media_type != "application/json" && !media_type.ends_with("+json"))
    {
        return Err(no_object());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(no_object()),
        Err(error) => {
            let before: usize = body
                .split(|byte| *byte == b'\n')
                .take(error.line().saturating_sub(1))
                .map(|line| line.len() + 1)
                .sum();
            let offset = before + error.column().saturating_sub(1);
            Err(wrong("json_invalid", vec![json!("body"), json!(offset)], "JSON decode error"))
        }
    }
}

/// Reads the fields of one object and remembers what is wrong with them.
struct Check<'a> {
    fields: &'a Map<String, Value>,
    /// Where the object is.
    at: Vec<Value>,
    problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    fn wrong(&mut self, name: &str, kind: &'static str, msg: impl Into<String>) {
        let mut loc = self.at.clone();
        loc.push(json!(name));
        self.problems.push(Problem::new(kind, loc, msg));
    }

    fn required(&mut self, name: &str) -> Option<&'a Value> {
        let value = self.fields.get(name);
        if value.is_none() {
            self.wrong(name, "missing", "Field required");
        }
        value
    }

    /// A field that may be missing or null.
    fn optional<T>(
        &mut self,
        name: &str,
        kind: &'static str,
        msg: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.fields.get(name).filter(|value| !value.is_null())?;
        let read = read(value);
        if read.is_none() {
            self.wrong(name, kind, msg);
        }
        read
    }

    /// The field `message`: 1 to 10000 characters, not all blank.
    fn message(&mut self) -> String {
        let Some(value) = self.required("message") else { return String::new() };
        let Some(text) = value.as_str() else {
            self.wrong("message", "string_type", "Input should be a valid string");
            return String::new();
        };
        if text.is_empty() {
            self.wrong("message", "string_too_short", "String should have at least 1 character");
        } else if text.chars().count() > LONGEST_MESSAGE {
            self.too_long("message", LONGEST_MESSAGE);
        } else if text.trim().is_empty() {
            self.wrong("message", "value_error", "Value error, Message cannot be empty or whitespace only");
        }
        text.trim().to_owned()
    }

    fn too_long(&mut self, name: &str, most: usize) {
        self.wrong(name, "string_too_long", format!("String should have at most {most} characters"));
    }

    fn text(&mut self, name: &str, most: usize) -> Option<String> {
        let text = self.optional(name, "string_type", "Input should be a valid string", Value::as_str)?;
        if text.chars().count() > most {
            self.too_long(name, most);
        }
        Some(text.to_owned())
    }

    fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.fields.get(name) {
            None => default,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.wrong(name, "bool_type", "Input should be a valid boolean");
                default
            }
        }
    }

    fn one_of(&mut self, name: &str, allowed: &[&'static str]) -> Option<&'static str> {
        let quoted: Vec<String> = allowed.iter().map(|word| format!("'{word}'")).collect();
        let (last, others) = quoted.split_last()?;
        let msg = format!("Input should be {} or {last}", others.join(", "));
        self.optional(name, "enum", &msg, |value| {
            allowed.iter().copied().find(|word| value.as_str() == Some(word))
        })
    }

    fn list(&mut self, name: &str, least: usize, most: usize) -> Option<&'a [Value]> {
        let value = self.required(name)?;
        let Some(items) = value.as_array() else {
            self.wrong(name, "list_type", "Input should be a valid list");
            return None;
        };
        let count = items.len();
        let s = |number: usize| if number == 1 { "" } else { "s" };
        if count < least {
            let msg =
                format!("List should have at least {least} item{} after validation, not {count}", s(least));
            self.wrong(name, "too_short", msg);
        } else if count > most {
            let msg =
                format!("List should have at most {most} item{} after validation, not {count}", s(most));
            self.wrong(name, "too_long", msg);
        } else {
            return Some(items);
        }
        None
    }

    fn history(&mut self) -> Vec<PastMessage> {
        if self.fields.get("message_history").is_none_or(Value::is_null) {
            return Vec::new();
        }
        let Some(items) = self.list("message_history", 0, LONGEST_HISTORY) else { return Vec::new() };
        items.iter().enumerate().filter_map(|(index, item)| self.past_message(index, item)).collect()
    }

    fn past_message(&mut self, index: usize, item: &'a Value) -> Option<PastMessage> {
        let at = vec![json!("body"), json!("message_history"), json!(index)];
        let Some(fields) = item.as_object() else {
            let msg = "Input should be a valid dictionary or object to extract fields from";
            self.problems.push(Problem::new("model_attributes_type", at, msg));
            return None;
        };
        let mut check = Check { fields, at, problems: Vec::new() };
        let message = check.message();
        let timestamp = check.required("timestamp").and_then(timestamp);
        if fields.contains_key("timestamp") && timestamp.is_none() {
            check.wrong(
                "timestamp",
                "datetime_from_date_parsing",
                "Input should be a valid datetime or date",
            );
        }
        let crisis_score =
            check.optional("crisis_score", "float_type", "Input should be a valid number", Value::as_f64);
        match crisis_score {
            Some(score) if score < 0.0 => {
                check.wrong(
                    "crisis_score",
                    "greater_than_equal",
                    "Input should be greater than or equal to 0",
                );
            }
            Some(score) if score > 1.0 => {
                check.wrong("crisis_score", "less_than_equal", "Input should be less than or equal to 1");
            }
            Some(_) | None => {}
        }
        check.text("message_id", 100);
        self.problems.append(&mut check.problems);
        Some(PastMessage { message, timestamp: timestamp?, crisis_score })
    }
}

/// A time as pydantic reads one: RFC 3339, the same without a zone (then it is UTC), or seconds since 1970.
fn timestamp(value: &Value) -> Option<DateTime<Utc>> {
    if let Some(seconds) = value.as_i64() {
        return DateTime::from_timestamp(seconds, 0);
    }
    let text = value.as_str()?;
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).ok();
    zoned.or_else(|| {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .map(|time| time.and_utc())
    })
}
