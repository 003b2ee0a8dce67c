//! SARIF, held against the standard's schema and what GitHub asks of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use thrash::domain::{Level, NoAnswerReason, RunRecord, TextPolicy};
use thrash::report::{Format, RenderOptions, render};

use super::extras::{self, rich, waive, with_words};
use crate::support::sample::{Said, Sample};

const SCHEMA: &str = include_str!("../../fixtures/formats/sarif-2.1.0.schema.json");

/// The standard's schema. One of its patterns, for languages, is no valid expression (`]` without `[`).
fn schema() -> Value {
    let mut schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    for owner in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][owner]["properties"]["language"];
        assert!(language.as_object_mut().expect("a definition").remove("pattern").is_some());
    }
    schema
}

fn sarif(record: &RunRecord, text: Option<TextPolicy>) -> Value {
    let options = RenderOptions { text, ..RenderOptions::default() };
    serde_json::from_slice(&render(Format::Sarif, record, &options).expect("it renders")).expect("JSON")
}

fn results(record: &RunRecord) -> Vec<Value> {
    sarif(record, None)["runs"][0]["results"].as_array().expect("results").clone()
}

/// Rule and level of the phrase's results.
fn of_phrase(record: &RunRecord, id: &str) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    let results = results(record).into_iter().filter(|result| result["properties"]["phrase"] == id);
    results.map(|result| (word(&result["ruleId"]), word(&result["level"]))).collect()
}

/// What GitHub's "SARIF support for code scanning" asks of a result.
#[track_caller]
fn github_takes(sarif: &Value) {
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    for result in run["results"].as_array().expect("results") {
        let index = result["ruleIndex"].as_u64().and_then(|index| usize::try_from(index).ok());
        let rule = &rules[index.expect("an index")];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["help"]["text"].is_string() && rule["shortDescription"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().expect("a path");
        assert!(!uri.is_empty() && !uri.starts_with('/') && !uri.contains(':'), "{uri}");
        assert!(!uri.split('/').any(|part| part == ".."), "{uri}");
        assert!(place["region"]["startLine"].as_u64().expect("a line") >= 1);
        assert!(result["partialFingerprints"]["primaryLocationLineHash"].is_string());
        assert!(!result["message"]["text"].as_str().expect("a message").is_empty());
    }
}

#[test]
fn every_run_fits_the_standards_schema_and_what_github_asks() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let mut records: Vec<RunRecord> = [
        Sample::quick(),
        Sample::comprehensive(),
        Sample::all_right(),
        Sample::target_down(),
        Sample::interrupted(),
        Sample::empty(),
    ]
    .iter()
    .map(Sample::record)
    .collect();
    records.push(rich());
    records.push(with_words(rich(), "../a b/<é>:[x](1){0}\n\u{1b}%41\\😀"));
    for record in records {
        for text in [None, Some(TextPolicy::Full)] {
            let sarif = sarif(&record, text);
            let errors: Vec<String> = validator
                .iter_errors(&sarif)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert_eq!(errors, [""; 0]);
            github_takes(&sarif);
        }
    }
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    let mut sarif = sarif(&rich(), None);
    sarif["runs"][0]["results"][0]["level"] = json!("fatal");
    assert!(!jsonschema::is_valid(&schema(), &sarif));
}

#[test]
fn every_wrong_answer_is_one_result_at_its_line() {
    let record = Sample::quick().record();
    let wrong: Vec<_> = record.results.iter().filter(|result| !result.verdict.passes()).collect();
    assert_eq!(wrong.len(), 4);
    let found = results(&record);
    for result in wrong {
        let of_it: Vec<&Value> =
            found.iter().filter(|found| found["properties"]["phrase"] == *result.id).collect();
        assert_eq!(of_it.len(), 1, "{}", result.id);
        let place = &of_it[0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], *result.source.file);
        assert_eq!(place["region"]["startLine"], result.source.line);
    }
    let phrases = found.iter().filter(|found| found["properties"].get("phrase").is_some()).count();
    assert_eq!(phrases, 4);
    let under = found.iter().find(|found| found["properties"]["phrase"] == "passive_ideation-002");
    assert_eq!(
        under.expect("it is there")["properties"],
        json!({
            "phrase": "passive_ideation-002", "category": "passive_ideation", "expected": ["medium", "high"],
            "got": "low", "verdict": "under", "steps": 1, "critical": false, "mustPass": false, "score": 0.28
        })
    );
}

#[test]
fn rules_and_levels_tell_the_kinds_apart() {
    let mut sample = Sample::all_right();
    sample.say("explicit_ideation-001", Said::Level(Level::Low, 0.3));
    sample.say("self_harm-001", Said::Level(Level::None, 0.3));
    sample.say("self_harm-002", Said::Nothing(NoAnswerReason::Timeout));
    sample.say("passive_ideation-001", Said::Level(Level::Low, 0.3));
    sample.say("everyday_benign-001", Said::Level(Level::High, 0.8));
    sample.say("everyday_benign-002", Said::Nothing(NoAnswerReason::FailOpen));
    sample.say("hypothetical-001", Said::Level(Level::Critical, 0.9));
    let mut record = sample.record();
    extras::result(&mut record, "everyday_benign-003").observations[0].violations = vec!["x".to_owned()];
    for (id, rule, level) in [
        ("explicit_ideation-001", "must-pass", "error"),
        ("self_harm-001", "under", "error"),
        ("self_harm-002", "unanswered", "error"),
        ("passive_ideation-001", "under", "warning"),
        ("everyday_benign-001", "over", "warning"),
        ("everyday_benign-002", "fail-open", "warning"),
        ("hypothetical-001", "over", "note"),
        ("everyday_benign-003", "contradiction", "warning"),
    ] {
        assert_eq!(of_phrase(&record, id), [(rule.to_owned(), level.to_owned())], "{id}");
    }
    let gates: Vec<Value> =
        results(&record).into_iter().filter(|result| result["ruleId"] == "gate-failed").collect();
    assert!(!gates.is_empty() && gates.iter().all(|gate| gate["level"] == "error"));
    assert!(gates.iter().any(|gate| gate["properties"]["allowedErrors"].is_u64()));
}

#[test]
fn a_gate_that_only_warns_is_a_warning_and_one_that_could_not_tell_too() {
    let mut record = Sample::comprehensive().record();
    let name = extras::warn(&mut record);
    let level = |rule: &str, gate: &str| {
        let results = results(&record);
        let found =
            results.iter().find(|result| result["ruleId"] == rule && result["properties"]["gate"] == gate);
        found.expect("the gate is there")["level"].clone()
    };
    assert_eq!(level("gate-failed", &name), "warning");
    assert_eq!(level("could-not-tell", "false_positive_rate <= 4% (bound 95%)"), "warning");
}

#[test]
fn a_known_failure_is_a_note_that_is_suppressed_with_its_reason() {
    let mut record = Sample::quick().record();
    waive(&mut record, "explicit_ideation-003");
    assert_eq!(of_phrase(&record, "explicit_ideation-003"), [("must-pass".to_owned(), "note".to_owned())]);
    let results = results(&record);
    let waived: Vec<&Value> = results.iter().filter(|result| result.get("suppressions").is_some()).collect();
    assert_eq!(waived.len(), 1);
    assert_eq!(
        waived[0]["suppressions"],
        json!([{"kind": "external", "justification": "known, @org/nlp answers for it until 2026-04-01: known since v5 (#12)"}])
    );
}

#[test]
fn an_alert_is_the_same_one_when_its_phrase_moves_and_another_when_its_text_changes() {
    let prints = |record: &RunRecord| -> BTreeSet<String> {
        let results = results(record);
        results.iter().map(|result| result["partialFingerprints"]["thrash/v1"].to_string()).collect()
    };
    let record = Sample::quick().record();
    let before = prints(&record);
    assert_eq!(before.len(), results(&record).len(), "no two results share a fingerprint");
    let mut moved = record.clone();
    for result in &mut moved.results {
        result.source.line += 40;
        result.level =
            result.level.map(|_| Level::None).filter(|_| !result.verdict.passes()).or(result.level);
    }
    assert_eq!(prints(&moved), before);
    let mut reworded = record;
    extras::result(&mut reworded, "passive_ideation-002").text_hash = "0123456789abcdef".to_owned();
    assert_eq!(prints(&reworded).intersection(&before).count(), before.len() - 1);
}

#[test]
fn the_text_of_a_phrase_is_there_only_when_asked_for() {
    let record = Sample::quick().record();
    for text in [None, Some(TextPolicy::None), Some(TextPolicy::Redacted)] {
        assert!(!sarif(&record, text).to_string().contains("The text of"));
    }
    assert!(sarif(&record, Some(TextPolicy::Full)).to_string().contains("The text of self_harm-002."));
}

#[test]
fn a_run_that_came_to_no_end_says_so() {
    for (sample, level) in [(Sample::target_down(), "error"), (Sample::interrupted(), "warning")] {
        let record = sample.record();
        let sarif = sarif(&record, None);
        assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
        let results = results(&record);
        let incomplete: Vec<&Value> =
            results.iter().filter(|result| result["ruleId"] == "incomplete-run").collect();
        assert_eq!(incomplete.len(), 1);
        assert_eq!(incomplete[0]["level"], level);
        assert_eq!(incomplete[0]["message"]["text"], *record.verdict.sentence);
    }
    let whole = sarif(&Sample::all_right().record(), None);
    assert_eq!(whole["runs"][0]["invocations"][0]["executionSuccessful"], true);
    assert_eq!(whole["runs"][0]["results"], json!([]));
}

#[test]
fn more_findings_than_github_shows_are_cut_the_worst_kept_and_counted() {
    let mut sample = Sample::empty();
    sample.add("everyday_benign", &[Level::None], 5_100);
    sample.add("self_harm", &[Level::High], 1);
    for phrase in &mut sample.phrases {
        phrase.said = Said::Nothing(NoAnswerReason::Timeout);
    }
    let record = sample.record();
    let sarif = sarif(&record, None);
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    assert_eq!(results.len(), 5_000);
    assert!(results.iter().any(|result| result["properties"]["phrase"] == "self_harm-001"));
    let note = &sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(note.as_str().expect("a note").starts_with("only the worst 5000 of 51"), "{note}");
}
