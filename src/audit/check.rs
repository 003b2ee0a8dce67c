//! Whether a suite can show anything: findings, each with its place.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::baseline_plan::BaselineGatePlan;
use super::null_service::null_services;
use super::plan::plan;
use super::similar::similar;
use crate::domain::{CheckMode, Conclusion, Level, Phrase, PhraseSource, SliceKind};
use crate::gate::{Gate, GateOptions, Metric};
use crate::suite::Suite;

/// Two texts so alike are one phrase, unless they say that they belong together.
pub const NEARLY_THE_SAME: f64 = 0.6;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Gravity {
    /// The suite is refused.
    Error,
    /// The suite shows less than it seems to.
    Warning,
}

/// Something that is wrong with a suite.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    /// How bad it is.
    pub gravity: Gravity,
    /// What kind of thing it is, for scripts: `near_duplicate`, `null_service_passes`.
    pub kind: &'static str,
    /// The phrase's file, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The phrase's line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong, without any text of a phrase.
    pub message: String,
    /// Where the phrase stands that it goes against, if that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with: Option<PhraseSource>,
}

/// Looks at a suite that could be loaded. `defaults` are the gates that no null service may pass, `gates` all that
/// hold.
pub fn check(suite: &Suite, defaults: &GateOptions, gates: &GateOptions, alert_level: Level) -> Vec<Finding> {
    let mut findings = near_duplicates(suite);
    findings.extend(broken_pairs(suite));
    findings.extend(disagreements(suite));
    findings.extend(gates_over_nothing(suite, &gates.gates));
    findings.extend(too_few(suite, gates, alert_level));
    for service in null_services(suite, defaults, alert_level) {
        // Only a failed check is a proof of having been seen through; "could not tell" is none.
        if service.conclusion != Conclusion::GateFailed {
            let accuracy =
                service.accuracy.map_or_else(String::new, |share| format!(" ({:.1} % right)", share * 100.0));
            findings.push(about_suite(
                Gravity::Error,
                "null_service_passes",
                format!(
                    "a service that answers `{}` is not failed by the default gates{accuracy}",
                    service.name
                ),
            ));
        }
    }
    sort(&mut findings);
    findings
}

/// Errors first, each kind of gravity in the order of the files.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| (a.gravity, &a.file, a.line).cmp(&(b.gravity, &b.file, b.line)));
}

fn about_suite(gravity: Gravity, kind: &'static str, message: String) -> Finding {
    Finding { gravity, kind, file: None, line: None, message, with: None }
}

fn about(phrase: &Phrase, gravity: Gravity, kind: &'static str, message: String) -> Finding {
    let PhraseSource { file, line } = phrase.source.clone();
    Finding { gravity, kind, file: Some(file), line: Some(line), message, with: None }
}

/// A phrase with all that is sent before it: two that differ in that are not the same.
fn whole_text(phrase: &Phrase) -> String {
    phrase.history.iter().chain([&phrase.text]).map(String::as_str).collect::<Vec<_>>().join("\n")
}

fn near_duplicates(suite: &Suite) -> Vec<Finding> {
    let texts: Vec<String> = suite.phrases.iter().map(whole_text).collect();
    let linked = |a: &Phrase, b: &Phrase| {
        let names = |link: &Option<String>, id: &str| link.as_deref() == Some(id);
        names(&a.pair, &b.id)
            || names(&b.pair, &a.id)
            || names(&a.seed_of, &b.id)
            || names(&b.seed_of, &a.id)
            || (a.seed_of.is_some() && a.seed_of == b.seed_of)
    };
    similar(texts.iter().map(String::as_str), NEARLY_THE_SAME)
        .into_iter()
        .filter_map(|pair| {
            let (first, second) = (&suite.phrases[pair.first], &suite.phrases[pair.second]);
            if linked(first, second) {
                return None;
            }
            let message = format!(
                "phrase `{}` is nearly `{}` ({:.0} % alike): reword one, or link them by `pair` or `seed_of`",
                second.id,
                first.id,
                pair.similarity * 100.0
            );
            let finding = about(second, Gravity::Error, "near_duplicate", message);
            Some(Finding { with: Some(first.source.clone()), ..finding })
        })
        .collect()
}

/// A contrast pair names each other, and asks for different answers.
fn broken_pairs(suite: &Suite) -> Vec<Finding> {
    let by_id: HashMap<&str, &Phrase> =
        suite.phrases.iter().map(|phrase| (phrase.id.as_str(), phrase)).collect();
    let mut findings = Vec::new();
    for phrase in &suite.phrases {
        // A selection may leave the partner out; that it exists at all was checked when the files were read.
        let Some(partner) = phrase.pair.as_deref().and_then(|id| by_id.get(id)) else { continue };
        if partner.pair.as_deref() != Some(&phrase.id) {
            // Several phrases may contrast with one, as in HateCheck: it can name only one of them.
            let has_another = partner
                .pair
                .as_deref()
                .and_then(|id| by_id.get(id))
                .is_some_and(|other| other.pair.as_ref() == Some(&partner.id));
            let gravity = if has_another { Gravity::Warning } else { Gravity::Error };
            let message =
                format!("phrase `{}` is paired with `{}`, which does not say so", phrase.id, partner.id);
            findings.push(about(phrase, gravity, "one_sided_pair", message));
        } else if phrase.id < partner.id && phrase.expected == partner.expected {
            let message = format!("the pair `{}` and `{}` asks for the same answer", phrase.id, partner.id);
            findings.push(about(phrase, Gravity::Warning, "pair_without_contrast", message));
        }
    }
    findings
}

/// Labels that too few of the people who were asked would give.
fn disagreements(suite: &Suite) -> Vec<Finding> {
    // Four of five, as HateCheck asks for (Röttger et al. 2021); of three that is all of them.
    let too_few = |agree: usize, all: usize| agree * 5 < all * 4;
    let of = |phrase: &Phrase| {
        let (agree, all) = (phrase.annotations.within(phrase.expected), phrase.annotations.len());
        too_few(agree, all).then(|| {
            let message = format!(
                "phrase `{}`: {agree} of {all} annotators are within `{}`, and it takes 4 of 5: widen what is \
                 expected to the levels they named, or drop it",
                phrase.id, phrase.expected
            );
            about(phrase, Gravity::Warning, "annotators_disagree", message)
        })
    };
    suite.phrases.iter().filter_map(of).collect()
}

fn gates_over_nothing(suite: &Suite, gates: &[Gate]) -> Vec<Finding> {
    let is_there =
        |kind: SliceKind, name: &str| suite.phrases.iter().any(|phrase| phrase.slices(kind).contains(&name));
    gates
        .iter()
        .filter(|gate| gate.named_slice().is_some_and(|(kind, name)| !is_there(kind, name)))
        .map(|gate| {
            about_suite(
                Gravity::Error,
                "gate_over_nothing",
                format!("the gate `{gate}` is over phrases that the suite does not have"),
            )
        })
        .collect()
}

/// Gates that this suite can never pass, or that a single phrase decides.
fn too_few(suite: &Suite, gates: &GateOptions, alert_level: Level) -> Vec<Finding> {
    let plan = plan(suite, &gates.gates, alert_level);
    let mut findings: Vec<Finding> = plan.baseline_gates.iter().filter_map(too_few_to_compare).collect();
    for planned in plan.gates {
        match (planned.allowed_errors, planned.mode) {
            (None, _) => {
                let needed =
                    planned.min_cases.map_or_else(String::new, |cases| format!("; it needs {cases}"));
                let message = format!("`{}` can never pass: {} cases{needed}", planned.gate, planned.cases);
                findings.push(about_suite(Gravity::Error, "gate_cannot_pass", message));
            }
            (Some(0), CheckMode::Point)
                if [Metric::FalsePositiveRate, Metric::FalseNegativeRate]
                    .iter()
                    .any(|metric| planned.gate.starts_with(&metric.to_string())) =>
            {
                let message =
                    format!("`{}` rests on {} cases: a single one decides it", planned.gate, planned.cases);
                findings.push(about_suite(Gravity::Warning, "too_few_cases", message));
            }
            _ => {}
        }
    }
    findings
}

fn too_few_to_compare(planned: &BaselineGatePlan) -> Option<Finding> {
    if planned.seen_from > 0 {
        return None;
    }
    let gravity = if planned.severity.decides() { Gravity::Error } else { Gravity::Warning };
    let message = format!("`{}` can never pass: {} cases are too few", planned.gate, planned.cases);
    Some(about_suite(gravity, "gate_cannot_pass", message))
}
