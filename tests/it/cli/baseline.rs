//! Baselines: a run that is held against another one, the one that is set, and the one that cannot be had.

use serde_json::Value;

use crate::support::command::{DemoProcess, Ended, Place};
use crate::support::relay::Relay;

/// Twenty calm phrases and five desperate ones, which the demo answers well.
fn suite(place: &Place) -> &'static str {
    let phrases = |id: &str, text: &str, count: usize| {
        let line = |i| format!("  - {{id: {id}-{i}, text: {text} {i}}}\n");
        (0..count).map(line).collect::<Vec<String>>().concat()
    };
    let calm = phrases("calm", "Good morning number", 20);
    place.file("s/calm.yaml", format!("category: calm\nexpected: [none]\nphrases:\n{calm}"));
    let desperate = phrases("desperate", "I want to kill myself tonight", 5);
    place.file(
        "s/desperate.yaml",
        format!("category: desperate\nexpected: [critical]\nde_escalation: 3\nphrases:\n{desperate}"),
    );
    "s"
}

/// A run against this demo, with more flags.
fn run(place: &Place, demo: &DemoProcess, more: &[&str]) -> Ended {
    run_at(place, &demo.url, more)
}

fn run_at(place: &Place, url: &str, more: &[&str]) -> Ended {
    place.thrash(["run", suite(place), "--url", url].iter().chain(more))
}

/// Why the latest run has no baseline.
fn missing(place: &Place) -> String {
    place.latest()["baseline"]["missing"]["reason"].as_str().unwrap().to_owned()
}

fn latest_id(place: &Place) -> String {
    place.runs()[0]["id"].as_str().unwrap().to_owned()
}

/// The run that the latest one was held against.
fn held_against(place: &Place) -> Option<String> {
    let record = place.latest();
    record["baseline"]["compared"]["baseline"]["id"].as_str().map(str::to_owned)
}

#[track_caller]
fn has(text: &str, words: &[&str]) {
    let words_alone = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(words_alone.contains(word), "no `{word}`:\n{text}");
    }
    for line in text.lines() {
        let width = line.chars().count();
        assert!(width <= 80, "{width} columns: {line}");
    }
}

#[test]
fn runs_are_held_against_the_set_baseline_and_the_page_says_what_broke() {
    let place = Place::new();
    let (good, blind) = (DemoProcess::start(&[]), DemoProcess::start(&["--constant", "safe"]));
    run(&place, &good, &[]).exits(0);
    assert_eq!(held_against(&place), None, "none is set yet");
    let first = latest_id(&place);
    let set = place.thrash(["baseline", "set", &first[..21], "--note", "the release of May"]).exits(0);
    has(&set.stdout, &["`s` against `ash-v5`", &first, "is the baseline now, accuracy 100.0 %"]);

    let same = run(&place, &good, &[]).exits(0);
    has(&same.stdout, &[&format!("Baseline {first}"), "none of 25 phrases got worse or better"]);
    assert_eq!(held_against(&place).as_ref(), Some(&first));

    let broken = run(&place, &blind, &[]).exits(1);
    has(&broken.stdout, &["5 worse, 0 better of 25 phrases", "by chance alone", "desperate-4"]);
    let record = place.latest();
    let comparison = &record["baseline"]["compared"];
    assert_eq!(
        (comparison["compared"].as_u64(), comparison["accuracy"]["regressed"].as_u64()),
        (Some(25), Some(5))
    );
    // What was said after the run is said again of the stored one.
    let shown = place.thrash(["report", "latest"]).exits(0);
    has(&shown.stdout, &["5 worse, 0 better of 25 phrases"]);

    let alone = run(&place, &good, &["--baseline", "none"]).exits(0);
    assert!(!alone.stdout.contains("Baseline"), "{}", alone.stdout);
    assert_eq!(place.latest()["baseline"], Value::Null);
}

#[test]
fn a_baseline_that_was_asked_for_and_cannot_be_had_is_no_pass() {
    let place = Place::new();
    let good = DemoProcess::start(&[]);
    let ended = run(&place, &good, &["--baseline", "latest", "--database-url", "sqlite:other.db"]).exits(4);
    has(
        &ended.stdout,
        &[
            "COULD NOT TELL",
            "? the baseline that was asked for",
            "`latest`",
            "no complete run of these phrases is stored",
        ],
    );
    let nowhere = run(&place, &good, &["--baseline", "latest", "--database-url", "none"]).exits(4);
    has(&nowhere.stdout, &["there is no store"]);
    run(&place, &good, &["--baseline", "latest", "-q"])
        .exits(4)
        .complains(&["no complete run of these phrases"]);
    // That one was stored, and the next one has a baseline.
    let first = latest_id(&place);
    run(&place, &good, &["--baseline", "latest"]).exits(0);
    assert_eq!(held_against(&place), Some(first));
    // Fewer phrases are other phrases.
    run(&place, &good, &["--baseline", "latest", "--limit", "5"]).exits(4);
}

#[test]
fn a_baseline_that_is_named_and_is_none_is_refused_before_anything_is_sent() {
    let place = Place::new();
    place.file("broken.json", "{\"schema_version\": 1}");
    let suite = suite(&place);
    // Nobody answers there: whoever asks it ends with 3.
    let refused = |wish: &str, more: &[&str]| {
        let args = ["run", suite, "--url", "http://127.0.0.1:1", "--baseline", wish];
        place.thrash(args.iter().chain(more)).exits(2)
    };
    for (wish, why) in [
        ("zz", "no stored run matches `zz`"),
        ("no/such.json", "the file cannot be read"),
        ("broken.json", "holds no run record that can be read"),
        ("./", "it is no file that holds a record"),
    ] {
        refused(wish, &[]).complains(&["cannot use the baseline", &format!("`{wish}`"), why]);
    }
    refused("zz", &["--database-url", "none"]).complains(&["there is no store"]);
    for empty in ["", "  "] {
        refused(empty, &[]).complains(&["`baseline` (from flag): it is empty"]);
    }
    place.file("thrash.yaml", "baseline: ''\n");
    refused("latest", &[]).complains(&["thrash.yaml:1:11: it is empty"]);
    std::fs::remove_file(place.path().join("thrash.yaml")).unwrap();
    assert_eq!(place.runs(), Vec::<Value>::new());
    // A store that is away says nothing of what it holds: the run goes on, and could not tell.
    let good = DemoProcess::start(&[]);
    let away = ["--baseline", "zz", "--database-url", "postgres://u@127.0.0.1:1/none"];
    has(&run(&place, &good, &away).exits(5).stdout, &["COULD NOT TELL", "`zz`"]);
}

/// The outcome of a gate in a record.
fn outcome<'a>(record: &'a Value, gate: &str) -> &'a str {
    let checks = record["verdict"]["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == gate).expect("the gate")["outcome"].as_str().unwrap()
}

#[test]
fn gates_read_the_baseline_and_a_missing_one_is_no_pass() {
    let place = Place::new();
    let (good, blind) = (DemoProcess::start(&[]), DemoProcess::start(&["--constant", "safe"]));
    let gate = "accuracy no_regression";
    let without = run(&place, &good, &["--gate", gate]).exits(4);
    has(&without.stdout, &["COULD NOT TELL", "there is no baseline"]);
    assert_eq!(outcome(&place.latest(), gate), "inconclusive");

    place.thrash(["baseline", "set", "latest"]).exits(0);
    run(&place, &good, &["--gate", gate]).exits(0);
    assert_eq!(outcome(&place.latest(), gate), "pass");
    run(&place, &blind, &["--gate", gate, "--min-accuracy", "0%"]).exits(1);
    assert_eq!(outcome(&place.latest(), gate), "fail");
    // The one that the flag names counts, not the one that is set, and a run that failed may be named.
    let red = latest_id(&place);
    run(&place, &blind, &["--gate", gate, "--baseline", &red]).exits(1);
    assert_ne!(outcome(&place.latest(), gate), "fail");
    run(&place, &good, &["--gate", gate, "--baseline", "none"]).exits(4);

    // Whether a baseline is set is not known while the store is away.
    let away = ["--gate", gate, "--database-url", "postgres://u@127.0.0.1:1/none", "--json", "away.json"];
    run(&place, &good, &away).exits(5);
    let record: Value =
        serde_json::from_slice(&std::fs::read(place.path().join("away.json")).unwrap()).unwrap();
    assert_eq!(record["baseline"]["missing"]["wanted"], "the set baseline");
    assert_eq!(record["verdict"]["conclusion"], "inconclusive");
}

#[test]
fn running_a_red_job_again_does_not_turn_it_green() {
    let place = Place::new();
    let (good, blind) = (DemoProcess::start(&[]), DemoProcess::start(&["--constant", "safe"]));
    // One service, which changes.
    let service = Relay::start(blind.addr());
    let url = format!("http://{}", service.addr());
    let gate = "accuracy no_regression";
    let held = ["--gate", gate, "--baseline", "latest"];
    // Alone it fails whatever it is held against, and the next one has no run to be held against.
    run_at(&place, &url, &held).exits(1);
    run_at(&place, &url, &held).exits(1);
    for words in ["no earlier run passed", "thrash baseline set RUN", "--baseline RUN"] {
        assert!(missing(&place).contains(words), "{}", missing(&place));
    }
    // A first run that could not tell is one.
    service.lead_to(good.addr());
    run_at(&place, &url, &held).exits(4);
    let first = latest_id(&place);
    service.lead_to(blind.addr());
    for _ in 0..2 {
        run_at(&place, &url, &held).exits(1);
        assert_eq!(held_against(&place).as_ref(), Some(&first));
        assert_eq!(outcome(&place.latest(), gate), "fail");
    }
}

#[test]
fn a_run_against_another_url_is_not_the_latest() {
    let place = Place::new();
    let (here, there) = (DemoProcess::start(&[]), DemoProcess::start(&[]));
    run(&place, &there, &[]).exits(0);
    run(&place, &here, &["--baseline", "latest"]).exits(4);
    for words in [&here.url[..], "1 against other URLs passed over", "--baseline RUN"] {
        assert!(missing(&place).contains(words), "{}", missing(&place));
    }
    let first = latest_id(&place);
    run(&place, &there, &[]).exits(0);
    run(&place, &here, &["--baseline", "latest"]).exits(0);
    assert_eq!(held_against(&place), Some(first));
}

#[test]
fn a_record_file_is_a_baseline_without_any_store() {
    let place = Place::new();
    let (good, blind) = (DemoProcess::start(&[]), DemoProcess::start(&["--constant", "safe"]));
    let none = ["--database-url", "none"];
    run(&place, &good, &[&none[..], &["--json", "before.json"]].concat()).exits(0);
    let before: Value =
        serde_json::from_slice(&std::fs::read(place.path().join("before.json")).unwrap()).unwrap();
    let more = ["--baseline", "before.json", "--json", "after.json"];
    run(&place, &blind, &[&none[..], &more].concat()).exits(1);
    let after: Value =
        serde_json::from_slice(&std::fs::read(place.path().join("after.json")).unwrap()).unwrap();
    assert_eq!(after["baseline"]["compared"]["baseline"]["id"], before["id"]);
    assert_eq!(after["baseline"]["compared"]["accuracy"]["regressed"], 5);
}

#[test]
fn a_baseline_that_is_configured_is_asked_for_and_a_flag_replaces_it() {
    let place = Place::new();
    let good = DemoProcess::start(&[]);
    place.file("thrash.yaml", "baseline: latest\n");
    run(&place, &good, &[]).exits(4);
    run(&place, &good, &["--baseline", "none"]).exits(0);
    run(&place, &good, &[]).exits(0);
    assert!(held_against(&place).is_some());
}

#[test]
fn a_run_that_shows_too_little_is_no_baseline() {
    let place = Place::new();
    let (good, dying) = (DemoProcess::start(&[]), DemoProcess::start(&["--die-after", "8"]));
    run(&place, &dying, &["--concurrency", "1", "--retries", "0"]).exits(3);
    let refused = place.thrash(["baseline", "set", "latest"]).exits(2);
    refused.complains(&[&latest_id(&place), "cannot be a baseline", "thrash runs list"]);
    assert_eq!(place.thrash(["baseline", "show"]).exits(0).stdout, "");
    let id = latest_id(&place);
    let refused = run(&place, &good, &["--baseline", &id]).exits(2);
    refused.complains(&[&format!("run `{id}` cannot be one")]);
    // It is passed by when the newest is looked for.
    run(&place, &good, &["--baseline", "latest"]).exits(4);
    run(&place, &good, &["--baseline", "latest"]).exits(0);
    assert_ne!(held_against(&place), Some(id));
}

#[test]
fn the_set_baselines_are_shown_replaced_kept_and_cleared() {
    let place = Place::new();
    let good = DemoProcess::start(&[]);
    place.thrash(["baseline", "show"]).exits(0).complains(&["no baseline is set"]);
    run(&place, &good, &[]).exits(0);
    let first = latest_id(&place);
    run(&place, &good, &[]).exits(0);
    let second = latest_id(&place);
    place.thrash(["quick"]).exits(1);
    let note = "a note that is longer than any terminal is wide ".repeat(3);
    place.thrash(["baseline", "set", &first, "--note", &note]).exits(0);
    let failed = place.thrash(["baseline", "set", "latest"]).exits(0);
    failed.complains(&["the run itself did not pass"]);
    let replaced = place.thrash(["baseline", "set", &second]).exits(0);
    has(&replaced.stdout, &[&second, &format!("in place of {first}")]);

    let deceiving = "ok\u{202e}dessap\u{1b}[31m\u{7}\n::error::x";
    place.thrash(["baseline", "set", &first, "--note", deceiving]).exits(0);
    let shown = place.thrash_with(&[("COLUMNS", "200")], ["baseline", "show"]).exits(0).stdout;
    assert!(shown.contains("ok\u{fffd}dessap [31m"), "{shown}");
    for sign in ["\u{202e}", "\u{1b}", "\u{7}"] {
        assert!(!shown.contains(sign), "{shown}");
    }
    assert!(shown.lines().all(|line| !line.trim().starts_with("::")), "{shown}");
    place.thrash(["baseline", "set", &second]).exits(0);
    let shown = place.thrash(["baseline", "show"]).exits(0).stdout;
    has(&shown, &["`s` against `ash-v5`", &second, "`quick` against `demo` (the built-in demo)"]);
    let json = place.thrash(["baseline", "show", "--json"]).exits(0).stdout;
    let json: Vec<Value> = serde_json::from_str(&json).unwrap();
    let of_s = json.iter().find(|baseline| baseline["suite"] == "s").unwrap();
    assert_eq!((of_s["run"].as_str(), of_s["target"].as_str()), (Some(second.as_str()), Some("ash-v5")));
    assert_eq!(of_s["summary"]["accuracy"], 1.0);
    let listed = place.thrash(["runs", "list"]).exits(0).stdout;
    has(&listed, &[]);

    place.thrash(["runs", "delete", &first, &second]).exits(2).complains(&["baseline"]);
    assert_eq!(place.runs().len(), 3, "nothing was deleted");
    place.thrash(["db", "prune", "--keep-last", "0"]).exits(0);
    assert_eq!(place.runs().len(), 2, "both baselines are kept");

    place.thrash(["baseline", "clear"]).exits(2);
    place.thrash(["baseline", "clear", "--suite", "s"]).exits(2);
    place
        .thrash(["baseline", "clear", "--suite", "s", "--target", "x"])
        .exits(2)
        .complains(&["has no baseline"]);
    place.thrash(["baseline", "clear", "--suite", "s", "--target", "ash-v5"]).exits(0);
    place.thrash(["baseline", "clear", &second]).exits(2).complains(&["is no baseline"]);
    run(&place, &good, &[]).exits(0);
    assert_eq!(held_against(&place), None);
    let demo = json.iter().find(|baseline| baseline["demo"] == true).unwrap()["run"].as_str().unwrap();
    place.thrash(["runs", "delete", demo]).exits(2).complains(&["--force"]);
    place.thrash(["runs", "delete", "--force", demo]).exits(0).complains(&["was a baseline"]);
    assert_eq!(place.thrash(["baseline", "show"]).exits(0).stdout, "");
}
