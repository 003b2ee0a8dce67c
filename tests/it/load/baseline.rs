//! Load runs held against earlier ones.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::{ms, place, record, right, run};
use crate::support::command::Place;
use crate::support::server::{Reply, Server};

const LOAD: &str = "model: arrivals\nrate: 60/s\nduration: 1s\ngates: [error_rate <= 5%]\n";

/// A folder with 30 phrases, half of them desperate.
pub(super) fn of_many(scenario: &str) -> Place {
    let place = place(scenario);
    for (file, category, level, id) in
        [("calm", "calm", "none", "calm"), ("desperate", "desperate", "high", "high")]
    {
        let mut text = format!("category: {category}\nexpected: [{level}]\nphrases:\n");
        for i in 0..15 {
            let _ = writeln!(text, "  - {{id: {id}-{i}, text: A {category} phrase with number {i}}}");
        }
        place.file(&format!("words/{file}.yaml"), text);
    }
    place
}

/// A server that can be made worse: slower, and wrong on desperate phrases.
fn changing() -> (Server, Arc<AtomicBool>) {
    let worse = Arc::new(AtomicBool::new(false));
    let is_worse = Arc::clone(&worse);
    let server = Server::start(move |seen| {
        if is_worse.load(Ordering::SeqCst) {
            Reply::json(200, &json!({"level": "none"})).after(ms(600))
        } else {
            right(seen).after(ms(150))
        }
    });
    (server, worse)
}

pub(super) fn check<'a>(record: &'a Value, name: &str) -> &'a Value {
    let mut checks = record["verdict"]["checks"].as_array().unwrap().iter();
    checks.find(|check| check["name"].as_str().unwrap().starts_with(name)).expect("a check")
}

#[test]
fn a_load_run_is_held_against_the_baseline_of_its_scenario() {
    let (server, worse) = changing();
    let place = of_many(LOAD);
    run(&place, &server, &[]).exits(0);
    place.thrash(["baseline", "set", "latest", "--note", "as it was"]).exits(0);
    let shown = place.thrash(["baseline", "show"]).exits(0);
    assert!(shown.stdout.contains("load s") && shown.stdout.contains("as it was"), "{}", shown.stdout);

    let gates =
        ["--gate", "accuracy no_regression", "--gate", "latency_p95 rise <= 100%", "--html", "page.html"];
    let same = run(&place, &server, &gates).exits(0);
    assert!(same.stdout.contains("Baseline"), "{}", same.stdout);
    worse.store(true, Ordering::SeqCst);
    run(&place, &server, &gates).exits(1);
    let found = record(&place);
    for gate in ["accuracy no_regression", "latency_p95 rise"] {
        assert_eq!(check(&found, gate)["outcome"], "fail", "{}", check(&found, gate));
    }
    let page = std::fs::read_to_string(place.path().join("page.html")).unwrap();
    assert!(page.contains("high-1"), "what got worse is named");

    // Without any there is nothing to hold it against.
    let first = place.thrash(["baseline", "show"]).stdout;
    let id = first.split_whitespace().find(|word| word.starts_with("20")).expect("an id").to_owned();
    place.thrash(["baseline", "clear", &id]).exits(0);
    run(&place, &server, &gates).exits(4);
    assert!(
        check(&record(&place), "accuracy no_regression")["reason"].as_str().unwrap().contains("no baseline")
    );
}

#[test]
fn a_file_is_one_series_however_its_path_is_written_and_none_of_a_shipped_scenario() {
    let (server, _) = changing();
    let place = of_many(LOAD);
    let text = std::fs::read_to_string(place.path().join("s.yaml")).unwrap();
    place.file("smoke.yaml", text);
    let url = server.url();
    for file in ["s.yaml", "./s.yaml", "words/../s.yaml", "smoke.yaml"] {
        place.thrash(["load", file, "--target", "plain", "--url", &url]).exits(0);
    }
    let suites: Vec<Value> = place.runs().iter().map(|run| run["suite"].clone()).collect();
    assert_eq!(suites, ["load ./smoke", "load s", "load s", "load s"]);
}

#[test]
fn another_load_is_no_baseline() {
    let (server, _) = changing();
    let place = of_many(LOAD);
    run(&place, &server, &[]).exits(0);
    let before = record(&place)["id"].as_str().unwrap().to_owned();
    for (args, why) in [
        (&["--seed", "7"][..], "made another load"),
        (&["--scale-time", "0.5"][..], "made another load"),
        (&[][..], ""),
    ] {
        let all = [&["--baseline", &before, "--gate", "latency_p95 rise <= 300%"], args].concat();
        let code = if why.is_empty() { 0 } else { 4 };
        let ended = run(&place, &server, &all).exits(code);
        assert!(ended.stdout.contains(why), "{}", ended.stdout);
    }
    let over_http1 =
        format!("title: A test\nphrases: {{suite: words}}\nconnections: {{http: '1.1'}}\n{LOAD}");
    place.file("s.yaml", over_http1);
    let ended = run(&place, &server, &["--baseline", &before]).exits(4);
    assert!(ended.stdout.contains("made another load"), "{}", ended.stdout);
    place.file("s.yaml", format!("title: A test\nphrases: {{suite: words}}\n{LOAD}"));
    // A baseline that was asked for and cannot be had decides nothing.
    run(&place, &server, &["--baseline", "latest", "--scale-time", "0.5"]).exits(0);
    run(&place, &server, &["--baseline", "nothing-like-that"])
        .exits(2)
        .complains(&["cannot use the baseline"]);

    // A run that did not make its load shows too little.
    place.file("s.yaml", format!("title: x\nphrases: {{suite: words}}\nmax_requests: 20\n{LOAD}"));
    run(&place, &server, &[]).exits(4);
    place.thrash(["baseline", "set", "latest"]).exits(2).complains(&["a limit of its scenario ended it"]);
}

#[test]
fn a_search_is_not_held_against_a_baseline() {
    let place = place(
        "model: arrivals\nsearch: {from: 5/s, to: 10/s, factor: 2, hold: 1s}\ngates: [latency_p95 <= 1s, latency_p95 rise <= 10%]\n",
    );
    place.thrash(["scenarios", "check", "s.yaml"]).exits(2).complains(&["cannot be asked of a search"]);
}
