//! A gate as a mapping, the long form.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::draft::{Draft, Relation};
use super::metric::Metric;
use super::threshold::Gate;
use crate::domain::{CheckMode, CheckSeverity, Share, SliceKind};

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
    /// The number may be at most so much lower than the baseline's: `2 points`.
    #[serde(default)]
    drop: Option<LimitText>,
    /// The number may be at most so much higher than the baseline's: `2 points`, a latency `50%`.
    #[serde(default)]
    rise: Option<LimitText>,
    /// `point` compares the number, `bound` its worse confidence limit; `no_regression`, `non_inferior` and `change`
    /// compare with a baseline.
    #[serde(default)]
    mode: Option<CheckMode>,
    /// How much worse than the baseline is still as good, for `non_inferior`.
    #[serde(default)]
    margin: Option<Share>,
    /// More new failures than this fail, chance or not, for `no_regression`.
    #[serde(default)]
    max_new_failures: Option<u64>,
    /// The confidence of a bound, a paired test or a paired interval.
    #[serde(default)]
    confidence: Option<Share>,
    /// Fewer cases than this are too few to tell.
    #[serde(default)]
    min_n: Option<u64>,
    /// `warn` shows a failure, and lets it decide nothing.
    #[serde(default)]
    severity: CheckSeverity,
    /// Only this category; `*` is each of them, against a baseline.
    #[serde(default)]
    category: Option<String>,
    /// Only phrases with this tag.
    #[serde(default)]
    tag: Option<String>,
    /// Only phrases that test this; `*` is each capability, against a baseline.
    #[serde(default)]
    capability: Option<String>,
    /// Only phrases in this language; `*` is each of them, against a baseline.
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
#[serde(untagged, expecting = "expected a limit such as `92%`, `0.5`, `500ms` or `2 points`")]
enum LimitText {
    Number(f64),
    Text(String),
}

impl LimitText {
    fn text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}

impl GateEntry {
    fn gate(self) -> Result<Gate, String> {
        let mut metric: Metric = self.metric.parse()?;
        if let Some(variants) = &self.variants {
            metric = metric
                .of_variants(variants)
                .ok_or_else(|| format!("`{metric}` is not measured over variants"))??;
        }
        let limits = [
            self.at_least.map(|limit| Relation::AtLeast(limit.text())),
            self.at_most.map(|limit| Relation::AtMost(limit.text())),
            self.drop.map(|limit| Relation::Drop(limit.text())),
            self.rise.map(|limit| Relation::Rise(limit.text())),
        ];
        let mut limits = limits.into_iter().flatten();
        let relation = match (limits.next(), limits.next(), self.mode) {
            (Some(_), Some(_), _) => {
                return Err("a gate has one of `at_least`, `at_most`, `drop`, `rise`".to_owned());
            }
            (Some(limit), None, mode) => {
                let changes = matches!(limit, Relation::Drop(_) | Relation::Rise(_));
                let fits = match mode {
                    None => true,
                    Some(CheckMode::Point | CheckMode::Bound) => !changes,
                    Some(CheckMode::Change) => changes,
                    Some(CheckMode::NoRegression | CheckMode::NonInferior) => false,
                };
                if !fits {
                    return Err(
                        "`at_least` and `at_most` are of mode `point` or `bound`, `drop` and `rise` of mode \
                                `change`; the other modes have no limit"
                            .to_owned(),
                    );
                }
                limit
            }
            (None, _, Some(CheckMode::NoRegression)) => Relation::NoRegression,
            (None, _, Some(CheckMode::NonInferior)) => Relation::NonInferior,
            (None, _, None | Some(CheckMode::Point | CheckMode::Bound | CheckMode::Change)) => {
                return Err("a gate has one of `at_least`, `at_most`, `drop`, `rise`, or the mode `no_regression` or \
                            `non_inferior`"
                    .to_owned());
            }
        };
        let slices = [
            (SliceKind::Category, self.category),
            (SliceKind::Tag, self.tag),
            (SliceKind::Capability, self.capability),
            (SliceKind::Language, self.language),
            (SliceKind::Split, self.split),
        ];
        let mut slices = slices.into_iter().filter_map(|(kind, name)| Some((kind, name?)));
        let slice = slices.next();
        if slices.next().is_some() {
            return Err("a gate is over one of category, tag, capability, language, split".to_owned());
        }
        let draft = Draft {
            slice,
            bound: self.mode == Some(CheckMode::Bound),
            margin: self.margin,
            confidence: self.confidence,
            max_new_failures: self.max_new_failures,
            min_n: self.min_n,
            severity: self.severity,
            ..Draft::new(metric, relation)
        };
        draft.gate()
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
