//! SARIF 2.1.0 (OASIS), as GitHub's code scanning reads it: a result for each wrong answer at its line in the suite.
//!
//! Alerts are matched from run to run by `partialFingerprints`: a phrase by its id and the hash of its text, a check by
//! its name. GitHub asks for a location of every result, so checks stand where their limit is set.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::ReportError;
use super::finding::{Finding, Rule, Subject, Weight, broken_invariants, excuse, findings};
use super::fit;
use super::headline::removed;
use super::places::{Places, elsewhere};
use crate::domain::{
    Check, CheckSource, Conclusion, PhraseResult, PhraseSource, RunRecord, RunStatus, TextPolicy,
};

/// GitHub shows so many results of a run, and refuses more than 25,000.
const MOST: usize = 5_000;
/// The top of the repository, as most tools call it.
const REPOSITORY: &str = "%SRCROOT%";
/// Where files are that are in no repository.
const ELSEWHERE: &str = "ELSEWHERE";
/// Where gates are set, if no configuration is there.
const CONFIGURATION: &str = "thrash.yaml";

pub(super) fn render(record: &RunRecord, text: TextPolicy, places: &Places) -> Result<Vec<u8>, ReportError> {
    let findings = findings(record);
    let results: Vec<Value> =
        findings.iter().take(MOST).map(|finding| result(record, finding, text, places)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "thrash",
                "version": record.tool.version,
                "semanticVersion": record.tool.version,
                "rules": Rule::ALL.map(rule),
            }},
            // GitHub keeps the alerts of each category apart: everything before the last slash.
            "automationDetails": {
                "id": format!("thrash/{}/{}/{}", plain(&record.suite.name), plain(&record.target.name), record.id),
            },
            "invocations": [invocation(record, findings.len())],
            "originalUriBaseIds": {
                REPOSITORY: {"description": {"text": "The top of the repository."}},
                ELSEWHERE: {"description": {"text": "Phrases inside thrash, or outside the repository."}},
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": {
                "run": record.id,
                "conclusion": record.verdict.conclusion,
                "sentence": record.verdict.sentence,
                "suite": record.suite.name,
                "suiteHash": record.suite.hash,
                "target": record.target.name,
                "targetVersion": record.target.version,
            },
        }],
    });
    let mut bytes = serde_json::to_vec_pretty(&log).map_err(ReportError::Sarif)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn rule(rule: Rule) -> Value {
    json!({
        "id": rule.id(),
        "name": rule.title(),
        "shortDescription": {"text": rule.title()},
        "fullDescription": {"text": rule.help()},
        "help": {"text": rule.help()},
        "defaultConfiguration": {"level": level(rule.weight())},
        "properties": {"tags": ["thrash"]},
    })
}

const fn level(weight: Weight) -> &'static str {
    match weight {
        Weight::Error => "error",
        Weight::Warning => "warning",
        Weight::Note => "note",
    }
}

/// How the run went; a partial one says so, since a missing result is no right answer.
fn invocation(record: &RunRecord, found: usize) -> Value {
    let whole =
        record.status == RunStatus::Completed && record.verdict.conclusion != Conclusion::TargetFailed;
    let mut invocation = json!({
        "executionSuccessful": whole,
        "startTimeUtc": record.started_at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "endTimeUtc": record.finished_at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    });
    let cut = (found > MOST).then(|| format!("only the worst {MOST} of {found} findings are listed"));
    let told =
        cut.map(|text| ("warning", text)).into_iter().chain(removed(record).map(|text| ("note", text)));
    let told: Vec<Value> =
        told.map(|(level, text)| json!({"level": level, "message": {"text": text}})).collect();
    if !told.is_empty() {
        invocation["toolExecutionNotifications"] = Value::from(told);
    }
    invocation
}

fn result(record: &RunRecord, finding: &Finding<'_>, text: TextPolicy, places: &Places) -> Value {
    let (rule, index) = (finding.rule, Rule::ALL.iter().position(|rule| *rule == finding.rule));
    let mut message = fit::clean(&finding.message);
    let (location, identity, properties) = match finding.subject {
        Subject::Run => {
            (configuration(places), vec!["run"], json!({"conclusion": record.verdict.conclusion}))
        }
        Subject::Check(check) => {
            (place_of_check(record, check, places), vec!["check", check.name.as_str()], of_check(check))
        }
        Subject::Failure(failure, _) => {
            let result = failure.result;
            if let Some(text) = result.text.as_deref().and_then(|recorded| text.apply(recorded)) {
                message = format!("{message}\n{}", fit::clean(&text));
            }
            (place(&result.source, places), identity(result), of_phrase(result, text))
        }
        Subject::Contradiction(result) => {
            (place(&result.source, places), identity(result), of_phrase(result, text))
        }
    };
    let fingerprint = fingerprint(&identity);
    let mut found = json!({
        "ruleId": rule.id(),
        "ruleIndex": index,
        "level": level(finding.weight),
        "message": {"text": escaped(&message)},
        "locations": [{"physicalLocation": location}],
        // The first is the one that GitHub matches alerts by.
        "partialFingerprints": {"primaryLocationLineHash": format!("{fingerprint}:1"), "thrash/v1": fingerprint},
        "properties": properties,
    });
    if let Subject::Failure(_, Some(waiver)) = finding.subject {
        found["suppressions"] = json!([{"kind": "external", "justification": excuse(waiver)}]);
    }
    found
}

/// What makes a phrase the same one across runs.
fn identity(result: &PhraseResult) -> Vec<&str> {
    vec!["phrase", &result.id, &result.text_hash]
}

fn fingerprint(parts: &[&str]) -> String {
    let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part).chain_update([0]));
    let mut start = [0; 8];
    start.copy_from_slice(&hash.finalize()[..8]);
    format!("{:016x}", u64::from_be_bytes(start))
}

fn of_phrase(result: &PhraseResult, text: TextPolicy) -> Value {
    let failure = super::Failure::of(result);
    let mut properties = Map::from_iter([
        ("phrase".to_owned(), json!(result.id)),
        ("category".to_owned(), json!(result.category)),
        ("expected".to_owned(), json!(result.expected)),
        ("got".to_owned(), json!(result.level)),
        ("verdict".to_owned(), json!(result.verdict)),
        ("steps".to_owned(), json!(failure.and_then(|failure| failure.distance()))),
        ("critical".to_owned(), json!(result.critical)),
        ("mustPass".to_owned(), json!(result.must_pass)),
    ]);
    let mut add = |name: &str, value: Option<Value>| {
        properties.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("capability", result.capability.as_ref().map(|capability| json!(capability)));
    add("score", failure.and_then(|failure| failure.prediction()?.score).map(|score| json!(score)));
    if result.level.is_none() {
        let no_answer = failure.and_then(|failure| failure.no_answer());
        add("noAnswer", no_answer.map(|no_answer| json!(no_answer.reason)));
    }
    let broken = broken_invariants(result);
    add("violations", (!broken.is_empty()).then(|| json!(broken)));
    add("text", result.text.as_deref().and_then(|recorded| text.apply(recorded)).map(Value::from));
    Value::Object(properties)
}

fn of_check(check: &Check) -> Value {
    json!({
        "gate": check.name,
        "metric": check.metric,
        "slice": check.slice,
        "outcome": check.outcome,
        "value": check.value,
        "interval": check.interval,
        "limit": check.limit,
        "of": check.of,
        "errors": check.errors,
        "allowedErrors": check.allowed_errors,
    })
}

/// A category's target stands in its file, every other limit in the configuration.
fn place_of_check(record: &RunRecord, check: &Check, places: &Places) -> Value {
    let category = check.slice.as_deref().and_then(|slice| slice.strip_prefix("category="));
    let category = category.filter(|_| check.source == CheckSource::Category);
    let file = category.and_then(|category| record.results.iter().find(|result| result.category == category));
    match file {
        Some(result) => place(&PhraseSource { line: 1, ..result.source.clone() }, places),
        None => configuration(places),
    }
}

fn configuration(places: &Places) -> Value {
    match places.configuration() {
        Some(path) => physical(path, REPOSITORY, 1),
        None => physical(CONFIGURATION, REPOSITORY, 1),
    }
}

fn place(source: &PhraseSource, places: &Places) -> Value {
    match places.of(source) {
        Some(path) => physical(path, REPOSITORY, source.line),
        None => physical(&elsewhere(source), ELSEWHERE, source.line),
    }
}

fn physical(path: &str, base: &str, line: u32) -> Value {
    json!({
        "artifactLocation": {"uri": uri(path), "uriBaseId": base},
        "region": {"startLine": line.max(1)},
    })
}

/// A path as a relative reference (RFC 3986, §4.2).
fn uri(path: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes()
        .map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A message without links and placeholders (SARIF 2.1.0, §3.11.5 and §3.11.6).
fn escaped(message: &str) -> String {
    message.replace("](", "] (").replace('{', "{{").replace('}', "}}")
}

/// A name as a part of an id whose parts are divided by slashes.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_.+".contains(c) { c } else { '-' }).collect()
}
