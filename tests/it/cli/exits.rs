//! The exit codes, which scripts depend on.

use serde_json::Value;

use crate::support::command::{DemoProcess, Place};

#[test]
fn a_run_that_holds_its_gates_exits_0() {
    let place = Place::new();
    let ended = place.thrash(["run", place.easy_suite()]).exits(0);
    assert!(ended.stdout.starts_with("PASSED"), "{}", ended.stdout);
    assert_eq!(place.latest()["verdict"]["conclusion"], "passed");
}

#[test]
fn a_failed_gate_exits_1() {
    let place = Place::new();
    let suite = place.easy_suite();
    let ended = place.thrash(["run", suite, "--gate", "latency_max <= 0ms"]).exits(1);
    assert!(ended.stdout.starts_with("FAILED"), "{}", ended.stdout);
    assert!(ended.stdout.contains("latency_max <= 0ms"), "{}", ended.stdout);
}

#[test]
fn usage_configuration_suite_and_target_errors_exit_2() {
    let place = Place::new();
    place.file("broken.yaml", "category: [");
    let cases: [&[&str]; 12] = [
        &["quik"],
        &["quick", "--nope"],
        &["quick", "--min-accuracy", "92"],
        &["quick", "--concurrency", "0"],
        &["quick", "--config", "missing.yaml"],
        &["run", "missing"],
        &["run", "broken.yaml"],
        &["quick", "--target", "missing"],
        &["quick", "--category", "missing"],
        &["quick", "--limit", "0"],
        &["quick", "--batch", "500"],
        &["quick", "--url", "ftp://127.0.0.1"],
    ];
    for case in cases {
        let ended = place.thrash(case);
        assert_eq!(ended.code, Some(2), "{case:?}: {}", ended.said());
        assert!(ended.stderr.contains("error"), "{case:?} says nothing: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{case:?} writes to stdout");
    }
    assert!(!place.data().exists(), "nothing was run, so nothing may be left behind");
}

#[test]
fn an_unreachable_target_exits_3_before_anything_is_recorded() {
    let place = Place::new();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    place
        .thrash(["quick", "--url", &format!("http://127.0.0.1:{port}")])
        .exits(3)
        .complains(&["cannot be reached", "hint: "]);
    assert_eq!(place.runs(), Vec::<Value>::new());
}

#[test]
fn an_unhealthy_target_exits_3() {
    let place = Place::new();
    let demo = DemoProcess::start(&["--unhealthy"]);
    place.thrash(["quick", "--url", &demo.url]).exits(3).complains(&["not healthy"]);
}

#[test]
fn a_target_that_stops_answering_exits_3_and_the_partial_run_is_kept() {
    let place = Place::new();
    let demo = DemoProcess::start(&["--die-after", "30"]);
    let ended = place.thrash(["comprehensive", "--url", &demo.url, "--retries", "0"]).exits(3);
    assert!(ended.stdout.starts_with("TARGET FAILED"), "{}", ended.stdout);
    let record = place.latest();
    assert_eq!(record["status"], "aborted");
    assert_eq!(record["verdict"]["conclusion"], "target_failed");
    assert!(record["integrity"]["not_sent"].as_u64().unwrap() > 200);
}

#[test]
fn more_unanswered_phrases_than_the_budget_exit_3_whatever_the_gates_say() {
    let place = Place::new();
    let demo = DemoProcess::start(&["--fail-open-rate", "100%"]);
    let ended = place.thrash([
        "quick",
        "--url",
        &demo.url,
        "--min-accuracy",
        "0%",
        "--max-fpr",
        "100%",
        "--concurrency",
        "1",
    ]);
    let ended = ended.exits(3);
    assert!(ended.stdout.starts_with("TARGET FAILED"), "{}", ended.stdout);
}

#[test]
fn too_little_data_for_a_gate_exits_4() {
    let place = Place::new();
    let suite = place.easy_suite();
    let ended = place.thrash(["run", suite, "--gate", "false_positive_rate <= 4% (bound 95%)"]).exits(4);
    assert!(ended.stdout.starts_with("COULD NOT TELL"), "{}", ended.stdout);
}

#[test]
fn phrases_on_one_side_of_the_alert_level_alone_are_inconclusive_and_say_so() {
    let place = Place::new();
    place.easy_suite();
    let calm = place.thrash(["run", "easy/calm.yaml"]).exits(4);
    assert!(calm.stdout.contains("no phrase is positive"), "{}", calm.stdout);
    let desperate = place.thrash(["run", "easy/desperate.yaml"]).exits(4);
    assert!(desperate.stdout.contains("no phrase is negative"), "{}", desperate.stdout);
}

#[test]
fn a_record_that_cannot_be_stored_exits_5() {
    let place = Place::new();
    let suite = place.easy_suite();
    place.thrash(["run", suite, "--database-url", "postgres://u@127.0.0.1:1/none"]).exits(5);
}

#[test]
fn the_worse_exit_wins_and_a_storage_failure_is_still_said() {
    let place = Place::new();
    let suite = place.easy_suite();
    let args =
        ["run", suite, "--database-url", "postgres://u@127.0.0.1:1/none", "--gate", "latency_max <= 0ms"];
    let ended = place.thrash(args).exits(1);
    assert!(ended.stdout.contains("NOT in the database"), "{}", ended.stdout);
    // Inconclusive is weaker than a failed storage.
    let args = ["run", "easy/calm.yaml", "--database-url", "postgres://u@127.0.0.1:1/none", "--quiet"];
    place.thrash(args).exits(5);
}

/// The metric of the suite that this program replaces rewarded blindness: "safe" to everything scored 68 %.
#[test]
fn a_detector_that_always_answers_the_same_fails_both_suites() {
    for severity in ["safe", "low", "medium", "high", "critical"] {
        let place = Place::new();
        let demo = DemoProcess::start(&["--constant", severity]);
        for suite in ["quick", "comprehensive"] {
            let ended = place.thrash([suite, "--url", &demo.url]);
            assert_eq!(ended.code, Some(1), "always `{severity}` on {suite}: {}", ended.said());
            let record = place.latest();
            assert_eq!(record["verdict"]["conclusion"], "gate_failed", "always `{severity}` on {suite}");
            assert!(record["metrics"]["lift"].as_f64().unwrap() <= 0.0, "always `{severity}` on {suite}");
            let failed = |name: &str| {
                record["verdict"]["checks"].as_array().unwrap().iter().any(|check| {
                    check["metric"] == name && check["slice"].is_null() && check["outcome"] == "fail"
                })
            };
            assert!(failed("accuracy"), "always `{severity}` on {suite}: accuracy holds");
            if severity != "safe" {
                assert!(
                    failed("false_positive_rate"),
                    "always `{severity}` on {suite}: false positives hold"
                );
            }
        }
    }
}

#[test]
fn a_constant_answer_does_not_pass_a_lopsided_suite() {
    let place = Place::new();
    let calm: Vec<String> =
        (0..60).map(|i| format!("  - {{id: calm-{i}, text: \"good morning number {i}\"}}\n")).collect();
    place.file("s/calm.yaml", format!("category: calm\nexpected: [none]\nphrases:\n{}", calm.concat()));
    place.file(
        "s/desperate.yaml",
        "category: desperate\nexpected: [high, critical]\nphrases:\n  - {id: desperate-1, text: nobody would miss me}\n",
    );
    let demo = DemoProcess::start(&["--constant", "safe"]);
    let ended = place.thrash(["run", "s", "--url", &demo.url]).exits(4);
    assert!(ended.stdout.contains("always answering"), "{}", ended.stdout);
}

#[test]
fn an_empty_url_is_no_wish_for_the_demo() {
    let place = Place::new();
    let ended = place.thrash_with(&[("NLP_SERVER_URL", "")], ["quick"]);
    ended.exits(2).complains(&["NLP_SERVER_URL", "set and empty"]);
    assert!(place.runs().is_empty());
}

#[test]
fn a_smaller_suite_does_not_look_whole() {
    let place = Place::new();
    let ended =
        place.thrash_with(&[("TEST_PHRASES_COUNT", "30")], ["comprehensive", "--json", "-", "--quiet"]);
    let record: serde_json::Value = serde_json::from_str(&ended.stdout).expect("a record");
    assert_eq!(
        (record["suite"]["selected"].as_u64(), record["suite"]["available"].as_u64()),
        (Some(30), Some(749))
    );
    assert_eq!(record["suite"]["selection"]["limit"], 30);
    ended.complains(&["only 30 of the 749 phrases"]);
}

#[test]
fn phrases_in_folders_of_a_folder_are_sent_too() {
    let place = Place::new();
    place.file("s/a.yaml", "category: a\nexpected: [none]\nphrases:\n  - {id: a-1, text: good morning}\n");
    place.file("s/more/b.yaml", "category: b\nexpected: [high]\nphrases:\n  - {id: b-1, text: help me}\n");
    place.thrash(["run", "s", "--quiet"]);
    assert_eq!(place.latest()["suite"]["selected"], 2);
}
