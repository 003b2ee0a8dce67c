//! The scenario format: the shipped ones, what is refused, and where the error points.

use super::{place, root};
use crate::cli::schemas::{accepts, schema};
use crate::support::command::Place;

#[test]
fn every_shipped_scenario_can_be_run_and_fits_the_schema() {
    let place = Place::new();
    let checked = place.thrash(["scenarios", "check"]).exits(0);
    let listed = place.thrash(["scenarios", "list"]).exits(0);
    let schema = schema("scenario");
    let mut files = 0;
    for entry in std::fs::read_dir(root().join("scenarios/load")).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(checked.stdout.contains(&format!("ok  {name}: ")), "{}", checked.stdout);
        assert!(listed.stdout.contains(&name), "{}", listed.stdout);
        let text = std::fs::read_to_string(&path).expect("a file");
        assert_eq!(place.thrash(["scenarios", "show", &name]).exits(0).stdout, text);
        accepts(&schema, &serde_yaml::from_str(&text).expect("YAML"), &name);
        files += 1;
    }
    assert_eq!(files, 8);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let cases = [
        ("model: arrivals\nrate: 5/s\nduration: 1s\nspcing: even\n", "s.yaml:6:1", "did you mean `spacing`"),
        ("model: arrivals\nrate: 5\nduration: 1s\n", "s.yaml:4:7", "`50/s`"),
        ("model: arrivals\nrate: 5/s\n", "s.yaml:3:8", "one of `duration`, `stages` and `search`"),
        ("model: arrivals\nduration: 1s\n", "s.yaml:3:8", "needs its `rate`"),
        (
            "model: arrivals\nrate: 5/s\nduration: 1s\nusers: 3\n",
            "s.yaml:6:8",
            "no meaning with `model: arrivals`",
        ),
        ("model: users\nusers: 3\nduration: 1s\nrate: 5/s\n", "s.yaml:6:7", "no meaning with `model: users`"),
        (
            "model: arrivals\nrate: 50/s\nduration: 1s\nmax_rate: 20/s\n",
            "s.yaml:6:11",
            "more than `max_rate`",
        ),
        ("model: arrivals\nrate: 50/s\nduration: 1s\nwarm_up: 1s\n", "s.yaml:6:10", "nothing is left"),
        (
            "model: arrivals\nstages: [{duration: 1s, target: 0}]\n",
            "s.yaml:4:9",
            "nothing would ever be sent",
        ),
        ("model: arrivals\nstages: [{duration: 0s, target: 5}]\n", "s.yaml:4:9", "no time at all"),
        ("model: arrivals\nstages: [{duration: 1s, target: -5}]\n", "s.yaml:4:33", "0 or more"),
        (
            "model: arrivals\nrate: 5/s\nduration: 1s\nheaders: {Host: x}\n",
            "s.yaml:6:17",
            "set by this program",
        ),
        ("model: arrivals\nrate: 5/s\nduration: 1s\nheaders: {X: \"a\\nb\"}\n", "s.yaml:6:", "no header"),
        ("model: arrivals\nrate: 5/s\nduration: 1s\ngates: [accuraci >= 5%]\n", "s.yaml:6:9", "accuracy"),
        (
            "model: arrivals\nsearch: {from: 9/s, to: 5/s, factor: 2, hold: 1s}\ngates: [error_rate <= 1%]\n",
            "s.yaml:4:",
            "below",
        ),
        (
            "model: arrivals\nsearch: {from: 1/s, to: 5/s, factor: 2, hold: 1s}\n",
            "s.yaml:4:9",
            "gates that can break",
        ),
        (
            "model: users\nusers: 3\nduration: 1s\nconnections: {count: 0}\n",
            "s.yaml:6:22",
            "1 to 20000 connections",
        ),
        (
            "model: users\nusers: 3\nduration: 1s\nconnections: {count: 4, http: \"1.1\"}\n",
            "s.yaml:6:22",
            "as many as requests on their way",
        ),
        (
            "model: users\nusers: 3\nduration: 1s\nconnections: {count: 4, keep_alive: false}\n",
            "s.yaml:6:22",
            "one for each request",
        ),
        ("model: closed\n", "s.yaml:3:8", "arrivals"),
        ("rate: 5/s\nduration: 1s\n", "s.yaml:1:1", "the key `model` is missing"),
    ];
    for (lines, at, says) in cases {
        let place = place(lines);
        place.thrash(["scenarios", "check", "s.yaml"]).exits(2).complains(&[at, says]);
        place.thrash(["load", "s.yaml"]).exits(2).complains(&[at, says]);
    }
}

#[test]
fn rules_that_no_run_can_mean_are_refused_with_their_place() {
    for (line, at, says) in [
        ("abort_when: {at_least: 0}", "s.yaml:6:24", "1 to 10000 requests"),
        ("abort_when: {at_least: 18446744073709551615}", "s.yaml:6:24", "1 to 10000 requests"),
        ("abort_when: {over: 3years}", "s.yaml:6:20", "250ms to 1m"),
        ("abort_when: {silent: 100years}", "s.yaml:6:22", "500ms to 1h"),
        ("abort_when: {latency_p95: 1ns}", "s.yaml:6:27", "faster than 1ms"),
        ("timeout: 1ns", "s.yaml:6:10", "1ms to 10m"),
    ] {
        let place = place(&format!("model: arrivals\nrate: 5/s\nduration: 1s\n{line}\n"));
        place.thrash(["scenarios", "check", "s.yaml"]).exits(2).complains(&[at, says]);
    }
}

#[test]
fn a_limit_that_ends_every_run_before_its_end_is_told_beforehand() {
    let load = "rate: 50/s\nduration: 10s\ngates: [error_rate <= 1%]\n";
    let users = "users: 30\nduration: 10s\ngates: [error_rate <= 1%]\n";
    let search = "search: {from: 5/s, to: 50/s, factor: 2, hold: 2s}\ngates: [error_rate <= 1%]\n";
    for (lines, limit) in [
        (format!("model: arrivals\n{load}max_requests: 1\n"), "max_requests: 1"),
        (format!("model: arrivals\n{load}max_duration: 1ms\n"), "max_duration: 1ms"),
        (format!("model: users\n{users}max_requests: 7\n"), "max_requests: 7"),
        (format!("model: arrivals\n{search}max_requests: 9\n"), "max_requests: 9"),
        (format!("model: arrivals\nspacing: even\n{load}max_requests: 499\n"), "max_requests: 499"),
        (format!("model: arrivals\nspacing: even\n{load}max_requests: 500\nmax_duration: 10s\n"), ""),
        // It shows what holds until then.
        (format!("model: arrivals\n{search}max_requests: 10\nmax_duration: 2s\n"), ""),
    ] {
        let place = place(&lines);
        let checked = place.thrash(["scenarios", "check", "s.yaml"]).exits(0);
        let says = format!("`{limit}` ends s.yaml before its stages do, so no run of it can be conclusive");
        // As one text, however it is broken into lines.
        let said = checked.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(said.contains("conclusive"), !limit.is_empty(), "{said}");
        assert!(limit.is_empty() || said.contains(&says), "{said}");
    }
}

#[test]
fn what_is_not_there_is_named_with_the_nearest_that_is() {
    let place = Place::new();
    place.thrash(["load", "smoek"]).exits(2).complains(&["there is no scenario or file `smoek`", "`smoke`"]);
    place.file("empty.yaml", "");
    place.thrash(["load", "empty.yaml"]).exits(2).complains(&["the file is empty", "scenarios show smoke"]);
    place.thrash(["load", "smoke", "--scale-time", "0"]).exits(2).complains(&["factor"]);
}

#[test]
fn a_category_that_weighs_and_is_not_there_is_refused_before_anything_is_sent() {
    let place = place("model: arrivals\nrate: 5/s\nduration: 1s\n");
    place.file(
        "s.yaml",
        "title: x\nphrases: {suite: words, weights: {clam: 2}}\nmodel: arrivals\nrate: 5/s\nduration: 1s\n",
    );
    place.thrash(["load", "s.yaml"]).exits(2).complains(&["`clam`", "did you mean `calm`"]);
}

#[test]
fn what_cannot_be_run_is_refused_when_it_is_checked() {
    let load = "model: arrivals\nrate: 5/s\nduration: 2s\n";
    let gate = "gates: [error_rate <= 1%]\n";
    for (lines, words) in [
        (format!("phrases: {{suite: wrods}}\n{load}{gate}"), &["wrods"][..]),
        (
            format!("phrases: {{suite: words}}\ntarget: plian\n{load}{gate}"),
            &["there is no target `plian`", "plain"],
        ),
        (format!("phrases: {{suite: words, categories: [clam]}}\n{load}{gate}"), &["clam"]),
        (format!("phrases: {{suite: words, weights: {{clam: 2}}}}\n{load}{gate}"), &["clam", "calm"]),
        (
            format!("phrases: {{suite: words}}\n{load}gates: [sustained_rate >= 3]\n"),
            &["there is no `search`", "s.yaml:6:9"],
        ),
        (
            format!(
                "phrases: {{suite: words}}\nmodel: arrivals\nrate: 6/min\nduration: 5s\nwarm_up: 1s\n{gate}"
            ),
            &["every request starts in the warm-up", "s.yaml:6:10"],
        ),
        (format!("phrases: {{suite: words}}\n{load}{gate}rate: 6/s\n"), &["s.yaml:7:1", "duplicate", "rate"]),
    ] {
        let place = super::place("");
        place.file("s.yaml", format!("title: A test\n{lines}"));
        let ended = place.thrash(["scenarios", "check", "s.yaml"]).exits(2);
        assert!(ended.stdout.is_empty(), "{}", ended.stdout);
        ended.complains(words);
    }
    let place = super::place(load);
    let ended = place.thrash(["scenarios", "check", "s.yaml"]).exits(0);
    ended.complains(&["no gates"]);
    let place = super::place(
        "model: arrivals\nsearch: {from: 5/s, to: 9/s, factor: 2, hold: 20s}\ngates: [error_rate <= 1%]\n",
    );
    place
        .thrash(["scenarios", "check", "s.yaml", "--scale-time", "0.02"])
        .exits(2)
        .complains(&["`--scale-time 0.02` makes 400ms"]);
}

#[test]
fn one_of_a_thing_is_one() {
    for (lines, plan) in [
        (
            "model: arrivals\nrate: 1/s\nduration: 1s\ngates: [error_rate <= 1%]\n",
            "1/s, 1s, 1 request, 1 gate",
        ),
        ("model: users\nusers: 1\nduration: 1s\niterations: 2\n", "1 user, 1s, 2 requests, 0 gates"),
    ] {
        let checked = place(lines).thrash(["scenarios", "check", "s.yaml"]).exits(0);
        assert_eq!(checked.stdout, format!("ok  s.yaml: {plan}\n"));
    }
}
