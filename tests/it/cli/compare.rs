//! `thrash compare`: two runs beside each other, as the command line does it.

use std::path::PathBuf;

use serde_json::Value;

use super::schemas::{accepts, schema};
use crate::support::command::{DemoProcess, Ended, Place};
use crate::support::html::Html;

/// Ten calm phrases and twelve desperate ones, all of which the demo answers well.
fn suite(place: &Place) -> &'static str {
    let phrases = |name: &str, text: &str, count: usize| -> String {
        let lines: Vec<String> =
            (0..count).map(|i| format!("  - {{id: {name}-{i}, text: {text} {i}}}\n")).collect();
        lines.concat()
    };
    let calm = phrases("calm", "Good morning number", 10);
    let desperate = phrases("desperate", "I want to kill myself tonight", 12);
    place.file("s/calm.yaml", format!("category: calm\nexpected: [none]\nphrases:\n{calm}"));
    place.file(
        "s/desperate.yaml",
        format!("category: desperate\nexpected: [critical]\nde_escalation: 3\nphrases:\n{desperate}"),
    );
    "s"
}

/// A run of a good service and one of a service that has become blind, stored and as the files `good.json` and
/// `blind.json`. Gives their ids.
fn good_and_blind(place: &Place) -> [String; 2] {
    let suite = suite(place);
    place.thrash(["run", suite, "--json", "good.json"]).exits(0);
    let blind = DemoProcess::start(&["--constant", "safe"]);
    place.thrash(["run", suite, "--target", "demo", "--url", &blind.url, "--json", "blind.json"]).exits(1);
    ["good.json", "blind.json"].map(|file| read(place, file)["id"].as_str().expect("an id").to_owned())
}

fn read(place: &Place, file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(place.path().join(file)).expect("a file")).expect("JSON")
}

/// A copy of a record with something changed.
fn changed(place: &Place, file: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
    let mut record = read(place, file);
    change(&mut record);
    place.file("changed.json", record.to_string())
}

#[track_caller]
fn shows(ended: &Ended, words: &[&str]) {
    let page = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(page.contains(word), "no `{word}`:\n{}", ended.stdout);
    }
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ended.stdout);
}

#[test]
fn a_service_that_became_blind_fails_and_one_that_was_mended_passes() {
    let place = Place::new();
    let [good, blind] = good_and_blind(&place);
    let worse = place.thrash(["compare", &good, "latest"]).exits(1);
    let words = [
        "FAILED 12 worse, 0 better of 22 phrases",
        &good,
        &blind,
        "✗ accuracy no_regression -54.5",
        "desperate-0 critical critical none",
        "false negatives 0.0 % 100.0 %",
        "desperate 12/12 0/12 12",
        "p50",
    ];
    shows(&worse, &words);
    assert!(!worse.said().contains("kill myself"), "{}", worse.said());

    let mended = place.thrash(["compare", &blind, &good]).exits(0);
    shows(&mended, &["PASSED 0 worse, 12 better of 22 phrases", "were the two swapped?"]);
}

#[test]
fn runs_are_named_by_id_and_by_file_and_the_json_is_the_same() {
    let place = Place::new();
    let [good, _] = good_and_blind(&place);
    let schema = schema("comparison");
    let mut all = Vec::new();
    for runs in [[good.as_str(), "latest"], ["good.json", "./blind.json"], [&good, "blind.json"]] {
        let ended = place.thrash(["compare", runs[0], runs[1], "--json", "-"]).exits(1);
        let found: Value = serde_json::from_str(&ended.stdout).expect("JSON alone is on stdout");
        accepts(&schema, &found, "a comparison");
        assert_eq!(found["comparison"]["accuracy"]["regressed"], 12);
        assert_eq!(found["verdict"]["conclusion"], "gate_failed");
        all.push(found);
    }
    assert_eq!(all[0], all[1]);
    assert_eq!(all[0], all[2]);
    let files = ["--json", "out.json", "--markdown", "out.md", "--html", "out.html", "--quiet"];
    place.thrash(["compare", good.as_str(), "latest"].iter().chain(&files)).exits(1);
    assert_eq!(read(&place, "out.json"), all[0]);
    let markdown = std::fs::read_to_string(place.path().join("out.md")).expect("a file");
    assert!(markdown.contains("desperate-0") && !markdown.contains("kill myself"), "{markdown}");
    let html = Html::parse(&std::fs::read(place.path().join("out.html")).expect("a file"));
    assert_eq!(html.errors, [""; 0]);
    assert!(html.all("h1").all(|heading| heading.text.contains("Failed")));
    let changes = &html.id("flips").text;
    assert!(changes.contains("12 regressed") && changes.contains("desperate-0"), "{changes}");
    place
        .thrash(["compare", &good, "latest", "--json", "one", "--markdown", "one"])
        .exits(2)
        .complains(&["one"]);
    // Files need no store.
    place.thrash(["compare", "good.json", "blind.json", "--database-url", "none", "--quiet"]).exits(1);
}

#[test]
fn gates_that_were_asked_for_decide() {
    let place = Place::new();
    let [good, blind] = good_and_blind(&place);
    place.thrash(["compare", &blind, &good, "--gate", "accuracy drop <= 2 points", "--quiet"]).exits(0);
    let failed = place.thrash(["compare", &good, &blind, "--gate-profile", "regression", "--quiet"]).exits(1);
    failed.complains(&["accuracy drop <= 2 points", "false_negative_rate rise <= 2 points"]);
    // One that warns decides nothing, so the paired test stays.
    let gate = "false_negative_rate rise <= 2 points (warn)";
    let warned = place.thrash(["compare", &good, &blind, "--gate", gate]).exits(1);
    shows(&warned, &["accuracy no_regression", "1 warning"]);
    place
        .thrash(["compare", &good, &blind, "--gate-profile", "regresion"])
        .exits(2)
        .complains(&["did you mean `regression`?"]);
    // The same answers to few phrases: nothing passes that could not have failed.
    let few = place.easy_suite();
    for _ in 0..2 {
        place.thrash(["run", few]).exits(0);
    }
    let runs = place.runs();
    let ended = place.thrash(["compare", runs[1]["id"].as_str().unwrap(), "latest"]).exits(4);
    shows(&ended, &["COULD NOT TELL", "even if none of them were now, it would not show"]);
}

#[test]
fn runs_that_were_not_made_alike_are_refused_or_warned_of() {
    let place = Place::new();
    let [good, blind] = good_and_blind(&place);
    let other = changed(&place, "blind.json", |run| run["target"]["alert_level"] = "high".into());
    let other = other.to_str().unwrap();
    place
        .thrash(["compare", &good, other])
        .exits(2)
        .complains(&["alert from different levels on, `low` and `high`", "--alert-level high"]);
    let counted = place.thrash(["compare", &good, other, "--alert-level", "high"]).exits(1);
    shows(&counted, &["both are counted from `high` on"]);

    changed(&place, "blind.json", |run| {
        run["target"]["contract_hash"] = "another".into();
        run["suite"]["name"] = "another".into();
        run["results"].as_array_mut().unwrap().pop();
        run["metrics"]["phrases"] = run["results"].as_array().unwrap().len().into();
    });
    let warned = place.thrash(["compare", &good, other]).exits(1);
    shows(&warned, &["the contracts differ", "the suites are not the same", "Gone 1 phrase: "]);

    place.thrash(["run", place.easy_suite()]).exits(0);
    let apart = place.thrash(["compare", &blind, "latest"]).exits(4);
    let words =
        ["COULD NOT TELL no phrase is compared", "Unpaired: each run over its own phrases", "Weaker than"];
    shows(&apart, &words);
    place.thrash(["compare", &good, &good]).exits(2).complains(&["held against itself"]);
}

#[test]
fn what_is_no_run_is_refused_with_its_name() {
    let place = Place::new();
    place.thrash(["run", place.easy_suite(), "--json", "good.json"]).exits(0);
    place
        .thrash(["compare", "good.json", "no.json"])
        .exits(2)
        .complains(&["cannot use the record `no.json`"]);
    place.file("half.json", "{\"schema_version\": 1");
    place
        .thrash(["compare", "half.json", "good.json"])
        .exits(2)
        .complains(&["cannot use the record `half.json`"]);
    place.thrash(["compare", "zz", "good.json"]).exits(2).complains(&["no stored run matches `zz`"]);
    place.thrash(["compare", "good.json"]).exits(2);
}

#[test]
fn a_gate_against_a_baseline_that_is_not_there_never_passes() {
    let place = Place::new();
    let suite = place.easy_suite();
    let alone = place.thrash(["run", suite, "--gate", "accuracy no_regression"]).exits(4);
    shows(&alone, &["there is no baseline"]);
    place.thrash(["run", suite, "--gate-profile", "regression", "--quiet"]).exits(4);
}
