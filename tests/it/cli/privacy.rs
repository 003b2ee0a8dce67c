//! Secrets and the text of phrases: where they must not appear.

use std::path::Path;

use crate::support::command::{DemoProcess, Ended, Place};

/// A word that stands where something secret or private stands.
const MARKER: &str = "MARKERWORD";

#[track_caller]
fn keeps_it(ended: &Ended) {
    assert!(!ended.said().contains(MARKER), "it is said:\n{}", ended.said());
}

/// Whether a file below the folder holds the bytes.
fn lies_below(folder: &Path, bytes: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return lies_below(&path, bytes);
        }
        let content = std::fs::read(&path).unwrap_or_default();
        content.windows(bytes.len()).any(|window| window == bytes.as_bytes())
    })
}

#[test]
fn a_database_password_is_masked_wherever_it_is_wrong() {
    let place = Place::new();
    let suite = place.easy_suite();
    let urls = [
        "postgres://u:MARKERWORD@127.0.0.1:1/d",
        "postgres://u:#MARKERWORD@127.0.0.1:1/d",
        "postgres://u:?MARKERWORD@127.0.0.1:1/d",
        "postgres://u:/MARKERWORD@127.0.0.1:1/d",
        "postgres://u:MARKERWORD#x@127.0.0.1:1/d",
        "postgres://u:MARKERWORD?x@127.0.0.1:1/d",
        "postgres://u:MARKERWORD@x@127.0.0.1:1/d",
        "postgres://u:%zzMARKERWORD@127.0.0.1:1/d",
        "postgres://u@127.0.0.1:1/d?password=MARKERWORD",
        "postgres://u@127.0.0.1:1/d?pasword=MARKERWORD",
        "mysql://u:MARKERWORD@127.0.0.1:1/d",
        "u:MARKERWORD@127.0.0.1:1/d",
        "host=127.0.0.1 port=1 password=MARKERWORD",
    ];
    for url in urls {
        for args in [vec!["doctor"], vec!["run", suite, "-vv"], vec!["runs", "list"]] {
            let flag = place.thrash(args.iter().copied().chain(["--database-url", url]));
            assert_ne!(flag.code, Some(0), "{url} {args:?}");
            keeps_it(&flag);
            keeps_it(&place.thrash_with(&[("DATABASE_URL", url)], args));
        }
    }
    assert!(!lies_below(place.path(), MARKER), "it lies in a file");
}

#[test]
fn the_password_of_a_targets_url_is_masked() {
    let place = Place::new();
    let suite = place.easy_suite();
    let demo = DemoProcess::start(&[]);
    let address = demo.url.strip_prefix("http://").unwrap();
    let good = format!("http://user:{MARKER}@{address}/");
    let bad = format!("http://user:{MARKER}@127.0.0.1:1/");
    for url in [good.as_str(), &bad, "http://u:MARKERWORD@[/", "ftp://u:MARKERWORD@x/", "u:MARKERWORD@x"] {
        for args in [vec!["doctor"], vec!["run", suite, "--out", "out", "-vv"], vec!["targets", "check"]] {
            keeps_it(&place.thrash_with(&[("NLP_SERVER_URL", url)], args));
        }
    }
    assert_eq!(place.runs().len(), 1, "the good one ran");
    assert!(!lies_below(place.path(), MARKER), "it lies in a file");
}

#[test]
fn secrets_of_the_service_are_not_shown_by_doctor() {
    let place = Place::new();
    let names = ["DISCORD_WEBHOOK_URL", "SLACK_WEBHOOK", "INTERNAL_API_KEY"];
    let url = format!("https://hooks.example/{MARKER}");
    let key = MARKER.repeat(2);
    let environment = [(names[0], url.as_str()), (names[1], url.as_str()), (names[2], key.as_str())];
    let ended = place.thrash_with(&environment, ["doctor"]).exits(0);
    assert!(ended.stdout.contains("ok  messages  discord, slack"), "{}", ended.stdout);
    for name in names {
        assert!(ended.stdout.contains(name), "{}", ended.stdout);
    }
    keeps_it(&ended);
    let ended = place.thrash_with(&[(names[1], MARKER)], ["doctor"]).exits(2);
    assert!(ended.stdout.contains("NO  messages  environment variable `SLACK_WEBHOOK`"), "{}", ended.stdout);
    assert!(ended.stdout.contains("write the whole of it"), "{}", ended.stdout);
    keeps_it(&ended);
}

#[test]
fn a_broken_configuration_keeps_its_secrets() {
    let place = Place::new();
    let files = [
        "store: {database_url: [\"postgres://u:MARKERWORD@h/d\"]}\n",
        "store:\n  database_url: postgres://u:MARKERWORD@h/d\n   broken: [\n",
        "url: {a: \"http://u:MARKERWORD@h\"}\n",
        "targets: {a: {extends: nope, request: {headers: {X-API-Key: MARKERWORD}}}}\n",
        "targets:\n  a:\n    extends: ash-v5\n    request:\n      headers:\n        Authorization: [MARKERWORD]\n",
    ];
    for (i, text) in files.into_iter().enumerate() {
        let name = format!("{i}.yaml");
        place.file(&name, text);
        for args in [vec!["doctor"], vec!["quick", "--target", "a"]] {
            let ended = place.thrash(args.into_iter().chain(["--config", &name])).exits(2);
            keeps_it(&ended);
            assert!(ended.said().contains(&name), "{}", ended.said());
        }
    }
}

#[test]
fn no_broken_phrase_file_lets_a_text_into_a_message() {
    let place = Place::new();
    let head = "category: c\nexpected: [high]\nphrases:\n";
    let files = [
        format!("{head}  - id: a\n    text: I feel\n      because: {MARKER} it\n"),
        format!("{head}  - id: a\n    text: *{MARKER}\n"),
        format!("{head}  - id: a\n    text: \"{MARKER} \\q\"\n"),
        format!("{head}  - id: a\n    text: \"{MARKER}\n"),
        format!("{head}  - id: a\n    text: hello\n    {MARKER} oh no: 3\n"),
        format!("{head}  - id: a\n    text: {MARKER}\n    id: b\n"),
        format!("{head}  - id: a\n    text: [{MARKER}]\n"),
        format!("{head}  - id: a\n    text: x\n    history: {MARKER}\n"),
        format!("{head}  - id: a\n    text: x\n    note: {{a: {MARKER}}}\n"),
        format!("{head}  - {MARKER}\n"),
        format!("{head}  - {{id: a, txt: {MARKER}}}\n"),
        format!("{head}  - {{id: a,\n     tags: [b], text: {MARKER}, nope: 1}}\n"),
        format!("category: c\nexpected: [high]\nphrases: {MARKER}\n"),
        format!("category: c\nexpected: [high]\nphrases: [{{id: a, text: {MARKER}, tgas: []}}]\n"),
        format!("category: c\nexpected: [high]\ntitle: [{MARKER}]\nphrases: []\n"),
        format!("{head}  - id: a\n    text: {MARKER}\n  - id: b\n    text: {MARKER}\n"),
        format!("{head}  - id: a\n    text: |\n      id: a\n      {MARKER}: [\n    expected: [hihg]\n"),
        format!("{head}\t- id: a\n\t  text: {MARKER}\n"),
        format!("{head}  - id: a b\n    text: {MARKER}\n    escalation: 9\n"),
        format!("expected: [none]\nescalation: true\ncategory: c\nphrases:\n  - id: a\n    text: {MARKER}\n"),
    ];
    for text in files {
        place.file("broken.yaml", &text);
        let ended = place.thrash(["run", "broken.yaml", "-vv"]);
        assert_eq!(ended.code, Some(2), "{text}\n{}", ended.said());
        assert!(!ended.said().contains(MARKER), "{text}\n{}", ended.said());
        assert!(ended.stderr.contains("broken.yaml:"), "{text}\n{}", ended.said());
    }
}

#[test]
fn the_text_policy_holds_in_records_reports_and_the_store() {
    for policy in ["none", "redacted", "full"] {
        let place = Place::new();
        place.easy_suite();
        place.file(
            "easy/more.yaml",
            format!("category: more\nexpected: [none]\nphrases:\n  - {{id: m, text: Hello {MARKER}!, history: [Well {MARKER}]}}\n"),
        );
        let suite = place.path().join("easy");
        let args = ["run", suite.to_str().unwrap(), "--text", policy, "--out", "out"];
        let ended = place.thrash(args).exits(0);
        keeps_it(&ended);
        let written = place.latest();
        let result =
            written["results"].as_array().unwrap().iter().find(|result| result["id"] == "m").unwrap();
        let (in_files, expected) = match policy {
            "none" => (false, None),
            "redacted" => (false, Some("••••• ••••••••••!")),
            _ => (true, Some("Hello MARKERWORD!")),
        };
        assert_eq!(result["text"].as_str(), expected, "--text {policy}");
        for folder in ["out", "data"] {
            assert_eq!(
                lies_below(&place.path().join(folder), MARKER),
                in_files,
                "--text {policy} in {folder}"
            );
        }
        // What was not kept cannot come back.
        let again = place.thrash(["report", "latest", "--json", "-", "--text", "full"]).exits(0);
        assert_eq!(again.stdout.contains(MARKER), in_files);
    }
}

#[test]
fn phrases_stay_out_of_pages_and_logs_unless_asked_for() {
    let place = Place::new();
    place.file(
        "s.yaml",
        format!("category: s\nexpected: [critical]\nphrases:\n  - {{id: s, text: Hello {MARKER}}}\n"),
    );
    let ended = place.thrash(["run", "s.yaml", "-vv", "--junit", "-"]);
    assert_eq!(ended.code, Some(1));
    keeps_it(&ended);
    assert!(ended.stdout.contains("name=\"s\"") || ended.stdout.contains('s'), "{}", ended.stdout);
}
