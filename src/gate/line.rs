//! A gate in one line.

use std::str::FromStr;

use super::draft::{Draft, Relation, slice};
use super::metric::Metric;
use super::threshold::{Gate, GateParseError};
use crate::domain::{CheckSeverity, Share};

const FORM: &str = "write it as `accuracy >= 92%`, `accuracy[definite_high] >= 95%`, `latency_p95 <= 500ms`, \
                    `accuracy no_regression` or `accuracy drop <= 2 points`";
const OPTIONS: &str = "after the limit only `(bound 95%)`, `(margin 1%)`, `(max 3 new failures)`, `(confidence 99%)`, \
                       `(min 50 cases)` or `(warn)` may stand";

impl FromStr for Gate {
    type Err = GateParseError;

    fn from_str(text: &str) -> Result<Self, GateParseError> {
        read(text).and_then(Draft::gate).map_err(|message| GateParseError { text: text.to_owned(), message })
    }
}

/// `metric`, perhaps `[slice]`, the relation, perhaps `(options)`.
fn read(text: &str) -> Result<Draft, String> {
    let (name, rest) = split_word(text.trim());
    let (inside, rest) = match rest.trim_start().strip_prefix('[') {
        Some(rest) => {
            let (inside, rest) =
                rest.split_once(']').ok_or_else(|| format!("a `[` without its `]`; {FORM}"))?;
            (Some(inside), rest)
        }
        None => (None, rest),
    };
    let (relation, options) = match rest.split_once('(') {
        Some((relation, options)) => (relation, Some(options)),
        None => (rest, None),
    };
    let relation = read_relation(relation.trim())?;
    let metric: Metric = name.parse()?;
    let mut draft = match inside.map(|inside| (inside, metric.of_variants(inside))) {
        None => Draft::new(metric, relation),
        Some((_, Some(metric))) => Draft::new(metric?, relation),
        Some((inside, None)) => Draft { slice: Some(slice(inside)?), ..Draft::new(metric, relation) },
    };
    if let Some(options) = options {
        for option in options.trim_end().strip_suffix(')').ok_or(OPTIONS)?.split(',') {
            read_option(&mut draft, option)?;
        }
    }
    Ok(draft)
}

/// The word at the start, and what follows it.
fn split_word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len()))
}

fn read_relation(text: &str) -> Result<Relation, String> {
    let after = |prefix: &str| text.strip_prefix(prefix).map(|rest| rest.trim().to_owned());
    if let Some(limit) = after(">=") {
        return Ok(Relation::AtLeast(limit));
    }
    if let Some(limit) = after("<=") {
        return Ok(Relation::AtMost(limit));
    }
    let (word, rest) = split_word(text);
    let change = |rest: &str| {
        let limit = rest.trim_start().strip_prefix("<=").map(|limit| limit.trim().to_owned());
        limit.ok_or_else(|| format!("after `{word}` stands `<=` and how much"))
    };
    match (word, rest.trim()) {
        ("no_regression", "") => Ok(Relation::NoRegression),
        ("non_inferior", "") => Ok(Relation::NonInferior),
        ("drop", _) => change(rest).map(Relation::Drop),
        ("rise", _) => change(rest).map(Relation::Rise),
        _ => Err(format!("it has neither `>=` nor `<=`, and is not held against a baseline; {FORM}")),
    }
}

fn read_option(draft: &mut Draft, option: &str) -> Result<(), String> {
    let words: Vec<&str> = option.split_whitespace().collect();
    let count = |word: &str| word.parse::<u64>().map_err(|_| format!("`{word}` is no whole number"));
    let twice = match words[..] {
        ["warn"] => {
            let twice = !draft.severity.decides();
            draft.severity = CheckSeverity::Warn;
            twice
        }
        ["bound"] => std::mem::replace(&mut draft.bound, true),
        ["bound", level] => {
            draft.confidence = Some(level.parse::<Share>()?);
            std::mem::replace(&mut draft.bound, true)
        }
        ["confidence", level] => draft.confidence.replace(level.parse()?).is_some(),
        ["margin", margin] => draft.margin.replace(margin.parse()?).is_some(),
        ["max", most, "new", "failure" | "failures"] => {
            draft.max_new_failures.replace(count(most)?).is_some()
        }
        ["min", least, "case" | "cases"] => draft.min_n.replace(count(least)?).is_some(),
        _ => return Err(OPTIONS.to_owned()),
    };
    if twice { Err(format!("`{}` stands there twice", option.trim())) } else { Ok(()) }
}
