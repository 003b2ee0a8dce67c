//! A threshold, written as one line or as a mapping.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::metric::{Metric, Unit};
use crate::domain::{CheckMode, Comparison, Share, SliceKind, Wait};
use crate::stats::Confidence;

/// `accuracy >= 92%`, `accuracy[definite_high] >= 95%`, `false_positive_rate <= 4% (bound 95%)`, `latency_p95 <= 500ms`.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// What is measured.
    pub metric: Metric,
    /// Over which slice; none is the whole run.
    pub slice: Option<(SliceKind, String)>,
    /// On which side of the limit it must be.
    pub comparison: Comparison,
    /// The limit: a share from 0 to 1, a number, milliseconds, or a count.
    pub limit: f64,
    /// What is compared with the limit.
    pub mode: CheckMode,
    /// The confidence of a bound, one-sided.
    pub confidence: Confidence,
    /// Fewer cases than this are too few to tell.
    pub min_n: Option<u64>,
}

/// A gate that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no gate: {message}")]
pub struct GateParseError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub message: String,
}

impl Gate {
    /// A point gate over the whole run.
    pub fn point(metric: Metric, comparison: Comparison, limit: f64) -> Self {
        Self {
            metric,
            slice: None,
            comparison,
            limit,
            mode: CheckMode::Point,
            confidence: Confidence::PERCENT_95,
            min_n: None,
        }
    }

    fn checked(self) -> Result<Self, String> {
        let Self { metric, .. } = self;
        if matches!(self.mode, CheckMode::NoRegression | CheckMode::NonInferior | CheckMode::Change) {
            return Err("a gate against a baseline cannot be evaluated yet".to_owned());
        }
        if self.slice.is_some() && !metric.has_slices() {
            return Err(format!("`{metric}` is measured over the whole run only"));
        }
        if self.mode == CheckMode::Bound && !metric.has_bound() {
            return Err(format!("`{metric}` has no confidence limit; use mode `point`"));
        }
        // The wrong sign makes a gate that passes exactly what it should stop.
        match (metric.better(), self.comparison) {
            (Comparison::AtLeast, Comparison::AtMost) => {
                Err(format!("more `{metric}` is better: write `>=` or `at_least`"))
            }
            (Comparison::AtMost, Comparison::AtLeast) => {
                Err(format!("less `{metric}` is better: write `<=` or `at_most`"))
            }
            (Comparison::AtLeast, Comparison::AtLeast) | (Comparison::AtMost, Comparison::AtMost) => Ok(()),
        }?;
        Ok(self)
    }

    /// The limit as it is written.
    pub(super) fn limit_text(&self) -> String {
        match self.metric.unit() {
            Unit::Share => {
                Share::new(self.limit).map_or_else(|| self.limit.to_string(), |share| share.to_string())
            }
            Unit::Number | Unit::Count => self.limit.to_string(),
            // Parts of a millisecond are no number that a length of time is written with.
            Unit::Time if self.limit.fract() != 0.0 => {
                Wait(Duration::try_from_secs_f64(self.limit / 1e3).unwrap_or_default()).to_string()
            }
            Unit::Time => format!("{}ms", self.limit),
        }
    }

    /// The slice as it is written.
    pub(super) fn slice_text(&self) -> Option<String> {
        match (&self.slice, self.metric) {
            (Some((kind, name)), _) => Some(format!("{}={name}", kind.as_str())),
            (None, Metric::FlipRate(variants)) => variants.slice_text(),
            (None, _) => None,
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.metric)?;
        match &self.slice {
            Some((SliceKind::Category, name)) => write!(f, "[{name}]")?,
            Some((kind, name)) => write!(f, "[{}={name}]", kind.as_str())?,
            None => {
                if let Metric::FlipRate(variants) = self.metric {
                    write!(f, "{variants}")?;
                }
            }
        }
        let sign = match self.comparison {
            Comparison::AtLeast => ">=",
            Comparison::AtMost => "<=",
        };
        write!(f, " {sign} {}", self.limit_text())?;
        if self.mode == CheckMode::Bound {
            write!(
                f,
                " (bound {})",
                Share::new(self.confidence.level()).map_or_else(String::new, |c| c.to_string())
            )?;
        }
        Ok(())
    }
}

/// Reads a limit in the metric's unit.
fn limit(metric: Metric, text: &str) -> Result<f64, String> {
    let text = text.trim();
    match metric.unit() {
        Unit::Share => text.parse::<Share>().map(Share::value),
        Unit::Number => {
            text.parse().ok().filter(|x: &f64| x.is_finite()).ok_or(format!("`{text}` is no number"))
        }
        Unit::Time => text.parse::<Wait>().map(|wait| wait.0.as_secs_f64() * 1e3),
        Unit::Count => text.parse::<u32>().map(f64::from).map_err(|_| format!("`{text}` is no whole number")),
    }
}

fn slice(text: &str) -> Result<(SliceKind, String), String> {
    let (kind, name) = text.split_once('=').unwrap_or(("category", text));
    let Some(kind) = SliceKind::ALL.into_iter().find(|known| known.as_str() == kind.trim()) else {
        let known = SliceKind::ALL.map(SliceKind::as_str).join(", ");
        return Err(format!("`{}` is not one of {known}", kind.trim()));
    };
    match name.trim() {
        "" => Err("there is no name between `[` and `]`".to_owned()),
        name => Ok((kind, name.to_owned())),
    }
}

fn parse(text: &str) -> Result<Gate, String> {
    const FORM: &str =
        "write it as `accuracy >= 92%`, `accuracy[definite_high] >= 95%` or `latency_p95 <= 500ms`";
    let (left, comparison, right) = if let Some((left, right)) = text.split_once(">=") {
        (left, Comparison::AtLeast, right)
    } else if let Some((left, right)) = text.split_once("<=") {
        (left, Comparison::AtMost, right)
    } else {
        return Err(format!("it has neither `>=` nor `<=`; {FORM}"));
    };
    let (name, inner) = match left.trim().split_once('[') {
        Some((name, rest)) => {
            let inner = rest.strip_suffix(']').ok_or_else(|| format!("a `[` without its `]`; {FORM}"))?;
            (name.trim(), Some(inner))
        }
        None => (left.trim(), None),
    };
    let metric: Metric = name.parse()?;
    let (metric, slice) = match inner.map(|inner| (inner, metric.of_variants(inner))) {
        None => (metric, None),
        Some((_, Some(metric))) => (metric?, None),
        Some((inner, None)) => (metric, Some(slice(inner)?)),
    };
    let (value, bound) = match right.split_once('(') {
        Some((value, rest)) => (value, Some(rest)),
        None => (right, None),
    };
    let mut gate = Gate { slice, ..Gate::point(metric, comparison, limit(metric, value)?) };
    if let Some(bound) = bound {
        let level = bound.trim_end().strip_suffix(')').and_then(|inner| inner.trim().strip_prefix("bound"));
        let level = level.ok_or("after the limit only `(bound 95%)` may stand")?.trim();
        gate.mode = CheckMode::Bound;
        if !level.is_empty() {
            gate.confidence = confidence(level.parse()?)?;
        }
    }
    gate.checked()
}

fn confidence(share: Share) -> Result<Confidence, String> {
    Confidence::new(share.value()).map_err(|error| error.to_string())
}

impl FromStr for Gate {
    type Err = GateParseError;

    fn from_str(text: &str) -> Result<Self, GateParseError> {
        parse(text).map_err(|message| GateParseError { text: text.to_owned(), message })
    }
}

/// The long form.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GateEntry {
    /// The metric's name.
    metric: String,
    /// The number must be at least this.
    #[serde(default)]
    at_least: Option<LimitText>,
    /// The number must be at most this.
    #[serde(default)]
    at_most: Option<LimitText>,
    /// `point` compares the number, `bound` its worse confidence limit.
    #[serde(default)]
    mode: CheckMode,
    /// The confidence of a bound.
    #[serde(default)]
    confidence: Option<Share>,
    /// Fewer cases than this are too few to tell.
    #[serde(default)]
    min_n: Option<u64>,
    /// Only this category.
    #[serde(default)]
    category: Option<String>,
    /// Only phrases with this tag.
    #[serde(default)]
    tag: Option<String>,
    /// Only phrases that test this.
    #[serde(default)]
    capability: Option<String>,
    /// Only phrases in this language.
    #[serde(default)]
    language: Option<String>,
    /// Only this part of the suite.
    #[serde(default)]
    split: Option<String>,
    /// Only variants of this group or kind, for `perturbation_flip_rate`: `typing`, `typo`.
    #[serde(default)]
    variants: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a limit such as `92%`, `0.5` or `500ms`")]
enum LimitText {
    Number(f64),
    Text(String),
}

impl GateEntry {
    fn gate(self) -> Result<Gate, String> {
        let mut metric: Metric = self.metric.parse()?;
        if let Some(variants) = &self.variants {
            metric = metric
                .of_variants(variants)
                .ok_or_else(|| format!("`{metric}` is not measured over variants"))??;
        }
        let (comparison, text) = match (self.at_least, self.at_most) {
            (Some(limit), None) => (Comparison::AtLeast, limit),
            (None, Some(limit)) => (Comparison::AtMost, limit),
            _ => return Err("a gate has either `at_least` or `at_most`".to_owned()),
        };
        let text = match text {
            LimitText::Number(number) => number.to_string(),
            LimitText::Text(text) => text,
        };
        let slices = [
            (SliceKind::Category, self.category),
            (SliceKind::Tag, self.tag),
            (SliceKind::Capability, self.capability),
            (SliceKind::Language, self.language),
            (SliceKind::Split, self.split),
        ];
        let mut slices = slices.into_iter().filter_map(|(kind, name)| Some((kind, name?)));
        let gate = Gate {
            slice: slices.next(),
            mode: self.mode,
            confidence: self.confidence.map_or(Ok(Confidence::PERCENT_95), confidence)?,
            min_n: self.min_n,
            ..Gate::point(metric, comparison, limit(metric, &text)?)
        };
        if slices.next().is_some() {
            return Err("a gate is over one of category, tag, capability, language, split".to_owned());
        }
        gate.checked()
    }
}

impl<'de> Deserialize<'de> for Gate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Gate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a gate such as `accuracy >= 92%`, or a mapping with `metric`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Gate, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Gate, A::Error> {
                GateEntry::deserialize(de::value::MapAccessDeserializer::new(map))?
                    .gate()
                    .map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Gate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Gate".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let entry = generator.subschema_for::<GateEntry>();
        json_schema!({"anyOf": [{"type": "string"}, entry]})
    }
}
