//! Phrases that are sent more than once, as the command line does it.

use serde_json::Value;

use crate::support::command::{DemoProcess, Place};

/// A calm suite and two desperate phrases that the demo answers well.
fn suite(place: &Place) -> &'static str {
    let calm: Vec<String> =
        (0..20).map(|i| format!("  - {{id: calm-{i}, text: Good morning number {i}}}\n")).collect();
    place.file("s/calm.yaml", format!("category: calm\nexpected: [none]\nphrases:\n{}", calm.concat()));
    place.file(
        "s/desperate.yaml",
        "category: desperate\nexpected: [critical]\nde_escalation: 3\nphrases:\n  - {id: desperate-1, text: I want to kill myself tonight}\n",
    );
    "s"
}

const LOOSE: [&str; 4] = ["--min-accuracy", "0%", "--max-fpr", "100%"];

#[test]
fn the_page_tells_flaky_phrases_from_steady_ones() {
    let place = Place::new();
    let demo = DemoProcess::start(&["--flaky-rate", "30%", "--seed", "5"]);
    let ended = place
        .thrash(["run", suite(&place), "--url", &demo.url, "--repeat-doubtful", "6"].iter().chain(&LOOSE));
    let ended = ended.exits(1);
    let page = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "in doubt sent again",
        "flaky, ",
        "of the answers flipped",
        " Flaky right same answers",
        "changed_answers <= 0",
    ] {
        assert!(page.contains(words), "no `{words}`:\n{}", ended.stdout);
    }
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80));
    let record = place.latest();
    assert_eq!(
        (record["options"]["repeat"].as_u64(), record["options"]["repeat_doubtful"].as_u64()),
        (Some(1), Some(6))
    );
    let flaky = record["repeats"]["flaky"].as_array().unwrap();
    assert!(!flaky.is_empty());
    for result in record["results"].as_array().unwrap() {
        let sent = result["observations"].as_array().unwrap().len();
        assert!(sent == 1 || sent == 6, "{sent}");
    }
}

#[test]
fn a_steady_detector_is_asked_again_at_the_edges_alone_and_passes() {
    let place = Place::new();
    let ended = place.thrash(["run", suite(&place), "--repeat-doubtful", "5"]).exits(0);
    // The desperate phrase is answered with a score just above the edge of `critical`.
    let summary = "Repeats  1 phrase in doubt sent again, every answer stayed the same";
    assert!(ended.stdout.contains(summary), "{}", ended.stdout);
    assert!(!ended.stdout.contains("Flaky"), "{}", ended.stdout);
    let calm = place.thrash(["run", "s/calm.yaml", "--repeat-doubtful", "5"]).exits(4);
    assert!(!calm.stdout.contains("Repeats"), "{}", calm.stdout);
    assert_eq!(place.latest()["repeats"], Value::Null);
}

#[test]
fn flips_and_flaky_phrases_can_be_gated() {
    let place = Place::new();
    let suite = suite(&place);
    let steady = [
        "run",
        suite,
        "--repeat",
        "3",
        "--gate",
        "flip_rate <= 5% (bound 95%)",
        "--gate",
        "flaky_phrases <= 0",
    ];
    // 63 answers without a flip prove 5 %, and 21 do not.
    let ended = place.thrash(steady).exits(0);
    assert!(
        ended.stdout.contains("21 phrases sent 3 times, every answer stayed the same"),
        "{}",
        ended.stdout
    );
    let once = ["run", suite, "--gate", "flip_rate <= 100%"];
    place.thrash(once).exits(4);
    place.thrash(["run", suite, "--gate", "flaky_phrases <= 100"]).exits(4);
    let demo = DemoProcess::start(&["--flaky-rate", "40%", "--seed", "3"]);
    for gate in ["flip_rate <= 1%", "flaky_phrases <= 1"] {
        place.file(
            "thrash.yaml",
            "thresholds: {changed_answers: 1000, accuracy: 0%, false_positive_rate: 100%}\n",
        );
        let ended =
            place.thrash(["run", suite, "--url", &demo.url, "--repeat", "4", "--gate", gate]).exits(1);
        assert!(ended.stdout.contains(gate), "{}", ended.stdout);
    }
}

#[test]
fn numbers_of_repeats_that_make_no_sense_are_refused() {
    let place = Place::new();
    for more in [["--repeat-doubtful", "1"], ["--repeat-doubtful", "101"], ["--repeat-doubtful", "-1"]] {
        place.thrash(["quick"].iter().chain(&more)).exits(2);
    }
    let ended = place.thrash(["quick", "--repeat", "5", "--repeat-doubtful", "5"]).exits(2);
    ended.complains(&["run.repeat_doubtful", "more than `run.repeat`"]);
}
