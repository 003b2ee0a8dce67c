//! What is typed: help, versions, flags, and the names that were meant.

use crate::support::command::{DemoProcess, Place};

#[test]
fn without_arguments_it_shows_help_and_exits_2() {
    let place = Place::new();
    let ended = place.thrash(Vec::<&str>::new()).exits(2);
    assert_eq!(ended.stdout, "");
    for word in ["Usage: thrash", "quick", "comprehensive", "Exit codes:", "130  interrupted"] {
        assert!(ended.stderr.contains(word), "no `{word}`:\n{}", ended.stderr);
    }
}

#[test]
fn help_and_version_are_data_and_exit_0() {
    let place = Place::new();
    let version = place.thrash(["--version"]).exits(0);
    assert_eq!(version.stdout, concat!("thrash ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(version.stderr, "");
    let help = place.thrash(["--help"]).exits(0);
    assert!(help.stdout.contains("Exit codes:") && help.stderr.is_empty());
}

#[test]
fn every_help_fits_80_columns() {
    let place = Place::new();
    let commands: [&[&str]; 16] = [
        &[],
        &["quick"],
        &["comprehensive"],
        &["run"],
        &["runs"],
        &["runs", "list"],
        &["runs", "show"],
        &["report"],
        &["targets"],
        &["targets", "check"],
        &["demo"],
        &["doctor"],
        &["db", "migrate"],
        &["db", "prune"],
        &["schema"],
        &["completions"],
    ];
    for command in commands {
        let help = place.thrash(command.iter().chain(&["--help"])).exits(0).stdout;
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{command:?}: {line}");
        }
    }
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest_known_one() {
    let place = Place::new();
    place.file("thrash.yaml", "targets:\n  staging: {extends: ash-v5}\n");
    let cases: [(&[&str], &str); 8] = [
        (&["quikc"], "'quick'"),
        (&["quick", "--categry", "x"], "'--category'"),
        (&["quick", "--category", "definite_hihg"], "did you mean `definite_high`?"),
        (&["quick", "--tag", "gamin"], "did you mean `gaming`?"),
        (&["run", "comprehensiv"], "did you mean `comprehensive`?"),
        (&["quick", "--target", "ash_v5"], "did you mean `ash-v5`?"),
        (&["quick", "--target", "stagin"], "did you mean `staging`?"),
        (&["quick", "--gate", "acuracy >= 92%"], "did you mean `accuracy`?"),
    ];
    for (args, expected) in cases {
        place.thrash(args).exits(2).complains(&[expected]);
    }
}

#[test]
fn a_gate_over_an_unknown_slice_is_refused_before_anything_is_sent() {
    let place = Place::new();
    // If anything were sent, this address would make it exit 3.
    let cases = [
        ("accuracy[definite_hihg] >= 95%", "did you mean `definite_high`?"),
        ("accuracy[tag=gamin] >= 95%", "did you mean `gaming`?"),
        ("accuracy[capability=nothing_like_it] >= 95%", "capability"),
        ("accuracy[language=xx] >= 95%", "language"),
    ];
    for (gate, hint) in cases {
        place.thrash(["quick", "--url", "http://127.0.0.1:1", "--gate", gate]).exits(2).complains(&[hint]);
    }
}

#[test]
fn a_gate_that_cannot_be_read_says_what_is_wrong_with_it() {
    let place = Place::new();
    let cases = [
        ("accuracy", "neither `>=` nor `<=`"),
        ("accuracy > 92%", "neither `>=` nor `<=`"),
        ("accuracy >= 92", "write `92%` or `0.92`"),
        ("accuracy <= 92%", "more `accuracy` is better"),
        ("latency_p95 <= 500", "not a length of time"),
        ("latency_p95[definite_high] <= 500ms", "over the whole run only"),
        ("kappa >= 0.5 (bound 95%)", "no confidence limit"),
    ];
    for (gate, problem) in cases {
        place.thrash(["quick", "--gate", gate]).exits(2).complains(&[problem]);
    }
}

#[test]
fn gates_from_flags_are_checks_of_the_run() {
    let place = Place::new();
    let suite = place.easy_suite();
    let gates = ["accuracy[calm] >= 50%", "latency_p95 <= 30s", "lift >= 0.1", "cached_answers <= 0"];
    let flags = gates.iter().flat_map(|gate| ["--gate", gate]);
    place
        .thrash(["run", suite, "--min-accuracy", "50%", "--max-fpr", "7%"].into_iter().chain(flags))
        .exits(0);
    let record = place.latest();
    let names: Vec<&str> = record["verdict"]["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    for name in gates.iter().chain(&["accuracy >= 50%", "false_positive_rate <= 7%"]) {
        let name = name.replace("30s", "30000ms");
        assert!(names.contains(&name.as_str()), "no `{name}` in {names:?}");
    }
}

#[test]
fn a_limit_is_stratified_and_a_seed_reproduces_it() {
    let place = Place::new();
    for (category, size) in [("a", 40), ("b", 20), ("c", 20)] {
        let phrases: Vec<String> = (0..size)
            .map(|n| format!("  - {{id: {category}-{n}, text: Good {n} morning {category}}}"))
            .collect();
        let phrases = phrases.join("\n");
        place.file(
            &format!("s/{category}.yaml"),
            format!("category: {category}\nexpected: [none]\nphrases:\n{phrases}"),
        );
    }
    let demo = DemoProcess::start(&[]);
    let ids = |seed: &str| -> Vec<String> {
        let args = ["run", "s", "--url", &demo.url, "--limit", "16", "--seed", seed, "--json", "-", "-q"];
        let record: serde_json::Value = serde_json::from_str(&place.thrash(args).stdout).expect("a record");
        assert_eq!(record["suite"]["selected"], 16);
        assert_eq!(record["suite"]["available"], 80);
        let results = record["results"].as_array().unwrap();
        for (category, share) in [("a", 8), ("b", 4), ("c", 4)] {
            let drawn = results.iter().filter(|result| result["category"] == category).count();
            assert_eq!(drawn, share, "{category}");
        }
        results.iter().map(|result| result["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = ids("7");
    assert_eq!(first, ids("7"));
    assert_ne!(first, ids("8"));
}

#[test]
fn repeats_find_answers_that_change_and_fail_the_run() {
    let place = Place::new();
    let suite = place.easy_suite();
    let demo = DemoProcess::start(&["--flaky-rate", "50%", "--seed", "3"]);
    let loose = ["--min-accuracy", "0%", "--max-fpr", "100%", "--url", &demo.url, "--repeat", "12"];
    let ended = place.thrash(["run", suite].iter().chain(&loose)).exits(1);
    assert!(ended.stdout.contains("changed_answers <= 0"), "{}", ended.stdout);
    let record = place.latest();
    assert!(!record["integrity"]["changed"].as_array().unwrap().is_empty());
    assert_eq!(record["results"][0]["observations"].as_array().unwrap().len(), 12);
    // A steady detector passes the same gate.
    place.thrash(["run", suite, "--repeat", "3"]).exits(0);
}

#[test]
fn completions_come_for_every_shell() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = place.thrash(["completions", shell]).exits(0);
        assert!(ended.stdout.contains("comprehensive"), "{shell}");
        assert_eq!(ended.stderr, "");
    }
    let bash = place.shell("source <(\"$THRASH\" completions bash) && complete -p thrash").exits(0);
    assert!(bash.stdout.contains("_thrash"), "{}", bash.said());
}

#[test]
fn a_target_is_shown_as_it_is_configured_with_what_it_extends() {
    let place = Place::new();
    let preset = place.thrash(["targets", "show", "ash-v5"]).exits(0).stdout;
    assert!(preset.contains("base_url"));
    place.file(
        "thrash.yaml",
        "targets:\n  staging:\n    extends: demo\n    base_url: http://u:MARKER@staging.example:8080\n    request: {headers: {X-Key: MARKER}}\n",
    );
    let shown = place.thrash(["targets", "show", "staging"]).exits(0).stdout;
    assert!(shown.contains("staging.example:8080") && shown.contains("examples:"), "{shown}");
    assert!(!shown.contains("MARKER") && !shown.contains("extends"), "{shown}");
    let listed = place.thrash(["targets", "list"]).exits(0).stdout;
    assert!(listed.contains("staging") && listed.contains("configured"), "{listed}");
    place.thrash(["targets", "show", "stagin"]).exits(2).complains(&["did you mean `staging`?"]);
}

#[test]
fn a_target_check_reads_one_answer_field_by_field() {
    let place = Place::new();
    let ended = place.thrash(["targets", "check"]).exits(0);
    assert!(ended.stdout.contains("read as `none`"), "{}", ended.stdout);
    let demo = DemoProcess::start(&["--html-rate", "100%"]);
    place.thrash(["targets", "check", "--url", &demo.url]).exits(3);
    let demo = DemoProcess::start(&["--contradict-rate", "100%"]);
    place.thrash(["targets", "check", "--url", &demo.url]).exits(1);
}
